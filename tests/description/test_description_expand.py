"""The plan: channels, reductions, strides, paths, groups, and what arithmetic refuses."""

from __future__ import annotations

from random import Random

import pytest
from attrs import evolve
from descriptions import CATALOGUE, CHAIN, DARTS, EXAMPLES, PETRIDISH, RESNET

from nascore.description import Op, Operation, choose, expand, load, resolved
from nascore.errors import DescriptionError


def by_path(text):
    return {state.path: state for state in expand(load(text), CATALOGUE).feature_maps}


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_every_state_follows_those_that_it_reads(text):
    plan = expand(load(text), CATALOGUE)
    for index, state in enumerate(plan.feature_maps):
        assert all(wire.source < index for wire in state.wires)
        assert all(
            state.reduction == wire.stride * plan.feature_maps[wire.source].reduction for wire in state.wires
        )
    assert plan.feature_maps[plan.output].path == "head"
    assert plan.feature_maps[plan.output].channels == 10


def test_darts_channels_strides_and_uses():
    states = by_path(DARTS)
    assert len(states) == 59
    assert (states["stem"].channels, states["a-1/out"].channels, states["c-1/out"].channels) == (48, 64, 256)
    assert states["c-1/out"].reduction == 4
    # the cell after a reduction reads two inputs of different size: its first `fit` has stride 2
    assert [states[f"b-0/pre{index}"].wires[0].stride for index in (0, 1)] == [2, 1]
    assert [wire.stride for wire in states["r1/n1"].wires] == [2, 2, 1]
    assert [wire.c_in for wire in states["a-1/pre0"].wires] == [48]
    assert [wire.path for wire in states["b-0/n1"].wires] == ["b-0/n1/pre0", "b-0/n1/pre1", "b-0/n1/n0"]


def test_darts_groups():
    layouts = expand(load(DARTS)).layouts
    normal = layouts["normal"]
    assert (len(normal.rows), len(normal.ops), normal.replicas) == (14, 8, 6)
    assert layouts["reduce"].replicas == 2
    assert normal.row_names()[:3] == ("normal/n0/pre0", "normal/n0/pre1", "normal/n1/pre0")
    assert normal.nodes()["normal", "n0"] == (0, 1)
    assert list(map(len, normal.nodes().values())) == [2, 3, 4, 5]
    assert normal.column_names()[0] == "none"
    assert [line[0] for line in normal.segments] == list(range(14))
    assert [line[7] for line in normal.segmented("node").segments] == [0] * 2 + [1] * 3 + [2] * 4 + [3] * 5
    assert normal.segmented("node").segmented("edge") == normal


@pytest.mark.parametrize(("edges", "keep"), [(None, 1), (1, 1), (2, 1), (2, 2), (3, 3)])
def test_enough_of_a_node_holds_whatever_the_rule_of_edges_keeps(edges, keep):
    one = load(DARTS)
    group = evolve(one.groups["normal"], edges=edges, keep=keep)
    description = evolve(one, groups={**one.groups, "normal": group})
    layout = expand(description).layouts["normal"]
    together = layout.segmented("node")
    assert layout.enough() == keep
    offered = [
        (row, column)
        for row, line in enumerate(layout.mask)
        for column, on in enumerate(line)
        if on and layout.ops[column] not in layout.never
    ]
    for seed in range(30):
        drawn = Random(seed)  # noqa: S311 - no secret
        # Rows differ more than operations do: so the strongest tend to be of one edge.
        best = [3 * drawn.random() for _ in layout.rows]
        strength = [[one + drawn.random() for _ in layout.ops] for one in best]
        kept = choose(description, {"normal": strength})["normal"]
        for node in dict.fromkeys(row[:2] for row in layout.rows):
            ranked = sorted(
                (pick for pick in offered if layout.rows[pick[0]][:2] == node),
                key=lambda pick: -strength[pick[0]][pick[1]],
            )
            mine = {pick for pick in kept if layout.rows[pick[0]][:2] == node}
            assert mine <= set(ranked[: together.enough()])


def test_replicas_count_the_uses_of_a_row_in_order():
    plan = expand(load(DARTS))
    wires = [
        wire for state in plan.feature_maps for wire in state.wires if (wire.group, wire.row) == ("normal", 3)
    ]
    assert [wire.replica for wire in wires] == [0, 1, 2, 3, 4, 5]
    assert [wire.path for wire in wires][:2] == ["a-0/n1/pre1", "a-1/n1/pre1"]


def test_a_ragged_group_has_a_mask():
    layout = expand(load(CHAIN), CATALOGUE).layouts["layers"]
    assert [sum(line) for line in layout.mask] == [2, 5, 2, 3]
    assert layout.segments[2] == (-1, 2, -1, 2, -1)


def test_only_the_first_block_of_a_stage_has_a_stride():
    states = by_path(RESNET)
    strides = {path: state.wires[0].stride for path, state in states.items() if state.wires}
    assert [path for path, stride in strides.items() if stride == 2] == ["b-0", "c-0"]


def test_concat_adds_up_and_gated_edges_come_last():
    states = by_path(PETRIDISH)
    assert states["b-1/x+1"].channels == 3 * 32
    assert [wire.c_out for wire in states["b-1/x+1"].wires] == [64, 32]
    assert [wire.gate for wire in states["b-1/x"].wires] == [False, True]
    moved = PETRIDISH.replace(
        "{sum: [{pre1: [sep_conv_3x3, skip_connect]}, {from: x+1, op: project, gate: true}]",
        "{sum: [{from: x+1, op: project, gate: true}, {pre1: [sep_conv_3x3, skip_connect]}]",
    )
    assert moved != PETRIDISH
    assert by_path(moved) == states


