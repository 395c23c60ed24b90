"""Waits for the device in the steps of a search, counted as for an accelerator that reads losses seldom."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from nascore.engine.weight_step import Supervised

pytestmark = pytest.mark.needs("nascore-darts", "nascore-xnas")

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = ("counting", "searches", "waits")
EPOCHS, STEPS = 2, 4
READ = "nascore/nn/transfers.py:read_all cpu"


@pytest.fixture(scope="module")
def waits():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(FOLDER), *sys.path])
        script = import_module("waits")
        patch.setattr(script, "EPOCHS", EPOCHS)
        patch.setattr(script, "STEPS", STEPS)
        yield script
    for name in SCRIPTS:
        del sys.modules[name]


@pytest.fixture(scope="module")
def counts(waits):
    """Return waits and copies by place, per step, for each part of a search."""
    size = waits.Size(channels=2, cells=3, nodes=1, batch=4, size=8)
    return lambda updater: waits.counted(updater, size, "fused")


@pytest.fixture(scope="module")
def darts(counts):
    return counts("darts")


@pytest.fixture(scope="module")
def xnas(counts):
    return counts("xnas")


@pytest.mark.parametrize("half", ["step, first half", "step, second half"])
def test_a_step_of_darts_first_order_waits_for_nothing(half, darts):
    assert darts[half] == {"waits": {}, "copies": {}}


def test_a_step_of_xnas_waits_for_nothing_before_its_wipe_out(xnas):
    assert xnas["step, first half"] == {"waits": {}, "copies": {}}


def test_a_step_of_xnas_reads_once_which_operations_are_left(xnas):
    # The first step of the second half changes nothing before its own end.
    reads = (STEPS - 1) / STEPS
    assert xnas["step, second half"] == {"waits": {READ: reads}, "copies": {}}


def test_an_epoch_reads_its_losses_and_all_tensors_at_once(darts, xnas):
    # The first epoch is checked at its beginning too.
    expected = {
        "nascore/engine/loop.py:_numbers tolist": 1,
        "nascore/engine/loop.py:_not_finite _local_scalar_dense": (EPOCHS + 1) / EPOCHS,
        READ: 3,  # the bytes of the weights, those of theta, and the mixture for its entropy
    }
    assert darts["epoch, outside of steps"] == {"waits": expected, "copies": {}}
    expected[READ] += 1 / EPOCHS  # the live entries after the last step
    assert xnas["epoch, outside of steps"] == {"waits": expected, "copies": {}}


def test_one_reading_in_a_step_is_found(counts, monkeypatch):
    def descend(trainer, slope, right=Supervised.descend):
        next(iter(slope.values())).sum().item()
        right(trainer, slope)

    monkeypatch.setattr(Supervised, "descend", descend)
    found = counts("darts")
    here = "tests/engine/test_engine_synchronisations.py:test_one_reading_in_a_step_is_found.<locals>.descend"
    place = f"{here} _local_scalar_dense"
    for half in ("step, first half", "step, second half"):
        assert found[half]["waits"] == {place: 1}
