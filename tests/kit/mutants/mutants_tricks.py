"""Tricks that are broken on purpose: a plugin for tests of the kit."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from attrs import evolve, frozen

from nascore.api import Component, hookimpl, setting

METHODS = (
    "starts",
    "transform",
    "examples",
    "schedule",
    "parameters",
    "gradients",
    "after-step",
    "evaluates",
    "stateful",
)


@frozen(kw_only=True)
class Settings:
    rate: float = setting(0.5, "Share of the mean in each average.", ge=0, le=1)


class Whole:
    """Healthy: noise on the images, half the rate, no decay of vectors, two batches in one, and a mean."""

    def __init__(self, settings):
        self.settings = settings

    def start(self, training):
        self.mean = {name: weight.detach().clone() for name, weight in training.weights.items()}
        self.vectors = {name for name, weight in training.weights.items() if weight.dim() == 1}
        self.waiting = None

    def transform(self, image, rng):
        del rng
        return image.flip(2) if torch.rand(()) < 0.5 else image

    def examples(self, images, targets, rng):
        return images + 0.1 * torch.randn(images.shape, generator=rng), targets

    def schedule(self, step, lr):
        del step
        return lr / 2

    def parameters(self, groups):
        found = []
        for group in groups:
            decayed = tuple(name for name in group.names if name not in self.vectors)
            vectors = tuple(name for name in group.names if name in self.vectors)
            found += [evolve(group, names=decayed), evolve(group, names=vectors, weight_decay=0.0)]
        return found

    def gradients(self, gradients, step):
        del step
        if self.waiting is None:
            self.waiting = {name: slope.clone() for name, slope in gradients.items()}
            return None
        waiting, self.waiting = self.waiting, None
        return {name: (slope + waiting[name]) / 2 for name, slope in gradients.items()}

    @torch.no_grad()
    def after_step(self, network, step):
        del step
        for name, weight in network.named_parameters():
            self.mean[name].lerp_(weight, self.settings.rate)

    def evaluated_network(self, network, run):
        del run
        network = deepcopy(network)
        network.load_state_dict(self.mean, strict=False)
        return network

    def state_dict(self):
        return {"mean": self.mean, "waiting": self.waiting}

    def load_state_dict(self, state):
        self.mean = {name: value.clone() for name, value in state["mean"].items()}
        self.waiting = state["waiting"]


class Fragile(Whole):
    def start(self, training):
        super().start(training)
        if self.settings.rate == 1:
            raise ValueError("a rate of 1")


class Global(Whole):
    def examples(self, images, targets, rng):
        np.random.rand()  # noqa: NPY002 - that is its fault
        return super().examples(images, targets, rng)


class Misspelt(Whole):
    def losses(self, loss, logits, images, targets):
        pass


class Undeclared(Whole):
    def loss(self, loss, logits, images, targets):
        del logits, images, targets
        return 0 * loss


class BytesOnly(Whole):
    def transform(self, image, rng):
        return super().transform(image, rng).to(torch.uint8)


class Hardening(Whole):
    """Makes classes of probabilities."""

    def examples(self, images, targets, rng):
        images, targets = super().examples(images, targets, rng)
        return images, targets.argmax(1) if targets.dim() > 1 else targets


class Standing(Whole):
    """Never lets a step be made."""

    def gradients(self, gradients, step):
        del gradients, step


class InPlace(Whole):
    def examples(self, images, targets, rng):
        return images.add_(torch.randn(images.shape, generator=rng)), targets


class Latest(Whole):
    """The rate depends on the latest step that was asked for."""

    latest = 0

    def schedule(self, step, lr):
        self.latest = max(self.latest, step)
        return lr / (2 + self.latest - step)


class Alone(Whole):
    """Ignores the rate of the trick before."""

    def schedule(self, step, lr):
        del lr
        return 0.1 / (1 + step)


class Resetting(Whole):
    """Ignores the multiplier of the trick before."""

    def parameters(self, groups):
        return [evolve(group, lr_scale=1.0) for group in super().parameters(groups)]


class Losing(Whole):
    """Loses a weight if the decay is large."""

    def parameters(self, groups):
        first = 1 if groups[0].weight_decay > 0.01 else 0
        return [evolve(group, names=group.names[first:]) for group in super().parameters(groups)]


class Same(Whole):
    """Has the trained network itself evaluated."""

    def evaluated_network(self, network, run):
        del run
        return network


class Overwriting(Whole):
    """Puts the mean into the trained network."""

    def evaluated_network(self, network, run):
        network.load_state_dict(self.mean, strict=False)
        return super().evaluated_network(network, run)


class Forgetful(Whole):
    def state_dict(self):
        return {"mean": self.mean, "waiting": None}


TRICKS = {
    "fragile": (Fragile, "its_bounds_hold"),
    "global": (Global, "leaves_the_global_random_numbers_alone"),
    "misspelt": (Misspelt, "optional_methods_are_spelt_right"),
    "undeclared": (Undeclared, "declares_its_optional_methods"),
    "bytes-only": (BytesOnly, "works_with_both_types_of_images"),
    "hardening": (Hardening, "works_with_both_types_of_images"),
    "standing": (Standing, "trains"),
    "in-place": (InPlace, "leaves_its_arguments_alone"),
    "latest": (Latest, "its_rate_depends_on_the_step_alone"),
    "alone": (Alone, "keeps_to_the_order"),
    "resetting": (Resetting, "keeps_to_the_order"),
    "losing": (Losing, "groups_hold_each_weight_once"),
    "same": (Same, "evaluating_changes_nothing"),
    "overwriting": (Overwriting, "evaluating_changes_nothing"),
    "forgetful": (Forgetful, "resumes_in_mid_run"),
}


@hookimpl
def nascore_tricks():
    made = {"healthy": Whole, **{name: one for name, (one, _) in TRICKS.items()}}
    for name, built in made.items():
        yield Component(
            name=name, slot="trick", summary="For tests.", config=Settings, build=built, provides=METHODS
        )
