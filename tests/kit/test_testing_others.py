"""Trainers, data sets, tricks, executors and observers that are broken, each caught by one check."""

from __future__ import annotations

import mutants_executors
import mutants_observers
import mutants_others
import mutants_tasks
import mutants_trainers
import mutants_tricks
import pytest

import nascore.builtin
from nascore.plugin import Registry
from nascore.testing import (
    DatasetConformance,
    ExecutorConformance,
    ObserverConformance,
    TaskConformance,
    TrainerConformance,
    TrickConformance,
    checks_of,
    examined,
)

GROUPS = {
    TrainerConformance: (mutants_trainers, mutants_trainers.MUTANTS, "small"),
    DatasetConformance: (mutants_others, mutants_others.DATASETS, "healthy"),
    TaskConformance: (mutants_tasks, mutants_tasks.TASKS, "healthy"),
    TrickConformance: (mutants_tricks, mutants_tricks.TRICKS, "healthy"),
    ExecutorConformance: (mutants_executors, mutants_executors.EXECUTORS, "healthy"),
    ObserverConformance: (mutants_observers, mutants_observers.OBSERVERS, "healthy"),
}
CASES = [
    pytest.param(base, plugin, name, check, id=f"{base.slot}-{name}")
    for base, (plugin, mutants, _) in GROUPS.items()
    for name, (_, check) in mutants.items()
]

UNSEEN = {
    # Whoever fails these fails others too.
    TrainerConformance: {"its_defaults_work", "repeats_itself"},
    DatasetConformance: {"its_defaults_work", "its_bounds_hold", "repeats_itself"},
    TaskConformance: {"its_defaults_work", "repeats_itself"},
    TrickConformance: {"its_defaults_work", "repeats_itself", "draws_from_its_generator_only"},
    ExecutorConformance: {"its_defaults_work", "its_bounds_hold", "repeats_itself"},
    ObserverConformance: {"its_defaults_work", "its_bounds_hold", "repeats_itself", "watches_run_after_run"},
}


def failures(base, plugin, name):
    registry = Registry.of(builtin=nascore.builtin, mutants=plugin)
    checked = type("Checked", (base,), {"component": name, "registry": registry})
    return {one.check: one.failure for one in examined(checked) if one.failure}


@pytest.mark.parametrize("name", mutants_trainers.HEALTHY)
def test_a_healthy_trainer_passes(name):
    assert failures(TrainerConformance, mutants_trainers, name) == {}


@pytest.mark.parametrize(
    "base",
    [DatasetConformance, TaskConformance, TrickConformance, ExecutorConformance, ObserverConformance],
    ids=lambda base: base.slot,
)
def test_the_healthy_one_passes(base):
    plugin, _, healthy = GROUPS[base]

    assert failures(base, plugin, healthy) == {}


def test_a_healthy_streamed_data_set_passes():
    assert failures(DatasetConformance, mutants_others, "streamed") == {}


@pytest.mark.parametrize(("base", "plugin", "name", "check"), CASES)
def test_each_fails_its_check_and_no_other(base, plugin, name, check):
    found = failures(base, plugin, name)

    assert set(found) == {check}, found
    assert found[check].startswith(name)


def test_a_trainer_that_ends_early_is_named():
    found = failures(TrainerConformance, mutants_trainers, "ends-early")

    assert "tells_every_step" in found
    assert all(text.startswith("ends-early returns NoneType in call ") for text in found.values()), found


@pytest.mark.parametrize("base", GROUPS, ids=lambda base: base.slot)
def test_each_check_is_seen_to_fail(base):
    seen = {check for _, check in GROUPS[base][1].values()}

    assert {check.removeprefix("test_") for check in checks_of(base)} - seen == UNSEEN[base]
