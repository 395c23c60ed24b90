"""What stands where a relaxation says so itself: never what its group never keeps, and never nothing."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve
from engine_toys import Follower

from nascore.contract import Sampled
from nascore.description import Op, derive, expand, load
from nascore.engine import derive as deriving
from nascore.engine.derive import derived, picks_of
from nascore.engine.phase_factory import ArchitectureSearch
from nascore.errors import PluginError
from nascore.nn import ArchitectureState, segment_argmax, segment_softmax

NETWORK = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
affine: false
pool_norm: true
groups:
  g: {ops: [none, skip_connect, conv_3x3], never: [none], keep: 1}
cells:
  cell:
    inputs: [in0]
    nodes:
      n0: {from: in0, choose: g}
      n1: {from: [in0, n0], choose: g}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: -1, cell: cell}
    head: {from: -1, op: classifier, width: classes}
"""
NONE, SKIP, CONV = range(3)
THETA = [[0.0, 2.0, 1.0], [0.0, 1.0, 2.0], [0.0, 2.0, 1.0]]


class Best:
    """Picks the best `count` entries of each segment, whatever they are, and tells what it was asked."""

    segment = None

    def __init__(self, count=1):
        self.count = count
        self.asked = []

    def mixture(self, theta, segments, group, *, generator):
        del generator
        return Sampled(weights=self.expected(theta, segments, group))

    def expected(self, theta, segments, group):
        del group
        return segment_softmax(theta, segments)

    def picks(self, theta, segments, group):
        del group
        self.asked.append(segments.clone())
        found, left = [], segments.clone()
        for _ in range(self.count):
            best = segment_argmax(theta, left) != 0
            found += [tuple(place) for place in (best & (left >= 0)).nonzero().tolist()]
            left = left.where(~best, -1)
        return found


class Changing(Best):
    """Picks the worst in the second half of a search."""

    def annealed(self, progress):
        return Turned() if progress > 0.5 else self


class Turned(Best):
    def picks(self, theta, segments, group):
        return super().picks(-theta, segments, group)


def searched(theta, *, relaxation=None, dead=(), segment="edge", **more):
    """Return the description, and a search in it that has learned this theta."""
    description = load(NETWORK)
    layout = expand(description).layouts["g"].segmented(segment)
    alive = torch.tensor(layout.mask)
    for place in dead:
        alive[place] = False
    state = ArchitectureState(groups={"g": layout}, theta={"g": torch.tensor(theta)}, alive={"g": alive})
    relaxation = relaxation or Best()
    declared = {"selects", *(["anneals"] if hasattr(relaxation, "annealed") else [])}
    return description, ArchitectureSearch(
        state=state, relaxation=relaxation, updater=Follower(), declared=frozenset(declared), **more
    )


def picked(theta, **how):
    return picks_of(*searched(theta, **how))["g"]


def test_picks_are_the_relaxation_s():
    theta = [[0.0, 2.0, 1.0], [0.0, 1.0, 2.0], [0.0, 2.0, 1.0]]
    assert picked(theta) == [(0, SKIP), (1, CONV), (2, SKIP)]
    assert sorted(picked(theta, relaxation=Best(2))) == [
        (row, column) for row in range(3) for column in (SKIP, CONV)
    ]


def check_what_is_never_kept_is_left_out():
    theta = [[3.0, 2.0, 1.0], [0.0, 1.0, 2.0], [3.0, 1.0, 2.0]]
    found = picked(theta, relaxation=Best(2))
    assert sorted(found) == [(0, SKIP), (1, SKIP), (1, CONV), (2, CONV)]


def check_no_segment_is_left_empty():
    theta = [[3.0, 2.0, 1.0], [0.0, 1.0, 2.0], [3.0, 1.0, 2.0]]
    relaxation = Best()
    assert picked(theta, relaxation=relaxation) == [(1, CONV), (0, SKIP), (2, CONV)]
    # The second time only those compete that had nothing, without what is never kept.
    assert relaxation.asked[1].tolist() == [[-1, 0, 0], [-1, -1, -1], [-1, 2, 2]]


def check_a_node_is_a_segment_too():
    theta = [[9.0, 0.0, 1.0], [9.0, 2.0, 1.0], [0.0, 3.0, 1.0]]
    assert picked(theta, segment="node") == [(0, CONV), (2, SKIP)]


