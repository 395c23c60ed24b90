"""The invariants of each value, checked on construction, all problems at once."""

from __future__ import annotations

import math
import pickle

import pytest
from attrs import evolve
from descriptions import CHAIN, DARTS, PETRIDISH

from nascore.description import Description, Edge, Graph, Group, Node, Op, load
from nascore.errors import DescriptionError

A, B = Op("a"), Op("b")


def edge(source, *ops, **more):
    return Edge(source=source, ops=ops, **more)


def node(name, *edges, **more):
    return Node(name=name, edges=edges, **more)


def network(*nodes, output=None):
    return Graph(inputs=("images",), nodes=nodes, output=output or nodes[-1].name)


FIRST = node("first", edge("images", A))


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("sep_conv_3x3", Op("sep_conv_3x3")),
        ("mbconv(expand=6;kernel=3)", Op("mbconv", (("kernel", 3), ("expand", 6)))),
        ("x(a=true;b=0.5;c=word)", Op("x", (("a", True), ("b", 0.5), ("c", "word")))),
        ("x(a=-1;b=1e-05)", Op("x", (("a", -1), ("b", 1e-5)))),
    ],
)
def test_operation_texts_read_back(text, op):
    assert str(op) == text
    assert Op.parse(text) == op


def test_operations_of_other_texts_differ():
    ones = [Op("x", (("a", value),)) for value in (True, 1, 1.0)]
    assert len(set(ones)) == len({str(one) for one in ones}) == 3


@pytest.mark.parametrize("value", [math.nan, math.inf, "a b", "1", "true", "a.b", "", None, "x;y=1", 10**400])
def test_settings_whose_text_would_not_read_back_are_refused(value):
    with pytest.raises(DescriptionError):
        Op("x", (("a", value),))


@pytest.mark.parametrize(
    "text", ["", "a b", "x()", "x(a=1", "x(a=1)y", "3x", "null", "x(=1)", "x(a=)", "x.y"]
)
def test_texts_that_are_no_operation_are_refused(text):
    with pytest.raises(DescriptionError):
        Op.parse(text)


WRONG = {
    "relative source not negative": (lambda: edge(0, A), "negative"),
    "source true": (lambda: Edge(source=True, ops=(A,)), "not a source"),
    "bad source": (lambda: edge("a b", A), "cannot name a state"),
    "operation twice": (lambda: edge("a", A, A), "twice"),
    "choice without candidates": (lambda: edge("a", group="g"), "needs candidates"),
    "gate on a choice": (lambda: edge("a", A, group="g", gate=True), "no gate"),
    "gate of another type": (lambda: edge("a", A, gate="yes"), "true or false"),
    "bad group name": (lambda: edge("a", A, group="g h"), "cannot name a group"),
    "bad name": (lambda: node("a.b", edge("c")), "cannot name a node"),
    "name that is a truth value": (lambda: node("Off", edge("c")), "cannot name a node"),
    "no edges": (lambda: node("a"), "at least one edge"),
    "two edges from one source": (lambda: node("a", edge("c", A), edge("c", B)), "two edges"),
    "bare and not, from one source": (lambda: node("a", edge("c", A), edge("c")), "two edges"),
    "two in a concat": (lambda: node("a", edge("c", A), edge("c", B), join="concat"), "two edges"),
    "two gates in a concat": (
        lambda: node("a", edge("c", A, gate=True), edge("c", gate=True), join="concat"),
        "one path",
    ),
    "operations into a cell": (lambda: node("a", edge("c", A), join="cell"), "into a cell"),
    "gate into a cell": (lambda: node("a", edge("c", gate=True), join="cell"), "into a cell"),
    "shadow that is no sum": (lambda: node("a", edge("c", A), join="concat", shadow=True), "shadow"),
    "width of zero": (lambda: node("a", edge("c"), width=0), "at least 1"),
    "width true": (lambda: node("a", edge("c"), width=True), "whole number"),
    "reduction of zero": (lambda: node("a", edge("c"), reduction=0), "at least 1"),
    "negative repeat": (lambda: node("a", edge("c"), repeat=-1), "at least 0"),
    "no earlier state": (lambda: network(FIRST, node("x", edge("frist"))), "Did you mean first?"),
    "itself": (lambda: network(node("x", edge("x"))), "cannot read itself"),
    "before the first node": (lambda: network(node("x", edge(-1))), "before the first node"),
    "name twice": (lambda: network(FIRST, FIRST), "used twice"),
    "name of an input": (lambda: network(node("images", edge("images"))), "used twice"),
    "two states of one path": (
        lambda: network(FIRST, node("a", edge("first"), repeat=2), node("a-1", edge("first"))),
        "two states",
    ),
    "stage of none": (
        lambda: network(FIRST, node("a", edge(-1), repeat=0), node("b", edge("a"))),
        "a repeats 0 times",
    ),
    "no nodes": (lambda: Graph(inputs=("x",), nodes=(), output="x"), "at least one node"),
    "no inputs": (lambda: Graph(inputs=(), nodes=(FIRST,), output="first"), "at least one input"),
    "output": (lambda: network(FIRST, output="last"), "no state 'last'"),
    "group of nothing": (lambda: Group(ops=()), "needs operations"),
    "column twice": (lambda: Group(ops=(A, A)), "twice"),
    "never of another": (lambda: Group(ops=(A,), never=(B,)), "not among"),
    "keep none": (lambda: Group(ops=(A,), keep=0), "at least 1"),
    "edges of a node's segment": (lambda: Group(ops=(A,), segment="node", edges=2), "no meaning"),
}


