"""YAML text: round trips, the shortest form, and what is refused."""

from __future__ import annotations

import pytest
from attrs import evolve
from descriptions import CHAIN, DARTS, EXAMPLES, PETRIDISH, RESNET

from nascore.description import Edge, Graph, Node, Op, dump, load
from nascore.errors import DescriptionError


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_the_shortest_form_is_that_of_the_examples(text):
    description = load(text)
    assert dump(description) == text
    assert load(dump(description)) == description


@pytest.mark.parametrize(
    "node",
    [
        "{sum: [{from: stem, op: sep_conv_3x3}]}",
        "{sum: [{stem: sep_conv_3x3}]}",
        "{sum: [{from: stem, ops: [sep_conv_3x3]}]}",
        "{from: [stem], ops: [sep_conv_3x3], width: 1, shadow: false}",
    ],
)
def test_longer_forms_say_the_same(node):
    short, long = (
        RESNET.replace("b: {from: -1, op: basic_block, width: 2, reduction: 2, repeat: 3}", f"b: {text}")
        for text in ("{from: stem, op: sep_conv_3x3}", node)
    )
    assert load(long) == load(short)
    assert dump(load(long)) == short


def test_a_state_called_from_needs_the_long_form():
    edges = (Edge(source="from", ops=(Op("x"),)), Edge(source="b"))
    nodes = (
        Node(name="from", edges=(Edge(source="images", ops=(Op("x"),)),)),
        Node(name="b", edges=(Edge(source="from"),)),
        Node(name="c", edges=edges),
    )
    network = Graph(inputs=("images",), nodes=nodes, output="b")
    description = evolve(load(RESNET), network=network)
    assert load(dump(description)) == description
    assert "{sum: [{from: from, op: x}, b]}" in dump(description)


