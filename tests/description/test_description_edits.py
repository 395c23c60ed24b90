"""Choosing, deriving, and editing size and form."""

from __future__ import annotations

import pytest
from attrs import evolve
from descriptions import CATALOGUE, CHAIN, DARTS, PETRIDISH, RESNET

from nascore.description import (
    Edge,
    Graph,
    Group,
    Node,
    Op,
    choose,
    derive,
    dump,
    expand,
    final,
    load,
    reducing,
    resize,
    spread,
    untie,
    with_auxiliary,
)
from nascore.errors import DescriptionError


def strength(description, name, **rows):
    layout = expand(description).layouts[name]
    matrix = [[0.0] * len(layout.ops) for _ in layout.rows]
    for row, values in rows.items():
        matrix[int(row[1:])] = values
    return {name: matrix}


def two_edges(**group):
    a, b = Op("a"), Op("b")
    ops = (Op("none"), a, b)
    nodes = (
        Node(name="stem", edges=(Edge(source="images", ops=(a,)),)),
        Node(name="s", edges=(Edge(source=-1, ops=(a,)),)),
        Node(name="x", edges=(Edge(source="stem", ops=ops, group="g"), Edge(source="s", ops=ops, group="g"))),
    )
    network = Graph(inputs=("images",), nodes=nodes, output="x")
    return evolve(load(RESNET), network=network, groups={"g": Group(ops=ops, never=(Op("none"),), **group)})


def test_edges_are_ranked_by_what_may_be_kept():
    open_one = two_edges(edges=1)
    # `none` is the strongest of all, and does not count
    assert choose(open_one, {"g": [[9, 1, 2], [9, 3, 0]]}) == {"g": [(1, 1)]}
    assert choose(two_edges(), {"g": [[9, 1, 2], [9, 3, 0]]}) == {"g": [(1, 1), (0, 2)]}
    assert choose(two_edges(keep=2), {"g": [[9, 1, 2], [9, 0, 3]]}) == {"g": [(1, 2), (1, 1), (0, 2), (0, 1)]}


def test_ties_go_to_the_lower_row_then_column():
    assert choose(two_edges(edges=1), {"g": [[0, 1, 1], [0, 1, 1]]}) == {"g": [(0, 1)]}
    node = two_edges(segment="node", keep=3)
    assert choose(node, {"g": [[0, 1, 1], [0, 1, 1]]}) == {"g": [(0, 1), (0, 2), (1, 1)]}


def test_an_edge_keeps_something_even_of_zeros_and_a_node_does_not():
    assert choose(two_edges(), {"g": [[0, 0, 0]] * 2}) == {"g": [(0, 1), (1, 1)]}
    assert choose(two_edges(segment="node", keep=2), {"g": [[1, 0, 0], [1, 0, 0.1]]}) == {"g": [(1, 2)]}


def test_darts_keeps_two_edges_per_node():
    description = load(DARTS)
    layouts = expand(description).layouts
    rising = {name: [[row + column / 10 for column in range(8)] for row in range(14)] for name in layouts}
    picks = choose(description, rising)
    assert picks["normal"] == [(1, 7), (0, 7), (4, 7), (3, 7), (8, 7), (7, 7), (13, 7), (12, 7)]
    assert set(picks) == {"normal", "reduce"}


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ([[0, 1, 1]], "1 x 3, not 2 x 3"),
        ([[0, 1], [0, 1]], "2 x 2, not 2 x 3"),
        ([[0, 1, 1], [0, 1]], "2 x 2 or 3, not 2 x 3"),
        ([[0, 1, 1], [0, float("nan"), 1]], "strength of a on network/x/s is nan"),
        ([[0, 1, 1], [0, float("inf"), 1]], "is inf"),
    ],
)
def test_strengths_that_rank_nothing_are_refused(matrix, said):
    with pytest.raises(DescriptionError, match=said):
        choose(two_edges(), {"g": matrix})
    with pytest.raises(DescriptionError, match="no group"):
        choose(two_edges(), {"h": matrix})


def test_entries_outside_the_mask_are_never_read():
    description = load(CHAIN)
    layout = expand(description).layouts["layers"]
    matrix = [[1.0 if offered else float("nan") for offered in line] for line in layout.mask]
    assert choose(description, {"layers": matrix})["layers"] == [(0, 0), (1, 0), (2, 1), (3, 2)]


def test_deriving_closes_in_the_order_of_the_picks():
    closed = derive(two_edges(), {"g": [(1, 2), (0, 1), (1, 1)]})
    assert not closed.is_open
    assert closed.groups == {}
    assert closed.network.nodes[-1].edges == (
        Edge(source="s", ops=(Op("b"), Op("a"))),
        Edge(source="stem", ops=(Op("a"),)),
    )


def test_deriving_leaves_none_where_nothing_is_kept():
    closed = derive(two_edges(), {"g": []})
    assert closed.network.nodes[-1].edges == (Edge(source="stem", ops=(Op("none"),)),)


def test_deriving_one_group_leaves_the_other_open():
    description = load(DARTS)
    half = derive(description, {"normal": [(0, 4), (1, 4)]})
    assert half.is_open
    assert list(half.groups) == ["reduce"]
    assert half.cells["normal"].node("n1").edges == (Edge(source="pre0", ops=(Op("none"),)),)
    expand(half, CATALOGUE)


