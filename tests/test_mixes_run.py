"""Every mix at work: a row for every three parts that go together, and, slowly, all of them.

What is installed is what is combined: a new plugin is tried with all others without a new line here.
"""

from __future__ import annotations

from functools import cache
from math import prod

import pytest
from recipe_table import CHOICES, SPACES, expected, installed, listed

from nascore.plugin import discover
from nascore.recipe.mixes import VERDICTS, mixes
from nascore.testing.array import accepted_mixes, covering_mixes
from nascore.testing.covering import held
from nascore.testing.mixed import faults_of

REGISTRY = discover()
PARTS = 12
"""The array is split, so that test processes share it."""
OF_SPACE = [
    pytest.param(space, growth, id=f"{space}-{growth}")
    for space in mixes(REGISTRY).values("space")
    for growth in mixes(REGISTRY).values("growth")
]


@cache
def every():
    """All combinations with their verdicts; looked at once by each process."""
    return list(mixes(REGISTRY))


@cache
def rows():
    return covering_mixes(mix for mix in every() if mix.verdict != "refused")


def wrong(found):
    """What is wrong with the runs of mixes, by what one types for it."""
    return {mix.typed: said for mix in found if (said := faults_of(mix, REGISTRY))}


def of_table(mix):
    """A mix in the words of the verdict table; None where that speaks of another form, or not of a part."""
    names = {one.slot: one.name for one in mix.fillings}
    forms = {path: value for one in mix.fillings for path, value in one.settings}
    names["space"] = {space: name for name, space in SPACES.items()}.get(names["space"], names["space"])
    names["estimate"] = forms.get("trainer.estimate")
    known = all(names.get(key) in listed(choices) for key, choices in CHOICES.items())
    plain = forms.get("relaxation.normalize", "mean") == "mean"
    return {key: names[key] for key in CHOICES} if known and plain else None


def test_every_mix_has_the_verdict_of_the_table_and_a_reason_for_it():
    compared = 0
    for mix in every():
        row = of_table(mix)
        compared += row is not None
        assert mix.verdict in VERDICTS
        assert bool(mix.reasons) == (mix.verdict != "sound"), mix.typed
        assert row is None or mix.verdict == expected(row), mix.typed
    assert compared == prod(map(len, installed(REGISTRY).values()))


def test_the_array_holds_every_three_parts_that_go_together():
    def triples(found):
        return {values for mix in found for values in held(tuple(mix.texts.items()))}

    assert triples(rows()) == triples(mix for mix in every() if mix.verdict != "refused")
    assert PARTS <= len(rows()) < len(every()) / 4


@pytest.mark.parametrize("part", range(PARTS))
def test_the_array_runs(part):
    found = rows()[part::PARTS]

    assert found
    assert wrong(found) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("space", "growth"), OF_SPACE)
def test_every_mix_runs(space, growth):
    assert wrong(accepted_mixes(REGISTRY, {"space": [space], "growth": [growth]})) == {}
