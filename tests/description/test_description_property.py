"""Properties over random networks: round trips, derivation, and the hash."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from nascore.description import (
    Description,
    Edge,
    Graph,
    Group,
    Node,
    Op,
    choose,
    derive,
    dump,
    expand,
    final,
    fingerprint,
    load,
)

VALUES = st.one_of(
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["word", "a-b", "x_1"]),
)
OPS = st.builds(
    Op,
    st.sampled_from(["none", "conv", "pool", "from", "skip_1"]),
    st.dictionaries(st.sampled_from(["k", "expand"]), VALUES, max_size=2).map(
        lambda each: tuple(each.items())
    ),
)
COLUMNS = (Op("conv"), Op("pool"), Op("conv", (("k", 3),)))
GROUP = Group(ops=COLUMNS, keep=2, never=COLUMNS[1:2])


@st.composite
def networks(draw):
    """A network of sums and concats with choices, gates and repeats, all of one reduction."""
    names = ["images"]
    nodes = []
    for index in range(draw(st.integers(1, 5))):
        join = draw(st.sampled_from(["sum", "concat"]))
        count = draw(st.integers(1, min(3, len(names))))
        sources = draw(st.permutations(names))[:count]
        edges = tuple(draw(edges_of(source)) for source in sources)
        name = draw(st.sampled_from([f"n{index}", f"n{index}-0", f"n{index}+1"]))
        repeat = draw(st.sampled_from([None, None, 1, 2])) if "-" not in name and "+" not in name else None
        reduction = draw(st.sampled_from([None, 1]))
        width = draw(st.integers(1, 3))
        nodes.append(Node(name=name, edges=edges, join=join, repeat=repeat, width=width, reduction=reduction))
        names.append(name)
    used = any(edge.group for node in nodes for edge in node.edges)
    return Description(
        network=Graph(inputs=("images",), nodes=tuple(nodes), output=draw(st.sampled_from(names[1:]))),
        groups={"g": GROUP} if used else {},
        channels=draw(st.integers(1, 64)),
        affine=draw(st.booleans()),
        pool_norm=draw(st.booleans()),
    )


@st.composite
def edges_of(draw, source):
    if draw(st.booleans()):
        candidates = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, unique=True))
        return Edge(source=source, ops=tuple(candidates), group="g")
    ops = draw(st.lists(OPS, min_size=1, max_size=3, unique=True))
    return Edge(source=source, ops=tuple(ops), gate=draw(st.booleans()))


@settings(max_examples=60, deadline=None)
@given(networks())
def test_text_reads_back(description):
    assert load(dump(description)) == description


@settings(max_examples=60, deadline=None)
@given(OPS)
def test_operations_read_back(op):
    read = Op.parse(str(op))
    assert read == op
    assert [type(value) for _, value in read.settings] == [type(value) for _, value in op.settings]


@settings(max_examples=40, deadline=None)
@given(networks())
def test_the_hash_survives_text_and_other_orders(description):
    turned = tuple(
        evolve(node, edges=tuple(evolve(edge, ops=edge.ops[::-1]) for edge in node.edges[::-1]))
        if node.join == "sum"
        else node
        for node in description.network.nodes
    )
    other = evolve(description, network=evolve(description.network, nodes=turned))
    if description.groups and not uneven(description):
        assert fingerprint(other) == fingerprint(load(dump(description)))
    elif not description.groups:
        assert fingerprint(other) == fingerprint(description)


def uneven(description):
    """Whether edges of the one group are used unequally often, which expand refuses."""
    repeats = {
        node.repeat or 1
        for node in description.network.nodes
        for edge in node.edges
        if edge.group is not None
    }
    return len(repeats) > 1


@settings(max_examples=40, deadline=None)
@given(networks(), st.randoms(use_true_random=False))
def test_whatever_is_derived_is_closed_and_keeps_what_was_picked(description, draw):
    if not description.groups or uneven(description):
        return
    layout = expand(description).layouts["g"]
    matrix = [[draw.random() for _ in layout.ops] for _ in layout.rows]
    picks = choose(description, {"g": matrix})
    closed = derive(description, picks)
    assert not closed.is_open
    assert load(dump(final(closed))) == final(closed)
    for row, (_, node, source) in enumerate(layout.rows):
        kept = [layout.ops[column] for line, column in picks["g"] if line == row]
        edges = [edge for edge in closed.network.node(node).edges if str(edge.source) == source]
        assert [op for edge in edges for op in edge.ops if op != Op("none")] == kept
        assert COLUMNS[1] not in kept
