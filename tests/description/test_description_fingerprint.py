"""The hash's promise: what is isomorphic is equal, and what should differ does."""

from __future__ import annotations

import random
from itertools import product

import pytest
from attrs import evolve
from descriptions import CATALOGUE, CHAIN, DARTS, EXAMPLES, PETRIDISH, RESNET

from nascore.description import Op, derive, dump, fingerprint, grow, load, resize, untie


def renamed(description):
    """Every node, cell and group under another name."""
    text = dump(description)
    for old, new in (
        ("normal", "plain"),
        ("reduce", "halve"),
        ("layers", "choices"),
        ("pre", "q"),
        ("stem", "root"),
    ):
        text = text.replace(f"{old}:", f"{new}:").replace(f"cell: {old}", f"cell: {new}")
        text = text.replace(f"choose: {old}", f"choose: {new}")
        text = text.replace(old, new) if old == "pre" else text
    return load(text.replace("in0", "left").replace("in1", "right").replace("n0", "first"))


def shuffled(description, seed):
    """The edges of sums, their operations, the columns and the groups in another order."""
    draw = random.Random(seed)  # noqa: S311 - no secret

    def mixed(items):
        return tuple(draw.sample(items, len(items)))

    def of_graph(graph):
        nodes = []
        for node in graph.nodes:
            if node.join == "sum":
                edges = mixed([evolve(edge, ops=mixed(edge.ops)) for edge in node.edges])
                nodes.append(evolve(node, edges=edges))
            else:
                nodes.append(node)
        return evolve(graph, nodes=tuple(nodes))

    groups = {
        name: evolve(group, ops=mixed(group.ops)) for name, group in mixed([*description.groups.items()])
    }
    cells = {name: of_graph(cell) for name, cell in mixed(list(description.cells.items()))}
    return evolve(description, network=of_graph(description.network), cells=cells, groups=groups)


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_names_and_free_orders_do_not_count(text):
    description = load(text)
    hashed = fingerprint(description)
    assert len(hashed) == 40
    assert renamed(description) != description
    assert fingerprint(renamed(description)) == hashed
    for seed in range(3):
        assert shuffled(description, seed) != description or text == RESNET  # which has nothing to shuffle
        assert fingerprint(shuffled(description, seed)) == hashed


def replaced(text, *pairs):
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return load(text)


def spelled(stage, how, count):
    lines = (f"    {stage}-{index}: {{{how}}}\n" for index in range(count))
    return "".join(lines).lstrip()


PRE0, PRE1 = (f"      pre{k}: {{from: in{k}, op: fit, reduction: 1}}\n" for k in (0, 1))
EQUAL = {
    "order of independent nodes": (DARTS, [
        (f"{PRE0}{PRE1}", f"{PRE1}{PRE0}")]),
    "repeats spelled out": (RESNET, [
        ("a: {from: -1, op: basic_block, repeat: 3}\n", spelled("a", "from: -1, op: basic_block", 3))]),
    "relative or named": (CHAIN, [("head: {from: -1", "head: {from: l3")]),
    "widths in other units": (CHAIN, [
        ("\nchannels: 8", "\nchannels: 4"), ("width: 2", "width: 4"), ("width: 3", "width: 6"),
        ("op: stem(relu=true)}", "op: stem(relu=true), width: 2}")]),
    "dead nodes": (CHAIN, [("    l1:", "    dead: {from: l0, op: fit, width: 7}\n    l1:"),
                           ("l1: {from: -1", "l1: {from: l0")]),
    "rule for deriving": (DARTS, [("edges: 2, never: [none]", "segment: node, keep: 3")]),
    "reduction written out": (CHAIN, [("width: 3}", "width: 3, reduction: 2}")]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "changes"), EQUAL.values(), ids=EQUAL)
def test_isomorphic_descriptions_are_equal(text, changes):
    assert fingerprint(replaced(text, *changes)) == fingerprint(load(text))


def test_tied_or_untied():
    child = load(PETRIDISH)
    assert fingerprint(untie(child)) == fingerprint(child)


