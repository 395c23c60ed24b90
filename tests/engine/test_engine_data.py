"""Data that contradict their facts are refused before a run begins; what is only doubtful is warned of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import cli
from engine_runs import REGISTRY, recipe_of
from failing_plugins import QUICK_EVALUATE, UNIFORM
from tiny import CLOSED

from nascore.contract import DataFacts
from nascore.engine.build import build_parts
from nascore.engine.data_checks import check_data
from nascore.engine.factory import build_component
from nascore.engine.memory import image_bytes
from nascore.engine.search import search
from nascore.errors import PluginError
from nascore.nn import Examples, image_moments
from nascore.nn.data import example_faults, fact_faults, normalised_faults
from nascore.testing import DatasetConformance

FACTS = {
    "channels": 1,
    "height": 8,
    "width": 8,
    "classes": 3,
    "train": 60,
    "test": 12,
    "mean": (0.5,),
    "std": (0.29,),
}


def images_and_labels(count=60):
    images = torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return images, torch.arange(count) % 3


def spoiled(images):
    images = images.clone()
    images[3, 0, 2, 2] = float("nan")
    return images


ODD = {
    "labels from 1": (
        lambda x, y: (x, y + 1),
        "has the label 3 in train(), but labels of 3 classes are 0 to 2",
    ),
    "negative labels": (lambda x, y: (x, y - 1), "has the label -1 in train()"),
    "labels of floats": (lambda x, y: (x, y.float()), "returns labels of torch.float32 from train()"),
    "bytes": (
        lambda x, y: ((x * 255).to(torch.uint8), y),
        "returns images of torch.uint8 from train(), but does not declare dtype='uint8'",
    ),
    "integers": (
        lambda x, y: ((x * 255).to(torch.int16), y),
        "returns images of torch.int16 from train(), not floats in 0 to 1 or torch.uint8",
    ),
    "0 to 255": (
        lambda x, y: (x * 255, y),
        "has images from 0.0203 to 255 in train(), but they must lie in 0 to 1",
    ),
    "a label too few": (
        lambda x, y: (x, y[:59]),
        "returns labels of shape (59,) from train(), but declares (60,)",
    ),
    "fewer images": (lambda x, y: (x[:50], y[:50]), "returns images of shape (50, 1, 8, 8) from train()"),
    "another size": (lambda x, y: (x[:, :, :7], y), "returns images of shape (60, 1, 7, 8) from train()"),
    "not a number": (lambda x, y: (spoiled(x), y), "has images in train() that are not finite"),
    "arrays": (
        lambda x, y: (np.asarray(x), np.asarray(y)),
        "returns numpy.ndarray as labels from train(), not a tensor",
    ),
}


class Spoiled:
    """Takes the place of the synthetic data."""

    change = staticmethod(lambda x, y: (x, y))
    given = None
    facts = DataFacts(**FACTS)

    def __init__(self, settings):
        pass

    def train(self):
        if Spoiled.given is not None:
            return Spoiled.given
        images, labels = self.change(*images_and_labels())
        return Examples(images=images, labels=labels)

    def test(self):
        images, labels = images_and_labels(12)
        return Examples(images=images, labels=labels)


@pytest.fixture
def spoil(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nascore.builtin.datasets.Synthetic", Spoiled)

    def put(**changed):
        for name, value in changed.items():
            monkeypatch.setattr(Spoiled, name, value)

    return put


@pytest.mark.parametrize("odd", ODD)
def test_data_that_contradict_their_facts_are_refused_by_search_and_evaluate(odd, spoil):
    change, said = ODD[odd]
    spoil(change=staticmethod(change))
    Path("net.yaml").write_text(CLOSED.replace("classes: 10", "classes: 3"), encoding="utf-8")
    for words in (UNIFORM, ("evaluate", "net.yaml", *QUICK_EVALUATE), (*UNIFORM, "--seeds", "0..1")):
        done = cli(*words)
        assert done.exit_code == 4, done.output
        assert f"dataset: synthetic {said}" in done.stderr
        assert "This is a fault of the plugin builtin." in done.stderr
        assert "unexpected" not in done.stderr
        assert not Path("run").exists()


def test_the_engine_itself_refuses_too(spoil, tmp_path):
    spoil(change=staticmethod(ODD["0 to 255"][0]))
    with pytest.raises(PluginError, match="must lie in 0 to 1"):
        search(recipe_of(), REGISTRY, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("given", [None, [1, 2], (torch.zeros(1), torch.zeros(1))])
def test_what_is_no_examples_is_refused(given, spoil):
    spoil(given=given)
    if given is None:
        spoil(train=lambda _: None)
    with pytest.raises(PluginError, match=r"from train\(\), not Examples"):
        check_data(recipe_of(), Spoiled(None))


def test_images_are_read_once_for_all_checks(monkeypatch):
    recipe, read = recipe_of(), []
    dataset = build_component(recipe, "dataset")
    for name in ("train", "test"):
        right = getattr(type(dataset), name)
        monkeypatch.setattr(
            type(dataset), name, lambda self, name=name, right=right: read.append(name) or right(self)
        )
    check_data(recipe, dataset, test=True)
    assert read == ["train", "test"]


def test_all_that_is_wrong_is_said_at_once():
    images, labels = images_and_labels()
    bad = Examples(images=(images * 255).to(torch.uint8)[:50], labels=labels[:59])
    assert len(list(example_faults(DataFacts(**FACTS), bad, "train"))) == 3
    both = Examples(images=images * 255, labels=labels + 1)
    assert len(list(example_faults(DataFacts(**FACTS), both, "train"))) == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"mean": ()}, "0 values of mean for 1 channels"),
        ({"class_names": ("a",)}, "1 class_names for"),
        ({"class_names": "abc"}, "class_names='abc', not a tuple of texts"),
        ({"mean": None}, "mean=None"),
        ({"std": (0.0,)}, "all values must be finite and above 0"),
        ({"std": (float("inf"),)}, "all values must be finite and above 0"),
        ({"mean": (float("nan"),)}, "all values must be finite"),
        ({"train": 0}, "train=0, not a whole number above 0"),
        ({"classes": True}, "classes=True"),
        ({"channels": 1.0}, "channels=1.0"),
        ({"crop_pad": 9}, "crop_pad=9 for images of 8 pixels"),
    ],
)
def test_facts_by_which_nothing_can_be_built_are_refused_without_an_image(changed, said, spoil):
    assert not list(fact_faults(DataFacts(**FACTS)))
    assert any(said in text for text in fact_faults(DataFacts(**{**FACTS, **changed})))
    spoil(facts=DataFacts(**{**FACTS, **changed}), given=1)
    with pytest.raises(PluginError, match="dataset: synthetic "):
        build_parts(recipe_of(), REGISTRY)


def test_facts_of_another_type_are_refused(spoil):
    spoil(facts={"channels": 3})
    with pytest.raises(PluginError, match="has facts of type dict, not DataFacts"):
        build_parts(recipe_of(), REGISTRY)


def test_what_is_doubtful_is_warned_of_and_kept_in_the_result(spoil):
    spoil(facts=DataFacts(**{**FACTS, "mean": (0.1,), "std": (0.9,), "classes": 4}))
    done = cli(*UNIFORM)
    assert done.exit_code == 0, done.output
    kept = json.loads(Path("run/result.json").read_text(encoding="utf-8"))["warnings"]
    for said in (
        ", but declares 0.1",
        ", but declares 0.9",
        "no training image of class 3",
    ):
        assert sum(said in line for line in done.stderr.splitlines() if "warning:" in line) == 1
        assert sum(said in line for line in kept) == 1


def test_images_to_test_on_are_checked_before_the_training(spoil, tmp_path):
    spoil(test=lambda _: Examples(images=torch.rand(12, 1, 8, 8), labels=torch.arange(12) % 3 + 1))
    path = tmp_path / "net.yaml"
    path.write_text(CLOSED.replace("classes: 10", "classes: 3"), encoding="utf-8")
    done = cli("evaluate", path, *QUICK_EVALUATE)
    assert done.exit_code == 4
    assert "synthetic has the label 3 in test()" in done.stderr
    assert search(recipe_of(), REGISTRY, out=tmp_path / "sound")  # a search never opens them


def test_data_that_changed_are_seen_by_the_next_run_of_a_recipe(spoil, tmp_path):
    recipe = recipe_of()
    assert search(recipe, REGISTRY, out=tmp_path / "first")
    spoil(change=staticmethod(ODD["0 to 255"][0]))
    with pytest.raises(PluginError, match="must lie in 0 to 1"):
        search(recipe, REGISTRY, out=tmp_path / "second")


def test_the_kit_and_the_run_share_their_checks(spoil):
    class Kit(DatasetConformance):
        component = "synthetic"
        registry = REGISTRY

    spoil(change=staticmethod(ODD["0 to 255"][0]))
    with pytest.raises(AssertionError, match=r"has images from .* to 255 in train"):
        Kit().test_images_lie_between_zero_and_one()


def test_uint8_images_are_accepted_where_the_facts_declare_them():
    images, labels = images_and_labels()
    pixels = (images * 255).round().to(torch.uint8)
    facts = DataFacts(**FACTS, dtype="uint8")
    assert not [*fact_faults(facts)]
    assert not [*example_faults(facts, Examples(images=pixels, labels=labels), "train")]
    assert [*example_faults(facts, Examples(images=images, labels=labels), "train")] == [
        "returns images of torch.float32 from train(), but declares dtype='uint8'"
    ]
    assert [*fact_faults(DataFacts(**FACTS, dtype="int8"))] == ["declares dtype='int8', not float32 or uint8"]
    assert image_bytes(facts) * 4 == image_bytes(DataFacts(**FACTS))


@pytest.mark.parametrize("count", [3, 1500])
def test_moments_of_uint8_images_are_those_of_floats(count):
    pixels = torch.randint(
        256, (count, 3, 4, 5), generator=torch.Generator().manual_seed(1), dtype=torch.uint8
    )
    pixels[:, 1] //= 3
    mean, std = image_moments(pixels)
    floats = pixels.double() / 255
    assert mean.tolist() == pytest.approx(floats.mean((0, 2, 3)).tolist(), rel=1e-12)
    assert std.tolist() == pytest.approx(floats.std((0, 2, 3)).tolist(), rel=1e-12)


def test_wrong_moments_of_uint8_images_are_found():
    images, labels = images_and_labels()
    examples = Examples(images=(images * 120).to(torch.uint8), labels=labels)
    (mean, std) = normalised_faults(DataFacts(**FACTS, dtype="uint8"), examples)
    assert mean.startswith("has images of mean 0.23")
    assert std.startswith("has images of standard deviation 0.13")
