"""Parameters and MACs of the benchmark's networks and of the supernet, as counted on the authors' code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from attrs import evolve

from nascore.api import Edge, Op, derive, final
from nascore.builtin.operations import OPERATIONS as CATALOGUE_ENTRIES
from nascore.contract import DataFacts
from nascore.nn import compile, costs  # noqa: A004 - the name of the compiler
from nascore_nasbench import space
from nascore_nasbench.space import Space, SpaceSettings
from nascore_nasbench.strings import from_string

CATALOGUE = {entry.name: entry for entry in CATALOGUE_ENTRIES}
SKIP, ONE, THREE = "skip_connect", "nor_conv_1x1", "nor_conv_3x3"
PUBLISHED = {
    "3x3": ([THREE] * 6, 1_531_546),
    "1x1": ([ONE] * 6, 241_306),
    "skip": ([SKIP] * 6, 73_306),
    "none": (["none"] * 6, 73_306),
    "one skip": ([THREE, THREE, THREE, SKIP, THREE, THREE], 1_288_506),
    "two skips": ([THREE, THREE, THREE, SKIP, THREE, SKIP], 1_045_466),
}
EDGES = "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|"
FACTS = DataFacts(
    channels=3, height=32, width=32, classes=10, train=50_000, test=10_000, mean=(0.5,) * 3, std=(0.25,) * 3
)


def size(description):
    return costs(description, CATALOGUE, (32, 32))


def supernet(**settings):
    return Space(SpaceSettings(**settings)).describe(FACTS)


def supernet_at_the_end():
    """The supernet with batch norm as in the networks that are trained: its costs are those of the table."""
    return evolve(supernet(), affine=True)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks(name):
    operations, params = PUBLISHED[name]
    assert size(from_string(EDGES.format(*operations))).params == params


def test_macs_of_all_convolutions():
    assert size(from_string(EDGES.format(*[THREE] * 6))).macs == 220_119_680


@pytest.mark.parametrize(("classes", "params"), [(10, 1_531_546), (100, 1_537_396), (120, 1_538_696)])
def test_further_classes(classes, params):
    assert size(from_string(EDGES.format(*[THREE] * 6), classes=classes)).params == params


@pytest.mark.parametrize("name", PUBLISHED)
def test_closed_by_picks_it_has_as_many(name):
    operations, params = PUBLISHED[name]
    picks = [(row, ["none", SKIP, ONE, THREE, "avg_pool_3x3"].index(op)) for row, op in enumerate(operations)]
    assert size(final(derive(supernet(), {"cell": picks}))).params == params


def test_the_supernet():
    counted = size(supernet())
    assert counted.params + int(counted.groups["cell"].params.sum()) == 1_692_826
    with torch.device("meta"):
        net = compile(supernet(), CATALOGUE)
    assert sum(tensor.numel() for tensor in net.parameters()) == 1_692_826


def test_counted_tensors_agree_with_the_costs():
    net = compile(from_string(EDGES.format(*[THREE] * 5, SKIP), channels=4, cells=3), CATALOGUE)
    assert (
        sum(tensor.numel() for tensor in net.parameters())
        == size(from_string(EDGES.format(*[THREE] * 5, SKIP), channels=4, cells=3)).params
    )


def test_a_network_without_a_way_through_runs():
    net = compile(from_string(EDGES.format(*["none"] * 6), channels=4, cells=3), CATALOGUE)
    one, other = torch.rand(2, 2, 3, 8, 8)
    assert torch.equal(net(one), net(other))


def test_all_networks_cost_what_the_table_of_the_benchmark_says():
    folder = os.environ.get("NASCORE_BENCH_DATA")
    if not folder:
        pytest.skip("NASCORE_BENCH_DATA names no folder with nasbench201.npz")
    numpy = pytest.importorskip("numpy")
    table = numpy.load(Path(folder) / "nasbench201.npz", allow_pickle=False)
    names = [str(name) for name in table["op_names"]]
    columns = numpy.array([space.OPERATIONS.index(name) for name in names])[table["ops"]]
    counted = size(supernet_at_the_end())
    group, rows = counted.groups["cell"], numpy.arange(6)
    params = counted.params + group.params.sum(0).numpy()[rows, columns].sum(1)
    macs = counted.macs + group.macs.sum(0).numpy()[rows, columns].sum(1)
    assert len(params) == 15_625
    assert (params == table["params_c10"]).all()
    # In millions, as 32-bit floats; the table counts the classifier's ten biases too.
    assert numpy.allclose((macs + 10) / 1e6, table["flops_m_c10"], rtol=1e-7, atol=0)


# ---- the counts see what is built wrong


def test_the_counts_see_another_order_of_operations(monkeypatch):
    monkeypatch.setattr(space, "OPERATIONS", (SKIP, "none", THREE, ONE, "avg_pool_3x3"))
    with pytest.raises(AssertionError):
        test_closed_by_picks_it_has_as_many("3x3")


def test_the_counts_see_none_taken_for_a_convolution(monkeypatch):
    right = space.cell
    monkeypatch.setattr(
        space,
        "cell",
        lambda ops, **rest: right([[Op(THREE)] if _none(each) else each for each in ops], **rest),
    )
    with pytest.raises(AssertionError):
        test_published_networks("none")


def test_the_counts_see_another_residual_block(monkeypatch):
    right = space.network
    monkeypatch.setattr(space, "network", lambda cells: _with_basic_blocks(right(cells)))
    with pytest.raises(AssertionError):
        test_published_networks("skip")


def _none(ops):
    return list(ops) == [Op("none")]


def _with_basic_blocks(network):
    edges = (Edge(source=-1, ops=(Op("basic_block"),)),)
    nodes = tuple(evolve(node, edges=edges) if node.name in space.BLOCKS else node for node in network.nodes)
    return evolve(network, nodes=nodes)
