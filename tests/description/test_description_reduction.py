"""Reduction on the node that uses a cell is what the cell's own reduction counts from."""

from __future__ import annotations

import pytest

from nascore.description import expand, load
from nascore.testing.growth_samples import CELLS

USE = "cell: reduce, width: 2"


@pytest.mark.parametrize(("written", "reduction"), [("", 2), (", reduction: 1", 2), (", reduction: 2", 4)])
def test_the_reduction_of_a_cell_counts_from_that_of_its_use(written, reduction):
    plan = expand(load(CELLS.replace(USE, USE + written)))
    assert plan.feature_maps[plan.feature_maps[plan.output].wires[0].source].reduction == reduction
