"""Every key of the language is declared once: it is read, written, defaulted and hashed as declared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from attrs import field, frozen

from nascore.description import Description, Edge, Graph, Group, Node, dump, fingerprint, load, reading
from nascore.description.keys import NAME, Hashed, declared, key, key_names, keys_of
from nascore.errors import DescriptionError

CLASSES = (Description, Graph, Group, Node, Edge)

BASE = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
groups:
  g: {ops: [a, b, none]}
cells:
  c:
    inputs: [in0]
    nodes:
      x: {from: in0, choose: g}
      y: {from: [in0, x], choose: g}
network:
  nodes:
    stem: {from: images, op: stem}
    s2: {from: images, op: stem}
    l: {sum: [{from: stem, op: fit}, s2]}
    m: {from: -1, cell: c}
    head: {from: -1, op: classifier, width: classes}
"""

AUXILIARY = (
    "width: classes}\n",
    "width: classes}\n    aux: {from: m, op: classifier, width: classes}\n  output: head\n",
)
M0 = ("    l:", "    m0: {from: images, op: stem}\n    l:")
K = ("    m:", "    k: {from: -1, op: fit}\n    m:")
TWO_INPUTS = ("from: -1, cell", "from: [s2, -1], cell")

CHANGES = {
    (Description, "channels"): [("channels: 4", "channels: 8")],
    (Description, "in_channels"): [("in_channels: 1", "in_channels: 3")],
    (Description, "classes"): [("classes: 10", "classes: 11")],
    (Description, "affine"): [("classes: 10", "classes: 10\naffine: false")],
    (Description, "pool_norm"): [("classes: 10", "classes: 10\npool_norm: true")],
    (Description, "groups"): [
        ("groups:", "groups:\n  h: {ops: [a, b, none]}"),
        ("x], choose: g", "x], choose: h"),
    ],
    (Description, "cells"): [("x: {from: in0, choose: g}", "x: {from: in0, op: a}")],
    (Description, "network"): [("op: stem", "op: fit")],
    (Description, "auxiliary"): [AUXILIARY, ("  output: head", "  output: head\nauxiliary: aux")],
    (Graph, "inputs"): [TWO_INPUTS, ("inputs: [in0]", "inputs: [in1, in0]")],
    (Graph, "nodes"): [("x: {from: in0", "w: {from: in0, op: a}\n      x: {from: w")],
    (Graph, "output"): [("choose: g}\nnetwork", "choose: g}\n    output: x\nnetwork"), ("[in0, x]", "in0")],
    (Group, "ops"): [("[a, b, none]", "[a, b, d]")],
    (Group, "segment"): [("none]}", "none], segment: node}")],
    (Group, "keep"): [("none]}", "none], keep: 2}")],
    (Group, "edges"): [("none]}", "none], edges: 1}")],
    (Group, "never"): [("none]}", "none], never: [none]}")],
    (Node, "from"): [("from: -1, op: classifier", "from: stem, op: classifier")],
    (Node, "sum"): [("op: fit}, s2]", "op: fit}, s2, m0]"), M0],
    (Node, "concat"): [("sum: [{from: stem, op: fit}, s2]", "concat: [stem, s2]")],
    (Node, "cell"): [K, ("k: {from: -1, op: fit}", "k: {from: -1, cell: c}")],
    (Node, "width"): [("cell: c}", "cell: c, width: 2}")],
    (Node, "reduction"): [("op: stem}", "op: stem, reduction: 2}")],
    (Node, "repeat"): [("cell: c}", "cell: c, repeat: 2}")],
    (Node, "shadow"): [("s2]}", "s2], shadow: true}")],
    (Edge, "from"): [("from: stem, op: fit", "from: images, op: fit")],
    (Edge, "op"): [("from: stem, op: fit", "from: stem, op: other")],
    (Edge, "ops"): [("from: stem, op: fit", "from: stem, ops: [fit, other]")],
    (Edge, "choose"): [
        ("from: stem, op: fit", "from: stem, choose: h"),
        ("groups:", "groups:\n  h: {ops: [fit]}"),
    ],
    (Edge, "gate"): [("from: stem, op: fit", "from: stem, op: fit, gate: true")],
}
"""What changes in the text with the value of each key."""

BEFORE = {
    (Description, "auxiliary"): [AUXILIARY],
    (Graph, "inputs"): [TWO_INPUTS, ("inputs: [in0]", "inputs: [in0, in1]")],
    (Node, "cell"): [K],
    (Node, "sum"): [M0],
}
"""What changes in the text before, so that the change is sound, and of one key."""


