"""What every test of this folder runs under, and the run that several look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

import nascore

if TYPE_CHECKING:
    from pathlib import Path

TINY = {
    "trainer.epochs": 1,
    "trainer.warm_up": 0,
    "trainer.batch": 256,
    "training.channels": 2,
    "training.cells": 3,
    "training.epochs": 1,
    "training.batch": 256,
}
"""Settings with which a search takes a second or two."""


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Two test processes share the machine; torch's threads would wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small search with DARTS, to read only."""
    out = tmp_path_factory.mktemp("runs") / "tiny"
    return nascore.search(space="darts", updater="darts", settings=TINY, out=out).path
