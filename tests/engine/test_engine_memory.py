"""The supernet and its state do not stay in memory while the architecture is trained."""

from __future__ import annotations

import gc
import weakref

import pytest
from tiny import TINY

import nascore
from nascore.engine import search as supernet_module


@pytest.mark.needs("nascore-darts")
def test_the_supernet_is_gone_when_the_architecture_is_trained(tmp_path, monkeypatch):
    networks, left = [], []
    build, train = supernet_module.search_phase, supernet_module.train_job

    def building(*args):
        phase = build(*args)
        networks.append(weakref.ref(phase.network))
        return phase

    def training(*args, **data):
        gc.collect()
        left.extend(network() for network in networks)
        return train(*args, **data)

    monkeypatch.setattr(supernet_module, "search_phase", building)
    monkeypatch.setattr(supernet_module, "train_job", training)
    nascore.search(space="tiny", updater="darts", settings={**TINY, "ranking.cells": 1}, out=tmp_path / "run")
    assert len(networks) == 1
    assert left == [None]
