"""Verdicts have reasons that hold: of gates, of samplers that leave candidates unrun, of costs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import nascore.builtin
from nascore.api import Component, hookimpl
from nascore.plugin import Registry
from nascore.recipe import Request
from nascore.recipe.settling.request import resolved


def relaxation(*provides):
    made = Component(
        name="gates",
        slot="relaxation",
        summary="For tests.",
        build=lambda settings: settings,
        provides=provides,
    )
    hook = hookimpl(lambda: [made], specname="nascore_relaxations")
    return SimpleNamespace(nascore_relaxations=hook)


def problems(names, *provides, **plugins):
    registry = Registry.of(builtin=nascore.builtin, gates=relaxation(*provides), **plugins)
    parts = {"space": ["tiny"], "dataset": ["synthetic"], "relaxation": ["gates"], "observer": ["none"]}
    recipe = resolved(Request(names={**parts, **names}, scale="mini"), registry)
    return [(one.verdict, str(one)) for one in recipe.problems]


def test_independent_gates_have_a_cost_and_no_entropy():
    names = {"updater": ["sgd"], "regularizer": ["cost"]}
    assert problems(names, "deterministic", "non-negative") == []
    assert [verdict for verdict, _ in problems(names, "deterministic")] == ["refused"]

    (one,) = problems({**names, "regularizer": ["entropy"]}, "deterministic", "non-negative")
    assert one[0] == "refused"
    assert "only a distribution has an entropy." in one[1]


@pytest.mark.needs("nascore-geonas")
def test_geonas_is_refused_for_what_gates_are_and_warned_of_what_is_not_run():
    import nascore_geonas  # noqa: PLC0415 - it may not be installed

    (refused, *_) = problems({"updater": ["geonas"]}, "deterministic", "non-negative", geonas=nascore_geonas)
    assert refused[0] == "refused"
    assert "the set of weights that sum to 1" in refused[1]

    (warned,) = problems({"updater": ["geonas"]}, "normalized", "unbiased", "sparse", geonas=nascore_geonas)
    assert warned[0] == "warned"
    assert "a candidate that is not run gets the slope 0" in warned[1]
