"""Growth policies that are broken on purpose, each caught by the check made for it and by no other."""

from __future__ import annotations

import mutants_growth
import mutants_others
import mutants_searching
import pytest

import nascore.builtin
from nascore.plugin import Registry
from nascore.testing import GrowthConformance, checks_of, examined

BEGINNING = (mutants_others, mutants_others.GROWTHS)
GROWING = (mutants_growth, mutants_growth.MUTANTS)
SEARCHING = (mutants_searching, mutants_searching.MUTANTS)
CASES = [
    pytest.param(plugin, name, check, id=name)
    for plugin, mutants in (BEGINNING, GROWING, SEARCHING)
    for name, (_, check) in mutants.items()
]
UNSEEN = {"its_defaults_work", "its_bounds_hold", "repeats_itself"}
"""Whoever fails these fails others too."""


def failures(plugin, name):
    registry = Registry.of(builtin=nascore.builtin, mutants=plugin)
    checked = type("Checked", (GrowthConformance,), {"component": name, "registry": registry})
    return {one.check: one.failure for one in examined(checked) if one.failure}


@pytest.mark.parametrize(
    ("plugin", "name"),
    [(mutants_others, "healthy"), (mutants_growth, "grows"), (mutants_searching, "climbs")],
)
def test_the_healthy_one_passes(plugin, name):
    assert failures(plugin, name) == {}


@pytest.mark.parametrize(("plugin", "name", "check"), CASES)
def test_each_fails_its_check_and_no_other(plugin, name, check):
    found = failures(plugin, name)
    assert set(found) == {check}, found
    assert found[check].startswith(name)
    assert found[check].endswith(".")


def test_each_check_is_seen_to_fail():
    seen = {check for _, mutants in (BEGINNING, GROWING, SEARCHING) for _, check in mutants.values()}
    assert {check.removeprefix("test_") for check in checks_of(GrowthConformance)} - seen == UNSEEN
