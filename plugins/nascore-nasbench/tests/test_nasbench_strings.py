"""Architecture strings: all of them round-trip, and what none can say is refused."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from attrs import evolve

from nascore.api import (
    DescriptionError,
    derive,
    dump,
    expand,
    final,
    fingerprint,
    load,
    resize,
    spread,
    untie,
)
from nascore.contract import DataFacts
from nascore_nasbench import notation, space
from nascore_nasbench.space import Space, SpaceSettings
from nascore_nasbench.strings import from_string, to_string

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|"
EVERY = [EDGES.format(*ops) for ops in product(OPERATIONS, repeat=6)]
FACTS = DataFacts(
    channels=3, height=8, width=8, classes=10, train=9, test=9, mean=(0.5,) * 3, std=(0.25,) * 3
)
SOME = EDGES.format("none", *OPERATIONS)
"""All operations on six edges; `none` stands on two."""
SOUND = "|none~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"


def round_trip(texts):
    descriptions = [from_string(text, channels=4, cells=1) for text in texts]
    assert [to_string(description) for description in descriptions] == list(texts)
    return descriptions


def picked(text, description):
    """Close the open space by the columns that a string names, and as deriving does, in a shuffled order."""
    operations = [edge.partition("~")[0] for edge in text.replace("+", "").split("|") if edge]
    picks = [(row, OPERATIONS.index(operation)) for row, operation in enumerate(operations)]
    Random(text).shuffle(picks)  # noqa: S311 - no secret
    return final(derive(description, {"cell": picks}))


def agree_with_picks(texts):
    description = Space(SpaceSettings(channels=4, cells=1)).describe(FACTS)
    for text in texts:
        closed = picked(text, description)
        assert fingerprint(closed) == fingerprint(from_string(text, channels=4, cells=3))
        assert to_string(closed) == text


def sample(count):
    return Random(0).sample(EVERY, count)  # noqa: S311 - no secret


def test_all_strings_round_trip_and_are_different_networks():
    assert len(set(EVERY)) == 15_625
    descriptions = round_trip(EVERY)
    assert len({fingerprint(description) for description in descriptions}) == 15_625


def test_the_string_of_picks_is_that_of_their_operations():
    agree_with_picks(sample(300))


def test_rows_of_the_group_are_the_edges_of_the_string():
    (layout,) = expand(Space(SpaceSettings()).describe(FACTS)).layouts.values()
    assert [(target, source) for _, target, source in layout.rows] == [
        ("n1", "n0"), ("n2", "n0"), ("n2", "n1"), ("n3", "n0"), ("n3", "n1"), ("n3", "n2"),
    ]  # fmt: skip
    assert [str(op) for op in layout.ops] == list(OPERATIONS)
    assert layout.replicas == 15


# ---- mutations: each is seen by one of the above


def swapped(operations):
    first, second, third, *rest = operations
    return notation_write([first, third, second, *rest])


def without_none(ops, **rest):
    """Build the cell with `none` left out, as if nothing stood for it."""
    graph = frame_cell(ops, **rest)
    nodes = []
    for node in graph.nodes:
        edges = tuple(edge for edge in node.edges if [str(op) for op in edge.ops] != ["none"])
        nodes.append(evolve(node, edges=edges or node.edges))
    return evolve(graph, nodes=tuple(nodes))


notation_write, frame_cell = notation.write, space.cell


def test_the_round_trip_sees_two_edges_swapped_in_writing(monkeypatch):
    monkeypatch.setattr(notation, "write", swapped)
    with pytest.raises(AssertionError):
        round_trip([SOME])


def test_the_round_trip_sees_none_dropped(monkeypatch):
    monkeypatch.setattr(space, "cell", without_none)
    with pytest.raises(DescriptionError, match="has no edge from n0"):
        round_trip([EDGES.format(*["skip_connect"] * 3, "none", *["skip_connect"] * 2)])


@pytest.mark.parametrize(
    "order", [OPERATIONS[::-1], (*OPERATIONS[1:], "none")], ids=["reversed", "none last"]
)
def test_picks_see_another_order_of_operations(monkeypatch, order):
    monkeypatch.setattr(space, "OPERATIONS", order)
    round_trip(sample(20))  # which cannot see it: strings name their operations
    with pytest.raises(AssertionError):
        agree_with_picks([SOME])


def test_picks_see_another_order_of_edges(monkeypatch):
    # 1<-0, then 3's edges before 2's: what an ordering by source would make of the strings.
    order = ((1, 0), (2, 0), (3, 0), (2, 1), (3, 1), (3, 2))
    monkeypatch.setattr(space, "EDGES", order)
    monkeypatch.setattr(notation, "EDGES", order)
    with pytest.raises(AssertionError):
        agree_with_picks([SOME])


def test_sizes():
    description = from_string(SOUND, channels=8, cells=7, classes=100, in_channels=1, auxiliary=True)
    assert (description.channels, description.classes, description.in_channels) == (8, 100, 1)
    assert (space.count_cells(description.network), description.auxiliary) == ((2, 2, 3), "aux")
    assert to_string(description) == SOUND
    whole = from_string(SOUND)
    assert space.count_cells(whole.network) == (5, 5, 5)
    for cells in range(1, 20):
        assert from_string(SOUND, cells=cells) == resize(whole, repeats=spread(whole, cells))
    with pytest.raises(DescriptionError, match="at least 1 cell, not 0"):
        from_string(SOUND, cells=0)


# ---- writing


def changed(old, new, text=SOUND):
    written = dump(from_string(text, channels=4, cells=3))
    assert old in written
    return load(written.replace(old, new))


def renamed(name):
    description = from_string(SOUND, channels=4, cells=3)
    uses = tuple(
        node if node.cell is None else evolve(node, join=name, name=f"{node.name}x")
        for node in description.network.nodes
    )
    network = evolve(description.network, nodes=uses)
    return evolve(description, network=network, cells={name: description.cells["cell"]})


def test_names_do_not_count():
    assert to_string(changed("n2", "middle")) == SOUND
    assert to_string(renamed("block")) == SOUND
    assert to_string(untie(from_string(SOUND, cells=3))) == SOUND


REFUSED = {
    "an edge left out": ("n3: {sum: [{n0: skip_connect}, ", "n3: {sum: [", "n3: has no edge from n0. Add"),
    "two operations": ("{n0: skip_connect}", "{n0: [skip_connect, none]}", "it has skip_connect and none"),
    "another operation": ("{n0: skip_connect}", "{n0: sep_conv_3x3}", "it has sep_conv_3x3. An edge has one"),
    "a gate": ("{n0: skip_connect}", "{from: n0, op: skip_connect, gate: true}", "it has a gate"),
    "no operation": ("{n0: skip_connect}", "n0", "it has no operation"),
    "another stem": ("op: stem}", "op: stem(relu=true)}", "not that of NAS-Bench-201"),
    "another block": ("op: residual_block", "op: basic_block", "not that of NAS-Bench-201"),
    "another head": ("op: norm_classifier", "op: classifier", "not that of NAS-Bench-201"),
    "another order": ("width: 2, repeat: 1", "width: 4, repeat: 1", "not that of NAS-Bench-201"),
    "a node more": ("      n3:", "      n9: {from: n0, op: none}\n      n3:", "one input and 3 nodes"),
    "a concatenation": ("n3: {sum:", "n3: {concat:", "each of which is a sum"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), REFUSED.values(), ids=REFUSED)
def test_what_a_string_cannot_say_is_refused(old, new, said):
    with pytest.raises(DescriptionError) as error:
        to_string(changed(old, new))
    assert said in str(error.value)


def test_cells_that_differ_are_refused():
    description = untie(from_string(SOUND, cells=3))
    other = from_string(EVERY[0], cells=3).cells["cell"]
    last = list(description.cells)[-1]
    with pytest.raises(DescriptionError, match="or its cells differ"):
        to_string(evolve(description, cells={**description.cells, last: other}))


def test_another_output_is_refused():
    description = from_string(SOUND, cells=3)
    graph = evolve(description.cells["cell"], output="n2")
    with pytest.raises(DescriptionError, match="the output must be the last node, n3"):
        to_string(evolve(description, cells={"cell": graph}))


def test_an_open_description_is_refused():
    with pytest.raises(DescriptionError, match="derive it first"):
        to_string(Space(SpaceSettings(cells=1)).describe(FACTS))


def test_a_chain_is_refused():
    text = "nascore: 1\nnetwork:\n  nodes:\n    head: {from: images, op: classifier, width: classes}\n"
    with pytest.raises(DescriptionError, match="this network has none"):
        to_string(load(f"channels: 4\nin_channels: 3\nclasses: 10\n{text}"))
