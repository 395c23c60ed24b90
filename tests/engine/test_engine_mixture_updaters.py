"""Updaters that follow the gradient of the mixture, in spaces of which they know nothing."""

from __future__ import annotations

import json
import math

import pytest
from tiny import TINY

import nascore

CHAIN = """\
nascore: 1
channels: 4
in_channels: 1
classes: 10
groups:
  layers: {ops: [none, skip_connect, conv_3x3, sep_conv_3x3]}
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, choose: layers}
    l1: {from: -1, choose: layers}
    head: {from: -1, op: classifier, width: classes}
"""
# xnas leaves `none` out.
OFFERED = {"xnas": 3, "geonas": 4}
UPDATERS = [
    pytest.param("xnas", marks=pytest.mark.needs("nascore-xnas")),
    pytest.param("geonas", marks=pytest.mark.needs("nascore-geonas")),
]


def searched(out, space, updater, **settings):
    small = {**TINY, "trainer.batch": 64, **settings}
    return nascore.search(space=space, updater=updater, settings=small, out=out)


def search_job(run):
    """Return what the search left, byte for byte: the choice, the weights, and every step's loss."""
    folder = run.path / "jobs" / "0001-search"
    lines = (run.path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    metrics = [{key: value for key, value in json.loads(line).items() if key != "seconds"} for line in lines]
    return (
        (folder / "description.yaml").read_bytes(),
        (folder / "weights.safetensors").read_bytes(),
        metrics,
        (run.path / "best" / "architecture.yaml").read_bytes(),
    )


@pytest.mark.parametrize("updater", UPDATERS)
@pytest.mark.parametrize("space", ["tiny", "chain"])
def test_it_runs_and_runs_again_alike(space, updater, tmp_path):
    named = space
    if space == "chain":
        (tmp_path / "chain.yaml").write_text(CHAIN, encoding="utf-8")
        named = f"file:{tmp_path / 'chain.yaml'}"
    first, second = (searched(tmp_path / name, named, updater) for name in ("first", "second"))
    assert not first.best.is_open
    # A chain has no cells, which TINY gives a number of.
    told = [warning for warning in first.result["warnings"] if "ranking.cells" in warning]
    assert len(told) == (space == "chain")
    assert search_job(first) == search_job(second)
    entropies = [line["entropy"] for line in search_job(first)[2] if line.get("phase") == "search"]
    assert entropies
    # It has learned something: the even mixture of n operations has the entropy log n.
    even = math.log(OFFERED[updater])
    assert all(value < even - 1e-6 for epoch in entropies for value in epoch.values())


@pytest.mark.parametrize("updater", UPDATERS)
@pytest.mark.parametrize("estimate", ["first", "single-level"])
def test_it_finds_what_is_useful_with_either_estimate(updater, estimate, tmp_path):
    settings = {"trainer.estimate": estimate, "trainer.epochs": 4, "trainer.batch": 32}
    run = searched(tmp_path / "run", "planted", updater, **settings)
    chosen = [edge.ops for node in run.best.network.nodes[1:-1] for edge in node.edges]
    assert [str(op) for ops in chosen for op in ops] == ["conv_3x3"] * 3
