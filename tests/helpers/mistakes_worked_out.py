"""Rows for test_description_errors: what is wrong only beside the rest: cells, strides, groups, operations.

A row: a sound text, a part of it, what stands there instead, the path (``*`` for anything), what is said.
"""

from __future__ import annotations

from descriptions import CHAIN, DARTS, PETRIDISH, RESNET

L1 = "choose: layers, width: 2}"
NEST = "cells:\n  cell: {inputs: [i], nodes: {x: {from: i, cell: cell}}}\nnetwork:"

ROWS = {
    # ---- cells ----------------------------------------------------------------------------------------
    "no such cell": (DARTS, "cell: reduce, width: 2", "cell: redcue, width: 2", "*.r1.cell", "mean reduce?"),
    "number of inputs": (
        DARTS,
        "r1: {from: [-2, -1]",
        "r1: {from: -1",
        "*.r1",
        "2 inputs (in0, in1), but gets 1",
    ),
    "cell in itself": (RESNET, "network:", NEST, "cells.cell", "this cell contains itself"),
    "no inputs": (PETRIDISH, "    inputs: [in0, in1]\n", "", "cells.normal.inputs", "is missing"),
    "no nodes": (
        RESNET,
        "network:",
        "cells: {c: {inputs: [i], nodes: {}}}\nnetwork:",
        "cells.c.nodes",
        "one node",
    ),
    # ---- arithmetic -----------------------------------------------------------------------------------
    "coarser source": (
        RESNET,
        "4, reduction: 4",
        "4, reduction: 1",
        "*.c.from.-1",
        "coarser (2) than the node (1)",
    ),
    "no whole stride": (
        RESNET,
        "4, reduction: 4",
        "4, reduction: 3",
        "*.c.from.-1",
        "stride leads from reduction 2",
    ),
    "stride of the operation": (
        RESNET,
        "4, reduction: 4",
        "4, reduction: 6",
        "*.c.from.-1",
        "stride 3, only 1 or 2",
    ),
    "bare reduction": (
        RESNET,
        "b: {from: -1, op: basic_block, width: 2,",
        "b: {from: -1,",
        "*.b.from.-1",
        "bare edge",
    ),
    "unequal channels": (
        DARTS,
        "out: {concat: [n0, n1, n2, n3]}\n  r",
        "out: {sum: [n0, in0]}\n  r",
        "*.out",
        "48",
    ),
    "channels kept": (
        RESNET,
        "a: {from: -1, op: basic_block",
        "a: {from: images, op: skip_connect",
        "*",
        "3 would",
    ),
    # ---- groups ---------------------------------------------------------------------------------------
    "unknown group": (CHAIN, L1, "choose: layer, width: 2}", "*.l1.choose", "Did you mean layers?"),
    "unlisted candidate": (
        CHAIN,
        "[mbconv(expand=3;kernel=3), mbconv(expand=6;kernel=3)], w",
        "[fit], w",
        "*",
        "fit",
    ),
    "empty group": (
        CHAIN,
        "network:",
        "  spare: {ops: []}\nnetwork:",
        "groups.spare.ops",
        "needs operations",
    ),
    "group without ops": (
        CHAIN,
        "network:",
        "  spare: {keep: 1}\nnetwork:",
        "groups.spare.ops",
        "needs operations",
    ),
    "column twice": (
        DARTS,
        "normal: {ops: [none, max",
        "normal: {ops: [none, none, max",
        "groups.normal.ops",
        "twice",
    ),
    "segment": (
        CHAIN,
        "skip_connect]}\nn",
        "skip_connect], segment: nod}\nn",
        "groups.layers.segment",
        "mean node?",
    ),
    "keep above": (
        CHAIN,
        "skip_connect]}\nn",
        "skip_connect], keep: 6}\nn",
        "groups.layers.keep",
        "cannot keep 6: 5",
    ),
    "keep above with never": (
        DARTS,
        "edges: 2, n",
        "keep: 8, edges: 2, n",
        "groups.normal.keep",
        "cannot keep 8: 7",
    ),
    "edges above": (DARTS, "edges: 2, n", "edges: 6, n", "groups.normal.edges", "none has more than 5"),
    "keep above a node": (
        CHAIN,
        "skip_connect]}\nn",
        "skip_connect], segment: node, keep: 6}\nn",
        "groups.layers.keep",
        "none offers more than 5",
    ),
    "edges of a node": (
        CHAIN,
        "skip_connect]}\nn",
        "skip_connect], segment: node, edges: 1}\nn",
        "*",
        "no meaning",
    ),
    "never of another": (
        DARTS,
        "never: [none]}\n  r",
        "never: [nonne]}\n  r",
        "groups.normal.never",
        "mean none?",
    ),
    "nothing to keep": (
        CHAIN,
        "network:",
        "  s: {ops: [fit], never: [fit]}\nnetwork:",
        "groups.s.never",
        "nothing",
    ),
    "unreached group": (
        CHAIN,
        "network:",
        "  spare: {ops: [fit]}\nnetwork:",
        "groups.spare",
        "no use in the network",
    ),
    "two graphs": (
        DARTS,
        "n0: {from: [pre0, pre1], choose: reduce",
        "n0: {from: [pre0, pre1], choose: normal",
        "groups.normal",
        "several graphs",
    ),
    "used unequally": (
        RESNET.replace("network:", "groups: {g: {ops: [fit]}}\nnetwork:").replace(
            "op: basic_block, w", "choose: g, w"
        ),
        "2, reduction: 2, repeat: 3}",
        "2, reduction: 2}",
        "groups.g",
        "unequally often: 1 and 3 times",
    ),
    # ---- operations -----------------------------------------------------------------------------------
    "no such operation": (
        CHAIN,
        "op: classifier",
        "op: clasifier",
        "*.head.from.-1",
        "Did you mean classifier?",
    ),
    "column that is none": (
        DARTS,
        "sep_conv_5x5, dil",
        "sep_conv_5x6, dil",
        "groups.normal",
        "mean sep_conv_5x5?",
    ),
    "no such setting": (CHAIN, "(relu=true)", "(relo=true)", "*.stem.from.images", "Did you mean relu?"),
    "kind of a setting": (CHAIN, "(relu=true)", "(relu=3)", "*.stem.from.images", "true or false, not 3"),
    "setting twice": (
        CHAIN,
        "(relu=true)",
        "(relu=true;relu=true)",
        "*.stem.op",
        "has the setting relu twice",
    ),
    # ---- the auxiliary head ---------------------------------------------------------------------------
    "no auxiliary": (PETRIDISH, "auxiliary: aux\n", "auxiliary: aus\n", "auxiliary", "Did you mean aux?"),
    "auxiliary is read": (PETRIDISH, "c: {from: [-2, -1]", "c: {from: [-2, aux]", "*", "aux comes after c"),
    "auxiliary is the output": (PETRIDISH, "  output: head\n", "", "auxiliary", "is the network's output"),
    "auxiliary of two widths": (
        PETRIDISH,
        "y, width: classes}\n  o",
        "y}\n  o",
        "auxiliary",
        "16 channels, not one",
    ),
    "auxiliary repeats": (
        PETRIDISH,
        "y, width: classes}\n  o",
        "y, width: classes, repeat: 1}\n  o",
        "auxiliary",
        "repeats",
    ),
}
