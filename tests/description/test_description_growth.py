"""Growing and settling: what comes, what stays, and that nothing else moves."""

from __future__ import annotations

import pytest
from descriptions import CATALOGUE, CHAIN, DARTS, PETRIDISH, RESNET

from nascore.description import Edge, Op, derive, dump, expand, fingerprint, grow, load, settle, untie
from nascore.errors import DescriptionError

OPS = tuple(
    Op.parse(text) for text in ("sep_conv_3x3(affine=false)", "max_pool_3x3(pool_norm=true)", "skip_connect")
)
_GROWN = "{sum: [{pre1: [sep_conv_3x3, skip_connect]}, {from: x+1, op: project, gate: true}]"
SEED = "".join(
    line.replace(_GROWN, "{from: pre1, ops: [sep_conv_3x3, skip_connect]")
    for line in PETRIDISH.splitlines(keepends=True)
    if "x+1: " not in line
)
IDLE = "  idle:\n    inputs: [i]\n    nodes:\n      x: {from: i, op: fit}\nnetwork:\n"
GROUP = "grow/normal/x/1"


def scores(description, name, **kept):
    layout = expand(description).layouts[name]
    matrix = [[0.0] * len(layout.ops) for _ in layout.rows]
    for source, values in kept.items():
        matrix[[row[2] for row in layout.rows].index(source)] = values
    return {name: matrix}


def test_growing_adds_a_shadow_before_the_target():
    grown = grow(load(SEED), "normal", "x", OPS, CATALOGUE, keep=2)
    cell = grown.cells["normal"]
    assert [node.name for node in cell.nodes] == ["pre0", "pre1", "x+1", "x"]
    shadow = cell.node("x+1")
    assert (shadow.shadow, shadow.reduction, shadow.width, shadow.join) == (True, 1, 1, "sum")
    assert cell.node("x").edges[-1] == Edge(source="x+1")
    assert (grown.groups[GROUP].segment, grown.groups[GROUP].keep) == ("node", 2)
    layout = expand(grown, CATALOGUE).layouts[GROUP]
    assert layout.replicas == 9
    assert {segment for line in layout.segments for segment in line} == {-1, 0}
    assert load(dump(grown)) == grown


def test_only_what_fits_at_every_use_is_offered():
    grown = grow(load(SEED), "normal", "x", OPS, CATALOGUE)
    offers = {edge.source: [str(op) for op in edge.ops] for edge in grown.cells["normal"].node("x+1").edges}
    # raw inputs have other channels than the cell, so pools and skips cannot read them
    assert offers == {
        "in0": ["sep_conv_3x3(affine=false)"],
        "in1": ["sep_conv_3x3(affine=false)"],
        "pre0": [str(op) for op in OPS],
        "pre1": [str(op) for op in OPS],
    }


def test_a_reduction_cell_and_sources_by_name():
    grown = grow(load(SEED), "reduce", "x", OPS, CATALOGUE, sources=["pre1", "pre0"])
    shadow = grown.cells["reduce"].node("x+1")
    assert [edge.source for edge in shadow.edges] == ["pre1", "pre0"]
    assert shadow.reduction == 2
    strides = {
        wire.stride for state in expand(grown, CATALOGUE).feature_maps if state.shadow for wire in state.wires
    }
    assert strides == {2}


def test_settling_keeps_the_best_behind_a_gate():
    grown = grow(load(SEED), "normal", "x", (*OPS[:2], Op.parse("dil_conv_3x3(affine=false)")), CATALOGUE)
    child = settle(grown, scores(grown, GROUP, pre0=[3, 2, 0], pre1=[0, 0, 1]))
    gated = "      x: {sum: [{pre1: [sep_conv_3x3, skip_connect]}, {from: x+1, op: project, gate: true}]"
    projected = "      x+1+1: {from: x+1, op: project, reduction: 1}\n"
    expected = PETRIDISH.replace(gated, projected + gated.replace("x+1, op: project", "x+1+1"))
    assert dump(child) == expected != PETRIDISH


def test_settling_nothing_gives_the_parent():
    parent = load(SEED)
    grown = grow(parent, "normal", "x", OPS, CATALOGUE)
    assert settle(grown, scores(grown, GROUP)) == parent


def op_paths(description):
    states = expand(description).feature_maps
    return {wire.op_path(op) for state in states for wire in state.wires for op in wire.ops}


