"""The one-hot relaxation: what it draws, how often, and who learns from it."""

from __future__ import annotations

import pytest
import torch
from engine_toys import GROUP, Follower, started, toy_phase
from test_builtin_choosing import generator, tiny_state

from nascore.builtin.components import OneHotSettings
from nascore.builtin.relaxations import OneHot
from nascore.nn import segment_softmax
from nascore.testing.choices import group

THETA = torch.tensor([[0.5, -1.0, 0.0, 1.5], [0.2, 0.1, 0.0, -0.3]])
FOUR = group(2, 4)
DRAWS = 4000


def one_hot():
    return OneHot(OneHotSettings())


def counts(relaxation, segments, seed=0):
    """How often each entry is drawn, out of DRAWS; every draw is a copy of the segments."""
    size = int(segments.max()) + 1
    steps = size * torch.arange(DRAWS).view(-1, 1, 1)
    copies = torch.where(segments >= 0, segments + steps, -1).flatten(0, 1)
    theta = THETA.repeat(DRAWS, 1)
    drawn = relaxation.mixture(theta, copies, FOUR, generator=generator(seed)).weights
    return drawn.view(DRAWS, *segments.shape).sum(0)


def follows_the_softmax(relaxation, segments):
    found, wanted = counts(relaxation, segments), DRAWS * segment_softmax(THETA, segments)
    live = segments >= 0
    assert not found[~live].any()
    square = ((found - wanted)[live] ** 2 / wanted[live]).sum()
    # Chi-square with at most 6 degrees of freedom: 22.5 is passed once in a thousand.
    assert square < 22.5


EDGES = torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1]])
NODE = torch.zeros(2, 4, dtype=torch.int64)
GAPS = torch.tensor([[0, -1, 0, 0], [-1, 2, 2, -1]])
SEGMENTS = pytest.mark.parametrize("segments", [EDGES, NODE, GAPS], ids=["edges", "node", "gaps"])


@SEGMENTS
def test_it_draws_as_often_as_the_softmax_says(segments):
    follows_the_softmax(one_hot(), segments)


class Likeliest(OneHot):
    """Draws nothing."""

    def mixture(self, theta, segments, group, *, generator):
        return super().mixture(1e4 * theta, segments, group, generator=generator)


class Hot(OneHot):
    """Draws at another temperature."""

    def mixture(self, theta, segments, group, *, generator):
        return super().mixture(theta / 2, segments, group, generator=generator)


class Everywhere(OneHot):
    """Knows nothing of what is alive."""

    def mixture(self, theta, segments, group, *, generator):
        rows = segments.amax(1, keepdim=True)
        return super().mixture(theta, rows.expand_as(segments), group, generator=generator)


class Apart(OneHot):
    """Draws one of each row, whatever competes."""

    def mixture(self, theta, segments, group, *, generator):
        rows = torch.arange(len(segments)).view(-1, 1)
        return super().mixture(theta, rows.where(segments >= 0, -1), group, generator=generator)


@pytest.mark.parametrize(
    ("broken", "segments"), [(Likeliest, EDGES), (Hot, EDGES), (Everywhere, GAPS), (Apart, NODE)]
)
def test_the_frequencies_tell_another_law(broken, segments):
    with pytest.raises(AssertionError):
        follows_the_softmax(broken(OneHotSettings()), segments)


@SEGMENTS
def test_one_entry_of_each_segment_is_exactly_one_and_the_others_zero(segments):
    for seed in range(20):
        weights = one_hot().mixture(THETA, segments, FOUR, generator=generator(seed)).weights
        assert set(weights.unique().tolist()) == {0, 1}
        assert not weights[segments < 0].any()
        for number in segments[segments >= 0].unique():
            assert weights[segments == number].sum() == 1


def test_equal_scores_still_give_one(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "exponential_", lambda tensor, **_given: tensor.fill_(1))
    weights = one_hot().mixture(torch.zeros(2, 4), NODE, FOUR, generator=generator()).weights
    assert weights.sum() == 1


def test_nothing_is_drawn_where_nothing_is_alive():
    drawn = one_hot().mixture(THETA, torch.full((2, 4), -1), FOUR, generator=generator())
    assert not drawn.weights.any()


def test_the_gradient_is_that_of_the_softmax_and_reaches_what_was_not_drawn():
    state = tiny_state()
    state.alive["cell"][1, 2] = False
    theta, segments = state.theta["cell"], state.segments("cell")
    upstream = torch.randn(3, 4, generator=generator(3))
    drawn = one_hot().mixture(theta, segments, state.groups["cell"], generator=generator())
    assert drawn.runs is None
    (found,) = torch.autograd.grad((drawn.weights * upstream).sum(), theta)
    (wanted,) = torch.autograd.grad((segment_softmax(theta, segments) * upstream).sum(), theta)
    assert torch.equal(found, wanted)
    undrawn = (drawn.weights == 0) & state.alive["cell"]
    assert found[undrawn].all()
    assert found[1, 2] == 0


def test_it_draws_from_the_generator_alone_and_as_many_numbers_whoever_is_alive():
    torch.manual_seed(4)
    before = torch.get_rng_state()
    source, other = generator(1), generator(1)
    one = one_hot().mixture(THETA, EDGES, FOUR, generator=source).weights
    two = one_hot().mixture(THETA, GAPS, FOUR, generator=other).weights
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(source.get_state(), other.get_state())
    assert one.shape == two.shape
    assert torch.equal(one_hot().mixture(THETA, EDGES, FOUR, generator=generator(1)).weights, one)
    again = [one_hot().mixture(THETA, EDGES, FOUR, generator=source).weights for _ in range(20)]
    assert not all(torch.equal(one, each) for each in again)


def test_it_starts_even_and_expects_the_softmax():
    start = one_hot().initial(GROUP, generator())
    assert start.shape == (2, 3)
    assert not start.any()
    assert torch.equal(one_hot().expected(THETA, GAPS, FOUR), segment_softmax(THETA, GAPS))


def test_a_weights_pass_runs_what_was_drawn_and_an_architecture_pass_all_that_is_alive():
    phase = toy_phase(updater=Follower())
    phase.search.relaxation = one_hot()
    trainer = started(phase)
    ran = []
    forward = phase.network.forward

    def watched(*args, **named):
        outputs = forward(*args, **named)
        ran.append(len(phase.network.ran))
        return outputs

    phase.network.forward = watched
    trainer.step()
    assert ran == [5, 2]
    assert (phase.search.updater.got[0].theta["g"] != 0).sum() == 5
