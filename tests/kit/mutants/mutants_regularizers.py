"""Regularizers that are broken on purpose, beside their healthy form: a plugin for tests of the kit."""

from __future__ import annotations

from functools import partial
from itertools import cycle

import torch
from attrs import frozen

from nascore.api import Component, Need, hookimpl, setting

DEFAULT = 0.1
ON_THETA = Need(terms=("not updater.mixture-gradient",), why="it penalises theta")


@frozen(kw_only=True)
class Weight:
    weight: float = setting(DEFAULT, "Weight of the penalty; 0: none.", ge=0)
    size: float = setting(1.0, "Theta as large as this is penalised by 1.", gt=0)


@frozen(kw_only=True)
class LyingWeight:
    weight: float = setting(DEFAULT, "Weight of the penalty; 0: none.", ge=0)
    size: float = setting(1.0, "Theta as large as this is penalised by 1; 0 cannot be.", ge=0)


class Pull:
    """Healthy: the squares of theta, summed over what is alive."""

    def __init__(self, settings):
        self.weight, self.size = settings.weight, settings.size

    def start(self, state, horizon, costs):
        del state, horizon, costs

    def penalty(self, state, drawn, expected, progress):
        del drawn, expected, progress
        return self.weight * torch.stack([self.of(state, name) for name in state.theta]).sum()

    def of(self, state, name):
        return (state.theta[name] / self.size)[state.segments(name) >= 0].square().sum()


class Detached(Pull):
    def of(self, state, name):
        return super().of(state, name).detach()


class NeverOff(Pull):
    """Takes the weight 0 for none given."""

    def __init__(self, settings):
        super().__init__(settings)
        self.weight = settings.weight or DEFAULT


class LyingBounds(Pull):
    def of(self, state, name):
        return super().of(state, name) * (1 / self.size)


class PullsDead(Pull):
    def of(self, state, name):
        return (state.theta[name] / self.size).square().sum()


class Counts(Pull):
    """Grows with every call."""

    def penalty(self, state, drawn, expected, progress):
        self.weight *= 1.1
        return super().penalty(state, drawn, expected, progress)


class Grows(Pull):
    """Healthy where it declares `anneals`: nothing at the start of the search, all of it at the end."""

    def penalty(self, state, drawn, expected, progress):
        return progress * super().penalty(state, drawn, expected, progress)


class CountsItself(Pull):
    """Grows by its own count of the steps, whatever the progress is, and says so in its state."""

    def __init__(self, settings):
        super().__init__(settings)
        self.steps = 0

    def penalty(self, state, drawn, expected, progress):
        self.steps += 1
        return self.steps * super().penalty(state, drawn, expected, progress)

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


class Vanishes(Pull):
    """Divides by what is left of the search."""

    def penalty(self, state, drawn, expected, progress):
        return super().penalty(state, drawn, expected, progress) / torch.tensor(1 - progress)


class Averages(Pull):
    """Healthy: pulls more the larger theta was on average, and says so in its state."""

    def __init__(self, settings):
        super().__init__(settings)
        self.mean = {}

    def of(self, state, name):
        theta = state.theta[name].detach() * state.alive[name]
        self.mean[name] = 0.9 * self.mean.get(name, theta) + 0.1 * theta
        return super().of(state, name) * (1 + self.mean[name].square().mean())

    def state_dict(self):
        return {"mean": dict(self.mean)}

    def load_state_dict(self, state):
        self.mean = dict(state["mean"])


class Idle(Pull):
    """Has the methods of a state, and remembers nothing."""

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        del state


class ForgetsAverage(Averages):
    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


class Squashes(Pull):
    """Scales the mixture where it lies."""

    def penalty(self, state, drawn, expected, progress):
        for weights in drawn.values():
            weights.detach().mul_(0.5)
        return super().penalty(state, drawn, expected, progress)


class Misspelt(Pull):
    def load_state(self, state):
        del state


class Squared(Pull):
    def __init__(self, settings):
        super().__init__(settings)
        self.weight = settings.weight**2


class Vector(Pull):
    def penalty(self, state, drawn, expected, progress):
        return super().penalty(state, drawn, expected, progress).reshape(1)


class Overflows(Pull):
    def of(self, state, name):
        return state.theta[name][state.segments(name) >= 0].square().sum().exp() - 1


class DrawsGlobally(Pull):
    def of(self, state, name):
        return super().of(state, name) + 0 * torch.rand(())


MORE = cycle(1e-6 * times for times in range(1, 8))
"""Too little for a test of a gradient, and each another 32-bit float when it is added to 1."""


class Restless(Pull):
    """Pulls a little otherwise each time when it is made."""

    def __init__(self, settings):
        super().__init__(settings)
        self.more = next(MORE)

    def of(self, state, name):
        value = super().of(state, name)
        return value + self.more * (value - value.detach())


def component(name, build, *, config=Weight, needs=(ON_THETA,), provides=()):
    return Component(
        name=name,
        slot="regularizer",
        summary="For tests.",
        build=build,
        config=config,
        needs=needs,
        provides=provides,
    )


STATEFUL = ("stateful",)
ANNEALS = ("anneals",)

HEALTHY = {
    "pull": component("pull", Pull),
    "averages": component("averages", Averages, provides=STATEFUL),
    "grows": component("grows", Grows, provides=ANNEALS),
}

MUTANTS = {
    "detached": (Detached, "has_a_gradient"),
    "never-off": (NeverOff, "is_nothing_without_weight"),
    "lying-bounds": (partial(component, build=LyingBounds, config=LyingWeight), "its_bounds_hold"),
    "pulls-dead": (PullsDead, "ignores_what_is_out"),
    "counts": (Counts, "resumes_in_mid_run"),
    "forgets-average": (partial(component, build=ForgetsAverage, provides=STATEFUL), "resumes_in_mid_run"),
    "undeclared-growth": (Grows, "anneals_if_it_says_so"),
    "counts-itself": (
        partial(component, build=CountsItself, provides=(*STATEFUL, *ANNEALS)),
        "anneals_if_it_says_so",
    ),
    "vanishes": (partial(component, build=Vanishes, provides=ANNEALS), "anneals_if_it_says_so"),
    "undeclared-state": (Idle, "declares_its_optional_methods"),
    "stateless": (partial(component, build=Pull, provides=STATEFUL), "declares_its_optional_methods"),
    "squashes": (Squashes, "changes_nothing"),
    "misspelt": (Misspelt, "optional_methods_are_spelt_right"),
    "squared": (Squared, "grows_with_its_weight"),
    "vector": (Vector, "gives_a_scalar"),
    "overflows": (Overflows, "stays_finite"),
    "restless": (Restless, "repeats_itself"),
    "draws-globally": (DrawsGlobally, "leaves_the_global_random_numbers_alone"),
    # It fits any updater by what it declares, and one that follows the mixture never sees it.
    "undeclared-theta": (partial(component, build=Pull, needs=()), "has_a_gradient"),
}


@hookimpl
def nascore_regularizers():
    yield from HEALTHY.values()
    for name, (made, _check) in MUTANTS.items():
        yield made(name) if isinstance(made, partial) else component(name, made)
