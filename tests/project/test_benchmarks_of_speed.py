"""The benchmarks of speed: their unit is DARTS's network, their counts are exact, they print their table."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy

pytestmark = pytest.mark.needs("nascore-darts", "nascore-xnas")

FOLDER = Path(__file__).parents[2] / "benchmarks"
NAMES = ("classic", "counting", "searches", "search_step", "waits", "scale", "overhead")
USED = ("executors", "many_jobs")
TINY = ["--channels=2", "--cells=3", "--nodes=2", "--batch=2", "--size=8"]


@pytest.fixture(scope="module")
def scripts():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(FOLDER), *sys.path])
        yield SimpleNamespace(**{name: import_module(name) for name in NAMES})
    for name in (*NAMES, *USED):
        del sys.modules[name]


@pytest.fixture(scope="module")
def pair(scripts, tmp_path_factory):
    """The classic network, and that of nascore with the same weights, in float64."""
    size = scripts.searches.Size(channels=2, cells=4, nodes=2, batch=4, size=8)
    setup = scripts.searches.set_up(tmp_path_factory.mktemp("pair") / "run", size, "plain")
    network = setup.phase.network.double()
    plain = scripts.classic.Network(2, 4, nodes=2).double()
    weights = {scripts.classic.name_of(name, 4): weight for name, weight in network.named_parameters()}
    assert weights.keys() == dict(plain.named_parameters()).keys()
    plain.load_state_dict(weights, strict=False)
    return plain, network


def batch(count=4):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(count, 3, 8, 8, generator=generator, dtype=torch.float64)
    return images, torch.arange(count) % 10


def test_the_classic_network_is_that_of_the_space_darts(pair):
    plain, network = pair
    images, labels = batch()
    alphas = [torch.randn(5, 8, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    mixture = {"normal": alphas[0].softmax(-1), "reduce": alphas[1].softmax(-1)}
    found, expected = network(images, mixture), plain(images, alphas)

    assert torch.allclose(found, expected, rtol=0, atol=1e-12)
    slopes = [torch.autograd.grad(cross_entropy(one, labels), alphas) for one in (found, expected)]
    for slope, other in zip(*slopes, strict=True):
        assert torch.allclose(slope, other, rtol=0, atol=1e-12)


def test_the_classic_network_has_the_published_number_of_weights(scripts):
    assert sum(weight.numel() for weight in scripts.classic.Network(4, 3).parameters()) == 72_854


def test_the_classic_unrolled_step_follows_the_estimate_of_nascore(scripts, pair):
    from nascore.engine.estimates import VirtualStep, unrolled  # noqa: PLC0415 - not without torch

    torch.manual_seed(0)
    search = scripts.classic.Search(pair[0])
    train, held = batch(), batch(3)
    search.weights_step(train)
    names = [name for name, _ in search.network.named_parameters()]
    weights = {
        name: weight.detach().clone().requires_grad_() for name, weight in search.network.named_parameters()
    }
    mixture = {
        str(place): alpha.detach().clone().requires_grad_() for place, alpha in enumerate(search.alphas)
    }

    def loss(images, labels):
        return lambda weights, mixture: cross_entropy(
            functional_call(search.network, weights, (images, [mixture["0"], mixture["1"]])), labels
        )

    buffers = {
        name: search.descent.state[weight]["momentum_buffer"].clone()
        for name, weight in zip(names, search.weights, strict=True)
    }
    ahead = VirtualStep(lr=0.025, momentum=0.9, weight_decay=3e-4, buffers=buffers)
    expected = unrolled(loss(*train), loss(*held), weights, mixture, ahead).mixture
    search.unrolled_step(train, held)

    for alpha, slope in zip(search.alphas, expected.values(), strict=True):
        assert torch.allclose(alpha.grad, slope, rtol=1e-6, atol=1e-10)
    for name, weight in search.network.named_parameters():
        assert torch.allclose(weight, weights[name], rtol=0, atol=1e-12), name


DEVICE = torch.device("cpu")

READS = {
    "item": (lambda x: x.sum().item(), 1),
    "float": (lambda x: float(x[0]), 1),
    "condition": (lambda x: bool((x > 0).all()), 1),
    "tolist": (lambda x: x.tolist(), 1),
    "cpu": (lambda x: x.cpu().tolist(), 1),
    "nonzero": (lambda x: x.nonzero(), 1),
    "mask": (lambda x: x[x > 0], 1),
    "put": (lambda x: x.index_put((x > 0,), x[:1].expand(3)), 1),
    "fill": (lambda x: x.index_put((x > 0,), x.new_zeros(())), 0),
    "computed": (lambda x: (2 * x).new_ones(3).sum().item(), 1),
    "made": (lambda x: torch.zeros(3, device=x.device).sum().item(), 1),
    "host": (lambda _: torch.tensor([1.0, 2.0]).sum().item(), 0),
    "drawn": (lambda _: torch.randperm(3, generator=torch.Generator()).tolist(), 0),
}


@pytest.mark.parametrize("name", READS)
def test_reads_of_a_tensor_on_the_device_are_counted(name, scripts):
    read, expected = READS[name]
    with scripts.counting.counting() as counts:
        x = torch.ones(3).to(DEVICE)
        before = counts.copied()
        read(x)
        found = counts.since(before)

    assert found.synchronisations == expected
    assert not found.copies


def test_copies_to_the_device_are_counted(scripts):
    with scripts.counting.counting() as counts:
        x = torch.ones(3).to(DEVICE)
        before = counts.copied()
        x[torch.tensor([0, 2])] + torch.tensor([1.0], device=DEVICE) + torch.ones(1).to(x)
        found = counts.since(before)

    here = "tests/project/test_benchmarks_of_speed.py:test_copies_to_the_device_are_counted"
    assert found.copies == {f"{here} index": 1, f"{here} tensor": 1, f"{here} to": 1}
    assert not found.reads


def test_operations_are_counted_forward_backward_and_in_the_optimizer(scripts):
    weight = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.SGD([weight], 0.1)
    with scripts.counting.counting() as counts:
        (weight * 2).sum().backward()
        # mul, sum; ones_like, expand, mul, detach
        assert counts.operations == 6
        assert counts.launches < counts.operations
        assert counts.of_optimizers == 0
        optimizer.step()

    assert counts.operations - 6 == counts.of_optimizers == 1
    assert not counts.reads
    assert not counts.copies


@pytest.fixture(scope="module")
def rows(scripts):
    with pytest.MonkeyPatch.context() as patch:
        printed = []
        patch.setattr("builtins.print", lambda text, **_: printed.append(text))
        scripts.search_step.main([*TINY, "--json", "--repetitions=1", "--figures=times,counts"])
    return json.loads("".join(printed))["rows"]


def test_every_step_of_every_execution_is_measured(rows, scripts):
    executions = scripts.searches.EXECUTIONS
    assert [(row["step"], row["network"]) for row in rows] == [
        (step, name) for step in scripts.search_step.STEPS for name in ("classic", *executions)
    ]
    for row in rows:
        assert row["seconds"] > 0
        assert row["least"] <= row["seconds"] <= row["most"]
        assert row["operations"] > row["operations_of_optimizers"] > 0
        assert row["synchronisations"] == sum(row["waits"].values())


def test_a_step_of_first_order_does_not_wait(rows):
    assert {row["synchronisations"] for row in rows if row["step"] != "unrolled"} == {0}
    assert {sum(row["copies"].values()) for row in rows} == {0}


def test_nascore_launches_less_than_a_plain_program(rows):
    counts = {(row["step"], row["network"]): row["launches"] for row in rows}
    for step in ("weights", "first", "unrolled", "search"):
        assert counts[step, "batched"] < counts[step, "plain"] < counts[step, "classic"]
        assert counts[step, "fused"] < counts[step, "plain"]


def test_a_weights_step_launches_a_third_and_a_quarter_of_a_plain_program(scripts):
    size = scripts.searches.Size(channels=2, cells=3, batch=2, size=8)
    counts = {
        name: scripts.search_step.counted(name, size, ["weights"])["weights"].launches
        for name in ("classic", "fused", "batched")
    }
    assert counts["fused"] < counts["classic"] / 3
    assert counts["batched"] < counts["classic"] / 4


def test_counts_are_the_same_each_time(rows, scripts):
    size = scripts.searches.Size(channels=2, cells=3, nodes=2, batch=2, size=8)
    found = scripts.search_step.counted("fused", size, ["first"])["first"].operations

    assert {row["operations"] for row in rows if (row["step"], row["network"]) == ("first", "fused")} == {
        found
    }


def test_peak_memory_is_that_of_the_step(scripts):
    size = scripts.searches.Size(channels=8, cells=3, nodes=1, batch=16, size=32)

    assert scripts.search_step.peak("classic", size, "weights") > 5


def test_the_table_has_a_line_for_each_row(rows, scripts):
    lines = list(scripts.search_step.table({"rows": rows}))
    assert len(lines) == 1 + len(rows)
    assert "1.00" in lines[1]


def test_waits_of_a_search_by_place(scripts, monkeypatch, capsys):
    monkeypatch.setattr(scripts.waits, "EPOCHS", 2)
    monkeypatch.setattr(scripts.waits, "STEPS", 2)
    scripts.waits.main(["--nodes=1"])
    report = capsys.readouterr().out

    assert "darts, execution fused" in report
    assert "xnas, execution fused" in report
    assert "step, first half: 0.00 waits, 0.00 copies" in report


def test_the_cost_of_each_size_has_a_slope(scripts, monkeypatch, capsys):
    base = scripts.searches.Size(channels=2, cells=3, nodes=1, batch=2, size=8)
    monkeypatch.setattr(scripts.scale, "BASE", base)
    values = {"cells": (3, 4), "channels": (2, 4), "operations": (1, 8), "uses": (1, 2)}
    monkeypatch.setattr(scripts.scale, "AXES", values)
    scripts.scale.main(["--axes", ",".join(values), "--repetitions=1", "--json"])
    found = json.loads(capsys.readouterr().out)

    assert {one["axis"]: tuple(one["values"]) for one in found} == values
    for one in found:
        assert one["slope"].keys() == one["seconds"].keys() == {"weights", "first"}
        assert all(cost > 0 for costs in one["seconds"].values() for cost in costs)
        assert len(list(scripts.scale.lines(one))) == 3


def test_so_many_operations_are_alive_on_each_edge(scripts, tmp_path):
    setup = scripts.scale.built("operations", 2, "fused", tmp_path / "run")

    assert {int(count) for alive in setup.phase.search.state.alive.values() for count in alive.sum(1)} == {2}


def test_the_slope_of_a_proportional_cost_is_1(scripts):
    slopes = scripts.scale._slopes((1, 2, 4), {"weights": [3.0, 6.0, 12.0], "first": [5.0, 5.0, 5.0]})

    assert slopes == {"weights": pytest.approx(1), "first": pytest.approx(0)}


def test_what_nascore_adds_is_measured(scripts, monkeypatch, capsys):
    monkeypatch.setattr(scripts.overhead, "GROWTH_JOBS", 2)
    monkeypatch.setattr(scripts.overhead, "COMMANDS", {"python -c pass": ["-c", "pass"]})
    scripts.overhead.main(["--steps=2", "--repetitions=1", "--json"])
    rows = json.loads(capsys.readouterr().out)

    assert [row["name"] for row in rows] == [
        "weights step, open network",
        "weights step, closed network",
        "python -c pass",
        "job that does nothing, in process",
        "job of a growth run, 8 images",
    ]
    assert all(row["nascore_ms"] > 0 for row in rows)
    assert all(row["bare_ms"] > 0 for row in rows[:2])
    assert len(list(scripts.overhead.lines(rows))) == 6
