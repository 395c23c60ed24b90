"""Descriptions and a catalogue without torch, for the tests of the description language."""

from __future__ import annotations

from nascore.description import Operation

DARTS = """\
nascore: 1
channels: 16
in_channels: 3
classes: 10
affine: false
pool_norm: true
groups:
  normal: {ops: [CANDIDATES], edges: 2, never: [none]}
  reduce: {ops: [CANDIDATES], edges: 2, never: [none]}
cells:
  normal:
    inputs: [in0, in1]
    nodes:
      pre0: {from: in0, op: fit, reduction: 1}
      pre1: {from: in1, op: fit, reduction: 1}
      n0: {from: [pre0, pre1], choose: normal}
      n1: {from: [pre0, pre1, n0], choose: normal}
      n2: {from: [pre0, pre1, n0, n1], choose: normal}
      n3: {from: [pre0, pre1, n0, n1, n2], choose: normal}
      out: {concat: [n0, n1, n2, n3]}
  reduce:
    inputs: [in0, in1]
    nodes:
      pre0: {from: in0, op: fit, reduction: 1}
      pre1: {from: in1, op: fit, reduction: 1}
      n0: {from: [pre0, pre1], choose: reduce, reduction: 2}
      n1: {from: [pre0, pre1, n0], choose: reduce, reduction: 2}
      n2: {from: [pre0, pre1, n0, n1], choose: reduce, reduction: 2}
      n3: {from: [pre0, pre1, n0, n1, n2], choose: reduce, reduction: 2}
      out: {concat: [n0, n1, n2, n3]}
network:
  nodes:
    stem: {from: images, op: stem, width: 3}
    a: {from: [-2, -1], cell: normal, repeat: 2}
    r1: {from: [-2, -1], cell: reduce, width: 2}
    b: {from: [-2, -1], cell: normal, width: 2, repeat: 2}
    r2: {from: [-2, -1], cell: reduce, width: 4}
    c: {from: [-2, -1], cell: normal, width: 4, repeat: 2}
    head: {from: -1, op: classifier, width: classes}
"""
DARTS = DARTS.replace(
    "CANDIDATES",
    "none, max_pool_3x3, avg_pool_3x3, skip_connect, sep_conv_3x3, sep_conv_5x5, dil_conv_3x3, dil_conv_5x5",
)

PETRIDISH = """\
nascore: 1
channels: 16
in_channels: 3
classes: 10
cells:
  normal:
    inputs: [in0, in1]
    nodes:
      pre0: {from: in0, op: fit, reduction: 1}
      pre1: {from: in1, op: fit, reduction: 1}
      x+1: {concat: [{pre0: [sep_conv_3x3(affine=false), max_pool_3x3(pool_norm=true)]}, {pre1: dil_conv_3x3(affine=false)}], reduction: 1}
      x: {sum: [{pre1: [sep_conv_3x3, skip_connect]}, {from: x+1, op: project, gate: true}], reduction: 1}
  reduce:
    inputs: [in0, in1]
    nodes:
      pre0: {from: in0, op: fit, reduction: 1}
      pre1: {from: in1, op: fit, reduction: 1}
      x: {from: pre1, ops: [sep_conv_3x3, skip_connect], reduction: 2}
network:
  nodes:
    stem: {from: images, op: stem, width: 3}
    a: {from: [-2, -1], cell: normal, repeat: 3}
    r1: {from: [-2, -1], cell: reduce, width: 2}
    b: {from: [-2, -1], cell: normal, width: 2, repeat: 3}
    r2: {from: [-2, -1], cell: reduce, width: 4}
    c: {from: [-2, -1], cell: normal, width: 4, repeat: 3}
    head: {from: -1, op: classifier, width: classes}
    aux: {from: r2, op: auxiliary, width: classes}
  output: head
auxiliary: aux
"""  # noqa: E501 - one node, one line

CHAIN = """\
nascore: 1
channels: 8
in_channels: 3
classes: 10
groups:
  layers: {ops: [BLOCKS]}
network:
  nodes:
    stem: {from: images, op: stem(relu=true)}
    l0: {from: -1, choose: layers, ops: [mbconv(expand=3;kernel=3), mbconv(expand=6;kernel=3)], width: 2}
    l1: {from: -1, choose: layers, width: 2}
    l2: {from: -1, choose: layers, ops: [mbconv(expand=6;kernel=3), mbconv(expand=6;kernel=5)], width: 3, reduction: 2}
    l3: {from: -1, choose: layers, ops: [mbconv(expand=3;kernel=5), mbconv(expand=6;kernel=5), skip_connect], width: 3}
    head: {from: -1, op: classifier, width: classes}
"""  # noqa: E501 - one node, one line
CHAIN = CHAIN.replace(
    "BLOCKS",
    "mbconv(expand=3;kernel=3), mbconv(expand=6;kernel=3), mbconv(expand=3;kernel=5), "
    "mbconv(expand=6;kernel=5), skip_connect",
)

RESNET = """\
nascore: 1
channels: 16
in_channels: 3
classes: 10
network:
  nodes:
    stem: {from: images, op: stem(relu=true)}
    a: {from: -1, op: basic_block, repeat: 3}
    b: {from: -1, op: basic_block, width: 2, reduction: 2, repeat: 3}
    c: {from: -1, op: basic_block, width: 4, reduction: 4, repeat: 3}
    head: {from: -1, op: classifier, width: classes}
"""

EXAMPLES = {"darts": DARTS, "petridish": PETRIDISH, "chain": CHAIN, "resnet": RESNET}


def _operation(name, **facts):
    return Operation(name=name, build=f"made_up:{name}", **facts)


def _convolution(name):
    return _operation(name, settings={"affine": True})


CATALOGUE = {
    entry.name: entry
    for entry in (
        _operation("none", strides=None),
        _operation("skip_connect", same_channels=True, identity=True, settings={"affine": True}),
        _operation("max_pool_3x3", same_channels=True, settings={"affine": True, "pool_norm": False}),
        _operation("avg_pool_3x3", same_channels=True, settings={"affine": True, "pool_norm": False}),
        _convolution("sep_conv_3x3"),
        _convolution("sep_conv_5x5"),
        _convolution("dil_conv_3x3"),
        _convolution("dil_conv_5x5"),
        _operation("mbconv", settings={"affine": True, "expand": 6, "kernel": 3}),
        _operation("stem", structural=True, settings={"affine": True, "relu": False}),
        _operation("fit", structural=True, settings={"affine": True}),
        _operation("project", structural=True, strides=(1,), settings={"affine": True}),
        _operation("basic_block", structural=True, settings={"affine": True}),
        _operation("classifier", structural=True, strides=(1,)),
        _operation("auxiliary", structural=True, strides=(1,)),
    )
}
