"""Genotype text in the dialects that are in use, and what is wrong with texts that are none."""

from __future__ import annotations

import pytest

from nascore.api import DescriptionError, fingerprint
from nascore_darts.genotype import from_genotype, recognises, to_genotype
from nascore_darts.genotypes import GENOTYPES

PAIRS = {
    "normal": [
        [("sep_conv_3x3", 1), ("sep_conv_3x3", 0)],
        [("skip_connect", 0), ("sep_conv_3x3", 1)],
        [("skip_connect", 0), ("sep_conv_3x3", 1)],
        [("sep_conv_3x3", 0), ("skip_connect", 2)],
    ],
    "reduce": [
        [("max_pool_3x3", 0), ("max_pool_3x3", 1)],
        [("skip_connect", 2), ("max_pool_3x3", 0)],
        [("max_pool_3x3", 0), ("skip_connect", 2)],
        [("skip_connect", 2), ("avg_pool_3x3", 0)],
    ],
}
"""DARTS_V1, node by node."""


def flat(name):
    return [pair for node in PAIRS[name] for pair in node]


def weighted(name):
    return [[(op, source, 0.148) for op, source in node] for node in PAIRS[name]]


def targeted(name):
    return [(op, source, 2 + index) for index, node in enumerate(PAIRS[name]) for op, source in node]


def named(**cells):
    """Return aw_nas's form of these cells."""
    fields = [f"{field}={targeted(name)}, {field}_concat=[2]" for field, name in cells.items()]
    return f"CNNGenotype({', '.join(fields)})"


def call(normal, reduce, concat="[2, 3, 4, 5]"):
    return f"Genotype(normal={normal}, normal_concat={concat}, reduce={reduce}, reduce_concat={concat})"


