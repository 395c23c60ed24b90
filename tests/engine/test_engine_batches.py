"""Batches, halves and augmentation."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve
from engine_toys import FACTS, examples
from streamed_data import images_of

from nascore.engine.augmentation import crop, flip, normalise
from nascore.engine.batches import Batches, evaluation_batches, halves
from nascore.engine.sources import source_of
from nascore.errors import RecipeError
from nascore.nn import Examples


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(count, per_class=None):
    """Return images that are recognised by their one pixel; classes as given, or three in turn."""
    labels = (
        torch.arange(count) % 3 if per_class is None else torch.repeat_interleave(torch.tensor(per_class))
    )
    return Examples(images=torch.arange(count).float().view(-1, 1, 1, 1), labels=labels)


PLAIN = evolve(FACTS, mean=(0.0,), std=(1.0,), height=1, width=1)


@pytest.mark.parametrize("per_class", [[10, 10, 10], [7, 5, 3], [1, 1, 1], [20, 1, 2]])
def test_halves_are_disjoint_complete_and_stratified(per_class):
    data = numbered(sum(per_class), per_class)
    one, other = halves(source_of(data), generator())
    seen = sorted(images_of(one).flatten().tolist() + images_of(other).flatten().tolist())
    assert seen == list(range(sum(per_class)))
    assert abs(len(one.labels) - len(other.labels)) <= 1
    counts = [torch.bincount(half.labels, minlength=3) for half in (one, other)]
    assert (counts[0] - counts[1]).abs().max() <= 1


def test_halves_depend_on_the_generator_and_keep_labels_with_images():
    data = numbered(60)
    halved = [halves(source_of(data), generator(seed))[0] for seed in (0, 0, 1)]
    one, again, another = map(images_of, halved)
    assert torch.equal(one, again)
    assert not torch.equal(one.flatten().sort()[0], another.flatten().sort()[0])
    assert torch.equal(halved[0].labels, one.flatten().long() % 3)


def test_each_epoch_is_a_new_order_and_its_rest_is_dropped():
    batches = Batches(numbered(11), PLAIN, size=3, order=generator())
    assert len(batches) == 3
    epochs = [[int(x) for _ in range(3) for x in batches.next()[0].flatten()] for _ in range(4)]
    assert all(len(set(epoch)) == 9 for epoch in epochs)
    assert epochs[0] != epochs[1]
    assert {image for epoch in epochs for image in epoch} == set(range(11))


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(
        RecipeError, match=r"trainer\.batch: a batch of 12 is larger than the 11 available images"
    ):
        Batches(numbered(11), PLAIN, size=12, order=generator())


def test_a_batch_is_named_by_the_setting_that_gives_it():
    with pytest.raises(RecipeError, match=r"ranking\.batch: a batch of 12"):
        Batches(numbered(11), PLAIN, size=12, order=generator(), setting="ranking.batch")


def test_batches_go_on_from_a_saved_state():
    order, saved = generator(), None
    batches = Batches(numbered(11), PLAIN, size=3, order=order)
    for _ in range(4):
        batches.next()
    saved, where = batches.state_dict(), order.get_state()
    expected = [batches.next()[0] for _ in range(5)]
    resumed_order = generator(9)
    resumed = Batches(numbered(11), PLAIN, size=3, order=resumed_order)
    resumed.next()
    resumed.load_state_dict(saved)
    resumed_order.set_state(where)
    assert all(torch.equal(image, resumed.next()[0]) for image in expected)


def test_augmenting_changes_no_order():
    data = examples()
    plain = Batches(data, FACTS, size=7, order=generator())
    augmented = Batches(data, FACTS, size=7, order=generator(), noise=generator(1))
    for _ in range(10):
        (one, labels), (other, others) = plain.next(), augmented.next()
        assert torch.equal(labels, others)
        assert not torch.equal(one, other)


def test_a_crop_moves_each_image_by_itself():
    images = torch.rand(40, 2, 5, 4, generator=generator())
    offsets = torch.randint(5, (2, 40), generator=generator(3))
    found = crop(images, 2, generator(3))
    for number, image in enumerate(images):
        padded = torch.zeros(2, 9, 8)
        padded[:, 2:7, 2:6] = image
        top, left = offsets[:, number].tolist()
        assert torch.equal(found[number], padded[:, top : top + 5, left : left + 4])
    assert len({tuple(pair) for pair in offsets.T.tolist()}) > 10


def test_a_flip_mirrors_about_half():
    images = torch.rand(200, 1, 3, 4, generator=generator())
    found = flip(images, generator(1))
    mirrored = [torch.equal(one, other.flip(2)) for one, other in zip(found, images, strict=True)]
    same = [torch.equal(one, other) for one, other in zip(found, images, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 70 < sum(mirrored) < 130


def test_normalised_with_the_data_sets_own_figures():
    facts = evolve(FACTS, mean=(0.2, 0.6), std=(0.1, 0.5))
    images = torch.tensor([0.3, 0.1]).view(1, 2, 1, 1)
    assert torch.allclose(normalise(images, facts).flatten(), torch.tensor([1.0, -1.0]))


def bytes_and_floats(count=24):
    """Return the same images as uint8 and as floats."""
    pixels = torch.randint(256, (count, 1, 6, 6), generator=generator(3), dtype=torch.uint8)
    labels = torch.arange(count) % 3
    return Examples(images=pixels, labels=labels), Examples(images=pixels / 255, labels=labels)


def test_uint8_images_stay_bytes_and_make_the_batches_of_floats():
    data = [source_of(one) for one in bytes_and_floats()]
    assert images_of(data[0]).dtype == torch.uint8
    assert images_of(halves(data[0], generator())[0]).dtype == torch.uint8
    one, other = (Batches(each, FACTS, size=5, order=generator(1), noise=generator(2)) for each in data)
    for _ in range(9):
        (images, labels), (expected, expected_labels) = one.next(), other.next()
        assert images.dtype == torch.float32
        assert torch.equal(images, expected)
        assert torch.equal(labels, expected_labels)


def test_uint8_images_are_evaluated_as_floats():
    one, other = (list(evaluation_batches(each, FACTS)) for each in bytes_and_floats(300))
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(one, other, strict=True))
