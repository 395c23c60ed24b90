"""A search beside other threads: it finds what it finds alone, and they notice nothing of it."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
import torch
from torch import nn

import nascore

PLUGIN = '''
"""Operations that draw, by ways that take no generator."""
from torch import nn, randn_like
from torch.nn import functional
from torch.nn.modules import module
from nascore.api import Operation, hookimpl

CALL, GETATTR = nn.Module.__call__, nn.Module.__getattr__


class Noisy(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 3, stride, padding=1)

    def forward(self, x):
        assert nn.Module.__call__ is CALL and nn.Module.__getattr__ is GETATTR, "a class of torch is patched"
        assert not module._global_forward_pre_hooks, "somebody listens to all modules of the process"
        return functional.dropout(self.conv(x), 0.3, self.training) + 0.1 * randn_like(x)


@hookimpl
def nascore_operations():
    yield Operation(name="noisy", build=Noisy, strides=(1,), same_channels=True)
'''
SPACE = """
nascore: 1
channels: 4
in_channels: 1
classes: 10
groups:
  g: {ops: [noisy, conv_3x3]}
network:
  nodes:
    stem: {from: images, op: stem}
    l0: {from: -1, choose: g}
    l1: {from: -1, op: noisy}
    head: {from: -1, op: classifier, width: classes}
"""
SETTINGS = {
    "dataset.count": 32,
    "trainer.epochs": 1,
    "trainer.batch": 8,
    "trainer.warm_up": 0,
    "ranking.epochs": 1,
    "ranking.batch": 8,
    "ranking.drop_path": 0.3,
}
SEEDS = (1, 2)


@pytest.fixture
def search(tmp_path):
    (tmp_path / "noisy.py").write_text(PLUGIN, encoding="utf-8")
    (tmp_path / "space.yaml").write_text(SPACE, encoding="utf-8")

    def found(seed, name):
        run = nascore.search(
            space=f"file:{tmp_path / 'space.yaml'}",
            updater="sgd",
            dataset="synthetic",
            scale="mini",
            seed=seed,
            settings=SETTINGS,
            out=tmp_path / name,
            plugins=[tmp_path / "noisy.py"],
        )
        return (run.path / "best" / "weights.safetensors").read_bytes()

    return found


@contextmanager
def beside(work):
    """Call a function again and again in another thread; yields the errors that it raised."""
    stop, errors = threading.Event(), []

    def working():
        while not stop.is_set():
            try:
                work()
            except Exception as error:  # noqa: BLE001 - whatever is raised there is what is looked for
                errors.append(repr(error))

    thread = threading.Thread(target=working)
    thread.start()
    try:
        yield errors
    finally:
        stop.set()
        thread.join()


def test_two_searches_a_network_that_answers_and_a_thread_that_draws(search):
    alone = {seed: search(seed, f"alone{seed}") for seed in SEEDS}
    network = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    seen, again, found = set(), [], {}

    def draw():
        value = tuple(torch.rand(4).tolist())
        again.extend([value] if value in seen else [])
        seen.add(value)

    def work(seed):
        found[seed] = search(seed, f"beside{seed}")

    with beside(draw) as drawing, beside(lambda: network(torch.zeros(1, 8))) as answering:
        threads = [threading.Thread(target=work, args=(seed,)) for seed in SEEDS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == alone
    assert (drawing, answering, again) == ([], [], [])
    assert len(seen) > 10


def test_a_search_moves_no_global_generator_and_patches_no_class(search, tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("a global generator was moved")

    torch.manual_seed(3)
    before = torch.get_rng_state()
    with monkeypatch.context() as patched:
        for name in ("set_rng_state", "manual_seed", "seed"):
            patched.setattr(torch, name, refuse)
        search(1, "run")
    assert torch.equal(torch.get_rng_state(), before)
    # Its operation looks at the classes of torch when it is counted, trained and written out.
    assert (tmp_path / "run" / "best" / "model.py").is_file()
