"""Every mix at work: a row for every three parts that go together, and, slowly, all of them.

What is installed is what is combined: a new plugin is tried with all others without a new line here.
"""

from __future__ import annotations

from functools import cache
from math import prod

import pytest
from recipe_table import CHOICES, SPACES, expected, listed

from nascore.plugin import discover
from nascore.recipe.advice.all_mixes import VERDICTS, mixes
from nascore.testing.mixes import accepted_mixes, combined, covering_mixes, faults_of

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
    return {mix.flags: said for mix in found if (said := faults_of(mix, REGISTRY))}


def of_table(mix):
    """The verdict of the table for a mix; None where that does not speak of one of its parts.

    A space that it does not name stands as one written by hand or, if it is fixed, as NAS-Bench-201's. A code
    whose draws are summed is no distribution, so it is refused where linear weights are; but its weights are
    not negative, so they have a cost. DATA wishes a single draw where more do not fit, and that is one; only,
    Petridish cannot rank three candidates by it.
    """
    row = {one.slot: one.name for one in mix.fillings}
    forms = {path: value for one in mix.fillings for path, value in one.settings}
    row["estimate"] = forms.get("trainer.estimate")
    if SPACES.get(row["space"], row["space"]) not in CHOICES["space"]:
        fixed = "fixed" in REGISTRY.get("space", row["space"]).provides
        row["space"] = "nb201" if fixed else "chain"
    if not all(row.get(key) in listed(choices) for key, choices in CHOICES.items()):
        return None
    summed = forms.get("relaxation.normalize") == "sum"
    single = row["updater"] == "data" and row["growth"] != "petridish"
    weighed = {**row, "regularizer": "none"} if row.get("regularizer") == "cost" else row
    as_linear = expected({**weighed, "relaxation": "linear"}) if summed and not single else "sound"
    return as_linear if as_linear == "refused" else expected(row)


def in_table():
    """How many mixes the table speaks of: all, but those with parts of plugins that it has never heard of."""
    axes = {axis.slot: [one.name for one in axis.fillings] for axis in mixes(REGISTRY).axes}
    known = {**CHOICES, "space": axes["space"], "trainer": ["alternating"]}
    return prod(sum(name in listed(known[slot]) for name in names) for slot, names in axes.items())


def test_every_mix_has_the_verdict_of_the_table_and_a_reason_for_it():
    compared = 0
    for mix in every():
        wanted = of_table(mix)
        compared += wanted is not None
        assert mix.verdict in VERDICTS
        assert bool(mix.reasons) == (mix.verdict != "sound"), mix.flags
        assert wanted in {None, mix.verdict}, mix.flags
    assert compared == in_table() > 0


def test_the_array_holds_every_three_parts_that_go_together():
    def triples(found):
        return {values for mix in found for values in combined(tuple(mix.texts.items()))}

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
