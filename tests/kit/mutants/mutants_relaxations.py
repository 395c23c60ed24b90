"""Relaxations that are broken on purpose, each beside its healthy form: a plugin for tests of the kit."""

from __future__ import annotations

from functools import partial

import torch
from attrs import frozen

from nascore.api import Component, NoSettings, Sampled, hookimpl, setting
from nascore.nn import segment_softmax

DISTRIBUTION = ("normalized", "deterministic", "unbiased")
SAMPLER = ("normalized",)


@frozen(kw_only=True)
class Temperature:
    tau: float = setting(1.0, "Temperature.", gt=0)


@frozen(kw_only=True)
class LyingTemperature:
    tau: float = setting(1.0, "Temperature; 0 cannot be.", ge=0)


class Plain:
    """Healthy: the softmax over what competes."""

    segment = "edge"

    def __init__(self, settings):
        self.tau = getattr(settings, "tau", 1.0)

    def initial(self, group, generator):
        del generator
        return torch.zeros(len(group.rows), len(group.ops))

    def mixture(self, theta, segments, group, *, generator):
        del generator
        return Sampled(weights=self.expected(theta, segments, group))

    def expected(self, theta, segments, group):
        del group
        return segment_softmax(theta / self.tau, segments)


class Noisy(Plain):
    """Healthy where it declares no determinism: the softmax of theta with noise (Gumbel-softmax)."""

    def noise(self, theta, generator):
        return -torch.empty(theta.shape).exponential_(generator=generator).log()

    def mixture(self, theta, segments, group, *, generator):
        return Sampled(weights=self.expected(theta + self.noise(theta, generator), segments, group))


class Hard(Noisy):
    """Healthy where it declares no determinism: one entry is drawn, with the gradient of the softmax."""

    def drawn(self, theta, segments, generator):
        noisy = (theta + self.noise(theta, generator)).where(segments >= 0, -torch.inf)
        return (noisy == noisy.amax(dim=1, keepdim=True)).to(theta)

    def mixture(self, theta, segments, group, *, generator):
        soft = self.expected(theta, segments, group)
        return Sampled(weights=self.drawn(theta, segments, generator) + (soft - soft.detach()))


class Climbs(Hard):
    """The gradient of what it draws has the wrong sign: a search goes uphill."""

    def mixture(self, theta, segments, group, *, generator):
        soft = self.expected(theta, segments, group)
        return Sampled(weights=self.drawn(theta, segments, generator) - (soft - soft.detach()))


class DrawnAlone(Hard):
    """Whatever was not drawn gets no gradient, and never learns."""

    def mixture(self, theta, segments, group, *, generator):
        del group
        drawn = self.drawn(theta, segments, generator)
        return Sampled(weights=drawn.detach() * (1 + theta - theta.detach()))


class OwnNumbers(Noisy):
    """Draws by numbers of its own, whatever generator it is handed."""

    def noise(self, theta, generator):
        del generator
        return super().noise(theta, torch.Generator().manual_seed(0))


class FromTheSeed(Noisy):
    """Heeds the seed of the generator, and draws nothing from it: every draw of a run is the same."""

    def noise(self, theta, generator):
        return super().noise(theta, torch.Generator().manual_seed(generator.initial_seed()))


class Gates(Plain):
    """Healthy where it declares no distribution: a gate for each operation."""

    def expected(self, theta, segments, group):
        del group
        return theta.sigmoid().where(segments >= 0, 0.0)


class Leaks(Plain):
    """Forgets that only what is alive competes."""

    def expected(self, theta, segments, group):
        del segments, group
        return theta.softmax(dim=1)


class DrawsGlobally(Noisy):
    def noise(self, theta, generator):
        return super().noise(theta, generator) + super().noise(theta, None)


class Cools(Noisy):
    """Remembers how often it was asked."""

    def mixture(self, theta, segments, group, *, generator):
        self.tau *= 0.9
        return super().mixture(theta, segments, group, generator=generator)


class Detached(Plain):
    def expected(self, theta, segments, group):
        return super().expected(theta.detach(), segments, group)


class Doubles(Plain):
    def initial(self, group, generator):
        return super().initial(group, generator).double()


class OwnStart(Plain):
    """Starts theta by numbers of its own, others each time."""

    def initial(self, group, generator):
        own = torch.Generator()
        own.seed()
        start = super().initial(group, generator)
        return start + 1e-3 * torch.rand(start.shape, generator=own)


class FourColumns(Plain):
    """Knows four candidates at most."""

    def expected(self, theta, segments, group):
        return super().expected(theta * torch.ones(4)[: theta.shape[1]], segments, group)


