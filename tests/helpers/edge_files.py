"""The files of the rows in `edge_rows.py`: a recipe and descriptions, right or with their mistakes."""

from __future__ import annotations

SEARCH = "nascore: 1\nspace: darts\nupdater: darts\nscale: mini\n"
"""A recipe that is right; rows add their mistake to it."""

KNOT = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
network:
  nodes:
    stem: {from: images, op: stem, width: 3}
    a: {sum: [{b: skip_connect}, {stem: sep_conv_3x3}]}
    b: {from: a, op: sep_conv_3x4}
    c: {from: stem, op: sep_conv_3x3, reduction: 3}
    d: {from: c, op: sep_conv_3x3, reduction: 4}
    head: {from: d, op: classifier, width: classes}
"""

CHAIN = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
groups:
  layers: {ops: [sep_conv_3x3, skip_connect]}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: -1, choose: layers}
    head: {from: -1, op: classifier, width: classes}
"""

_PAIRS = ", ".join(["('skip_connect', 0), ('skip_connect', 1)"] * 3)
GENOTYPE = (
    f"Genotype(normal=[('sep_conv_3x4', 0), ('skip_connect', 1), {_PAIRS}], normal_concat=[2, 3, 4, 5], "
    f"reduce=[('max_pool_3x3', 0), ('skip_connect', 1), {_PAIRS}], reduce_concat=[2, 3, 4, 5])"
)


PICTURES = """\
from nascore.api import Component, hookimpl

@hookimpl
def nascore_datasets():
    build = "nascore.builtin.datasets:Digits"
    yield Component(name="pictures", slot="dataset", summary="Pictures.", build=build)
"""
"""A plugin that brings the data set of that name."""
