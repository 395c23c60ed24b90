"""From logits to a genotype: the oracle of the authors' code, and mutations of our rule."""

from __future__ import annotations

from importlib import import_module

import pytest
import torch
from attrs import evolve

from nascore.api import (
    choose,
    derive,
    expand,
    final,
    fingerprint,
    reducing,
    resize,
    spread,
    with_auxiliary,
)
from nascore.builtin.components import SoftmaxSettings
from nascore.builtin.relaxations import Softmax
from nascore.contract import DataFacts
from nascore.nn import ArchitectureState
from nascore_darts import UpdaterSettings
from nascore_darts.genotype import from_genotype, to_genotype
from nascore_darts.space import Space, SpaceSettings
from nascore_darts.updater import Updater

PICKS = import_module("nascore.description.derive")
EDGES, OPERATIONS = 14, 8
FACTS = DataFacts(
    channels=3, height=32, width=32, classes=10, train=50_000, test=10_000, mean=(0.5,) * 3, std=(0.25,) * 3
)
ORACLE = (
    "Genotype(normal=[('sep_conv_5x5', 0), ('sep_conv_5x5', 1), ('skip_connect', 0), ('dil_conv_3x3', 1), "
    "('max_pool_3x3', 1), ('sep_conv_3x3', 3), ('avg_pool_3x3', 2), ('avg_pool_3x3', 3)], "
    "normal_concat=[2, 3, 4, 5], "
    "reduce=[('avg_pool_3x3', 1), ('sep_conv_5x5', 0), ('avg_pool_3x3', 0), ('dil_conv_5x5', 1), "
    "('max_pool_3x3', 2), ('sep_conv_3x3', 0), ('skip_connect', 2), ('sep_conv_5x5', 4)], "
    "reduce_concat=[2, 3, 4, 5])"
)


def space(**settings):
    return Space(SpaceSettings(**settings)).describe(FACTS)


def oracle_logits(dtype=torch.float32):
    """Return ((37*(8i+j)) mod 101)/50 for the normal cell, its rows flipped for the reduction cell."""
    normal = (37 * torch.arange(EDGES * OPERATIONS) % 101).view(EDGES, OPERATIONS).to(dtype) / 50
    return {"normal": normal, "reduce": normal.flip(0)}


def strength_of(description, theta):
    state = ArchitectureState(groups=expand(description).layouts, theta=theta)
    relaxation, updater = Softmax(SoftmaxSettings()), Updater(UpdaterSettings())
    expected = {
        name: relaxation.expected(theta[name], state.segments(name), group)
        for name, group in state.groups.items()
    }
    return updater.strength(state, expected)


def genotype_of(description, strength):
    picks = choose(description, {name: tensor.tolist() for name, tensor in strength.items()})
    return to_genotype(final(derive(description, picks)))


def edge(theta, row, values):
    theta["normal"][row] = torch.tensor(values)


def raw_against_softmax():
    """Return logits whose two rankings differ.

    The edge from state 2 to node 1 has the largest logit, 3, but three more nearly as large; the edges from
    the inputs have one logit of 2 among zeros, so more of the softmax.
    """
    theta = {name: torch.zeros(EDGES, OPERATIONS) for name in ("normal", "reduce")}
    edge(theta, 2, [0, 0, 0, 0, 2, 0, 0, 0])
    edge(theta, 3, [0, 0, 0, 0, 2, 0, 0, 0])
    edge(theta, 4, [0, 0, 0, 0, 3, 2.9, 2.9, 2.9])
    return theta


def oracle():
    description = space()
    assert genotype_of(description, strength_of(description, oracle_logits())) == ORACLE


def oracle_of_two_rankings():
    description = space()
    found = genotype_of(description, strength_of(description, raw_against_softmax()))
    assert "('sep_conv_3x3', 0), ('sep_conv_3x3', 1)" in found
    assert found.count("('sep_conv_3x3', 2)") == 0


