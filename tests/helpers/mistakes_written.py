"""Rows for test_description_errors: what a text, a node, an edge or a source says wrong.

A row: a sound text, a part of it, what stands there instead, the path (``*`` for anything), what is said.
"""

from __future__ import annotations

from descriptions import CHAIN, DARTS, PETRIDISH, RESNET

TWICE = "cells.normal.nodes.x"
L1 = "choose: layers, width: 2}"
HEAD = "{from: -1, op: classifier, width: classes}"
NEST = "cells:\n  cell: {inputs: [i], nodes: {x: {from: i, cell: cell}}}\nnetwork:"

ROWS = {
    # ---- the document ---------------------------------------------------------------------------------
    "unknown key": (CHAIN, "channels: 8", "chanels: 8", "chanels", "Did you mean channels?"),
    "missing key": (CHAIN, "classes: 10\n", "", "classes", "is missing. Write classes: N"),
    "missing network": (RESNET, "network:", "netwrok:", "netwrok", "Did you mean network?"),
    "double key": (CHAIN, "channels: 8", "channels: 8\nchannels: 9", "channels", "given twice; first at"),
    "double node": (
        RESNET,
        "    b:",
        "    a: {from: -1}\n    b:",
        "network.nodes.a",
        "given twice; first at",
    ),
    "newer version": (CHAIN, "nascore: 1", "nascore: 2", "nascore", "newer than this nascore, which reads 1"),
    "version as text": (CHAIN, "nascore: 1", 'nascore: "1"', "nascore", "language is 1, not '1'"),
    "tag": (CHAIN, "channels: 8", "channels: !!int 8", "channels", "not allowed in a description"),
    "no keys": (
        "7\n",
        "7",
        "[1, 2]",
        "",
        "a description is a map of keys, not a list. Begin it with nascore: 1",
    ),
    "no YAML": (CHAIN, "network:", "network: [", "", ""),
    "recipe": (
        "space: tiny\nupdater: darts\n",
        "space",
        "space",
        "",
        "this is a recipe, not a description: it says space and updater. Recipes are given with --recipe",
    ),
    # ---- numbers, truth values and names --------------------------------------------------------------
    "float": (CHAIN, "channels: 8", "channels: 1e1", "channels", "must be a whole number, not 10.0"),
    "text": (CHAIN, "width: 3, r", 'width: "3", r', "network.nodes.l2.width", "a whole number, not '3'"),
    "zero": (CHAIN, "channels: 8", "channels: 0", "channels", "must be at least 1, not 0"),
    "huge": (CHAIN, "channels: 8", "channels: 9999999", "channels", "must be at most 1,048,576"),
    "negative repeat": (
        RESNET,
        "repeat: 3}\n    b",
        "repeat: -1}\n    b",
        "network.nodes.a.repeat",
        "least 0",
    ),
    "reduction of zero": (CHAIN, "reduction: 2", "reduction: 0", "network.nodes.l2.reduction", "least 1"),
    "affine yes": (DARTS, "affine: false", "affine: yes", "affine", "must be true or false, not 'yes'"),
    "node called on": (CHAIN, "l0:", "on:", "network.nodes.on", "'on' cannot name a node"),
    "node called null": (CHAIN, "l0:", "null:", "network.nodes.null", "'null' cannot name a node"),
    "dot in a name": (CHAIN, "l0:", "l.0:", "network.nodes.l.0", "'l.0' cannot name a node"),
    "cell called sum": (CHAIN, "op: classifier", "cell: sum", "network.nodes.head.cell", "Write sum: [EDGE"),
    "cells.network": (
        RESNET,
        "network:",
        NEST.replace("cell:", "network:", 1),
        "cells.network",
        "cannot name",
    ),
    "name of an input": (
        PETRIDISH,
        "      x: {from: pre1, ops",
        "      in0: {from: pre1, op: fit}\n      x: {from: pre1, ops",
        "cells.reduce.nodes.in0",
        "this name is used twice",
    ),
    "two states of one path": (
        RESNET,
        "    b:",
        "    a-1: {from: -1, op: basic_block}\n    b:",
        "network.nodes.a-1",
        "two states have this path",
    ),
    # ---- nodes and edges ------------------------------------------------------------------------------
    "no map": (RESNET, HEAD, "classifier", "network.nodes.head", "must be a map, not 'classifier'"),
    "no way in": (CHAIN, "{from: -1, op: classifier", "{op: classifier", "network.nodes.head", "one of from"),
    "two ways in": (CHAIN, HEAD, "{sum: [l3], concat: [l3]}", "network.nodes.head", "not sum and concat"),
    "no edges": (CHAIN, "{from: -1, op: cl", "{from: [], op: cl", "network.nodes.head", "at least one edge"),
    "two edges": (
        PETRIDISH,
        "{pre1: [sep_conv_3x3, skip_connect]}, {from: x+1",
        "{pre1: sep_conv_3x3}, {pre1: skip_connect}, {from: x+1",
        f"{TWICE}.from.pre1",
        "two edges come from this source: put the operations on one edge",
    ),
    "operation twice": (
        PETRIDISH,
        "[{pre1: [sep_conv_3x3, skip_connect]}",
        "[{pre1: [skip_connect, skip_connect]}",
        f"{TWICE}.from.pre1.ops",
        "skip_connect stands on one edge twice",
    ),
    "operations into a cell": (
        PETRIDISH,
        "r1: {from: [-2, -1], cell: reduce",
        "r1: {from: [-2, -1], op: fit, cell: reduce",
        "network.nodes.r1.from.-1",
        "neither operations nor a gate",
    ),
    "shadow": (
        PETRIDISH,
        "(affine=false)}], r",
        "(affine=false)}], shadow: true, r",
        "*.shadow",
        "only a sum",
    ),
    "gate on a choice": (CHAIN, L1, "choose: layers, gate: true, width: 2}", "*.l1.from.-1.gate", "no gate"),
    "unknown key of a node": (CHAIN, "width: 3, r", "widht: 3, r", "*.l2.widht", "Did you mean width?"),
    "op and ops": (CHAIN, "op: classifier", "op: a, ops: [b]", "*.head", "say one of op, ops and choose"),
    "bad operation": (CHAIN, "op: classifier", "op: x(a", "*.head.op", "write NAME or NAME(KEY=VALUE"),
    "operation null": (CHAIN, "op: classifier", "op: null", "*.head.op", "null is not an operation"),
    # ---- sources --------------------------------------------------------------------------------------
    "unknown source": (
        RESNET,
        "{from: -1, op: cl",
        "{from: d, op: cl",
        "*.head.from.d",
        "state 'd'. Known: i",
    ),
    "misspelt source": (CHAIN, "{from: -1, op: c", "{from: stam, op: c", "*.head.from.stam", "mean stem?"),
    "reads a later node": (RESNET, "a: {from: -1", "a: {from: c", "*.a.from.c", "a cycle: a reads c, "),
    "reads itself": (RESNET, "b: {from: -1", "b: {from: b", "*.b.from.b", "a node cannot read itself"),
    "stands after": (CHAIN, "stem: {from: images", "stem: {from: [l0, images]", "*.stem.from.l0", "cycle"),
    "stage of none": (
        RESNET,
        "repeat: 3}\n    head: {from: -1",
        "repeat: 0}\n    head: {from: c",
        "*.c",
        "0 times",
    ),
    "before the first": (
        RESNET,
        "stem: {from: images",
        "stem: {from: -1",
        "*.stem.from.-1",
        "Name an input: images",
    ),
    "not negative": (
        RESNET,
        "a: {from: -1",
        "a: {from: 0",
        "*.a.from.0.from",
        "a relative source is negative",
    ),
    "source true": (
        CHAIN,
        "from: -1, op: classifier",
        "from: true, op: classifier",
        "*.head.from",
        "not a source",
    ),
    "unknown output": (PETRIDISH, "output: head", "output: haed", "network.output", "Did you mean head?"),
}