DIALECTS = {
    "flat, list": call(flat("normal"), flat("reduce")),
    "flat, range": call(flat("normal"), flat("reduce"), "range(2, 6)"),
    "flat, list of range": call(flat("normal"), flat("reduce"), "list(range(2, 6))"),
    "assignment": "DARTS_V1 = " + call(flat("normal"), flat("reduce"), "range(2, 6)"),
    "module name": "genotypes." + call(flat("normal"), flat("reduce")),
    "positional": f"Genotype({flat('normal')}, range(2, 6), {flat('reduce')}, range(2, 6))",
    "nested lists": call(PAIRS["normal"], PAIRS["reduce"], "range(2, 6)"),
    "nested tuples": call(
        tuple(tuple(node) for node in PAIRS["normal"]), tuple(tuple(node) for node in PAIRS["reduce"])
    ),
    "nested, weights": call(weighted("normal"), weighted("reduce")),
    "flat, weights": call(
        [pair for node in weighted("normal") for pair in node],
        [pair for node in weighted("reduce") for pair in node],
    ),
    "dictionary": str(
        {
            "normal": weighted("normal"),
            "normal_concat": [2, 3, 4, 5],
            "reduce": weighted("reduce"),
            "reduce_concat": [2, 3, 4, 5],
        }
    ),
    "AutoDL's further fields": call(flat("normal"), flat("reduce"))[:-1] + ", connectN=None, connects=None)",
    "aw_nas": (
        f"CNNGenotype(normal_0={targeted('normal')}, reduce_1={targeted('reduce')}, "
        "normal_0_concat=[2, 3, 4, 5], reduce_1_concat=[2, 3, 4, 5])"
    ),
    "aw_nas, any order": (
        f"CNNGenotype(normal_0={sorted(targeted('normal'), key=lambda term: -term[2])}, "
        f"reduce_1={targeted('reduce')}, normal_0_concat=[2, 3, 4, 5], reduce_1_concat=[2, 3, 4, 5])"
    ),
    "several lines": GENOTYPES["DARTS_V1"],
    "published name": "DARTS_V1\n",
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_reads_the_same_network(dialect):
    text = DIALECTS[dialect]
    assert recognises(text)
    read = from_genotype(text, channels=4, cells=3)
    expected = from_genotype("DARTS_V1", channels=4, cells=3)
    assert read == expected
    assert to_genotype(read) == DIALECTS["flat, list"]


@pytest.mark.parametrize("name", GENOTYPES)
def test_published_genotypes_round_trip(name):
    description = from_genotype(name, channels=4, cells=5, auxiliary=True, classes=7, in_channels=1)
    text = to_genotype(description)
    again = from_genotype(text, channels=4, cells=5, auxiliary=True, classes=7, in_channels=1)
    assert again == description
    assert to_genotype(again) == text
    expected = eval(GENOTYPES[name], {"Genotype": dict, "range": range})  # noqa: S307 - the oracle; our own text
    written = eval(text, {"Genotype": dict})  # noqa: S307 - the oracle: what other tools do with it
    assert {key: list(value) for key, value in expected.items()} == written


def test_published_genotypes_are_different_networks():
    marks = {fingerprint(from_genotype(name, channels=4, cells=5)) for name in GENOTYPES}
    assert len(marks) == len(GENOTYPES) == 8


def test_the_same_operation_twice_on_one_source_gets_a_node_of_its_own():
    cell = from_genotype("NASNet", channels=4, cells=3).cells["normal"]
    nodes = {node.name: node for node in cell.nodes}
    assert [str(edge.source) for edge in nodes["n3"].edges] == ["pre0", "n3_again"]
    assert nodes["n3_again"].edges == nodes["n3"].edges[:1]
    assert [[str(op) for op in edge.ops] for edge in nodes["n1"].edges] == [["sep_conv_5x5", "sep_conv_3x3"]]


WRONG = {
    "no python": ("Genotype(normal=[", "not a genotype"),
    "statements": ("import os\nprint(1)", "one expression"),
    "statements around": ("import os\nGenotype()", "normal: is missing"),
    "another call": ("print('hello')", "not a genotype"),
    "code": (call("[('sep_conv_3x3', 0)] * 2", flat("reduce")), "never executed"),
    "a call inside": (call("__import__('os').listdir()", flat("reduce")), "never executed"),
    "huge range": (call(flat("normal"), flat("reduce"), "range(10**12)"), "never executed"),
    "long range": (call(flat("normal"), flat("reduce"), "range(2, 999999999999)"), "not a range of states"),
    "range of floats": (call(flat("normal"), flat("reduce"), "range(2.0, 6)"), "not a range of states"),
    "range of nothing": (call(flat("normal"), flat("reduce"), "range(2, 6, 0)"), "not a range of states"),
    "odd": (call(flat("normal")[:-1], flat("reduce")), "odd number of pairs, 7"),
    "typo": (
        call(flat("normal"), flat("reduce")).replace("avg_pool_3x3", "avg_pol_3x3"),
        "Did you mean avg_pool_3x3?",
    ),
    "typo in a field": (
        call(flat("normal"), flat("reduce")).replace("reduce=", "reduc="),
        "Did you mean reduce?",
    ),
    "later state": (
        call([("sep_conv_3x3", 2), *flat("normal")[1:]], flat("reduce")),
        "before this node are 0 to 1",
    ),
    "negative state": (call([("sep_conv_3x3", -1), *flat("normal")[1:]], flat("reduce")), "reads state -1"),
    "true as state": (
        call([("sep_conv_3x3", True), *flat("normal")[1:]], flat("reduce")),
        "not an (operation, source)",
    ),
    "whole weight": (
        call([("sep_conv_3x3", 1, 2), *flat("normal")[1:]], flat("reduce")),
        "not an (operation, source)",
    ),
    "concat of an input": (call(flat("normal"), flat("reduce"), "[1, 2]"), "1 is not a node"),
    "concat too far": (call(flat("normal"), flat("reduce"), "range(2, 7)"), "6 is not a node"),
    "concat twice": (call(flat("normal"), flat("reduce"), "[2, 2]"), "lists a node twice"),
    "concat empty": (call(flat("normal"), flat("reduce"), "[]"), "lists no node"),
    "two normal cells": (
        named(normal_0="normal", normal_2="normal", reduce_1="reduce"),
        "given twice",
    ),
    "gap": (
        named(normal_0="normal", reduce_1="reduce").replace(", 2), ", ", 7), "),
        "without gaps",
    ),
    "too long": ("Genotype(" + " " * 30_000 + ")", "characters"),
    "null byte": ("Genotype(\0)", "not a genotype"),
    "deep": ("(" * 5000 + ")" * 5000, "not a genotype"),
}


@pytest.mark.parametrize("case", WRONG)
def test_mistakes_are_named(case):
    text, expected = WRONG[case]
    with pytest.raises(DescriptionError) as error:
        from_genotype(text)
    assert expected in str(error.value)


def test_all_mistakes_come_at_once():
    text = (
        "Genotype(normal=[('sep_conv_33', 0), ('sep_conv', 1)], normal_concat=[9], "
        "reduce=[('skip_connect', 7), ('max_pool_3x3', 0)], extra=1)"
    )
    with pytest.raises(DescriptionError) as error:
        from_genotype(text)
    assert [problem.path for problem in error.value.problems] == [
        "extra",
        "reduce_concat",
        "normal[0]",
        "normal[1]",
        "normal_concat",
        "reduce[0]",
    ]
    assert error.value.exit_code == 3


@pytest.mark.parametrize("text", ["", "nascore: 1\nchannels: 16\n", "normal", "{'a': 1}", "|skip_connect~0|"])
def test_other_texts_are_not_recognised(text):
    assert not recognises(text)
