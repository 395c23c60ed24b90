"""What cannot be in memory is refused with the figures, before anything is allocated."""

from __future__ import annotations

import pytest
from attrs import evolve
from command_line import cli
from engine_runs import REGISTRY, recipe_of

from nascore.contract import DataFacts
from nascore.engine.build import build_parts
from nascore.engine.memory import (
    GIB,
    available_memory,
    check_images,
    check_weights,
    image_bytes,
    image_memory_warnings,
)
from nascore.errors import RecipeError

SMALL = ("search", "--space", "tiny", "--updater", "uniform", "--dataset", "synthetic", "--scale", "mini")


@pytest.fixture(autouse=True)
def eight(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nascore.engine.memory.available_memory", lambda: 8 * GIB)


def facts(count, size):
    return DataFacts(
        channels=4, height=size, width=size, classes=3, train=count, test=0, mean=(0.5,), std=(0.5,)
    )


def test_what_this_machine_has_is_known():
    assert available_memory() > GIB


@pytest.mark.parametrize("words", [(), ("--dry-run",), ("--seeds", "0..1")])
def test_images_larger_than_memory_are_refused_by_name(words, tmp_path):
    done = cli(*SMALL, "--set", "dataset.size=4096", *words)
    assert done.exit_code == 3, done.output
    assert "dataset: 1,000 training images of 3x4096x4096 take 187.5 GiB" in done.stderr
    assert "this machine has 8.0 GiB of memory. Set fewer images, or smaller ones." in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_training_images_that_fit_without_the_test_images_are_warned_of():
    size = 512  # 4 MiB an image
    assert image_bytes(facts(2048, size)) == 8 * GIB
    check_images(facts(2048, size))
    with pytest.raises(RecipeError):
        check_images(facts(2049, size))
    tested = evolve(facts(2048, size), test=512)
    [doubt] = image_memory_warnings(tested, test=True)
    assert doubt.startswith("has 2,048 training images of 4x512x512 and 512 test images")
    assert "take 10.0 GiB of 8.0 GiB of memory" in doubt
    assert not list(image_memory_warnings(tested, test=False))


def test_streamed_images_may_be_larger_than_memory():
    streamed = evolve(facts(4096, 512), streamed=True)
    check_images(streamed)
    assert not list(image_memory_warnings(streamed, test=True))


def test_weights_larger_than_memory_are_refused_before_they_are_drawn():
    check_weights(8 * GIB // 12)
    with pytest.raises(
        RecipeError, match=r"weights take 8\.0 GiB in training, and this machine has 8\.0 GiB"
    ):
        check_weights(8 * GIB // 12 + 1)
    with pytest.raises(RecipeError, match=r"weights take .* Try a smaller batch"):
        build_parts(recipe_of(space__channels=2**17), REGISTRY)


@pytest.mark.needs("nascore-darts")
def test_more_nodes_than_can_be_placed_are_refused_at_once():
    done = cli(
        *["darts" if word == "tiny" else word for word in SMALL], "--set", "space.nodes=1000", "--dry-run"
    )
    assert done.exit_code == 3
    assert "space.nodes: 1,000 nodes in 3 cells make 12,036,000 operations. At most 50,000" in done.stderr
