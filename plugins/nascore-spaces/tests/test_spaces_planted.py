"""A search finds what is useful in every space: on each edge a convolution beside noise."""

from __future__ import annotations

import pytest
from planted_spaces import NOISE, USEFUL, found_by, planted
from spaces_samples import CATALOGUE, OWN, REGISTRY, described, kind

from nascore.api import expand, fingerprint

SEEDS = range(3)
LEARNERS = [name for name in ("sgd", "darts", "geonas", "xnas", "data") if REGISTRY.get("updater", name)]
FORMS = ("mbconv", "resnet", "darts-s1", "nb101", "macro")
LEAST = dict.fromkeys(FORMS, 0.85) | {"nb101": 0.65}
"""Chance is a half. In `nb101` many an edge that reads noise does no harm: what reads it can leave it out."""


def shares(space, updater, seeds):
    """The share of edges, over all seeds, on which the useful candidate stands out."""
    found = [found_by(space, updater, seed) for seed in seeds]
    return sum(right for right, _ in found) / sum(every for _, every in found)


@pytest.mark.parametrize("space", OWN)
def test_a_planted_space_has_the_same_edges(space):
    whole = described(space, kind(8))
    layouts, before = (expand(one, CATALOGUE).layouts for one in (planted(whole, 0), whole))
    assert {name: one.rows for name, one in layouts.items()} == {
        name: one.rows for name, one in before.items()
    }
    assert all(set(one.ops) == {USEFUL, NOISE} for one in layouts.values())
    assert planted(whole, 0) == planted(whole, 0)
    assert any(planted(whole, seed) != planted(whole, 0) for seed in range(1, 5))


@pytest.mark.parametrize("space", ["darts-s2", "darts-s3", "darts-s4"])
def test_of_one_form_one_is_searched(space):
    """The restricted spaces differ in their candidates only, which the planted ones replace."""
    one, other = (planted(described(name, kind(8)), 0) for name in ("darts-s1", space))
    assert fingerprint(one) == fingerprint(other)
    assert expand(one, CATALOGUE).layouts == expand(other, CATALOGUE).layouts


@pytest.mark.parametrize("space", FORMS)
def test_a_search_finds_what_is_useful(space):
    assert shares(space, "sgd", [0]) >= LEAST[space]
    # The control moves nothing: equal weights are no choice.
    assert shares(space, "uniform", [0]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("updater", LEARNERS)
@pytest.mark.parametrize("space", FORMS)
def test_every_updater_finds_what_is_useful(space, updater):
    assert shares(space, updater, SEEDS) >= LEAST[space]
