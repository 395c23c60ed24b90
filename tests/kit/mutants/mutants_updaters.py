"""Updaters that are broken on purpose, each beside its healthy form: a plugin for tests of the kit."""

from __future__ import annotations

import sys
from functools import partial

import torch
from attrs import frozen

from nascore.api import Component, hookimpl, setting

UPDATES = 8
LEARNS = ("learns",)
MIXTURE = ("learns", "mixture-gradient")


@frozen(kw_only=True)
class Rate:
    lr: float = setting(3.0, "Learning rate of the first step.", gt=0)


@frozen(kw_only=True)
class LyingRate:
    lr: float = setting(3.0, "Learning rate of the first step; 0 cannot be.", ge=0)


class Descent:
    """Healthy: gradient descent on theta with a rate that falls with the number of steps."""

    gradient = "theta"
    granularity = "batch"

    def __init__(self, settings):
        self.lr, self.taken = settings.lr, 0

    def start(self, state, horizon, generator):
        del state, horizon, generator

    def slope(self, gradients, name):
        return gradients.theta[name]

    @torch.no_grad()
    def step(self, state, gradients):
        self.taken += 1
        for name, theta in state.theta.items():
            moved = theta - self.rate() * self.slope(gradients, name)
            theta.copy_(torch.where(state.alive[name], moved, theta))

    def rate(self):
        return self.lr / self.taken**0.5

    def strength(self, state, expected):
        return {name: weights.abs() * state.alive[name] for name, weights in expected.items()}

    def state_dict(self):
        return {"taken": self.taken}

    def load_state_dict(self, state):
        self.taken = state["taken"]


class TouchesWeights(Descent):
    """Looks up the network where the trainer has it, and lets its weights decay."""

    def step(self, state, gradients):
        super().step(state, gradients)
        frame = sys._getframe(1)
        while frame is not None:
            phase = getattr(frame.f_locals.get("self"), "phase", None)
            if phase is not None:
                with torch.no_grad():
                    for weight in phase.network.parameters():
                        weight.mul_(1 - 1e-6)
                return
            frame = frame.f_back


class ForgetsSteps(Descent):
    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


class DrawsGlobally(Descent):
    @torch.no_grad()
    def step(self, state, gradients):
        super().step(state, gradients)
        for name, theta in state.theta.items():
            theta.add_(1e-6 * torch.rand(theta.shape) * state.alive[name])


class MovesMasked(Descent):
    @torch.no_grad()
    def step(self, state, gradients):
        self.taken += 1
        for name, theta in state.theta.items():
            theta.sub_(self.rate() * gradients.theta[name])


class OneSize(Descent):
    """Takes every group to have as many rows as the first."""

    @torch.no_grad()
    def step(self, state, gradients):
        self.taken += 1
        rows = len(next(iter(state.theta.values())))
        for name, theta in state.theta.items():
            theta[:rows] -= self.rate() * (gradients.theta[name] * state.alive[name])[:rows]


class BlindStrength(Descent):
    def strength(self, state, expected):
        places = {name: torch.arange(weights.shape[1], 0, -1.0) for name, weights in expected.items()}
        return {name: place * state.alive[name] for name, place in places.items()}


class LyingBounds(Descent):
    def rate(self):
        return 1 / ((1 / self.lr) * self.taken**0.5)


class ReplacesData(Descent):
    @torch.no_grad()
    def step(self, state, gradients):
        self.taken += 1
        for name, theta in state.theta.items():
            theta.data = theta - self.rate() * gradients.theta[name] * state.alive[name]


class ReturnsTheta(Descent):
    def step(self, state, gradients):
        super().step(state, gradients)
        return dict(state.theta)


class Rebinds(Descent):
    @torch.no_grad()
    def step(self, state, gradients):
        self.taken += 1
        for name, theta in state.theta.items():
            step = self.rate() * gradients.theta[name] * state.alive[name]
            state.theta[name] = (theta - step).detach().requires_grad_()


class Revives(Descent):
    """Gives all another chance at the end."""

    def step(self, state, gradients):
        super().step(state, gradients)
        for alive in state.alive.values():
            alive.logical_or_(torch.tensor(self.taken == UPDATES))


