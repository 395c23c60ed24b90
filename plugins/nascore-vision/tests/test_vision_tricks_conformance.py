"""Every trick passes the checks of the kit."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import nascore.builtin
import nascore_vision.tricks
from nascore.cli import main
from nascore.plugin import Registry
from nascore.testing import TrickConformance, examined
from nascore.verbs.check_plugin import subjects

REGISTRY = Registry.of(builtin=nascore.builtin, vision=nascore_vision.tricks)
SETTINGS = {"swa": {"begin": 0.5}, "warm-up": {"epochs": 1}, "step": {"epochs": 1}}
NAMES = [one.name for one in REGISTRY.components("trick")]


@pytest.mark.parametrize("name", NAMES)
def test_conformance(name):
    kind = {"component": name, "registry": REGISTRY, "settings": SETTINGS.get(name, {})}
    found = {one.check: one.failure for one in examined(type("Examined", (TrickConformance,), kind))}
    assert {check: failure for check, failure in found.items() if failure} == {}


def test_check_plugin_examines_every_trick_and_network():
    found = {one.name: one.unfit for one in subjects("nascore-vision") if one.kind in {"trick", "operation"}}
    assert {"distillation", "timm", "torchvision", *NAMES} <= {*found}
    assert not any(found.values())


def test_check_plugin_gives_distillation_a_teacher():
    done = CliRunner().invoke(main, ["check-plugin", "distillation"])
    assert done.exit_code == 0, done.output
    assert "9 of 9 checks passed" in done.output
