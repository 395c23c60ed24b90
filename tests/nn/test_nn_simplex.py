"""Arithmetic over segments, and the home of theta."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nascore.description import ChoiceGroup, Op
from nascore.errors import DescriptionError
from nascore.nn import ArchitectureState, eg_step, log_normalise, segment_softmax

OPS = tuple(map(Op, ("none", "skip_connect", "conv_3x3")))


def case(seed, rows=4, columns=3):
    generator = torch.Generator().manual_seed(seed)
    theta = 3 * torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    return theta, torch.randint(-1, 3, (rows, columns), generator=generator)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_softmax_over_segments(seed):
    theta, segments = case(seed)
    weights = segment_softmax(theta, segments)
    assert not weights[segments < 0].any()
    for number in segments[segments >= 0].unique():
        inside = segments == number
        assert torch.allclose(weights[inside], torch.softmax(theta[inside], 0), atol=1e-14)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_its_derivative(seed):
    theta, segments = case(seed)
    assert torch.autograd.gradcheck(lambda t: segment_softmax(t, segments), theta.requires_grad_())


def test_of_whole_rows_it_has_the_bits_of_torch():
    theta = torch.randn(14, 8, generator=torch.Generator().manual_seed(0))
    segments = torch.arange(14)[:, None].expand(14, 8)
    assert torch.equal(segment_softmax(theta, segments), torch.softmax(theta, 1))


def test_dead_entries_have_no_weight_and_get_no_gradient():
    theta = torch.zeros(2, 3, requires_grad=True)
    segments = torch.tensor([[0, -1, 0], [-1, -1, -1]])
    weights = segment_softmax(theta, segments)
    assert weights.tolist() == [[0.5, 0, 0.5], [0, 0, 0]]
    (found,) = torch.autograd.grad((weights * torch.rand(2, 3)).sum(), theta)
    assert not found[segments < 0].any()
    assert not segment_softmax(theta, torch.full((2, 3), -1)).any()


def test_log_normalise():
    theta, segments = case(1)
    found = log_normalise(theta, segments)
    live = segments >= 0
    assert torch.allclose(found[live].exp(), segment_softmax(theta, segments)[live])
    assert torch.equal(found[~live], theta[~live])
    assert torch.allclose(
        log_normalise(1000 * theta, segments).exp().where(live, 0).sum(), torch.tensor(3.0).double()
    )


def test_exponentiated_gradient_on_a_constant_loss_is_a_softmax():
    segments = torch.zeros(1, 4, dtype=torch.int64)
    slope = torch.tensor([[0.0, 0.3, 1.0, -0.2]], dtype=torch.float64)
    theta = torch.full((1, 4), math.log(0.25), dtype=torch.float64)
    for _ in range(20):
        theta = eg_step(theta, slope, segments, 0.1)
    assert torch.allclose(theta.exp(), torch.softmax(-2 * slope, 1), atol=1e-14)


def test_exponentiated_gradient_keeps_a_floor_and_the_dead():
    segments = torch.tensor([[0, 0, -1]])
    theta = torch.tensor([[math.log(0.5), math.log(0.5), -7.0]])
    moved = eg_step(theta, torch.tensor([[50.0, 0.0, 9.0]]), segments, 1.0)
    assert moved[0, 0].exp().item() == pytest.approx(1e-5, rel=1e-3)
    assert moved[0, :2].exp().sum().item() == pytest.approx(1)
    assert moved[0, 2] == -7


def test_exponentiated_gradient_is_blind_to_a_constant():
    theta, segments = case(3)
    slope = torch.randn(theta.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    one, other = (eg_step(theta, slope + shift, segments, 0.1) for shift in (0, 5))
    assert torch.allclose(one, other)


def group(rows=("a", "b"), ops=OPS, segment="edge"):
    mask = ((True, True, True), (False, True, True))
    plain = ChoiceGroup(
        rows=tuple(("cell", row, "x") for row in rows),
        ops=ops,
        mask=mask,
        segments=((0, 0, 0), (-1, 1, 1)),
        replicas=2,
    )
    return plain.segmented(segment)


def state(theta=None, **of):
    return ArchitectureState(
        groups={"g": group(**of)}, theta={"g": torch.zeros(2, 3) if theta is None else theta}
    )


def test_segments_join_mask_and_what_is_alive():
    choices = state()
    assert choices.segments("g").tolist() == [[0, 0, 0], [-1, 1, 1]]
    choices.alive["g"][0, 1] = False
    assert choices.segments("g").tolist() == [[0, -1, 0], [-1, 1, 1]]
    assert state(segment="node").segments("g").tolist() == [[0, 0, 0], [-1, 1, 1]]


def test_theta_is_a_leaf_of_its_own():
    start = torch.zeros(2, 3)
    choices = state(start)
    assert choices.theta["g"].is_leaf
    assert choices.theta["g"].requires_grad
    start.fill_(5)
    assert not choices.theta["g"].any()


def test_a_state_comes_back_by_name_whatever_the_order(tmp_path):
    choices = state(torch.arange(6.0).view(2, 3))
    choices.alive["g"][1, 2] = False
    torch.save(choices.state_dict(), tmp_path / "state.pt")
    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    other = ArchitectureState(
        groups={
            "g": ChoiceGroup(
                rows=(("cell", "b", "x"), ("cell", "a", "x")),
                ops=OPS[::-1],
                mask=((True, True, False), (True, True, True)),
                segments=((0, 0, -1), (1, 1, 1)),
                replicas=2,
            )
        },
        theta={"g": torch.zeros(2, 3)},
    )
    theta = other.theta["g"]
    other.load_state_dict(saved)
    assert other.theta["g"] is theta
    assert theta.tolist() == [[5, 4, 3], [2, 1, 0]]
    assert other.alive["g"].tolist() == [[False, True, False], [True, True, True]]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"rows": ("a", "c")}, "other rows"),
        ({"ops": tuple(map(Op, ("none", "skip_connect", "conv_5x5")))}, "other columns"),
    ],
)
def test_a_state_of_other_choices_is_refused(wrong, text):
    with pytest.raises(DescriptionError, match=text):
        state(**wrong).load_state_dict(state().state_dict())


def test_a_state_of_other_groups_is_refused():
    saved = state().state_dict()
    with pytest.raises(DescriptionError) as caught:
        state().load_state_dict({"h": saved["g"]})
    assert [problem.path for problem in caught.value.problems] == ["g", "h"]


@pytest.mark.parametrize(
    "theta", [{}, {"g": torch.zeros(3, 2)}, {"g": torch.zeros(2, 3), "h": torch.zeros(1, 1)}]
)
def test_theta_has_to_fit_its_groups(theta):
    with pytest.raises(DescriptionError):
        ArchitectureState(groups={"g": group()}, theta=theta)
