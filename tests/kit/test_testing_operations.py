"""Operations that are broken on purpose, each caught by the check made for it; the core's own are sound."""

from __future__ import annotations

import mutants_catalogue
import pytest

import nascore.builtin
from nascore.plugin import Registry
from nascore.testing import OperationConformance, checks_of, examined

REGISTRY = Registry.of(builtin=nascore.builtin, mutants=mutants_catalogue)


def failures(name):
    checked = type("Checked", (OperationConformance,), {"component": name, "registry": REGISTRY})
    return {one.check: one.failure for one in examined(checked) if one.failure}


@pytest.mark.parametrize(
    "name", [*mutants_catalogue.HEALTHY, *Registry.of(builtin=nascore.builtin).operations()]
)
def test_a_sound_operation_passes(name):
    assert failures(name) == {}


@pytest.mark.parametrize(
    ("name", "check"), [(name, check) for name, (_, _, check) in mutants_catalogue.MUTANTS.items()]
)
def test_each_fails_its_check_and_no_other(name, check):
    found = failures(name)
    assert set(found) == {check}, found
    assert found[check].startswith(name)
    assert found[check].endswith(".")


def test_each_check_is_seen_to_fail():
    seen = {check for _, _, check in mutants_catalogue.MUTANTS.values()}
    assert {check.removeprefix("test_") for check in checks_of(OperationConformance)} == seen


def test_an_operation_that_is_not_there():
    assert set(failures("con").values()) == {
        "con raised PluginError: no operation is called con. Did you mean conv?."
    }
