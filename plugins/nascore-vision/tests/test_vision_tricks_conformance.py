"""Every trick passes the checks of the kit."""

from __future__ import annotations

import pytest

import nascore.builtin
import nascore_vision.tricks
from nascore.plugin import Registry
from nascore.testing import TrickConformance, examined

REGISTRY = Registry.of(builtin=nascore.builtin, vision=nascore_vision.tricks)
SETTINGS = {"swa": {"begin": 0.5}, "warm-up": {"epochs": 1}, "step": {"epochs": 1}}
NAMES = [one.name for one in REGISTRY.components("trick")]


@pytest.mark.parametrize("name", NAMES)
def test_conformance(name):
    kind = {"component": name, "registry": REGISTRY, "settings": SETTINGS.get(name, {})}
    found = {one.check: one.failure for one in examined(type("Examined", (TrickConformance,), kind))}
    assert {check: failure for check, failure in found.items() if failure} == {}
