"""Picks that are recovered from an architecture, and those of its neighbours."""

from __future__ import annotations

from random import Random

import pytest
from attrs import evolve

from nascore.builtin.components import PlantedSpaceSettings, TinySettings
from nascore.builtin.spaces import Planted, Tiny
from nascore.description import (
    Edge,
    Op,
    derive,
    draw_picks,
    edge_moves,
    final,
    load,
    mutate_picks,
    neighbours,
    operation_changes,
    recover_picks,
    resize,
    with_auxiliary,
)
from nascore.errors import DescriptionError
from nascore.testing.growth_samples import CELLS, CHAIN, FACTS, FIXED

UNEVEN = load("""\
nascore: 1
channels: 4
in_channels: 3
classes: 3
groups:
  g: {ops: [none, skip_connect, max_pool_3x3, conv_3x3(affine=false)], edges: 2, never: [none]}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: stem, op: skip_connect}
    b: {from: stem, op: avg_pool_3x3}
    c: {from: stem, op: skip_connect}
    n:
      sum:
        - {from: stem, choose: g}
        - {from: a, choose: g, ops: [none, conv_3x3(affine=false)]}
        - {from: b, choose: g, ops: [none, skip_connect]}
        - {from: c, op: max_pool_3x3}
    head: {from: n, op: classifier, width: classes}
""")
"""Two of three edges are kept, which offer different operations; one more edge is fixed."""


def regrouped(description, **changes):
    groups = {name: evolve(group, **changes) for name, group in description.groups.items()}
    return evolve(description, groups=groups)


TINY = Tiny(TinySettings()).describe(FACTS)
SPACES = {
    "tiny": TINY,
    "tiny, two operations": regrouped(TINY, keep=2),
    "tiny, by node": regrouped(TINY, segment="node", keep=2),
    "uneven": UNEVEN,
    "uneven, two operations": regrouped(UNEVEN, keep=2),
    "uneven, by node": regrouped(UNEVEN, segment="node", keep=2, edges=None),
    "cells": load(CELLS),
    "chain": load(CHAIN),
    "fixed": load(FIXED),
    "planted": Planted(PlantedSpaceSettings(form="cell")).describe(FACTS),
}
EACH = pytest.mark.parametrize("space", [pytest.param(one, id=name) for name, one in SPACES.items()])


def numbers(seed=0):
    return Random(seed)  # noqa: S311 - nothing secret


def mark(picks):
    return tuple((name, tuple(sorted(kept))) for name, kept in sorted(picks.items()))


def legal(space, *, draws=1000):
    """Return all picks that the rules of a space may keep, by drawing very often."""
    rng = numbers()
    return {mark(draw_picks(space, rng)) for _ in range(draws)}


@EACH
def test_picks_are_recovered_from_the_architecture(space):
    rng = numbers()
    for _ in range(20):
        picks = draw_picks(space, rng)
        architecture = derive(space, picks)
        found = recover_picks(space, architecture)
        assert mark(found) == mark(picks)
        assert derive(space, found) == architecture


@EACH
def test_picks_are_recovered_from_the_form_that_is_trained(space):
    picks = draw_picks(space, numbers(1))
    trained = resize(final(derive(space, picks)), channels=16)
    source = trained.network.nodes[-2].name
    assert mark(recover_picks(space, with_auxiliary(trained, source))) == mark(picks)


def test_a_node_without_a_pick_has_none():
    space = SPACES["uneven, by node"]
    assert recover_picks(space, derive(space, {"g": []})) == {"g": []}


def test_an_architecture_of_another_space_is_refused():
    architecture = derive(UNEVEN, draw_picks(UNEVEN, numbers()))
    with pytest.raises(DescriptionError, match="no such node"):
        recover_picks(TINY, architecture)
    node = architecture.network.node("n")

    def changed(edge):
        nodes = [evolve(one, edges=(edge,)) if one is node else one for one in architecture.network.nodes]
        return evolve(architecture, network=evolve(architecture.network, nodes=tuple(nodes)))

    with pytest.raises(DescriptionError, match="no sep_conv_3x3 from stem"):
        recover_picks(UNEVEN, changed(Edge(source="stem", ops=(Op("sep_conv_3x3"),))))
    with pytest.raises(DescriptionError, match="no choice on an edge from images"):
        recover_picks(UNEVEN, changed(Edge(source="images", ops=(Op("stem"),))))


SMALL = [name for name in SPACES if name != "cells"]


@pytest.mark.parametrize("name", SMALL)
def test_all_architectures_are_neighbours_of_neighbours(name):
    """From one architecture, all that the rules may keep are reached, and no other."""
    space = SPACES[name]
    every = legal(space)
    todo = [draw_picks(space, numbers())]
    seen = {mark(todo[0])}
    while todo:
        for picks in neighbours(space, todo.pop()):
            if mark(picks) not in seen:
                seen.add(mark(picks))
                todo.append(picks)
    assert seen == every


@pytest.mark.parametrize("name", SPACES)
def test_a_neighbour_differs_in_one_place_and_the_relation_is_mutual(name):
    space = SPACES[name]
    picks = draw_picks(space, numbers(2))
    around = neighbours(space, picks)
    assert around
    assert len({mark(one) for one in around}) == len(around)
    for one in around:
        changed = {name for name in picks if sorted(picks[name]) != sorted(one[name])}
        assert len(changed) == 1
        # Where edges offer different operations, a moved edge may lose one that it does not get back.
        uneven = name in {"uneven", "uneven, two operations"}
        assert uneven or mark(picks) in {mark(back) for back in neighbours(space, one)}
        assert not derive(space, one).is_open


def test_an_operation_changes_on_its_edge_and_an_edge_moves_with_its_operations():
    picks = {"g": [(0, 3), (2, 1)]}
    assert operation_changes(UNEVEN, picks) == [{"g": [(0, 1), (2, 1)]}, {"g": [(0, 2), (2, 1)]}]
    # conv_3x3 goes along; skip_connect, which the edge from `a` does not offer, is replaced.
    assert edge_moves(UNEVEN, picks) == [{"g": [(1, 3), (2, 1)]}, {"g": [(0, 3), (1, 3)]}]


def test_both_kinds_of_mutation_are_equally_likely():
    picks, rng = {"g": [(0, 3), (2, 1)]}, numbers()
    moves = [mark(one) for one in edge_moves(UNEVEN, picks)]
    found = [mark(mutate_picks(UNEVEN, picks, rng)) for _ in range(1000)]
    assert 440 < sum(one in moves for one in found) < 560  # four standard deviations
    assert set(found) == {mark(one) for one in neighbours(UNEVEN, picks)}


ONE = load("""\
nascore: 1
channels: 4
in_channels: 3
classes: 3
groups:
  g: {ops: [none, conv_3x3], never: [none]}
network:
  nodes:
    stem: {from: images, op: stem}
    n: {from: stem, choose: g}
    head: {from: n, op: classifier, width: classes}
""")


def test_a_space_of_one_architecture_has_no_mutation():
    picks = draw_picks(ONE, numbers())
    assert neighbours(ONE, picks) == []
    assert mutate_picks(ONE, picks, numbers()) == picks
