"""What the default plugin declares."""

from __future__ import annotations

import subprocess
import sys

import pytest
from edge_files import CHAIN

import nascore.builtin
from nascore.api import RecipeError
from nascore.component import load
from nascore.plugin import Registry
from nascore.recipe import Request, settled

BROUGHT = {
    "space": ("file", "planted", "tiny"),
    "growth": ("none", "random", "sweep"),
    "updater": ("sgd", "uniform"),
    "trainer": ("alternating",),
    "relaxation": ("linear", "one-hot", "softmax"),
    "regularizer": ("cost", "entropy", "l1"),
    "dataset": ("digits", "planted", "synthetic"),
}


@pytest.fixture(scope="module")
def registry():
    return Registry.of(builtin=nascore.builtin)


def test_what_it_brings(registry):
    (plugin,) = registry.plugins
    assert (plugin.status, plugin.reason) == ("ready", "")
    assert {slot: registry.names(slot) for slot in BROUGHT} == BROUGHT
    assert {"none", "noise", "skip_connect", "conv_3x3", "classifier"} <= registry.operations().keys()


def test_it_imports_neither_torch_nor_scikit_learn():
    code = "import sys, nascore.builtin; sys.exit(bool({'torch', 'sklearn'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("slot", "name"), [(slot, name) for slot, names in BROUGHT.items() for name in names]
)
def test_every_component_can_be_built(slot, name, registry):
    component = registry.get(slot, name)
    built = load(component.build)(component.config())
    assert component.summary.endswith(".")
    assert built is not None


def ask(registry, **names):
    named = {"updater": ["uniform"], **{slot: [name] for slot, name in names.items()}}
    return settled(Request(names=named, scale="mini"), registry)


def test_a_file_is_named_after_a_colon(registry, tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text(CHAIN, encoding="utf-8")
    assert ask(registry, space=f"file:{path}").part("space").settings.path == path
    with pytest.raises(RecipeError, match="there is no file"):
        ask(registry, space="file:nowhere.yaml")
    with pytest.raises(RecipeError, match="no file is named"):
        ask(registry, space="file")


def test_the_control_and_the_estimates_are_sound(registry):
    for estimate in ("first", "unrolled", "single-level"):
        request = Request(
            names={"space": ["tiny"], "updater": ["uniform"]}, sets=[f"trainer.estimate={estimate}"]
        )
        assert not settled(request, registry).problems


def test_the_trainer_promises_what_its_estimate_gives(registry):
    component = registry.get("trainer", "alternating")
    given = {
        estimate: component.given(component.config(estimate=estimate))
        for estimate in ("first", "unrolled", "single-level")
    }
    assert given == {
        "first": {"two-halves", "sample-gradients", "tricks"},
        "unrolled": {"two-halves", "unrolled", "tricks"},
        "single-level": {"sample-gradients", "tricks"},
    }
