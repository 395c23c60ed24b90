"""Every mistake of the description language: its path, what is said, and the line; all of a file at once.

Each row breaks one place of a sound text. What follows from the mistake must not be told as well: a row names
the one problem of its text.
"""

from __future__ import annotations

import re

import mistakes_worked_out
import mistakes_written
import pytest
from descriptions import CATALOGUE, CHAIN, DARTS, PETRIDISH

from nascore.description import load
from nascore.errors import DescriptionError

ROWS = {**mistakes_written.ROWS, **mistakes_worked_out.ROWS}


def problems_of(text):
    with pytest.raises(DescriptionError) as error:
        load(text, where="net.yaml", catalogue=CATALOGUE)
    return error.value.problems


MORE = {
    "operations into a cell",
    "unequal channels",
    "empty group",
    "group without ops",
    "nothing to keep",
}
"""Rows of which the text is wrong in two ways."""


@pytest.mark.parametrize("name", ROWS)
def test_a_mistake_has_its_path_its_words_and_its_line(name):
    text, old, new, path, said = ROWS[name]
    assert old in text
    problems = problems_of(text.replace(old, new, 1))
    pattern = re.escape(path).replace(r"\*", ".*")
    told = [each for each in problems if re.fullmatch(pattern, each.path) and said in str(each)]
    assert told, problems
    assert len(problems) == 1 + (name in MORE), problems
    assert all(re.fullmatch(r"net\.yaml:\d+:\d+", str(each.origin)) for each in problems)


EXACT = {
    "an operation in a list": (DARTS, "sep_conv_5x5, dil", "sep_conv_5x6, dil", "sep_conv_5x6"),
    "an operation of a node": (CHAIN, "op: classifier", "op: clasifier", "clasifier"),
    "a source": (CHAIN, "from: -1, op: cl", "from: stam, op: cl", "stam"),
    "a source among edges": (PETRIDISH, "{from: x+1, op: p", "{from: x+2, op: p", "{from: x+2"),
    "a source as a key": (PETRIDISH, "{pre0: [sep", "{pre9: [sep", "pre9"),
    "a number": (CHAIN, "channels: 8", "channels: 0", "0\nin"),
    "a name": (CHAIN, "l0:", "on:", "on:"),
    "a member of never": (DARTS, "never: [none]", "never: [nonne]", "nonne"),
    "a setting": (CHAIN, "(relu=true)", "(relo=true)", "stem(relo"),
    "an unread group": (CHAIN, "network:", "  spare: {ops: [fit]}\nnetwork:", "spare"),
}


@pytest.mark.parametrize(("text", "old", "new", "at"), EXACT.values(), ids=EXACT)
def test_the_place_is_that_of_the_value(text, old, new, at):
    assert old in text
    broken = text.replace(old, new, 1)
    before = broken[: broken.index(at)]
    where = f"net.yaml:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    assert where in [str(problem.origin) for problem in problems_of(broken)]


MANY = """\
nascore: 2
channels: 8
in_channels: 3
classes: ten
affine: on
groups:
  layers: {ops: [fit, skip_conect], kep: 3}
  spare: {ops: [], keep: 0}
cells:
  block:
    inputs: [in0]
    nodes:
      x: {sum: [{y: fit}, {in0: sep_conv_3x9}]}
      y: {from: x, op: fit}
      out: {concat: [x, z]}
  loop: {inputs: [in0], nodes: {x: {from: in0, cell: loop}}}
network:
  nodes:
    stem: {from: images, op: stem, width: 0}
    a: {from: stem, cell: block, repeat: -2}
    on: {from: stem, choose: layer}
    b: {from: stem, op: fit, reduction: 3}
    c: {from: b, op: fit, reduction: 4}
    d: {from: [b, stem], op: [fit]}
    e: {from: stem, cell: blok}
    f: {from: [stem, b], cell: block}
    g: {from: later, op: "fit("}
    head: {from: -1, op: classifier(relu=true), widht: classes}
  output: haed
auxiliary: aux
"""


def test_many_mistakes_are_told_at_once_in_the_order_of_the_text():
    problems = problems_of(MANY)
    told = [(str(problem.origin).split(":")[1], problem.path) for problem in problems]
    assert told == [
        ("1", "nascore"),
        ("4", "classes"),
        ("5", "affine"),
        ("7", "groups.layers"),
        ("7", "groups.layers.kep"),
        ("8", "groups.spare.ops"),
        ("8", "groups.spare.keep"),
        ("13", "cells.block.nodes.x.from.y"),
        ("13", "cells.block.nodes.x.from.in0"),
        ("15", "cells.block.nodes.out.from.z"),
        ("16", "cells.loop"),
        ("19", "network.nodes.stem.width"),
        ("20", "network.nodes.a.repeat"),
        ("21", "network.nodes.on"),
        ("21", "network.nodes.on.choose"),
        ("22", "network.nodes.b.from.stem"),
        ("23", "network.nodes.c.from.b"),
        ("24", "network.nodes.d.op"),
        ("25", "network.nodes.e.cell"),
        ("26", "network.nodes.f"),
        ("27", "network.nodes.g.from.later"),
        ("27", "network.nodes.g.op"),
        ("28", "network.nodes.head.from.-1"),
        ("28", "network.nodes.head.widht"),
        ("29", "network.output"),
        ("30", "auxiliary"),
    ]