class TwoRows(Plain):
    """Reads the second row of its group, and there may be none."""

    def expected(self, theta, segments, group):
        assert group.rows[1]
        return super().expected(theta, segments, group)


class FirstGroup(Plain):
    """Takes the operations of the first group that it is asked for as those of all."""

    ops = None

    def expected(self, theta, segments, group):
        self.ops = self.ops or group.ops
        return super().expected(theta / len(self.ops), segments, group)


class Picks(Plain):
    def picks(self, theta, segments, group):
        del segments, group
        return [(row, int(column)) for row, column in enumerate(theta.argmax(dim=1))]


class Narrow(Plain):
    """Runs the best of each row, and gives nothing to the others: it never learns what they are worth."""

    def mixture(self, theta, segments, group, *, generator):
        del generator
        share = self.expected(theta, segments, group)
        best = share == share.amax(dim=1, keepdim=True)
        return Sampled(weights=best * (1 + share - share.detach()) * (segments >= 0), runs=best)


class Overflows(Plain):
    def expected(self, theta, segments, group):
        del group
        powers = theta.exp().where(segments >= 0, 0.0)
        return powers / powers.sum(dim=1, keepdim=True)


def component(name, build, *, config=NoSettings, provides=DISTRIBUTION):
    return Component(
        name=name, slot="relaxation", summary="For tests.", build=build, config=config, provides=provides
    )


HEALTHY = {
    "plain": component("plain", Plain, config=Temperature, provides=DISTRIBUTION),
    "noisy": component("noisy", Noisy, provides=SAMPLER),
    "hard": component("hard", Hard, provides=("normalized", "unbiased")),
    "gates": component("gates", Gates, provides=("deterministic",)),
}

MUTANTS = {
    "climbs": (
        partial(component, build=Climbs, provides=("normalized", "unbiased")),
        "finds_what_is_useful",
    ),
    "narrow": (
        partial(component, build=Narrow, provides=("normalized", "deterministic", "sparse")),
        "finds_what_is_useful",
    ),
    "leaks": (Leaks, "gives_no_weight_to_what_is_out"),
    "not-normalized": (
        partial(component, build=Gates, provides=("normalized", "deterministic")),
        "sums_to_one_if_it_says_so",
    ),
    "not-deterministic": (
        partial(component, build=Noisy, provides=("normalized", "deterministic")),
        "draws_nothing_if_it_says_so",
    ),
    "biased": (
        partial(component, build=Noisy, provides=("normalized", "unbiased")),
        "is_unbiased_if_it_says_so",
    ),
    "undeclared-sum": (
        partial(component, build=Plain, provides=("deterministic",)),
        "sums_to_one_if_it_says_so",
    ),
    "undeclared-certainty": (
        partial(component, build=Plain, provides=SAMPLER),
        "draws_nothing_if_it_says_so",
    ),
    "ignores-its-generator": (
        partial(component, build=OwnNumbers, provides=SAMPLER),
        "draws_nothing_if_it_says_so",
    ),
    "draws-once": (
        partial(component, build=FromTheSeed, provides=SAMPLER),
        "draws_nothing_if_it_says_so",
    ),
    "drawn-alone": (
        partial(component, build=DrawnAlone, provides=SAMPLER),
        "what_was_not_drawn_gets_a_gradient",
    ),
    "draws-globally": (
        partial(component, build=DrawsGlobally, provides=SAMPLER),
        "leaves_the_global_random_numbers_alone",
    ),
    "cools": (partial(component, build=Cools, provides=SAMPLER), "keeps_no_state"),
    "detached": (Detached, "a_gradient_reaches_theta"),
    "doubles": (Doubles, "starts_theta"),
    "own-start": (OwnStart, "repeats_itself"),
    "four-columns": (FourColumns, "fits_groups_of_every_size"),
    "two-rows": (TwoRows, "fits_groups_of_every_size"),
    "first-group": (
        partial(component, build=FirstGroup, provides=("normalized", "deterministic")),
        "keeps_no_state",
    ),
    "picks": (Picks, "declares_its_optional_methods"),
    "undeclared-narrow": (
        partial(component, build=Narrow, provides=("normalized", "deterministic")),
        "runs_what_has_weight",
    ),
    "overflows": (Overflows, "stays_finite"),
    "lying-bounds": (partial(component, build=Plain, config=LyingTemperature), "its_bounds_hold"),
}


@hookimpl
def nascore_relaxations():
    yield from HEALTHY.values()
    for name, (made, _check) in MUTANTS.items():
        yield made(name) if isinstance(made, partial) else component(name, made)