@pytest.mark.parametrize(("build", "said"), WRONG.values(), ids=WRONG)
def test_a_broken_invariant_is_refused(build, said):
    with pytest.raises(DescriptionError, match=said):
        build()


def test_all_problems_of_a_value_come_at_once():
    with pytest.raises(DescriptionError) as error:
        node("a b", edge("c", A), edge("c", B), width=0, reduction=-1, repeat="2")
    assert len(error.value.problems) == 5


CELL = Graph(inputs=("in0",), nodes=(node("x", edge("in0", A)),), output="x")

UNSOUND = {
    "channels": ({"channels": 0}, "channels"),
    "affine": ({"affine": 1}, "affine"),
    "no such cell": ({"network": network(FIRST, node("b", edge(-1), join="cel"))}, "Did you mean cell?"),
    "number of inputs": (
        {"network": network(FIRST, node("b", edge(-1), edge("first"), join="cell"))},
        "has 1 input .in0., but gets 2",
    ),
    "reserved cell": ({"cells": {"network": CELL}}, "cannot name a cell"),
    "cell called sum": ({"cells": {"sum": CELL}}, "cannot name a cell"),
    "cell in itself": (
        {"cells": {"cell": Graph(inputs=("i",), nodes=(node("x", edge("i"), join="cell"),), output="x")}},
        "contains itself",
    ),
    "unknown group": ({"network": network(node("b", edge("images", A, group="g")))}, "no group 'g'"),
    "unlisted candidate": (
        {
            "network": network(node("b", edge("images", A, group="g"))),
            "groups": {"g": Group(ops=(B,))},
        },
        "does not list",
    ),
    "inputs of the network": ({"network": CELL}, "only input"),
    "auxiliary": ({"auxiliary": "x"}, "auxiliary"),
}


@pytest.mark.parametrize(("change", "said"), UNSOUND.values(), ids=UNSOUND)
def test_a_description_refers_to_what_exists(change, said):
    sound = {"network": network(FIRST), "cells": {"cell": CELL}}
    Description(**sound)
    with pytest.raises(DescriptionError, match=said):
        Description(**{**sound, **change})


AUX = node("aux", edge("first", A), width="classes")
HEAD = node("head", edge("first", A), width="classes")
AFTER = node("after", edge(-1), width="classes")

AUXILIARY = {
    "an input": (network(FIRST, AUX, output="first"), "images", ["no node 'images'"]),
    "one of a stage": (
        network(FIRST, evolve(AUX, repeat=2), output="first"),
        "aux-1",
        ["no node 'aux-1'. Did you mean aux?"],
    ),
    "a stage": (network(FIRST, evolve(AUX, repeat=2), output="first"), "aux", ["aux repeats"]),
    "the output": (network(FIRST, AUX), "aux", ["is the network's output"]),
    "the output by another name": (
        network(FIRST, evolve(AUX, name="aux-0"), output="aux"),
        "aux-0",
        ["is the network's output"],
    ),
    "not the last": (network(FIRST, AUX, HEAD), "aux", ["not the last node"]),
    "read by name": (
        network(FIRST, AUX, node("x", edge("aux")), output="first"),
        "aux",
        ["not the last node", "x reads aux"],
    ),
    "read by the node after": (network(FIRST, AUX, AFTER), "aux", ["not the last node", "after reads aux"]),
    "read through what growth added": (
        network(FIRST, AUX, node("x+1", edge("first")), AFTER),
        "aux",
        ["not the last node", "after reads aux"],
    ),
}


@pytest.mark.parametrize(("graph", "name", "said"), AUXILIARY.values(), ids=AUXILIARY)
def test_an_auxiliary_head_is_the_last_node_and_read_by_none(graph, name, said):
    Description(network=graph)
    with pytest.raises(DescriptionError) as error:
        Description(network=graph, auxiliary=name)
    told = [str(problem) for problem in error.value.problems if problem.path == "auxiliary"]
    assert len(told) == len(error.value.problems) == len(said)
    assert all(text in each for text, each in zip(said, told, strict=True)), told


def test_openness():
    assert load(DARTS).is_open
    assert load(CHAIN).is_open
    assert not load(PETRIDISH).is_open


def test_values_are_frozen_copied_and_pickled():
    cells = {"cell": CELL}
    description = Description(network=network(FIRST), cells=cells)
    cells.clear()
    assert description.cells
    assert pickle.loads(pickle.dumps(description)) == description  # noqa: S301 - our own bytes
    with pytest.raises(AttributeError):
        description.channels = 3
    assert evolve(description, channels=3) != description