class Negative(Descent):
    def strength(self, state, expected):
        return {name: (weights - 0.3) * state.alive[name] for name, weights in expected.items()}


class Signed(Descent):
    def strength(self, state, expected):
        return {name: weights * state.alive[name] for name, weights in expected.items()}


class Overflows(Descent):
    def slope(self, gradients, name):
        slope = gradients.theta[name]
        return slope * (slope.abs() / 1e3).exp()


class NeedsHorizon(Descent):
    def start(self, state, horizon, generator):
        super().start(state, horizon, generator)
        self.half = horizon.updates // 2


class Favours(Descent):
    """Moves later columns a little faster."""

    def slope(self, gradients, name):
        slope = gradients.theta[name]
        return slope * (1 + 0.05 * torch.arange(slope.shape[1]))


class Slow(Descent):
    def rate(self):
        return 1e-3 * super().rate()


class Exponentiated(Descent):
    """Healthy: exponentiated gradient on the mixture's slope, theta its logarithm."""

    gradient = "mixture"

    def slope(self, gradients, name):
        slope = gradients.mixture[name]
        return slope if gradients.penalty is None else slope + gradients.penalty[name]


class IgnoresPenalty(Exponentiated):
    def slope(self, gradients, name):
        return gradients.mixture[name]


class BySample(Descent):
    """Healthy where it says that it needs sample gradients."""

    gradient = "mixture"
    granularity = "sample"

    def slope(self, gradients, name):
        samples = gradients.mixture[name].shape[1]
        total = gradients.mixture[name].sum((0, 1))
        return (total if gradients.penalty is None else total + gradients.penalty[name]) / samples


def component(name, build, *, config=Rate, provides=LEARNS):
    return Component(
        name=name, slot="updater", summary="For tests.", build=build, config=config, provides=provides
    )


HEALTHY = {
    "descent": component("descent", Descent),
    "exponentiated": component("exponentiated", Exponentiated, provides=MIXTURE),
}

NAMED = {
    "touches-weights": (TouchesWeights, "touches_nothing_else"),
    "forgets-steps": (ForgetsSteps, "resumes_in_mid_run"),
    "draws-globally": (DrawsGlobally, "leaves_the_global_random_numbers_alone"),
    "moves-masked": (MovesMasked, "leaves_masked_and_dead_entries_alone"),
    "one-size": (OneSize, "fits_groups_of_every_size"),
    "blind-strength": (BlindStrength, "its_strength_follows_theta"),
    "lying-bounds": (partial(component, build=LyingBounds, config=LyingRate), "its_bounds_hold"),
}
"""Those that the issue names: the class, or how the component is made, and the check that is to fail."""

UNDECLARED_SAMPLES = partial(component, build=BySample, provides=MIXTURE)
NOT_SPARSE = partial(component, build=Descent, provides=(*LEARNS, "sparse"))
OTHERS = {
    "rebinds": (Rebinds, "moves_theta_in_place"),
    "replaces-data": (ReplacesData, "moves_theta_in_place"),
    "returns-theta": (ReturnsTheta, "moves_theta_in_place"),
    "revives": (Revives, "never_revives"),
    "negative": (Negative, "its_strength_can_rank"),
    "signed": (Signed, "its_strength_can_rank"),
    "overflows": (Overflows, "stays_finite"),
    "needs-horizon": (NeedsHorizon, "needs_a_horizon_if_it_says_so"),
    "favours": (Favours, "the_order_of_candidates_means_nothing"),
    "slow": (Slow, "finds_what_is_useful"),
    "ignores-penalty": (partial(component, build=IgnoresPenalty, provides=MIXTURE), "heeds_penalties"),
    "undeclared-learning": (partial(component, build=Descent, provides=()), "follows_what_it_declares"),
    "undeclared-mixture": (partial(component, build=Exponentiated), "follows_what_it_declares"),
    "undeclared-samples": (UNDECLARED_SAMPLES, "needs_sample_gradients_if_it_says_so"),
    "not-sparse": (NOT_SPARSE, "is_sparse_if_it_says_so"),
}


@hookimpl
def nascore_updaters():
    yield from HEALTHY.values()
    for name, (made, _check) in {**NAMED, **OTHERS}.items():
        yield made(name) if isinstance(made, partial) else component(name, made)
