"""One part replaced by a lazy or a bad one: the array of mixes fails, there and for its reason."""

from __future__ import annotations

import mixes_broken
import pytest
from attrs import evolve
from recipe_table import changed

import nascore.builtin
from nascore.plugin import Registry, discover
from nascore.testing.mixes import accepted_mixes, covering_mixes, faults_of

REGISTRY = Registry.of(builtin=nascore.builtin)
NAMES = {
    "space": ["tiny"],
    "growth": ["none"],
    "updater": ["sgd", "uniform"],
    "relaxation": ["softmax", "one-hot"],
    "regularizer": ["none", "entropy"],
}
CASES = {
    "theta-never-moves": (
        "updater",
        "sgd",
        mixes_broken.LazyUpdater,
        "theta did not change in 1 of 1 searches",
    ),
    "theta-moves-unsaid": (
        "updater",
        "uniform",
        mixes_broken.Unsaid,
        "theta changed, but uniform does not declare learns",
    ),
    "theta-is-nan": ("updater", "sgd", mixes_broken.BrokenUpdater, "stopped: phase search, step "),
    "weights-never-move": (
        "trainer",
        "alternating",
        mixes_broken.LazyTrainer,
        "the weights did not change in 1 of 1 searches",
    ),
    "weights-are-nan": (
        "trainer",
        "alternating",
        mixes_broken.Spoiler,
        "stopped: phase search, step ",
    ),
    "nothing-is-built": ("space", "tiny", mixes_broken.Unbuildable, "stopped: space: the describing of tiny"),
    "nothing-is-derived": (
        "relaxation",
        "one-hot",
        mixes_broken.Nowhere,
        "stopped: relaxation: Nowhere.picks",
    ),
    "logits-of-a-wrong-shape": (
        "space",
        "tiny",
        mixes_broken.Headless,
        "stopped: network.nodes.head: head has shape [B, 4], not logits [B, 3].",
    ),
}
"""By what is wrong: slot and name of the part, what stands in for it, and how the reason begins."""


def replaced(slot, name, broken, registry=REGISTRY):
    component = registry.get(slot, name)
    # Only a relaxation that declares so is asked what stands.
    more = {"provides": {*component.provides, "selects"}} if hasattr(broken, "picks") else {}
    return changed(registry, component, build=mixes_broken.wrapped(broken)(component), **more)


def failing(registry, names=NAMES):
    """The rows of the array, and what is wrong with each."""
    return {
        tuple(mix.texts.values()): faults_of(mix, registry)
        for mix in covering_mixes(accepted_mixes(registry, names))
    }


def test_the_array_of_healthy_parts_is_well():
    found = failing(REGISTRY)

    assert len(found) > 6
    assert not any(found.values())


@pytest.mark.parametrize(("slot", "name", "broken", "reason"), CASES.values(), ids=CASES)
def test_the_array_fails_where_the_part_is_and_nowhere_else(slot, name, broken, reason):
    found = failing(replaced(slot, name, broken))

    for row, said in found.items():
        of_it = any(text.partition(" ")[0] == name for text in row)
        assert bool(said) == of_it, (row, said)
        assert not said or said[0].startswith(reason), (row, said)
    assert any(found.values())


def test_an_architecture_that_cannot_be_built_is_seen():
    """The supernet could be: the operation fails in the form that only what was derived has."""
    registry = replaced("space", "tiny", mixes_broken.Sole)
    assert not any(failing(registry).values())
    found = failing(mixes_broken.brittle(registry, "conv_3x3"))

    reasons = {reason for said in found.values() for reason in said}
    assert all("ArithmeticError: no network comes of it" in reason for reason in reasons)
    assert all(found.values())


def test_weights_of_an_architecture_that_do_not_move_are_seen():
    mix = covering_mixes(accepted_mixes(REGISTRY, NAMES))[0]
    still = evolve(mix, request=evolve(mix.request, sets=(*mix.request.sets, "ranking.lr=1e-300")))

    assert faults_of(still, REGISTRY) == ["the weights did not change in job 0002-train"]


def test_a_run_of_which_every_job_fails_is_seen():
    random = {**NAMES, "growth": ["random"], "updater": ["uniform"], "relaxation": ["softmax"]}
    mix = covering_mixes(accepted_mixes(REGISTRY, random))[0]
    wild = evolve(
        mix, request=evolve(mix.request, sets=(*mix.request.sets, "ranking.lr=1e17", "ranking.clip=0"))
    )

    assert [one.partition(":")[0] for one in faults_of(wild, REGISTRY)] == ["stopped"]


@pytest.mark.needs("nascore-petridish")
@pytest.mark.parametrize(
    ("slot", "name", "broken", "reason"),
    [
        ("growth", "petridish", mixes_broken.Ungrown, "no search phase ended"),
        ("updater", "sgd", mixes_broken.BrokenUpdater, "stopped: nothing grew: "),
    ],
    ids=["nothing-grows", "every-child-fails"],
)
def test_a_growth_run_without_a_child_is_seen(slot, name, broken, reason):
    registry = replaced(slot, name, broken, discover())
    names = {**NAMES, "growth": ["petridish"], "updater": ["sgd"], "relaxation": ["softmax"]}

    said = faults_of(accepted_mixes(registry, names)[0], registry)
    assert len(said) == 1
    assert said[0].startswith(reason)
