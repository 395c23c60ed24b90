"""The planted search of the kit: the form of its space, and samplers that find what is useful."""

from __future__ import annotations

import mutants_relaxations
import pytest
import torch

import nascore.builtin
from nascore.api import Component, NoSettings, Sampled, hookimpl
from nascore.nn import segment_argmax, segment_softmax
from nascore.plugin import Registry
from nascore.testing.planted import PlantedResult, form_for, planted

HOT, COLD = 10.0, 0.1


class HardGumbel:
    """One operation by Gumbel-softmax, as in GDAS (arXiv 1910.04465), with a temperature that falls."""

    segment = None

    def __init__(self, settings, tau=HOT):
        self.settings, self.tau = settings, tau

    def annealed(self, progress):
        return HardGumbel(self.settings, HOT + (COLD - HOT) * progress)

    def initial(self, group, generator):
        return 1e-3 * torch.randn(len(group.rows), len(group.ops), generator=generator)

    def mixture(self, theta, segments, group, *, generator):
        noise = torch.empty(theta.shape, device=generator.device).exponential_(generator=generator)
        logits = (
            self.expected(theta, segments, group).clamp(min=1e-30).log() - noise.to(theta).log()
        ) / self.tau
        soft = segment_softmax(logits, segments)
        return Sampled(weights=segment_argmax(logits.detach(), segments) + (soft - soft.detach()))

    def expected(self, theta, segments, group):
        del group
        return segment_softmax(theta, segments)


class Samplers:
    """A plugin that brings it."""

    @hookimpl
    def nascore_relaxations(self):
        yield Component(
            name="hard-gumbel",
            slot="relaxation",
            summary="Draws one operation by Gumbel-softmax.",
            config=NoSettings,
            build=HardGumbel,
            provides=("normalized", "unbiased", "anneals"),
        )


@pytest.fixture(scope="module")
def registry():
    return Registry.of(builtin=nascore.builtin, samplers=Samplers(), mutants=mutants_relaxations)


@pytest.mark.parametrize(
    ("relaxation", "form"),
    [
        ("softmax", "chain"),
        ("linear", "chain"),
        ("one-hot", "residual"),
        ("hard-gumbel", "residual"),
        ("noisy", "residual"),
        ("narrow", "residual"),
    ],
)
def test_a_relaxation_that_draws_or_leaves_candidates_out_gets_a_way_around_each_place(
    relaxation, form, registry
):
    names = {"relaxation": relaxation, "updater": "sgd"}
    assert form_for(registry, names) == form


@pytest.mark.parametrize("relaxation", ["one-hot", "hard-gumbel"])
@pytest.mark.parametrize("seed", range(4))
def test_a_sampler_of_one_path_finds_what_is_useful(relaxation, seed, registry):
    found = planted(registry, {"relaxation": relaxation, "updater": "sgd"}, seed)
    assert found.form == "residual"
    assert found.lost() == []
    assert len(found.kept) == 3


def test_a_place_that_keeps_nothing_is_lost():
    assert PlantedResult(seed=0, form="chain", shares={"layer0": 1.0}, kept={}).lost() == ["layer0"]
