"""Candidates read every earlier layer, what earlier growth added among them (the authors' code)."""

from __future__ import annotations

import pytest
import torch
from petridish_samples import CATALOGUE, images, network, policy, start

from nascore.description import expand
from nascore_petridish.settings import OPERATIONS

GROWTHS = (1, 2, 3)
CELLS = ("normal", "reduce")


def offers(opened, cell, number):
    """Return what the candidates of a growth read, and how many there are of each source."""
    node = opened.cells[cell].node(f"n0+{number}")
    return {edge.source: len(edge.ops) for edge in node.edges}


def favouring(opened, source):
    """Return strengths by which what reads this state is kept, and nothing else."""

    def matrix(layout):
        lines = zip(layout.rows, layout.mask, strict=True)
        return [[float(row[2] == source and there) for there in line] for row, line in lines]

    return {name: matrix(layout) for name, layout in expand(opened).layouts.items()}


def grown(times, *, operations=OPERATIONS):
    """Grow cells, each growth on what the one before added; returns what was opened, and the last child."""
    growing, description, every = policy(operations=list(operations)), start("cells"), []
    for number in range(1, times + 1):
        opened = growing.open(description, CATALOGUE)
        every.append(opened)
        source = "pre1" if number == 1 else f"n0+{number - 1}+1"
        description = growing.close(opened, favouring(opened, source))
    return every, description


@pytest.mark.parametrize("cell", CELLS)
def test_growths_of_a_cell_of_darts_have_14_21_and_28_candidates(cell):
    every, _child = grown(3)
    counts = [sum(offers(opened, cell, n).values()) for n, opened in zip(GROWTHS, every, strict=True)]
    assert counts == [14, 21, 28]
    assert list(offers(every[2], cell, 3)) == ["pre0", "pre1", "n0+1+1", "n0+2+1"]


def test_a_child_grown_three_times_reads_what_grew_before():
    """The third growth reaches the images through the second and the first, with their own gates closed."""
    _every, child = grown(3, operations=["sep_conv_3x3"])
    net, x = network(child), images()
    with torch.no_grad():
        for name, gate in net.gates.items():
            gate.fill_(float(name.endswith("/n0+3+1")))
        before = net(x)
        for number in (2, 1):
            weights = [value for name, value in net.named_parameters() if f"/n0+{number}/" in name]
            assert weights
            kept = [value.clone() for value in weights]
            for value in weights:
                value.zero_()
            assert not torch.allclose(net(x), before)
            for value, old in zip(weights, kept, strict=True):
                value.copy_(old)
        assert torch.equal(net(x), before)


def test_what_projects_an_earlier_growth_is_no_place_to_grow():
    growing, description = policy(search="macro"), start("chain")
    for number in (1, 2):
        opened = growing.open(description, CATALOGUE)
        assert set(opened.groups) == {f"grow/network/l{layer}/{number}" for layer in range(3)}
        description = growing.close(opened, favouring(opened, "stem"))
    last = opened.network.node("l2+2")
    assert [edge.source for edge in last.edges] == ["stem", "l0+1+1", "l0", "l1+1+1", "l1", "l2+1+1"]


def test_candidates_of_one_growth_do_not_read_each_other():
    opened = policy(search="macro").open(start("chain"), CATALOGUE)
    assert [edge.source for edge in opened.network.node("l2+1").edges] == ["stem", "l0", "l1"]
