"""What is broken on purpose fails the check made for it and no other; its healthy form fails none."""

from __future__ import annotations

import mutants_annealing
import mutants_regularizers
import mutants_relaxations
import mutants_spaces
import mutants_states
import mutants_updaters
import pytest

import nascore.builtin
from nascore.plugin import Registry
from nascore.testing import (
    RegularizerConformance,
    RelaxationConformance,
    SpaceConformance,
    UpdaterConformance,
    checks_of,
    examined,
)

SLOW = "test_finds_what_is_useful"
"""The planted test takes a second or two: the mutants that the issue does not name go without it."""


def cases(mutants):
    return [pytest.param(name, check, id=name) for name, (_made, check) in mutants.items()]


def failures(base, plugin, name, *, without=()):
    registry = Registry.of(builtin=nascore.builtin, mutants=plugin)
    cls = type("Examined", (base,), {"component": name, "registry": registry})
    chosen = [check for check in checks_of(cls) if check not in without]
    return {one.check: one.failure for one in examined(cls, chosen) if one.failure}


def caught(base, plugin, name, check, *, without=()):
    found = failures(base, plugin, name, without=without)
    assert set(found) == {check}, found
    # A sentence about the part.
    assert found[check].startswith(name)
    assert found[check].endswith(".")


@pytest.mark.parametrize(
    ("plugin", "name"),
    [
        pytest.param(plugin, name, id=name)
        for plugin in (mutants_updaters, mutants_states)
        for name in plugin.HEALTHY
    ],
)
def test_healthy_updater(plugin, name):
    assert failures(UpdaterConformance, plugin, name) == {}


@pytest.mark.parametrize(("name", "check"), cases(mutants_updaters.NAMED))
def test_updater(name, check):
    caught(UpdaterConformance, mutants_updaters, name, check)


@pytest.mark.parametrize(("name", "check"), cases(mutants_updaters.OTHERS))
def test_further_updater(name, check):
    without = () if check == SLOW.removeprefix("test_") else (SLOW,)
    caught(UpdaterConformance, mutants_updaters, name, check, without=without)


@pytest.mark.parametrize(("name", "check"), cases(mutants_states.MUTANTS))
def test_updater_with_a_past(name, check):
    caught(UpdaterConformance, mutants_states, name, check)


PARTS = (
    (RelaxationConformance, mutants_relaxations),
    (RelaxationConformance, mutants_annealing),
    (RegularizerConformance, mutants_regularizers),
    (SpaceConformance, mutants_spaces),
)
HEALTHY = [pytest.param(base, made, name, id=name) for base, made in PARTS for name in made.HEALTHY]
MUTANTS = [
    pytest.param(base, made, name, check, id=f"{name}-{check}")
    for base, made in PARTS
    for name, (_made, check) in made.MUTANTS.items()
]


@pytest.mark.parametrize(("base", "made", "name"), HEALTHY)
def test_healthy_part(base, made, name):
    assert failures(base, made, name) == {}


@pytest.mark.parametrize(("base", "made", "name", "check"), MUTANTS)
def test_part(base, made, name, check):
    # Who goes wrong otherwise may also find nothing.
    caught(base, made, name, check, without=() if check == SLOW.removeprefix("test_") else (SLOW,))


def test_each_check_of_these_slots_is_seen_to_fail():
    seen = {
        UpdaterConformance: {
            **mutants_updaters.NAMED,
            **mutants_updaters.OTHERS,
            **mutants_states.MUTANTS,
        },
        RelaxationConformance: {**mutants_relaxations.MUTANTS, **mutants_annealing.MUTANTS},
        RegularizerConformance: mutants_regularizers.MUTANTS,
        SpaceConformance: mutants_spaces.MUTANTS,
    }
    for base, mutants in seen.items():
        failed = {f"test_{check}" for _made, check in mutants.values()}
        assert set(checks_of(base)) - failed == UNSEEN.get(base, set())


UNSEEN = {
    # Whoever fails these fails others too.
    RelaxationConformance: {"test_its_defaults_work"},
    RegularizerConformance: {"test_its_defaults_work"},
    SpaceConformance: {"test_its_defaults_work", "test_repeats_itself", "test_survives_yaml"},
}
