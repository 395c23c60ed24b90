"""Published data sets, from small files of their true formats."""

from __future__ import annotations

import hashlib
import json
import pickle
import struct

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from torchvision import datasets
from vision_files import folder, pixels, write

from nascore.api import RecipeError
from nascore_vision import published_arrays, published_files
from nascore_vision.settings import PublishedFilesSettings, PublishedSettings


def arrays(name, root, **settings):
    return getattr(published_arrays, name)(PublishedSettings(root=root, **settings))


def files(name, root, **settings):
    return getattr(published_files, name)(PublishedFilesSettings(root=root, **{"size": 8, **settings}))


def faults(build, *args, **settings):
    with pytest.raises(RecipeError) as caught:
        _ = build(*args, **settings).facts
    return [f"{one.path}: {one.text} {one.hint}".rstrip() for one in caught.value.problems]


def write_idx(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(head + array.tobytes())


@pytest.mark.parametrize(
    ("build", "name", "flip"),
    [("Mnist", "MNIST", False), ("FashionMnist", "FashionMNIST", True), ("Kmnist", "KMNIST", False)],
)
def test_the_files_of_mnist(tmp_path, build, name, flip):
    raw = tmp_path / name / "raw"
    stored = {}
    for seed, (part, count) in enumerate({"train": 20, "t10k": 10}.items()):
        images = np.random.default_rng(seed).integers(0, 256, (count, 28, 28), dtype=np.uint8)
        write_idx(raw / f"{part}-images-idx3-ubyte", images)
        write_idx(raw / f"{part}-labels-idx1-ubyte", (np.arange(count) % 10).astype(np.uint8))
        stored[part] = images
    data = arrays(build, tmp_path)
    assert torch.equal(data.train().images[:, 0], torch.from_numpy(stored["train"]))
    assert torch.equal(data.test().images[:, 0], torch.from_numpy(stored["t10k"]))
    assert data.test().labels.tolist() == list(range(10))
    assert (data.facts.train, data.facts.test, data.facts.classes) == (20, 10, 10)
    assert (data.facts.flip, data.facts.crop_pad, len(data.facts.class_names)) == (flip, 2, 10)
    assert arrays(build, tmp_path, size=8, flip=False).facts.height == 8


def cifar_rows(count, seed, classes):
    images = np.random.default_rng(seed).integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    return images, np.arange(count) % classes


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def pickled(tmp_path, monkeypatch):
    """The python version of CIFAR-10 with small files, whose MD5 count as the published ones."""
    base = tmp_path / "cifar-10-batches-py"
    base.mkdir()
    sums, stored = {}, []
    for seed, file in enumerate([*(f"data_batch_{one}" for one in range(1, 6)), "test_batch"]):
        images, labels = cifar_rows(10, seed, 10)
        content = pickle.dumps({"data": images.reshape(10, -1), "labels": labels.tolist()})
        (base / file).write_bytes(content)
        sums[file] = md5(content)
        stored.append(images)
    meta = pickle.dumps({"label_names": list(published_arrays.CIFAR10)})
    (base / "batches.meta").write_bytes(meta)
    source = datasets.CIFAR10
    monkeypatch.setattr(source, "train_list", [[file, sums[file]] for file, _ in source.train_list])
    monkeypatch.setattr(source, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(source, "meta", {**source.meta, "md5": md5(meta)})
    return tmp_path, stored


def test_the_python_version_of_cifar10(pickled):
    root, stored = pickled
    data = arrays("Cifar10", root)
    assert torch.equal(data.train().images, torch.from_numpy(np.concatenate(stored[:5])))
    assert torch.equal(data.test().images, torch.from_numpy(stored[5]))
    assert data.train().labels.tolist() == list(range(10)) * 5
    assert data.facts.class_names[3] == "cat"
    assert (data.facts.crop_pad, data.facts.flip) == (4, True)


class Danger:
    def __reduce__(self):
        return (pytest.fail, ("it was unpickled",))


def test_a_pickle_with_another_md5_is_not_opened(pickled):
    root, _ = pickled
    (root / "cifar-10-batches-py" / "data_batch_2").write_bytes(pickle.dumps(Danger()))
    (text,) = faults(arrays, "Cifar10", root)
    assert text.startswith("dataset.root: data_batch_2 in ")
    assert "another MD5 than the published files of cifar10. They are not unpickled." in text


def test_the_binary_versions_of_cifar(tmp_path):
    ten, hundred = tmp_path / "cifar-10-batches-bin", tmp_path / "cifar-100-binary"
    ten.mkdir()
    hundred.mkdir()
    stored = []
    for seed, file in enumerate([*(f"data_batch_{one}.bin" for one in range(1, 6)), "test_batch.bin"]):
        images, labels = cifar_rows(10, seed, 10)
        rows = np.concatenate([labels[:, None].astype(np.uint8), images.reshape(10, -1)], 1)
        (ten / file).write_bytes(rows.tobytes())
        stored.append(images)
    data = arrays("Cifar10", tmp_path)
    assert torch.equal(data.train().images, torch.from_numpy(np.concatenate(stored[:5])))
    assert data.test().labels.tolist() == list(range(10))
    for file in ("train.bin", "test.bin"):
        images, labels = cifar_rows(100, 0, 100)
        both = np.stack([labels // 5, labels], 1).astype(np.uint8)
        (hundred / file).write_bytes(np.concatenate([both, images.reshape(100, -1)], 1).tobytes())
    data = arrays("Cifar100", tmp_path)
    assert data.train().labels.tolist() == list(range(100))
    assert (data.facts.classes, data.facts.class_names[-1]) == (100, "worm")
    (ten / "test_batch.bin").write_bytes(b"short")
    assert "cannot be read: test_batch.bin is truncated." in faults(arrays, "Cifar10", tmp_path)[0]


def test_folders_of_png_of_cifar10(tmp_path):
    names = published_arrays.CIFAR10
    for part in ("train", "test"):
        folder(tmp_path / "cifar10" / part, names, 2, height=32, width=32, channels=3)
    data = arrays("Cifar10", tmp_path)
    assert (data.facts.train, data.facts.test) == (20, 20)
    cat = data.train().images[data.train().labels == 3]
    assert cat[0].numpy().tobytes() == pixels(300, 32, 32, 3).transpose(2, 0, 1).tobytes()
    folder(tmp_path / "cifar10" / "train", ["zebra"], 1, height=32, width=32, channels=3)
    folder(tmp_path / "cifar10" / "test", ["zebra"], 1, height=32, width=32, channels=3)
    assert "zebra are no classes of cifar10." in faults(arrays, "Cifar10", tmp_path)[0]


def test_the_files_of_svhn_give_zero_the_label_0(tmp_path, monkeypatch):
    listed = {}
    for part in ("train", "test"):
        images = np.random.default_rng(3).integers(0, 256, (32, 32, 3, 20), dtype=np.uint8)
        path = tmp_path / "svhn" / f"{part}_32x32.mat"
        path.parent.mkdir(exist_ok=True)
        savemat(path, {"X": images, "y": np.arange(20)[:, None] % 10 + 1})
        listed[part] = ["", path.name, md5(path.read_bytes())]
    monkeypatch.setattr(datasets.SVHN, "split_list", listed)
    data = arrays("Svhn", tmp_path)
    assert data.train().labels.tolist()[:10] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    assert torch.equal(data.test().images[4], torch.from_numpy(images[:, :, :, 4].transpose(2, 0, 1)))


def test_the_binary_files_of_stl10_are_stored_by_columns(tmp_path):
    base = tmp_path / "stl10_binary"
    base.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (10, 3, 96, 96), dtype=np.uint8)
    for part in ("train", "test"):
        (base / f"{part}_X.bin").write_bytes(images.transpose(0, 1, 3, 2).tobytes())
        (base / f"{part}_y.bin").write_bytes(np.arange(1, 11, dtype=np.uint8).tobytes())
    data = arrays("Stl10", tmp_path)
    assert torch.equal(data.train().images, torch.from_numpy(images))
    assert data.train().labels.tolist() == list(range(10))


def test_the_tables_of_flowers102(tmp_path):
    base = tmp_path / "flowers-102"
    for number in range(1, 307):
        write(base / "jpg" / f"image_{number:05d}.jpg", pixels(number, 9, 8, 3))
    savemat(base / "imagelabels.mat", {"labels": np.arange(306) % 102 + 1})
    numbers = np.arange(1, 307).reshape(3, 102)
    savemat(base / "setid.mat", {"trnid": numbers[0], "valid": numbers[1], "tstid": numbers[2]})
    data = files("Flowers102", tmp_path)
    assert (data.facts.train, data.facts.test, data.facts.classes) == (204, 102, 102)
    rose = data.facts.class_names.index("rose")
    shown = data.test().images[data.test().labels == rose]
    number = 204 + datasets.Flowers102.classes.index("rose") + 1
    with Image.open(base / "jpg" / f"image_{number:05d}.jpg") as image:
        middle = np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    assert abs(shown[0].double() - torch.tensor(middle[:, :8].astype(float))).mean() < 40


def test_the_lists_of_food101(tmp_path):
    base = tmp_path / "food-101"
    (base / "meta").mkdir(parents=True)
    names = {"pizza": [f"pizza/{one}" for one in range(4)], "sushi": [f"sushi/{one}" for one in range(4)]}
    for paths in names.values():
        for seed, name in enumerate(paths):
            write(base / "images" / f"{name}.jpg", pixels(seed, 10, 12, 3))
    for part, some in (("train", slice(3)), ("test", slice(3, 4))):
        content = {label: paths[some] for label, paths in names.items()}
        (base / "meta" / f"{part}.json").write_text(json.dumps(content), encoding="utf-8")
    data = files("Food101", tmp_path)
    assert (data.facts.train, data.facts.test) == (6, 2)
    assert data.facts.class_names == ("pizza", "sushi")
    assert data.files()["sizes"] == [{"width": 12, "height": 10, "images": 8}]


@pytest.mark.parametrize(("build", "name"), [("Imagenet", "imagenet"), ("Imagenet16", "imagenet16-120")])
def test_folders_of_imagenet(tmp_path, build, name):
    for part, count in (("train", 3), ("val", 2)):
        folder(tmp_path / name / part, ("n01", "n02"), count, channels=3)
    data = files(build, tmp_path)
    assert (data.facts.train, data.facts.test, data.facts.flip) == (6, 4, True)


def test_missing_files_are_refused_with_the_place_and_the_remedy(tmp_path, monkeypatch):
    (text,) = faults(arrays, "Cifar10", tmp_path)
    assert text == (
        f"dataset.root: cifar10 is not in {tmp_path}: it has none of cifar-10-batches-py, "
        "cifar-10-batches-bin, cifar10/train. Add --download (from "
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz), or set --data-root or NASCORE_DATA to the "
        "folder with these files."
    )
    (text,) = faults(files, "Imagenet", tmp_path)
    assert text.endswith(
        "it has none of imagenet. Set --data-root or NASCORE_DATA to the folder with these files."
    )
    monkeypatch.setenv("NASCORE_DATA", str(tmp_path / "elsewhere"))
    assert f"is not in {tmp_path / 'elsewhere'}" in faults(arrays, "Mnist", None)[0]
    monkeypatch.delenv("NASCORE_DATA")
    monkeypatch.chdir(tmp_path)
    assert f"is not in {tmp_path / 'data'}" in faults(arrays, "Mnist", None)[0]


def test_a_download_goes_through_torchvision_and_its_failure_is_told(tmp_path, monkeypatch, capsys):
    asked = []

    def fetch(root, *, train, download):
        print("a progress bar")  # noqa: T201 - as torchvision
        asked.append((root, train, download))
        write_idx(tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte", np.zeros((1, 28, 28), np.uint8))
        if not train:
            raise RuntimeError("File not found or corrupted.")

    fetch.__name__ = "MNIST"
    monkeypatch.setattr(published_arrays.Mnist, "source", staticmethod(fetch))
    (text,) = faults(arrays, "Mnist", tmp_path, download=True)
    assert asked == [(str(tmp_path), True, True), (str(tmp_path), False, True)]
    assert text == (
        f"dataset.download: the download of mnist into {tmp_path} failed: File not found or corrupted. "
        "Copy the files there by other means."
    )
    assert capsys.readouterr().out == ""