DIFFERENT = {
    "operation": (RESNET, [("a: {from: -1, op: basic_block", "a: {from: -1, op: fit")]),
    "setting": (RESNET, [("relu=true", "relu=false")]),
    "setting left out": (RESNET, [("(relu=true)", "")]),
    "channels": (RESNET, [("\nchannels: 16", "\nchannels: 17")]),
    "input channels": (RESNET, [("in_channels: 3", "in_channels: 1")]),
    "classes": (RESNET, [("classes: 10", "classes: 11")]),
    "depth": (RESNET, [("op: basic_block, repeat: 3", "op: basic_block, repeat: 4")]),
    "place of a stage": (RESNET, [("width: 2, reduction: 2, repeat: 3", "width: 2, reduction: 2, repeat: 2"),
                                  ("op: basic_block, repeat: 3", "op: basic_block, repeat: 4")]),
    "reduction": (RESNET, [("reduction: 4", "reduction: 2")]),
    "affine": (DARTS, [("affine: false", "affine: true")]),
    "pool_norm": (DARTS, [("pool_norm: true", "pool_norm: false")]),
    "gate": (PETRIDISH, [(", gate: true", "")]),
    "order of a concat": (PETRIDISH, [("[sep_conv_3x3(affine=false), max_pool_3x3(pool_norm=true)]",
                                       "[max_pool_3x3(pool_norm=true), sep_conv_3x3(affine=false)]")]),
    "order of the edges of a concat": (DARTS, [("[n0, n1, n2, n3]", "[n1, n0, n2, n3]")]),
    "auxiliary head": (PETRIDISH, [("auxiliary: aux\n", "")]),
    "auxiliary elsewhere": (PETRIDISH, [("aux: {from: r2", "aux: {from: r1")]),
    "copied state": (PETRIDISH, [
        ("{pre1: dil_conv", "{pre2: dil_conv"),
        ("      x+1:", "      pre2: {from: in1, op: fit, reduction: 1}\n      x+1:")]),
    "group split in two": (CHAIN, [
        ("    l2: {from: -1, choose: layers", "    l2: {from: -1, choose: other"),
        ("groups:\n", "groups:\n  other: {ops: [mbconv(expand=6;kernel=3), mbconv(expand=6;kernel=5)]}\n")]),
    "candidate dropped": (CHAIN, [("ops: [mbconv(expand=3;kernel=3), mbconv(expand=6;kernel=3)], width",
                                   "ops: [mbconv(expand=3;kernel=3)], width")]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "changes"), DIFFERENT.values(), ids=DIFFERENT)
def test_other_networks_differ(text, changes):
    assert fingerprint(replaced(text, *changes)) != fingerprint(load(text))


def pairs(*sources):
    """Two equal states, and four different ones of which each reads one of the two."""
    nodes = "".join(
        f"    {name}: {{from: {source}, op: sep_conv_3x3(expand={number})}}\n"
        for number, (name, source) in enumerate(zip("abcd", sources, strict=True))
    )
    twins = "".join(f"    {name}: {{from: stem, op: fit}}\n" for name in ("left", "right"))
    lines = RESNET.splitlines(keepends=True)
    kept = [line for line in lines if "basic_block" not in line and "head" not in line]
    return load("".join([*kept, twins, nodes, "    out: {from: [a, b, c, d]}\n"]))


def test_which_states_share_a_source_counts_and_which_twin_it_is_does_not():
    assert fingerprint(pairs("left", "left", "right", "right")) == fingerprint(
        pairs("right", "right", "left", "left")
    )
    assert fingerprint(pairs("left", "left", "right", "right")) != fingerprint(
        pairs("left", "right", "left", "right")
    )


def test_open_cells_that_share_choices_differ_from_copies():
    one = load(DARTS)
    text = dump(one)
    cell = text[text.index("  normal:\n") : text.index("  reduce:\n", text.index("  normal:\n"))]
    line = next(each for each in text.splitlines(keepends=True) if each.startswith("  normal: {ops"))
    copy = cell.replace("normal", "second")
    text = text.replace(line, line + line.replace("normal", "second")).replace(cell, cell + copy)
    copied = load(text.replace("c: {from: [-2, -1], cell: normal", "c: {from: [-2, -1], cell: second"))
    assert fingerprint(copied) != fingerprint(one)


def test_distinct_descriptions_are_distinct():
    open_one = load(CHAIN)
    closed = [
        derive(open_one, {"layers": [(0, a), (1, b), (2, c), (3, d)]})
        for a in (0, 1)
        for b in range(5)
        for c in (1, 3)
        for d in (2, 3, 4)
    ]
    others = [load(DARTS), load(PETRIDISH), load(RESNET), open_one, resize(load(DARTS), channels=4)]
    grown = grow(load(PETRIDISH), "normal", "x", (Op("skip_connect"),), CATALOGUE)
    hashes = {fingerprint(each) for each in (*closed, *others, grown)}
    assert len(hashes) == 60 + 6


BENCH = """\
nascore: 1
channels: 16
in_channels: 3
classes: 10
cells:
  cell:
    inputs: [n0]
    nodes:
      n1: {from: n0, op: OP0}
      n2: {sum: [{n0: OP1}, {n1: OP2}]}
      n3: {sum: [{n0: OP3}, {n1: none}, {n2: nor_conv_3x3}]}
network:
  nodes:
    stem: {from: images, op: stem}
    a: {from: -1, cell: cell, repeat: 2}
    r: {from: -1, op: basic_block, width: 2, reduction: 2}
    b: {from: -1, cell: cell, width: 2, repeat: 2}
    head: {from: -1, op: classifier, width: classes}
"""


def bench(*ops):
    """A network of NAS-Bench-201, as text: the operations of the first four edges of its cell are given."""
    text = BENCH
    for index, op in enumerate(ops):
        text = text.replace(f"OP{index}", op)
    return text


def test_no_two_cells_of_a_benchmark_meet():
    ops = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    texts = [bench(*each) for each in product(ops, repeat=4)]
    assert len(set(texts)) == 625
    assert len({fingerprint(load(text)) for text in texts}) == 625
