"""What a genotype cannot say is refused, with the place."""

from __future__ import annotations

import pytest
from attrs import evolve

from nascore.api import DescriptionError, Edge, Graph, Node, Op, untie
from nascore.contract import DataFacts
from nascore_darts.genotype import from_genotype, to_genotype
from nascore_darts.space import Space, SpaceSettings


def change(cell="normal", **nodes):
    """Return DARTS_V2 with some of a cell's nodes replaced."""
    description = from_genotype("DARTS_V2", channels=4, cells=3)
    graph = description.cells[cell]
    changed = evolve(graph, nodes=tuple(nodes.get(node.name, node) for node in graph.nodes))
    return evolve(description, cells={**description.cells, cell: changed})


def summed(*edges):
    return Node(
        name="n0", edges=tuple(Edge(source=source, ops=tuple(map(Op.parse, ops))) for source, ops in edges)
    )


def refusal(description):
    with pytest.raises(DescriptionError) as error:
        to_genotype(description)
    return str(error.value)


def test_open():
    facts = DataFacts(
        channels=3, height=8, width=8, classes=10, train=10, test=10, mean=(0.5,) * 3, std=(0.25,) * 3
    )
    assert "derive it first" in refusal(Space(SpaceSettings(cells=3)).describe(facts))


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (summed(("pre0", ["sep_conv_3x3"])), "two operations per node"),
        (
            summed(("pre0", ["sep_conv_3x3", "sep_conv_5x5"]), ("pre1", ["skip_connect"])),
            "two operations per node",
        ),
        (summed(("pre0", ["none"])), "two operations per node"),
        (
            summed(("pre0", ["sep_conv_3x3(affine=false)"]), ("pre1", ["skip_connect"])),
            "a genotype cannot express the edge",
        ),
        (summed(("in0", ["sep_conv_3x3"]), ("pre1", ["skip_connect"])), "a genotype cannot express the edge"),
    ],
)
def test_nodes_of_another_kind(node, expected):
    message = refusal(change(n0=node))
    assert expected in message
    assert "cells.normal.nodes.n0" in message


def test_another_output():
    out = Node(name="out", edges=(Edge(source="n0"), Edge(source="n1")), join="sum")
    assert "cells.normal: " in refusal(change(out=out))


def test_another_frame():
    description = from_genotype("DARTS_V2", channels=4, cells=3)
    wider = Node(name="stem", edges=description.network.nodes[0].edges, width=2)
    network = evolve(description.network, nodes=(wider, *description.network.nodes[1:]))
    assert "outside the cells is not that of DARTS" in refusal(evolve(description, network=network))


def test_no_such_cells():
    assert "cells.normal" in refusal(untie(from_genotype("DARTS_V2", channels=4, cells=3)))


def test_a_chain():
    description = from_genotype("DARTS_V2", channels=4, cells=3)
    stem, head = description.network.nodes[0], description.network.nodes[-1]
    chain = evolve(
        description, network=Graph(inputs=("images",), nodes=(stem, head), output="head"), cells={}
    )
    assert "cells.normal" in refusal(chain)
    assert "cells.reduce" in refusal(chain)


def test_too_shallow():
    with pytest.raises(DescriptionError, match="at least 2 cells"):
        from_genotype("DARTS_V2", cells=1)
