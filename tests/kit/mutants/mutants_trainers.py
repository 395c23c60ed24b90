"""Trainers that are broken on purpose, beside their healthy form: a plugin for tests of the kit."""

from __future__ import annotations

from typing import ClassVar

import torch
from attrs import evolve

from nascore.api import Component, Gradients, hookimpl
from nascore.builtin.alternating import Alternating
from nascore.builtin.components import ALTERNATING
from nascore.engine.api import pull_back


def scaled(values, factor):
    return None if values is None else {name: factor * value for name, value in values.items()}


class Small(Alternating):
    """Healthy: four images a batch, one epoch."""

    def __init__(self, settings):
        super().__init__(evolve(settings, batch=4))


class GlobalNoise(Small):
    def step(self):
        torch.rand(1)
        return super().step()


class NoWholeBatch(Small):
    def __init__(self, settings):
        super().__init__(settings)
        self.demand = evolve(self.demand, epochs=2.0)


class SecretHalves(Small):
    """Its component says nothing of halves."""


class MiscountsSteps(Small):
    def step(self):
        report = super().step()
        return evolve(report, step=report.step + 1)


class EndsEarly(Small):
    """Thinks that it is over before the engine does."""

    def step(self):
        return None if self.done == self.phase.steps - 1 else super().step()


class OwnRate(Small):
    """Has a learning rate of its own, whatever a trick says."""

    @property
    def lr(self):
        return self.rule.lr


class IdleWeights(Small):
    def descend(self, slope):
        del slope


class EagerArchitecture(Small):
    """Does not wait for the end of the warm-up."""

    def _learns(self):
        return self.search.updater.gradient is not None


class MeanForSum(Small):
    def _move(self, drawn, found):
        pulled = pull_back(self.phase, drawn, found.mixture)
        if self.search.updater.granularity == "sample":
            pulled = Gradients(mixture=scaled(pulled.mixture, 1 / self.demand.batch))
        self.search.updater.step(self.search.state, pulled)


class Uphill(Small):
    def _move(self, drawn, found):
        pulled = pull_back(self.phase, drawn, scaled(found.mixture, -1))
        self.search.updater.step(self.search.state, pulled)


class Pushy(Small):
    def _learns(self):
        return self.done >= self.phase.warm_up

    def _move(self, drawn, found):
        if self.search.updater.gradient is None:
            self.search.updater.step(self.search.state, Gradients(mixture=dict(found.mixture)))
        else:
            super()._move(drawn, found)


class LeakyStatistics(Small):
    def _move(self, drawn, found):
        super()._move(drawn, found)
        for buffer in self.phase.network.buffers():
            if buffer.is_floating_point():
                buffer.mul_(1.01)


class Forgetful(Small):
    """Loses its momentum."""

    def state_dict(self):
        state = super().state_dict()
        state["optimizer"]["state"] = {}
        return state


class Signs(Small):
    """Healthy: moves the weights by the sign of a momentum."""

    momentum: ClassVar = {}

    def descend(self, slope):
        with torch.no_grad():
            for name, weight in self.weights.items():
                self.momentum = {**self.momentum, name: 0.9 * self.momentum.get(name, 0) + slope[name]}
                weight.sub_(0.01 * self.momentum[name].sign())

    def state_dict(self):
        return {**super().state_dict(), "momentum": dict(self.momentum)}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.momentum = dict(state["momentum"])


class ForgetsSigns(Signs):
    def state_dict(self):
        return Small.state_dict(self)

    def load_state_dict(self, state):
        Small.load_state_dict(self, state)


class Bound(Small):
    """Divides by a setting that may be zero."""

    def start(self, phase):
        super().start(phase)
        self.share = 1 / self.settings.clip


MUTANTS = {
    "global-noise": (GlobalNoise, "leaves_the_global_random_numbers_alone"),
    "no-whole-batch": (NoWholeBatch, "its_demand_can_be_met"),
    "secret-halves": (SecretHalves, "provides_two_halves_where_it_demands_them"),
    "miscounts-steps": (MiscountsSteps, "tells_every_step"),
    "idle-weights": (IdleWeights, "the_weights_learn"),
    "eager-architecture": (EagerArchitecture, "hands_on_the_gradient"),
    "mean-for-sum": (MeanForSum, "the_gradients_agree"),
    "uphill": (Uphill, "the_gradient_points_uphill"),
    "pushy": (Pushy, "moves_nothing_for_an_updater_that_follows_nothing"),
    "leaky-statistics": (LeakyStatistics, "an_architecture_step_leaves_the_network_alone"),
    "forgetful": (Forgetful, "goes_on_where_it_stopped"),
    "forgets-signs": (ForgetsSigns, "goes_on_where_it_stopped"),
    "own-rate": (OwnRate, "applies_tricks_if_it_says_so"),
    "bound": (Bound, "its_bounds_hold"),
}
"""By name the class, and the one check that it fails."""

ENDING = {"ends-early": EndsEarly}
"""Fails every check that makes as many steps as the phase has."""

HEALTHY = {"small": Small, "signs": Signs}


@hookimpl
def nascore_trainers():
    classes = {**HEALTHY, **ENDING, **{name: made for name, (made, _check) in MUTANTS.items()}}
    for name, made in classes.items():
        provides = tuple(
            one
            for one in ALTERNATING.provides
            if not (one.capability == "two-halves" and made is SecretHalves)
            and not (one.capability == "tricks" and issubclass(made, Signs))
        )
        yield Component(
            name=name,
            slot="trainer",
            summary="For tests.",
            config=ALTERNATING.config,
            build=made,
            provides=provides,
        )
