"""The two forms of the authors' code: where p comes from, and what the mean counts."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve

from nascore.api import Op
from nascore.engine.mixture import fixed_draw
from nascore.engine.phase_factory import ArchitectureSearch
from nascore.engine.streams import Streams
from nascore.testing.choices import group, state_of
from nascore_data import EgsSettings
from nascore_data.relaxation import Egs

GROUP = group(1, 4)
"""One edge with `none` and three operations."""

ROW = torch.zeros(1, 4, dtype=torch.int64)
WITH_NONE = {"softmax": 1 / 2, "relu": 1 / 3}
"""What a and b weigh where {none, a, b} is drawn: `weight_output[1:]` or `weight_output` in the sum."""


def relaxation(form, **settings):
    return Egs(EgsSettings(form=form, **settings))


def drawn(form, wanted, group=GROUP, **settings):
    """Return the weights of the first draw that is this code, with its graph to theta."""
    theta = torch.tensor([[1.0, 1.0, 1.0, 0.2]], requires_grad=True)
    for seed in range(500):
        generator = torch.Generator().manual_seed(seed)
        weights = relaxation(form, **settings).mixture(theta, ROW, group, generator=generator).weights
        if set((weights[0] != 0).nonzero().ravel().tolist()) == wanted:
            return theta, weights
    raise AssertionError(f"never drew {wanted}")


@pytest.mark.parametrize("form", WITH_NONE)
def test_the_mean_counts_none_or_not(form):
    _, weights = drawn(form, {0, 1, 2}, draws=4)
    assert weights[0].tolist() == pytest.approx([*[WITH_NONE[form]] * 3, 0])
    _, weights = drawn(form, {1, 2}, draws=4)
    assert weights[0].tolist() == pytest.approx([0, 1 / 2, 1 / 2, 0])


@pytest.mark.parametrize("form", WITH_NONE)
def test_a_sum_is_never_divided(form):
    _, weights = drawn(form, {0, 1, 2}, draws=4, normalize="sum")
    assert weights[0].tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize("form", WITH_NONE)
def test_none_alone_is_divided_by_nothing(form):
    theta, weights = drawn(form, {0}, draws=2)
    assert weights[0].tolist() == [1, 0, 0, 0]
    (slope,) = torch.autograd.grad((weights * torch.arange(4.0)).sum(), theta)
    assert torch.isfinite(slope).all()
    assert slope.abs().max() < 10


def test_what_the_engine_draws_leaves_none_out():
    """The engine tells the relaxation of its group: of many draws one is {none, a, b}."""
    state = state_of({"g": GROUP}, theta={"g": torch.zeros(1, 4)})
    part = Egs(EgsSettings(draws=4))
    search = ArchitectureSearch(state=state, relaxation=part, updater=None)
    seen = {tuple(fixed_draw(search, Streams(str(seed))).weights["g"][0].tolist()) for seed in range(60)}
    assert (0.5, 0.5, 0.5, 0.0) in seen


def test_relu_is_the_other_file_s():
    """Shares of ReLU, floors and all: written out from the formula, not from the class."""
    theta = torch.tensor([[-1.0, 0.5, 2.0, 1.0]])
    share = torch.tensor([0.0, 0.5, 2.0, 1.0]) / (3.5 + 1e-7)
    wanted = torch.softmax((share + 1e-10).log(), dim=0)
    assert torch.allclose(relaxation("relu").expected(theta, ROW, GROUP)[0], wanted)
    assert relaxation("relu").expected(-theta.abs(), ROW, GROUP)[0].tolist() == pytest.approx([0.25] * 4)
    generator = torch.Generator().manual_seed(0)
    start = relaxation("relu", noise=1e-3).initial(GROUP, generator)
    assert float((start - 1).abs().max()) < 0.01
    start = relaxation("softmax", noise=1e-3).initial(GROUP, generator)
    assert float(start.abs().max()) < 0.01


def test_relu_draws_what_its_shares_say():
    theta, count = torch.tensor([[-1.0, 0.5, 2.0, 1.5]]), 20_000
    segments = torch.arange(count)[:, None].expand(count, 4)
    generator = torch.Generator().manual_seed(1)
    weights = (
        relaxation("relu", draws=1)
        .mixture(theta.expand(count, 4), segments, GROUP, generator=generator)
        .weights
    )
    found = weights.mean(dim=0)
    assert torch.allclose(found, torch.tensor([0, 0.125, 0.5, 0.375]), atol=0.015)


@pytest.mark.parametrize("form", WITH_NONE)
def test_several_entries_as_one_have_the_sum_of_their_shares(form):
    part, theta = relaxation(form), torch.tensor([[0.5, 0.3, 1.0, 0.2]])
    shares = part.expected(theta, ROW, GROUP)[0]
    merged = torch.cat([part.pooled(theta[0, :2]).reshape(1), theta[0, 2:]])[None]
    mine = part.expected(merged, ROW[:, :3], GROUP)[0]
    assert float(mine[0]) == pytest.approx(float(shares[:2].sum()))
    assert mine[1:].tolist() == pytest.approx(shares[2:].tolist())


def test_a_group_without_none_is_divided_by_all():
    plain = evolve(GROUP, ops=tuple(map(Op, "abcd")))
    _, weights = drawn("softmax", {0, 1, 2}, plain, draws=4)
    assert weights[0].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
