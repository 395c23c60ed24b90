"""The temperature really falls in the course of a search; nobody called the schedule of the authors' code."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

import nascore.builtin
import nascore_data
from nascore.contract import Phase
from nascore.engine.loop import run_phase
from nascore.plugin import Registry
from nascore.testing.harness import searching
from nascore_data.relaxation import Egs

EPOCHS, WARM_UP = 2, 1
SETS = (
    "trainer.batch=88",
    f"trainer.epochs={EPOCHS}",
    f"trainer.warm_up={WARM_UP}",
    "relaxation.draws=2",
)
FALLING = ("relaxation.tau=5", "relaxation.tau_last=1")
STEPS = 4


@pytest.fixture
def drawn(monkeypatch):
    """The temperatures that are drawn with: of architecture passes, which have a graph, and of the others."""
    found = {"architecture": [], "weights": []}
    healthy = Egs.mixture

    def mixture(self, theta, segments, group, *, generator):
        found["architecture" if torch.is_grad_enabled() else "weights"].append(self.tau)
        return healthy(self, theta, segments, group, generator=generator)

    monkeypatch.setattr(Egs, "mixture", mixture)
    return found


def search(drawn, *sets):
    registry = Registry.of(builtin=nascore.builtin, data=nascore_data)
    with searching(registry, {"space": "tiny", "updater": "data"}, sets=(*SETS, *sets)) as found:
        assert found.phase.steps_per_epoch == STEPS
        for taus in drawn.values():
            taus.clear()  # the rehearsal before a search draws too
        return run_phase(found.phase, found.trainer, found.live.observers)


def falls(drawn):
    """Say whether the temperature falls evenly from 5 at the first architecture step to 1 at the last."""
    taus = drawn["architecture"]
    even = [5 - 4 * step / (len(taus) - 1) for step in range(len(taus))]
    return taus == pytest.approx(even)


def test_the_temperature_falls_over_the_architecture_steps(drawn):
    assert search(drawn, *FALLING) == STEPS * EPOCHS
    assert len(drawn["architecture"]) == STEPS * (EPOCHS - WARM_UP)
    assert falls(drawn)
    assert (drawn["architecture"][0], drawn["architecture"][-1]) == (5, 1)
    # In the warm-up, where theta rests, it is the first; afterwards each step has one for both passes.
    resting, others = drawn["weights"][: STEPS * WARM_UP], drawn["weights"][STEPS * WARM_UP :]
    assert set(resting) == {5}
    assert others == drawn["architecture"]


def test_without_a_last_one_it_stays(drawn):
    search(drawn, "relaxation.tau=2")
    assert set(drawn["architecture"]) == {2}


def test_it_may_rise_too(drawn):
    search(drawn, "relaxation.tau=1", "relaxation.tau_last=3")
    assert all(one < other for one, other in pairwise(drawn["architecture"]))


def never(self, done):
    """As in the authors' code: nobody says how far the search is."""
    del self, done
    return 0.0


def always_over(self, done):
    del self, done
    return 1.0


def warm_up_counted(self, done):
    return done / (self.steps - 1)


def by_epoch(self, done):
    return done // self.steps_per_epoch / self.epochs


@pytest.mark.parametrize("wrong", [never, always_over, warm_up_counted, by_epoch])
def test_a_loop_that_does_not_say_how_far_it_is_is_seen(monkeypatch, drawn, wrong):
    monkeypatch.setattr(Phase, "progress", wrong)
    search(drawn, *FALLING)
    assert not falls(drawn)
