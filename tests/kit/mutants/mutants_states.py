"""Updaters that are broken on purpose in how they remember, repeat themselves and tell edges apart."""

from __future__ import annotations

import torch
from mutants_updaters import Descent, component

from nascore.api import NoSettings, hookimpl


class OwnNumbers(Descent):
    """Has a rate that it draws by numbers of its own, others each time; a state of it holds them."""

    def start(self, state, horizon, generator):
        super().start(state, horizon, generator)
        own = torch.Generator()
        own.seed()
        self.lr *= 1 + 1e-5 * float(torch.rand((), generator=own))

    def state_dict(self):
        return {**super().state_dict(), "lr": self.lr}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.lr = state["lr"]


class LoadsInPlace(Descent):
    """Gives away the tensor that it ranks by, and clears it to load: its own state is then lost."""

    def __init__(self, settings):
        del settings
        self.lr, self.taken, self.scale = 3.0, 0, torch.ones(())

    def strength(self, state, expected):
        return {name: value / self.scale for name, value in super().strength(state, expected).items()}

    def state_dict(self):
        return {**super().state_dict(), "scale": self.scale}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.scale.zero_().add_(state["scale"])


class SignedMomentum(Descent):
    """Healthy: steps by the sign of its momentum, so that a constant slope hides whether it has one."""

    def __init__(self, settings):
        super().__init__(settings)
        self.momentum = {}

    def rate(self):
        return 0.02 * self.lr

    def slope(self, gradients, name):
        slope = gradients.theta[name]
        self.momentum[name] = 0.9 * self.momentum.get(name, torch.zeros(())) + 0.1 * slope
        return self.momentum[name].sign()

    def state_dict(self):
        return {"momentum": dict(self.momentum)}

    def load_state_dict(self, state):
        self.momentum = dict(state["momentum"])


class ForgetsMomentum(SignedMomentum):
    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


class OneForAll(Descent):
    """Moves all edges of a group by the mean of their slopes."""

    def slope(self, gradients, name):
        return gradients.theta[name].mean(dim=0, keepdim=True)


HEALTHY = {"signed-momentum": component("signed-momentum", SignedMomentum)}
MUTANTS = {
    "forgets-momentum": (component("forgets-momentum", ForgetsMomentum), "resumes_in_mid_run"),
    "own-numbers": (component("own-numbers", OwnNumbers), "repeats_itself"),
    "loads-in-place": (
        component("loads-in-place", LoadsInPlace, config=NoSettings),
        "its_defaults_work",
    ),
    "one-for-all": (component("one-for-all", OneForAll), "moves_downhill"),
}


@hookimpl
def nascore_updaters():
    yield from HEALTHY.values()
    yield from (made for made, _check in MUTANTS.values())