def test_a_stage_spelled_out_is_read_by_its_bare_name():
    spelled = RESNET.replace(
        "    c: {from: -1, op: basic_block, width: 4, reduction: 4, repeat: 3}\n    head: {from: -1,",
        "".join(f"    c-{k}: {{from: -1, op: basic_block, width: 4, reduction: 4}}\n" for k in range(3))
        + "    head: {from: c,",
    )
    states = expand(load(spelled)).feature_maps
    assert states[states[-1].wires[0].source].path == "c-2"


def test_nested_cells_multiply_uses():
    text = """\
nascore: 1
channels: 4
in_channels: 3
classes: 10
groups:
  g: {ops: [sep_conv_3x3, skip_connect]}
cells:
  inner:
    inputs: [i]
    nodes:
      x: {from: i, choose: g, reduction: 1}
  outer:
    inputs: [i]
    nodes:
      a: {from: i, op: fit, reduction: 2, width: 2}
      b: {from: a, cell: inner, repeat: 2, width: 2}
network:
  nodes:
    stem: {from: images, op: stem}
    s: {from: -1, cell: outer, repeat: 2}
    head: {from: -1, op: classifier, width: classes}
"""
    plan = expand(load(text), CATALOGUE)
    facts = [
        (state.path, state.channels, state.reduction, state.relative) for state in plan.feature_maps[2:8]
    ]
    assert facts == [
        ("s-0/a", 8, 2, 2),
        ("s-0/b-0/x", 8, 2, 1),
        ("s-0/b-1/x", 8, 2, 1),
        ("s-1/a", 8, 4, 2),
        ("s-1/b-0/x", 8, 4, 1),
        ("s-1/b-1/x", 8, 4, 1),
    ]
    assert plan.layouts["g"].replicas == 4


REFUSED = {
    "coarser source": (RESNET, "width: 4, reduction: 4", "width: 4, reduction: 1", "c.from.-1", "coarser"),
    "no whole stride": (RESNET, "width: 4, reduction: 4", "width: 4, reduction: 3", "c.from.-1", "no whole"),
    "bare edge that reduces": (CHAIN, "op: classifier", "reduction: 4", "head.from.-1", "bare edge cannot"),
    "channels of a sum": (PETRIDISH, "{from: x+1, op: project", "{from: x+1", "normal.nodes.x", "equal"),
    "unknown setting": (CHAIN, "relu=true", "rleu=true", "stem.from.images", "Did you mean relu?"),
    "setting's type": (CHAIN, "relu=true", "relu=1", "stem.from.images", "must be true or false, not 1"),
    "stride": (RESNET, "width: 4, reduction: 4", "width: 4, reduction: 6", "c.from.-1", "cannot do stride 3"),
    "keeps channels": (
        CHAIN,
        "choose: layers, width: 2}",
        "choose: layers, width: 3}",
        "l1.from.-1",
        "keeps",
    ),
    "unused group": (CHAIN, "groups:\n", "groups:\n  g: {ops: [none]}\n", "groups.g", "no use"),
    "operation of an unused column": (
        CHAIN,
        "skip_connect]}\nn",
        "skip]}\nn",
        "groups.layers",
        "no operation",
    ),
    "width of the auxiliary head": (
        PETRIDISH,
        "op: auxiliary, width: classes",
        "op: auxiliary, width: 2",
        "auxiliary",
        "aux has 32 channels, not one for each of the 10 classes. Give the node aux width: classes.",
    ),
    "used unequally": (
        CHAIN,
        "choose: layers, width: 2}",
        "choose: layers, width: 2, repeat: 2}",
        "groups.layers",
        "unequally",
    ),
}


@pytest.mark.parametrize(("text", "old", "new", "path", "said"), REFUSED.values(), ids=REFUSED)
def test_arithmetic_refuses(text, old, new, path, said):
    assert old in text
    changed = text.replace(old, new)
    if path == "groups.layers" and "no operation" in said:
        changed = changed.replace(
            "mbconv(expand=6;kernel=5), skip_connect], width: 3}", "mbconv(expand=6;kernel=5)], width: 3}"
        )
    with pytest.raises(DescriptionError) as error:
        expand(load(changed), CATALOGUE)
    assert any(each.path.endswith(path) and said in str(each) for each in error.value.problems), error.value


def test_all_problems_come_at_once_and_each_once():
    text = DARTS.replace("none, max_pool_3x3, avg", "none, max_pool, avg")
    text = text.replace("width: 4, repeat: 2}", "width: 4, reduction: 2, repeat: 2}")
    with pytest.raises(DescriptionError) as error:
        expand(load(text.replace("op: classifier", "op: stem(x=1)")), CATALOGUE)
    told = [(each.path, each.text[:12]) for each in error.value.problems]
    assert len(set(told)) == len(told)
    assert {"groups.normal", "groups.reduce", "network.nodes.head.from.-1"} <= {path for path, _ in told}


def test_a_mistake_in_a_cell_is_told_once_for_all_its_uses():
    with pytest.raises(DescriptionError) as error:
        expand(load(PETRIDISH.replace("{from: x+1, op: project", "{from: x+1")))
    (problem,) = error.value.problems
    assert problem.path == "cells.normal.nodes.x"
    assert "not 16 and 48 (at a-0/x)" in problem.text


def test_effective_settings():
    entry = Operation(name="x", build="m:x", settings={"affine": True, "rate": 0.5})
    search = evolve(load(RESNET), affine=False, pool_norm=True)
    assert resolved(Op("x"), entry, search) == {"affine": False, "rate": 0.5}
    assert resolved(Op("x", (("affine", True), ("rate", 1))), entry, search) == {"affine": True, "rate": 1}


def test_a_bad_catalogue_entry_is_refused():
    with pytest.raises(DescriptionError, match="cannot name"):
        Operation(name="a b", build="m:x")
