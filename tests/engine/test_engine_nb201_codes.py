"""DATA where every edge must choose: one draw for each edge, and none is left empty."""

from __future__ import annotations

import pytest

from nascore.engine.derive import picks_of
from nascore.plugin import discover
from nascore.recipe import Request, settled
from nascore.testing.harness import searching

pytestmark = pytest.mark.needs("nascore-data", "nascore-nasbench")

NAMES = {"space": "nb201", "updater": "data"}
EDGES = 6


def chosen(*sets):
    """The edges on which something stands, at the start of a search."""
    with searching(discover(), NAMES, sets=("trainer.batch=352", *sets)) as found:
        return [row for row, _ in picks_of(found.description, found.search)["cell"]]


def test_a_fixed_space_gets_one_draw_for_each_edge():
    recipe = settled(Request(names={slot: [name] for slot, name in NAMES.items()}, scale="mini"), discover())
    assert (recipe.setting("relaxation.draws"), recipe.setting("relaxation.segment")) == (1, "edge")
    assert not recipe.problems


def test_every_edge_chooses():
    assert sorted(chosen()) == list(range(EDGES))


def test_a_draw_for_each_node_would_leave_edges_empty_and_is_warned_of():
    assert len(chosen("relaxation.segment=node")) == EDGES // 2
    names = {slot: [name] for slot, name in NAMES.items()}
    (problem,) = settled(
        Request(names=names, scale="mini", sets=["relaxation.segment=node"]), discover()
    ).problems
    assert problem.verdict == "warned"
    assert "leaves most edges of the node empty" in str(problem)