def test_growing_twice_renames_nothing():
    parent = load(SEED)
    first = grow(parent, "normal", "x", OPS, CATALOGUE)
    child = settle(first, scores(first, GROUP, pre0=[1, 0, 0]))
    second = grow(child, "normal", "x", OPS, CATALOGUE)
    names = [node.name for node in second.cells["normal"].nodes]
    assert names == ["pre0", "pre1", "x+1", "x+1+1", "x+2", "x"]
    # What the first growth added is read through its projection, which is as wide as the cell.
    offers = {edge.source: len(edge.ops) for edge in second.cells["normal"].node("x+2").edges}
    assert offers == {"in0": 1, "in1": 1, "pre0": 3, "pre1": 3, "x+1+1": 3}
    grandchild = settle(second, scores(second, "grow/normal/x/2", pre1=[0, 1, 0]))
    assert op_paths(parent) < op_paths(first)
    assert op_paths(parent) < op_paths(child) < op_paths(grandchild)
    kept = {path for path in op_paths(child) if "x+1/pre0" in path}
    assert kept
    assert kept < op_paths(first)
    named = grow(child, "normal", "x", OPS, CATALOGUE, sources=["x+1"])
    assert named.cells["normal"].node("x+2").edges[0].source == "x+1"


def test_macro_growth_of_a_chain_and_of_an_untied_cell():
    chain = derive(load(CHAIN), {"layers": [(0, 0), (1, 4), (2, 1), (3, 2)]})
    grown = grow(chain, "network", "l3", OPS, CATALOGUE)
    offers = {edge.source: len(edge.ops) for edge in grown.network.node("l3+1").edges}
    assert offers == {"images": 1, "stem": 1, "l0": 1, "l1": 1, "l2": 3}
    assert (
        settle(grown, scores(grown, "grow/network/l3/1", l1=[1, 0, 0])).network.node("l3+1").join == "concat"
    )

    macro = grow(untie(load(SEED)), "b-1", "x", OPS, CATALOGUE)
    assert expand(macro, CATALOGUE).layouts["grow/b-1/x/1"].replicas == 1
    assert load(dump(macro)) == macro


def test_a_sum_of_bare_edges_grows_too():
    text = CHAIN.replace("    head:", "    both: {from: [l2, l3]}\n    head:")
    grown = grow(load(text), "network", "both", OPS, CATALOGUE)
    assert (grown.network.node("both+1").width, grown.network.node("both+1").reduction) == (3, 2)
    child = settle(grown, scores(grown, "grow/network/both/1", l0=[1, 0, 0]))
    state = next(state for state in expand(child, CATALOGUE).feature_maps if state.path == "both")
    assert (state.channels, [wire.gate for wire in state.wires]) == (24, [False, False, True])


def test_growth_of_an_open_description_leaves_its_choices():
    description = load(DARTS)
    grown = grow(description, "normal", "n3", OPS, CATALOGUE)
    child = settle(grown, {**scores(grown, "grow/normal/n3/1", pre0=[1, 0, 0]), "normal": [[0.0]]})
    assert child.groups == description.groups
    assert child.is_open


@pytest.mark.parametrize(
    ("text", "graph", "target", "said"),
    [
        (SEED, "normall", "x", "Did you mean normal"),
        (SEED, "normal", "y", "no such node"),
        (SEED, "network", "a", "only a sum"),
        (RESNET, "network", "a", "repeats"),
        (DARTS, "normal", "out", "only a sum"),
        (SEED.replace("network:\n", IDLE), "idle", "x", "no use"),
        (SEED, "normal", "x", "Did you mean sep_conv_3x3"),
    ],
)
def test_what_cannot_grow_is_refused(text, graph, target, said):
    ops = (Op("sep_conv_3"),) if "Did you mean sep" in said else OPS
    with pytest.raises(DescriptionError, match=said):
        grow(load(text), graph, target, ops, CATALOGUE)


def test_sources_and_operations_must_fit():
    with pytest.raises(DescriptionError, match="no earlier state 'x'"):
        grow(load(SEED), "normal", "x", OPS, CATALOGUE, sources=["x"])
    with pytest.raises(DescriptionError, match="none of the operations fits"):
        grow(load(SEED), "normal", "x", OPS[2:], CATALOGUE, sources=["in0"])


def test_a_target_whose_reduction_differs_between_uses_is_refused():
    text = SEED.replace(
        "x: {from: pre1, ops: [sep_conv_3x3, skip_connect], reduction: 1}",
        "y: {from: in0, op: fit}\n      x: {sum: [{y: sep_conv_3x3}, {pre1: skip_connect}], reduction: 1}",
    )
    assert "y: " in text
    with pytest.raises(DescriptionError, match="differs from use to use"):
        grow(load(text), "normal", "y", OPS, CATALOGUE)


def test_a_grown_child_has_another_hash_than_its_parent():
    parent = load(SEED)
    assert (
        len(
            {
                fingerprint(each)
                for each in (parent, load(PETRIDISH), grow(parent, "normal", "x", OPS, CATALOGUE))
            }
        )
        == 3
    )


@pytest.mark.parametrize("text", [CHAIN, RESNET, DARTS], ids=["chain", "resnet", "darts"])
def test_a_classifier_does_not_grow(text):
    description = load(text)
    head = description.network.output

    with pytest.raises(
        DescriptionError, match="its output is logits, and only a sum of feature maps can grow"
    ):
        grow(description, "network", head, OPS, CATALOGUE)
