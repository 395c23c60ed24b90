"""Paths: what weights are inherited by stays put under edits; relative sources."""

from __future__ import annotations

from attrs import evolve
from descriptions import CHAIN, DARTS, PETRIDISH, RESNET

from nascore.description import expand, load, resize, untie


def test_paths_name_the_use_the_source_as_written_and_hold_no_dot():
    plan = expand(load(RESNET.replace("op: classifier", "op: classifier(rate=0.5)")))
    paths = [wire.op_path(op) for state in plan.feature_maps for wire in state.wires for op in wire.ops]
    assert paths[0] == "stem/images/stem(relu=true)"
    assert "a-2/-1/basic_block" in paths
    assert paths[-1] == "head/-1/classifier(rate=0_5)"


def paths(description):
    plan = expand(description)
    return {wire.op_path(op) for state in plan.feature_maps for wire in state.wires for op in wire.ops}


def test_paths_stay_put():
    child = load(PETRIDISH)
    assert paths(untie(child)) == paths(child)
    assert paths(child) < paths(resize(child, channels=4, repeats={"a": 5, "c": 4}))
    assert paths(evolve(child, affine=False)) == paths(child)


def test_growth_does_not_shift_relative_sources():
    grown = CHAIN.replace("    l3:", "    l3+1: {from: l1, op: mbconv, width: 3, reduction: 2}\n    l3:")
    plan = expand(load(grown))
    wire = next(state for state in plan.feature_maps if state.path == "l3").wires[0]
    assert plan.feature_maps[wire.source].path == "l2"


def test_relative_sources_are_clipped_at_the_first_node_and_count_no_input():
    states = expand(load(DARTS)).feature_maps
    reads = {state.path: states[state.wires[0].source].path for state in states if state.wires}
    assert reads["a-0/pre0"] == reads["a-0/pre1"] == reads["a-1/pre0"] == "stem"
    assert reads["a-1/pre1"] == "a-0/out"
