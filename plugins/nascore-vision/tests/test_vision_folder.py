"""Folders of images: their classes, splits, shapes and faults."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from vision_files import folder, pixels, truncate, write

from nascore.api import RecipeError
from nascore.cli import main
from nascore_vision.datasets import Folder
from nascore_vision.images import ImageFiles, Reading
from nascore_vision.listing import listing_of, read_folder
from nascore_vision.settings import FolderSettings


def made(path, **settings):
    return Folder(FolderSettings(path=path, **settings))


def faults(path, **settings):
    with pytest.raises(RecipeError) as caught:
        _ = made(path, **settings).facts
    assert all(one.slots == ("dataset",) for one in caught.value.problems)
    return [f"{one.path}: {one.text} {one.hint}".rstrip() for one in caught.value.problems]


def test_a_sub_folder_is_a_class(tmp_path):
    data = made(folder(tmp_path, count=10))
    assert data.facts.class_names == ("cat", "dog")
    assert (data.facts.channels, data.facts.height, data.facts.width) == (1, 8, 8)
    assert (data.facts.train, data.facts.test, data.facts.dtype) == (16, 4, "uint8")
    train, test = data.train(), data.test()
    assert train.images.dtype == torch.uint8
    assert test.labels.tolist() == [0, 0, 1, 1]
    shown = {image.numpy().tobytes(): int(label) for image, label in zip(*parts(data), strict=True)}
    expected = {pixels(100 * number + index).tobytes(): number for number in (0, 1) for index in range(10)}
    assert shown == expected


def parts(data):
    train, test = data.train(), data.test()
    return torch.cat([train.images, test.images]), torch.cat([train.labels, test.labels])


def test_facts_are_measured_on_the_training_images(tmp_path):
    data = made(folder(tmp_path, channels=3))
    floats = data.train().images.double() / 255
    assert data.facts.mean == pytest.approx(floats.mean((0, 2, 3)).tolist())
    assert data.facts.std == pytest.approx(floats.std((0, 2, 3)).tolist())
    assert (data.facts.crop_pad, data.facts.flip) == (1, False)
    other = made(tmp_path, crop_pad=0, flip=True)
    assert (other.facts.crop_pad, other.facts.flip) == (0, True)


def test_the_split_depends_on_its_own_seed_and_on_nothing_else(tmp_path):
    folder(tmp_path, count=10)

    def tested(**settings):
        return {image.numpy().tobytes() for image in made(tmp_path, **settings).test().images}

    first = tested()
    assert tested() == first
    assert tested(split_seed=1) != first
    assert first <= tested(test_share=0.5)
    write(tmp_path / "cat" / "new.png", pixels(99))
    assert len(tested() - first) <= 1


def test_levels_are_the_split(tmp_path):
    for level, count in (("train", 4), ("Validation", 2), ("test", 3)):
        folder(tmp_path / level, count=count)
    data = made(tmp_path)
    assert (data.facts.train, data.facts.test) == (12, 6)
    for file in (tmp_path / "test").rglob("*.png"):
        file.unlink()
    for name in ("cat", "dog"):
        (tmp_path / "test" / name).rmdir()
    (tmp_path / "test").rmdir()
    data = made(tmp_path)
    assert (data.facts.train, data.facts.test) == (8, 4)


def test_a_class_may_be_called_train(tmp_path):
    data = made(folder(tmp_path, classes=("train", "plane")))
    assert data.facts.class_names == ("plane", "train")
    assert data.facts.train == 8


def test_classes_with_numbers_are_sorted_as_numbers(tmp_path):
    data = made(folder(tmp_path, classes=("10", "9", "1"), count=3))
    assert data.facts.class_names == ("1", "9", "10")


def test_names_in_other_alphabets_and_deeper_folders_are_read(tmp_path):
    folder(tmp_path, classes=("кошка", "犬", "ne\u0301e"), count=3)
    write(tmp_path / "犬" / "deeper" / "ça va.PNG", pixels(7))
    (tmp_path / "犬" / "again").symlink_to(tmp_path / "犬")
    write(tmp_path / ".hidden" / "x.png", pixels(8))
    (tmp_path / "犬" / "notes.txt").write_text("no image", encoding="utf-8")
    data = made(tmp_path)
    assert data.facts.class_names == ("n\u00e9e", "кошка", "犬")
    assert data.facts.train + data.facts.test == 10


def test_images_are_resized(tmp_path):
    write(tmp_path / "a" / "wide.png", np.repeat(np.array([[0, 200, 200, 0]], np.uint8), 2, 0))
    folder(tmp_path, classes=("a", "b"), count=3, height=4, width=4)
    data = made(tmp_path, size=2)
    assert (data.facts.height, data.facts.width) == (2, 2)
    files = listing_of(read_folder(tmp_path), FolderSettings())[0]
    index = next(index for index, item in enumerate(files.items) if item.path.name == "wide.png")

    def decoded(fit):
        return ImageFiles(items=files.items, reading=Reading(size=2, fit=fit), channels=1).decode(index)

    assert decoded("crop").tolist() == [[[200, 200], [200, 200]]]
    assert decoded("stretch").max() < 200


def test_opaque_alpha_palettes_and_two_colours_are_read(tmp_path):
    grey = pixels(1)
    folder(tmp_path, count=3)
    Image.fromarray(grey).convert("LA").save(tmp_path / "cat" / "alpha.png")
    Image.fromarray(grey > 100).save(tmp_path / "cat" / "bits.png")
    images, _ = parts(made(tmp_path))
    assert images.shape == (8, 1, 8, 8)
    assert any(image.numpy().tobytes() == grey.tobytes() for image in images)
    colour = folder(tmp_path / "rgb", count=3, channels=3)
    Image.fromarray(pixels(5, channels=3)).quantize(8).save(colour / "dog" / "palette.png")
    Image.fromarray(pixels(6, channels=3)).convert("CMYK").save(colour / "dog" / "cmyk.jpg")
    assert made(colour).facts.channels == 3


def test_transparent_pixels_need_a_background(tmp_path):
    folder(tmp_path, count=3, channels=3)
    clear = np.zeros((8, 8, 4), np.uint8)
    write(tmp_path / "cat" / "clear.png", clear)
    (text,) = faults(tmp_path)
    assert text == (
        "dataset.background: 1 of 7 images has transparent pixels: cat/clear.png. "
        "Set dataset.background to black or white."
    )
    images, _ = parts(made(tmp_path, background="white"))
    assert any(bool((image == 255).all()) for image in images)


def test_a_path_that_is_missing_empty_or_flat_is_refused(tmp_path):
    assert "does not exist. Name a folder with one sub-folder for each class." in faults(tmp_path / "no")[0]
    assert "has no images. Put one sub-folder" in faults(tmp_path)[0]
    write(tmp_path / "0.png", pixels(0))
    assert "has 1 image, but no sub-folder for each class. Move the images" in faults(tmp_path)[0]
    assert "is not a folder" in faults(tmp_path / "0.png")[0]


def test_one_class_and_empty_classes_are_refused(tmp_path):
    folder(tmp_path, classes=("cat",))
    assert faults(tmp_path) == [
        "dataset.path: there is one class 'cat'; a classification needs at least two."
    ]
    (tmp_path / "dog").mkdir()
    (tmp_path / "eel").mkdir()
    (tmp_path / "eel" / "notes.txt").write_text("", encoding="utf-8")
    first, _ = faults(tmp_path)
    assert first == (
        "dataset.path: 2 classes have no images: dog (it is empty), eel (only notes.txt). "
        "Add images, or remove the folders."
    )


def test_classes_that_are_missing_in_a_split_are_refused(tmp_path):
    folder(tmp_path / "train", classes=("cat", "dog", "eel"))
    folder(tmp_path / "test", classes=("cat", "fox"))
    assert faults(tmp_path) == [
        (
            "dataset.path: 1 class has no train image: 'fox'. "
            "A class needs at least one image for training and one for testing."
        ),
        (
            "dataset.path: 2 classes have no test image: 'dog', 'eel'. "
            "A class needs at least one image for training and one for testing."
        ),
    ]


def test_images_beside_the_parts_are_refused(tmp_path):
    folder(tmp_path / "train")
    folder(tmp_path / "test")
    folder(tmp_path, classes=("extra",))
    assert "extra in" in faults(tmp_path)[0]
    assert "Move them into train, val or test" in faults(tmp_path)[0]


def test_all_faults_of_files_are_reported_at_once(tmp_path):
    folder(tmp_path, count=4)
    truncate(tmp_path / "cat" / "1.png")
    (tmp_path / "cat" / "2.png").write_bytes(b"no image")
    write(tmp_path / "dog" / "0.png", pixels(3, channels=3))
    write(tmp_path / "dog" / "1.png", pixels(3, height=9))
    write(tmp_path / "dog" / "2.png", np.full((8, 8), 70000 // 2, np.uint16))
    assert faults(tmp_path) == [
        (
            "dataset.path: 2 of 8 images cannot be read: cat/1.png (it is truncated), "
            "cat/2.png (it is not an image). "
            "Repair or remove them, or leave them out: --set dataset.skip_bad=true."
        ),
        "dataset.path: 1 of 8 images has more than 8 bits in a channel: dog/2.png. Convert them to 8 bits.",
        (
            "dataset.colour: 5 images are grey and 1 in colour; in colour: dog/0.png. "
            "Set dataset.colour to grey or rgb."
        ),
        "dataset.size: the images have 2 sizes: 8x8 (6), 8x9 (1). Resize them: --set dataset.size=8.",
    ]


def test_bad_files_are_left_out_on_request(tmp_path):
    folder(tmp_path, count=4)
    truncate(tmp_path / "cat" / "1.png")
    data = made(tmp_path, skip_bad=True)
    assert data.facts.train + data.facts.test == 7
    assert data.files() == {
        "sizes": [{"width": 8, "height": 8, "images": 7}],
        "skipped": ["cat/1.png (it is truncated)"],
    }
    for file in (tmp_path / "cat").iterdir():
        truncate(file)
    assert "1 class has no train image: 'cat'." in faults(tmp_path, skip_bad=True)[0]


def test_many_bad_files_are_counted(tmp_path):
    folder(tmp_path, count=9)
    for file in (tmp_path / "dog").iterdir():
        file.write_bytes(b"")
    (text,) = faults(tmp_path)
    assert "9 of 18 images cannot be read: dog/0.png" in text
    assert "dog/4.png (it is not an image) and 4 more." in text


def test_images_that_do_not_fit_in_memory_are_refused_before_they_are_read(tmp_path, monkeypatch):
    folder(tmp_path)
    monkeypatch.setattr("nascore.engine.memory.available_memory", lambda: 500)
    with pytest.raises(RecipeError, match=r"take 0\.0 GiB, and this machine has 0\.0 GiB"):
        _ = made(tmp_path).facts


def test_a_changed_file_is_read_again(tmp_path):
    folder(tmp_path)
    first = made(tmp_path)
    assert made(tmp_path).train().images is first.train().images
    write(tmp_path / "cat" / "0.png", pixels(77, height=8))
    images, _ = parts(made(tmp_path))
    assert any(image.numpy().tobytes() == pixels(77).tobytes() for image in images)


def test_the_declarations_import_neither_torch_nor_pillow():
    code = (
        "import sys, nascore_vision; sys.exit(any(x in sys.modules for x in ('torch', 'PIL', 'torchvision')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_data_shows_sizes_left_out_files_and_duplicates(tmp_path):
    folder(tmp_path / "train", count=4)
    folder(tmp_path / "test", count=2)
    write(tmp_path / "train" / "cat" / "big.png", pixels(3, height=9))
    truncate(tmp_path / "train" / "dog" / "3.png")
    sheet = tmp_path / "sheet.png"
    words = ["data", f"folder:{tmp_path}", "--set", "dataset.size=8", "--set", "dataset.skip_bad=true"]
    done = CliRunner().invoke(main, [*words, "--sheet", str(sheet)])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert "sizes of the files: 8x8 (11), 8x9 (1)" in lines
    assert "left out: train/dog/3.png (it is truncated)" in lines
    assert "duplicates: 0 in train, 0 in test, 4 of test in train" in lines
    with Image.open(sheet) as picture:
        assert (picture.mode, picture.size) == ("L", (342, 70))