def changed(pairs):
    text = BASE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("kind", CLASSES)
def test_there_is_a_change_of_every_key(kind):
    assert {name for one, name in CHANGES if one is kind} == set(key_names(kind))


@pytest.mark.parametrize(("kind", "name"), CHANGES, ids=lambda one: getattr(one, "__name__", one))
def test_a_key_is_read_written_and_counts_as_declared(kind, name):
    one, other = load(changed(BEFORE.get((kind, name), []))), load(changed(CHANGES[kind, name]))
    assert one != other
    assert load(dump(other)) == other
    assert dump(other) != dump(one)
    (declaration,) = {each.hashed for each in keys_of(kind).values() if name in each.names}
    assert (fingerprint(one) != fingerprint(other)) == (declaration is not Hashed.NO)


def toy():
    return field(default="red", metadata=key("toy", NAME, hashed=Hashed.SET))


@frozen(kw_only=True, field_transformer=declared)
class ToyDescription(Description):
    toy: str = toy()


@frozen(kw_only=True, slots=False, field_transformer=declared)
class ToyGraph(Graph):
    toy: str = toy()


@frozen(kw_only=True, field_transformer=declared)
class ToyGroup(Group):
    toy: str = toy()


@frozen(kw_only=True, field_transformer=declared)
class ToyNode(Node):
    toy: str = toy()


@frozen(kw_only=True, field_transformer=declared)
class ToyEdge(Edge):
    toy: str = toy()


PLACES = {
    ToyDescription: [("classes: 10", "classes: 10\ntoy: blue")],
    ToyGraph: [("choose: g}\nnetwork", "choose: g}\n    toy: blue\nnetwork"), ("{}", "  toy: blue\n")],
    ToyGroup: [("none]}", "none], toy: blue}")],
    ToyNode: [
        ("op: stem}", "op: stem, toy: blue}"),
        ("s2]}", "s2], toy: blue}"),
        ("c}", "c, toy: blue}"),
    ],
    ToyEdge: [
        ("from: stem, op: fit", "from: stem, op: fit, toy: blue"),
        ("op: stem}", "op: stem, toy: blue}"),
        ("s2]", "{from: s2, toy: blue}]"),
        ("in0, choose: g", "in0, choose: g, toy: blue"),
        ("c}", "c, toy: blue}"),
    ],
}


@pytest.mark.parametrize(
    ("kind", "old", "new"), [(kind, *place) for kind, places in PLACES.items() for place in places]
)
def test_a_new_key_is_one_line(kind, old, new, monkeypatch):
    """Of the language the test changes a class, and nothing else: reading makes its values of that class."""
    before = load(BASE)
    text = BASE + new if old == "{}" else BASE.replace(old, new, 1)
    with pytest.raises(DescriptionError, match="unknown key"):
        load(text)

    monkeypatch.setattr(reading, kind.__base__.__name__, kind)
    without, given = load(BASE), load(text)

    assert repr(without).count("toy='red'") > 0
    assert "toy='blue'" not in repr(without)
    assert dump(without) == dump(before)
    assert fingerprint(without) == fingerprint(before)
    assert "toy='blue'" in repr(given)
    assert "toy: blue" in dump(given)
    assert load(dump(given)) == given
    assert fingerprint(given) != fingerprint(before)
    with pytest.raises(DescriptionError, match=r"unknown key\. Did you mean toy"):
        load(text.replace("toy:", "tooy:"))
    with pytest.raises(DescriptionError, match="toy: must be a name, not 3"):
        load(text.replace("toy: blue", "toy: 3"))


def test_a_field_that_is_not_declared_is_refused():
    with pytest.raises(TypeError, match=r"Forgotten\.colour needs metadata=key"):

        @frozen(kw_only=True, field_transformer=declared)
        class Forgotten(Node):
            colour: str = "red"


@pytest.mark.parametrize("kind", CLASSES)
def test_every_field_of_a_class_is_declared(kind):
    assert keys_of(kind)
    assert all(one.kind is None or len(one.names) == 1 for one in keys_of(kind).values())


def test_the_documentation_has_every_key():
    text = (Path(__file__).parents[2] / "docs" / "descriptions.md").read_text(encoding="utf-8")
    names = {name for kind in CLASSES for name in key_names(kind)}
    assert {name for name in names if not re.search(rf"(^|[`{{ ]){name}[`:]", text, re.MULTILINE)} == set()