def check_what_is_dead_stays_out():
    theta = [[3.0, 2.0, 1.0], [0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]
    assert picked(theta, dead=[(0, SKIP)]) == [(1, CONV), (2, CONV), (0, CONV)]


def check_random_searches():
    drawing = torch.Generator().manual_seed(0)
    for _ in range(40):
        for segment in ("edge", "node"):
            theta = torch.randn(3, 3, generator=drawing).tolist()
            description, search = searched(theta, segment=segment, relaxation=Best(2))
            picks = picks_of(description, search)
            segments = search.state.segments("g")
            assert all(column != NONE for _, column in picks["g"])
            assert {int(segments[pick]) for pick in picks["g"]} == set(segments.flatten().tolist())
            assert len(set(picks["g"])) == len(picks["g"])
            closed = derive(description, picks)
            assert not closed.is_open
            assert Op("none") not in {op for _, _, edge in closed.edges() for op in edge.ops}


def check_what_is_never_kept_competes_as_one_entry_of_a_node():
    # Of the node n1 the two `none` together are the most probable entry: one place, not two.
    theta = [[-1.0, 1.0, 0.0], [1.4, 1.0, -9.0], [1.4, 0.5, -9.0]]
    found = picked(theta, segment="node", relaxation=Best(2))
    assert found == [(0, SKIP), (0, CONV), (1, SKIP)]


def check_their_weights_are_summed():
    # Neither is above the others by itself; together they take the only place, which is given again.
    theta = [[0.0, 1.0, 0.0], [0.8, 1.0, 0.9], [0.8, 0.5, 0.4]]
    relaxation = Best()
    assert picked(theta, segment="node", relaxation=relaxation) == [(0, SKIP), (1, SKIP)]
    assert len(relaxation.asked) == 2


class OneEdge(Best):
    """Picks of each node the best operation of its best edge, by what the group says of nodes."""

    def picks(self, theta, segments, group):
        del segments
        values = theta.tolist()
        may = [column for column, op in enumerate(group.ops) if op not in group.never]
        places = {
            node: [(row, column) for row in rows for column in may] for node, rows in group.nodes().items()
        }
        return [max(pairs, key=lambda place: values[place[0]][place[1]]) for pairs in places.values()]


def check_an_edge_of_which_nothing_is_picked_stays_empty():
    theta = [[3.0, 2.0, 1.0], [0.0, 1.0, 1.5], [3.0, 1.0, 2.0]]
    description, search = searched(theta, relaxation=OneEdge())
    assert picks_of(description, search)["g"] == [(0, SKIP), (2, CONV)]
    n1 = derive(description, picks_of(description, search)).graphs()["cell"].nodes[1]
    assert [(str(edge.source), str(*edge.ops)) for edge in n1.edges] == [("n0", "conv_3x3")]


CHECKS = [
    check_an_edge_of_which_nothing_is_picked_stays_empty,
    check_what_is_never_kept_is_left_out,
    check_no_segment_is_left_empty,
    check_a_node_is_a_segment_too,
    check_what_is_dead_stays_out,
    check_what_is_never_kept_competes_as_one_entry_of_a_node,
    check_their_weights_are_summed,
    check_random_searches,
]


@pytest.mark.parametrize("check", CHECKS)
def test_selected(check):
    check()


def unfiltered(description, search, name):
    """Keeps all that the relaxation picks."""
    del description
    state = search.state
    return search.relaxation.picks(state.theta[name], state.segments(name), state.groups[name])


def asked_once(description, search, name):
    """Leaves a segment empty where all its picks are taken out."""
    group = search.state.groups[name]
    picks = unfiltered(description, search, name)
    return [pick for pick in picks if group.ops[pick[1]] not in description.groups[name].never]


def each_by_itself(description, search, name):
    """Lets what is never kept take a place on each edge of a node."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deriving, "_merged", lambda theta, segments, *_: (theta, segments))
        return healthy(description, search, name)


def asked_for_all(description, search, name):
    """Takes out beforehand what is never kept: then others are picked where it should have won a place."""
    group, segments = search.state.groups[name], search.state.segments(name)
    never = [column for column, op in enumerate(group.ops) if op in description.groups[name].never]
    segments[:, never] = -1
    return search.relaxation.picks(search.state.theta[name], segments, group)


def offered(description, search, name):
    """Asks of what is offered, dead or alive."""
    everything = ArchitectureState(groups=search.state.groups, theta=search.state.theta)
    return healthy(description, evolve(search, state=everything), name)


healthy = deriving._selected


def none_left_empty(description, search, name):
    """Asks again for each segment that has no pick, whether one was dropped or none was made."""
    group, segments = search.state.groups[name], search.state.segments(name)
    found = healthy(description, search, name)
    served = [int(segments[pick]) for pick in found]
    left = segments.where(~torch.isin(segments, torch.tensor(served)), -1)
    theta = search.state.theta[name].detach()
    again = search.relaxation.picks(theta, left, group) if bool((left >= 0).any()) else []
    return [*found, *again]


@pytest.mark.parametrize(
    "wrong", [none_left_empty, unfiltered, asked_once, each_by_itself, asked_for_all, offered]
)
def test_a_wrong_selection_is_seen(monkeypatch, wrong):
    monkeypatch.setattr(deriving, "_selected", wrong)
    seen = 0
    for check in CHECKS:
        try:
            check()
        except AssertionError:
            seen += 1
    assert seen


def test_where_all_may_not_be_kept_nothing_stands():
    theta = [[3.0, 2.0, 1.0], [0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]
    description, search = searched(theta, dead=[(0, SKIP), (0, CONV)])
    picks = picks_of(description, search)
    assert picks["g"] == [(1, CONV), (2, CONV)]
    assert not derive(description, picks).is_open


def test_a_relaxation_that_changes_is_asked_as_it_is_at_the_end():
    theta = [[0.0, 2.0, 1.0], [0.0, 1.0, 2.0], [0.0, 2.0, 1.0]]
    assert picked(theta, relaxation=Changing()) == [(0, SKIP), (1, CONV), (2, SKIP)]
    assert picked(theta, relaxation=Changing(), progress=1.0) == [(0, CONV), (1, SKIP), (2, CONV)]


@pytest.mark.parametrize(
    ("picks", "said"),
    [
        (None, "None for g"),
        ({0: 1}, "a dict for g"),
        ([1, 2], "a list with int 1 for g"),
        ([(0, 1.0)], r"a list with \(0, 1.0\) for g"),
        ([(0, 1, 2)], r"a list with \(0, 1, 2\) for g"),
        ([(True, 1)], r"a list with \(True, 1\) for g"),
        ([(torch.tensor(0), 1)], r"a list with \(tensor\(0\), 1\) for g"),
        ([(3, 1)], r"the pick \(3, 1\) for g, which has no such entry"),
        ([(0, -1)], r"the pick \(0, -1\) for g, which has no such entry"),
        ([(0, 1), (0, 1)], "an entry of g twice"),
        ([], "no pick for g"),
    ],
)
def test_picks_that_are_no_entries_name_the_plugin(picks, said):
    class Odd(Best):
        def picks(self, theta, segments, group):
            del theta, segments, group
            return picks

    with pytest.raises(
        PluginError, match=f"^relaxation: Odd.picks of the plugin .* returns {said}, .*"
    ) as caught:
        picks_of(*searched(THETA, relaxation=Odd()))
    assert caught.value.problems[0].of_plugin


def test_a_pick_of_what_is_dead_names_the_plugin():
    class Dead(Best):
        def picks(self, theta, segments, group):
            return [*super().picks(theta, segments, group), (0, CONV)]

    with pytest.raises(PluginError, match=r"returns the pick \(0, 2\) for g, which is masked or dead"):
        picks_of(*searched(THETA, relaxation=Dead(), dead=[(0, CONV)]))


JOINED = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
affine: false
pool_norm: true
groups:
  g: {ops: [none, skip_connect]}
cells:
  cell:
    inputs: [in0]
    nodes:
      early: {from: in0, op: conv_3x3}
      joined: {concat: [{from: in0, choose: g}, {from: early, choose: g}]}
      out: {sum: [joined, {in0: conv_3x3}], width: 2}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: -1, cell: cell}
    head: {from: -1, op: classifier, width: classes}
"""


class Sparing(Best):
    """Leaves out the first edge of each node."""

    def picks(self, theta, segments, group):
        first = {rows[0] for rows in group.nodes().values()}
        return [pick for pick in super().picks(theta, segments, group) if pick[0] not in first]


def joined(relaxation):
    description = load(JOINED)
    group = expand(description).layouts["g"]
    state = ArchitectureState(groups={"g": group}, theta={"g": torch.tensor([[0.0, 1.0]] * 2)})
    return description, ArchitectureSearch(
        state=state, relaxation=relaxation, updater=Follower(), declared=frozenset({"selects"})
    )


def test_picks_that_cannot_be_built_are_a_fault_of_the_relaxation():
    with pytest.raises(PluginError) as caught:
        derived(*joined(Sparing()))

    (problem,) = caught.value.problems
    assert problem.path == "relaxation"
    assert "Sparing.picks" in problem.text
    assert "cells.cell.nodes.out: a sum needs equal channels" in problem.text
    assert "without a pick: cell/joined/in0 (g)" in problem.text


def test_picks_on_every_edge_can_be_built():
    assert not derived(*joined(Best())).is_open