BROKEN = {
    "unknown key at the top": (CHAIN, "channels: 8", "chanels: 8", "chanels", "Did you mean channels?"),
    "missing key": (CHAIN, "channels: 8\n", "", "channels", "is missing"),
    "double key": (CHAIN, "channels: 8", "channels: 8\nchannels: 9", "channels", "given twice"),
    "other version": (CHAIN, "nascore: 1", "nascore: 2", "nascore", "version 2 of the language is newer"),
    "version true": (CHAIN, "nascore: 1", "nascore: true", "nascore", "language is 1, not true"),
    "float as whole number": (CHAIN, "channels: 8", "channels: 1e1", "channels", "whole number, not 10.0"),
    "text as whole number": (CHAIN, "channels: 8", 'channels: "8"', "channels", "whole number, not '8'"),
    "nothing as whole number": (CHAIN, "channels: 8", "channels:", "channels", "not null"),
    "out of range": (CHAIN, "channels: 8", "channels: 0", "channels", "at least 1"),
    "yes is no truth value": (DARTS, "affine: false", "affine: yes", "affine", "true or false, not 'yes'"),
    "quoted width": (CHAIN, "width: 3, r", 'width: "3", r', "network.nodes.l2.width", "not '3'"),
    "width of zero": (CHAIN, "width: 3, r", "width: 0, r", "network.nodes.l2.width", "at least 1"),
    "negative repeat": (
        RESNET,
        "repeat: 3}\n    b",
        "repeat: -1}\n    b",
        "network.nodes.a.repeat",
        "at least 0",
    ),
    "node called on": (CHAIN, "l0:", "on:", "network.nodes.on", "cannot name a node"),
    "node called null": (CHAIN, "l0:", "null:", "network.nodes.null", "cannot name a node"),
    "node with a slash": (CHAIN, "l0:", "l/0:", "network.nodes.l/0", "cannot name a node"),
    "operation null": (
        CHAIN,
        "op: classifier",
        "op: null",
        "network.nodes.head.op",
        "null is not an operation",
    ),
    "bad operation": (CHAIN, "op: classifier", "op: x(a", "network.nodes.head.op", "not an operation"),
    "bad setting": (CHAIN, "stem(relu=true)", "stem(relu)", "network.nodes.stem.op", "KEY=VALUE"),
    "setting twice": (CHAIN, "(relu=true)", "(relu=true;relu=true)", "network.nodes.stem.op", "twice"),
    "unknown key of a node": (
        CHAIN,
        "width: 3, r",
        "widht: 3, r",
        "network.nodes.l2.widht",
        "Did you mean width?",
    ),
    "no way in": (
        CHAIN,
        "{from: -1, op: classifier, ",
        "{op: classifier, ",
        "network.nodes.head",
        "one of from",
    ),
    "op and ops": (CHAIN, "op: classifier", "op: a, ops: [b]", "network.nodes.head", "say one of"),
    "a list as op": (CHAIN, "op: classifier", "op: [a]", "network.nodes.head.op", "one operation"),
    "no list as ops": (CHAIN, "op: classifier", "ops: a", "network.nodes.head.ops", "list"),
    "no edges": (
        CHAIN,
        "{from: -1, op: classifier",
        "{from: [], op: classifier",
        "network.nodes.head",
        "one edge",
    ),
    "sum is no list": (CHAIN, "{from: -1, op: classifier", "{sum: l3", "network.nodes.head", "a list"),
    "edge of two sources": (
        CHAIN,
        "from: -1, op: classifier",
        "sum: [{l2: a, l3: b}]",
        "network.nodes.head",
        "edge is",
    ),
    "edge without operations": (
        CHAIN,
        "from: -1, op: classifier",
        "sum: [{l3: []}]",
        "network.nodes.head.from.l3",
        "bare",
    ),
    "node without operations": (
        CHAIN,
        "op: classifier",
        "ops: []",
        "network.nodes.head.ops",
        "bare edge is written without ops",
    ),
    "explicit edge without operations": (
        CHAIN,
        "from: -1, op: classifier",
        "sum: [{from: -1, ops: []}]",
        "network.nodes.head.from.-1.ops",
        "bare edge is written without ops",
    ),
    "source true": (
        CHAIN,
        "from: -1, op: classifier",
        "from: true, op: a",
        "network.nodes.head.from",
        "not a source",
    ),
    "inputs of the network": (
        CHAIN,
        "network:\n",
        "network:\n  inputs: [images]\n",
        "network.inputs",
        "unknown key",
    ),
    "cell called sum": (CHAIN, "op: classifier", "cell: sum", "network.nodes.head.cell", "Write sum: ["),
    "cell called concat": (
        CHAIN,
        "op: classifier",
        "cell: concat",
        "network.nodes.head.cell",
        "Write concat: [",
    ),
    "cell called network": (
        CHAIN,
        "op: classifier",
        "cell: network",
        "network.nodes.head.cell",
        "'network' cannot name a cell.",
    ),
    "cell without a name": (
        CHAIN,
        "op: classifier",
        'cell: ""',
        "network.nodes.head.cell",
        "'' cannot name a cell.",
    ),
    "cell without inputs": (PETRIDISH, "    inputs: [in0, in1]\n", "", "cells.normal.inputs", "missing"),
    "group as list": (CHAIN, "layers: {ops: [", "layers: [[", "", ""),
    "unknown key of a group": (
        DARTS,
        "edges: 2, never: [none]}\n  r",
        "edgse: 2}\n  r",
        "groups.normal.edgse",
        "edges",
    ),
    "segment": (
        DARTS,
        "edges: 2, never: [none]}\n  r",
        "segment: cell}\n  r",
        "groups.normal.segment",
        "edge or node",
    ),
    "choice of an unknown group": (
        CHAIN,
        "choose: layers, width: 2",
        "choose: layer",
        "network.nodes.l1.choose",
        "Did you mean layers?",
    ),
    "unknown auxiliary": (
        PETRIDISH,
        "auxiliary: aux\n",
        "auxiliary: aus\n",
        "auxiliary",
        "Did you mean aux?",
    ),
    "unknown output": (PETRIDISH, "output: head", "output: haed", "network.output", "Did you mean head?"),
}


@pytest.mark.parametrize(("text", "old", "new", "path", "said"), BROKEN.values(), ids=BROKEN)
def test_a_mistake_is_told_with_its_path(text, old, new, path, said):
    assert old in text
    with pytest.raises(DescriptionError) as error:
        load(text.replace(old, new), where="net.yaml")
    told = [problem for problem in error.value.problems if problem.path == path or not path]
    assert told, error.value
    assert any(said in str(problem) for problem in told), error.value
    assert all(str(problem.origin).startswith("net.yaml:") for problem in told)


def test_all_problems_come_at_once():
    text = CHAIN.replace("channels: 8", "channels: eight").replace("width: 3, r", "widht: 3, r")
    text = text.replace("op: classifier", "op: null").replace("choose: layers, width: 2", "choose: player")
    with pytest.raises(DescriptionError) as error:
        load(text)
    paths = {problem.path for problem in error.value.problems}
    assert paths == {
        "channels",
        "network.nodes.l1.choose",
        "network.nodes.l2.widht",
        "network.nodes.head.op",
    }


@pytest.mark.parametrize("text", ["", "[1, 2]", "x: [", "7", "!!map {}", "a: &x 1\nb: *x"])
def test_what_is_no_description_is_refused(text):
    with pytest.raises(DescriptionError):
        load(text)