def test_a_concat_keeps_the_order_of_its_channels():
    base = two_edges()
    node = evolve(base.network.nodes[-1], join="concat")
    description = evolve(base, network=evolve(base.network, nodes=(*base.network.nodes[:-1], node)))
    closed = derive(description, {"g": [(1, 2), (0, 1)]})
    assert [edge.source for edge in closed.network.nodes[-1].edges] == ["stem", "s"]


def test_dropping_the_coarsest_source_leaves_the_node_as_coarse():
    base = two_edges()
    stem, s, x = base.network.nodes
    nodes = (stem, evolve(s, reduction=2), x, Node(name="y", edges=(Edge(source="x", ops=(Op("a"),)),)))
    description = evolve(base, network=Graph(inputs=("images",), nodes=nodes, output="y"))
    closed = derive(description, {"g": [(0, 1)]})
    assert closed.network.node("x").reduction == 2
    assert [state.reduction for state in expand(closed).feature_maps] == [1, 1, 2, 2, 2]
    assert derive(description, {"g": [(0, 1), (1, 1)]}).network.node("x").reduction is None


@pytest.mark.parametrize(
    ("picks", "said"),
    [
        ({"h": []}, "no group 'h'"),
        ({"g": [(2, 0)]}, "does not offer the pick"),
        ({"g": [(0, 3)]}, "does not offer the pick"),
        ({"g": [(-1, 0)]}, "does not offer the pick"),
        ({"g": [(0, 1), (0, 1)]}, "occurs twice"),
    ],
)
def test_picks_of_what_is_not_there_are_refused(picks, said):
    with pytest.raises(DescriptionError, match=said):
        derive(two_edges(), picks)


def test_a_pick_outside_the_mask_is_refused():
    with pytest.raises(DescriptionError, match=r"does not offer the pick \(0, 4\)"):
        derive(load(CHAIN), {"layers": [(0, 4)]})


def test_final_takes_the_search_out():
    trained = final(load(PETRIDISH))
    assert "affine" not in dump(trained)
    assert "pool_norm" not in dump(trained)
    search = evolve(load(RESNET), affine=False, pool_norm=True)
    assert final(search) == load(RESNET)


def test_final_refuses_operations_that_become_one():
    text = PETRIDISH.replace(
        "[sep_conv_3x3, skip_connect]}, {from", "[sep_conv_3x3, sep_conv_3x3(affine=false)]}, {from"
    )
    with pytest.raises(DescriptionError, match="twice"):
        final(load(text))


def test_resizing_edits_integers():
    big = resize(load(DARTS), channels=36, repeats={"a": 6, "b": 6, "c": 6})
    assert dump(big) == DARTS.replace("channels: 16", "channels: 36").replace("repeat: 2", "repeat: 6")
    assert resize(big) == big


@pytest.mark.parametrize(("name", "said"), [("r1", "no repeat"), ("d", "no node 'd'")])
def test_only_stages_can_be_deepened(name, said):
    with pytest.raises(DescriptionError, match=said):
        resize(load(DARTS), repeats={name: 2})


@pytest.mark.parametrize("cells", range(2, 25))
def test_spreading_reproduces_the_reductions_of_darts(cells):
    description = load(DARTS)
    repeats = spread(description, cells)
    placed = resize(description, repeats=repeats).network.scope.placed[1:-1]
    assert len(placed) == cells
    where = [index for index, each in enumerate(placed) if each.node.join == "reduce"]
    assert where == [cells // 3, 2 * cells // 3]


def test_spreading_other_networks():
    assert spread(load(RESNET), 20) == {"a": 6, "b": 7, "c": 7}
    assert spread(load(CHAIN), 20) == {}
    with pytest.raises(DescriptionError, match="too few"):
        spread(load(DARTS), 1)


def test_the_auxiliary_head_reads_the_last_reduction():
    description = load(DARTS)
    assert reducing(description) == "r2"
    assert reducing(load(RESNET)) == "c-0"
    flat = load(RESNET.replace(", reduction: 2", "").replace(", reduction: 4", ""))
    assert reducing(flat) is None
    with_head = with_auxiliary(description, "r2")
    plan = expand(with_head, CATALOGUE)
    head = plan.feature_maps[plan.auxiliary]
    assert (head.path, head.channels, plan.feature_maps[plan.output].path) == ("aux", 10, "head")
    assert plan.feature_maps[head.wires[0].source].path == "r2/out"
    assert load(dump(with_head)) == with_head
    with pytest.raises(DescriptionError, match="already"):
        with_auxiliary(with_head, "r1")
    with pytest.raises(DescriptionError, match="no earlier state 'r9'"):
        with_auxiliary(description, "r9")


def test_untying_gives_each_use_its_own_cell():
    child = load(PETRIDISH)
    untied = untie(child)
    names = [f"{stage}-{index}" for stage in "abc" for index in range(3)]
    assert sorted(untied.cells) == sorted([*names, "r1", "r2"])
    assert load(dump(untied)) == untied
    assert [state.path for state in expand(untied, CATALOGUE).feature_maps] == [
        state.path for state in expand(child).feature_maps
    ]
    assert untie(untied) == untied
    with pytest.raises(DescriptionError, match="open"):
        untie(load(DARTS))


def test_untying_keeps_names_of_stages_readable():
    text = PETRIDISH.replace("aux: {from: r2", "aux: {from: b")
    plan = expand(untie(load(text)))
    wire = plan.feature_maps[plan.auxiliary].wires[0]
    assert (wire.path, plan.feature_maps[wire.source].path) == ("aux/b", "b-2/x")