def oracle_of_none():
    """An edge is as strong as its best operation beside none, and none is never kept."""
    theta = {name: torch.zeros(EDGES, OPERATIONS) for name in ("normal", "reduce")}
    edge(theta, 2, [2.5, 0, 0, 0, 2, 0, 0, 0])
    edge(theta, 3, [0, 0, 0, 0, 2, 0, 0, 0])
    edge(theta, 4, [5, 0, 0, 0, 0, 0, 0, 0])
    description = space()
    strength = strength_of(description, theta)
    assert strength["normal"].argmax() == 4 * OPERATIONS  # none, on the edge from state 2
    picks = choose(description, {name: tensor.tolist() for name, tensor in strength.items()})
    assert picks["normal"][2:4] == [(3, 4), (2, 4)]
    assert all(column != 0 for group in picks.values() for _, column in group)


def test_the_genotype_of_the_authors_code():
    oracle()


def test_the_edge_with_the_largest_logit_may_lose():
    oracle_of_two_rankings()


def test_none_is_not_kept_where_it_is_strongest():
    oracle_of_none()


def test_the_rank_holds_a_tie_of_float32():
    strength = strength_of(space(), oracle_logits())["normal"]
    tied = strength[9:, 1:].amax(dim=1)
    assert tied[2] == tied[3]
    assert tied[2].item() == pytest.approx(0.26462528, abs=1e-7)


def test_the_oracle_sees_float64_which_swaps_the_tied_edges(monkeypatch):
    right = Softmax.expected
    monkeypatch.setattr(Softmax, "expected", lambda self, theta, *at: right(self, theta.double(), *at))
    with pytest.raises(AssertionError):
        oracle()


@pytest.mark.parametrize("seen_by", [oracle, oracle_of_two_rankings])
def test_the_oracles_see_a_ranking_by_logits(monkeypatch, seen_by):
    def raw(updater, state, expected):
        del updater, expected
        return {name: theta - theta.min() for name, theta in state.theta.items()}

    monkeypatch.setattr(Updater, "strength", raw)
    with pytest.raises(AssertionError):
        seen_by()


@pytest.mark.parametrize("seen_by", [oracle, oracle_of_none])
def test_the_oracles_see_none_being_counted(monkeypatch, seen_by):
    right = PICKS._nodes
    monkeypatch.setattr(
        PICKS, "_nodes", lambda layout, scores, group: right(layout, scores, evolve(group, never=()))
    )
    with pytest.raises(AssertionError):
        seen_by()


def test_ranking_by_logits_is_nearly_always_wrong():
    description = space(channels=4, cells=3)
    generator = torch.Generator().manual_seed(0)
    differ = 0
    for _ in range(20):
        theta = {name: torch.randn(EDGES, OPERATIONS, generator=generator) for name in ("normal", "reduce")}
        shifted = {name: logits + 10 for name, logits in theta.items()}
        differ += genotype_of(description, shifted) != genotype_of(
            description, strength_of(description, theta)
        )
    assert differ >= 15  # 94.5 % of normally distributed logits


def test_derived_and_scaled_it_is_the_network_of_its_genotype():
    description = space(channels=16, cells=8)
    picks = choose(
        description,
        {name: tensor.tolist() for name, tensor in strength_of(description, oracle_logits()).items()},
    )
    found = final(derive(description, picks))
    large = resize(found, channels=36, repeats=spread(found, 20))
    large = with_auxiliary(large, reducing(large))
    assert fingerprint(large) == fingerprint(from_genotype(ORACLE, channels=36, cells=20, auxiliary=True))


@pytest.mark.parametrize("nodes", [1, 2, 4])
def test_smaller_cells_round_trip(nodes):
    description = space(channels=4, cells=3, nodes=nodes)
    rows = sum(2 + index for index in range(nodes))
    generator = torch.Generator().manual_seed(nodes)
    theta = {name: torch.randn(rows, OPERATIONS, generator=generator) for name in ("normal", "reduce")}
    text = genotype_of(description, strength_of(description, theta))
    assert to_genotype(from_genotype(text, channels=4, cells=3)) == text
    assert text.count("('") == 4 * nodes
