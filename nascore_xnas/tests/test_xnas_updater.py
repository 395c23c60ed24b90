"""The update rule: what is counted, clipped and added, who takes part, how edges rank, what is saved."""

from __future__ import annotations

import pytest
import torch
from xnas_games import EXPERTS, play, sequence, started, state, weights

from nascore.api import Gradients
from nascore_xnas.updater import Updater, step_size


def test_a_common_reward_changes_nothing_while_nothing_is_clipped():
    ours, theirs = state(edges=2), state(edges=2)
    for found, extra in ((ours, 0.0), (theirs, 0.3)):
        updater = started(found, updates=20, clip=100.0)
        for reward in sequence(3, 2, 10):
            play(updater, found, reward + extra)
    assert torch.allclose(weights(ours), weights(theirs), atol=1e-12)
    # But theta is not normalised: what all have earned stays in it, and ranks the edges.
    assert not torch.allclose(ours.theta["cell"], theirs.theta["cell"], atol=1e-3)


def check_sees_constants():
    """Oracle 9b's other half: with its clip the rule is not blind to what all experts of an edge earn."""
    ours, theirs = state(edges=2), state(edges=2)
    rewards = torch.linspace(-0.5, 0.5, EXPERTS, dtype=torch.float64).expand(2, -1)
    for found, extra in ((ours, 0.0), (theirs, 0.8)):
        updater = started(found, updates=20, eta=0.1)
        for _ in range(5):
            play(updater, found, rewards + extra)
    assert not torch.allclose(weights(ours), weights(theirs), atol=1e-3)


def test_it_is_not_blind_to_a_constant():
    check_sees_constants()


def test_a_rule_that_takes_the_mean_off_is_blind_and_that_is_seen(monkeypatch):
    healthy = Updater.step

    def centred(updater, found, gradients):
        mixture = {name: value - value.mean(-1, keepdim=True) for name, value in gradients.mixture.items()}
        healthy(updater, found, Gradients(mixture=mixture))

    monkeypatch.setattr(Updater, "step", centred)
    with pytest.raises(AssertionError):
        check_sees_constants()


def test_step_size_of_the_theorem():
    # 25,000 images, 50 epochs, 8 operations: six normal cells and two that reduce.
    assert step_size(8, 25_000 * 50 * 6, 1.0) == pytest.approx(7.45e-4, rel=1e-3)
    assert step_size(8, 25_000 * 50 * 2, 1.0) == pytest.approx(1.29e-3, rel=1e-3)
    found = state(replicas=6)
    updater = started(found, updates=50 * 390, samples=64)
    assert updater.games["cell"].rounds == 50 * 390 * 64 * 6


def test_rounds_are_counted_and_each_is_clipped():
    found = state(experts=2, replicas=3)
    updater = started(found, updates=4, samples=5, eta=0.5, exclude_none=False)
    slope = torch.zeros(3, 5, 1, 2, dtype=torch.float64)
    slope[..., 0] = -7.0
    updater.step(found, Gradients(mixture={"cell": slope}))
    assert updater.games["cell"].played == 15
    assert found.theta["cell"][0].tolist() == [0.5 * 15, 0]


@pytest.mark.parametrize(("pull", "moved"), [(0.25, 0.75), (-3.0, 1.0)])
def test_a_penalty_is_taken_after_the_clip_and_keeps_the_bound(pull, moved):
    found = state(experts=2)
    updater = started(found, updates=4, eta=1.0)
    gradients = Gradients(
        mixture={"cell": torch.tensor([[[[-7.0, 0.0]]]], dtype=torch.float64)},
        penalty={"cell": torch.tensor([[pull, 0.0]], dtype=torch.float64)},
    )
    updater.step(found, gradients)
    assert found.theta["cell"][0].tolist() == [moved, 0.0]


def test_a_penalty_counts_the_same_for_a_batch_and_for_its_images():
    moved = []
    slope = torch.tensor([[-0.1, 0.3]], dtype=torch.float64)
    pull = torch.tensor([[0.02, -0.05]], dtype=torch.float64)
    for granularity, scale in (("batch", 1), ("sample", 5)):
        found = state(experts=2)
        updater = started(found, updates=4, samples=5, eta=1.0, granularity=granularity)
        # As the engine hands them over: of the mean loss, or of each image's; penalties in the same unit.
        mixture = slope if granularity == "batch" else slope.expand(1, 5, 1, 2)
        updater.step(found, Gradients(mixture={"cell": mixture}, penalty={"cell": scale * pull}))
        moved.append(found.theta["cell"].detach().clone())
    assert torch.allclose(*moved)


def test_the_mean_of_a_batch_can_stand_for_its_images():
    found = state(experts=2, replicas=2)
    updater = started(found, updates=4, samples=5, eta=1.0, granularity="batch")
    updater.step(found, Gradients(mixture={"cell": torch.tensor([[-0.4, 8.0]], dtype=torch.float64)}))
    assert updater.games["cell"].played == 10
    assert found.theta["cell"][0].tolist() == pytest.approx([2.0, -10.0])


def test_none_takes_no_part_unless_it_is_all_there_is():
    found = state(first="none")
    started(found, updates=4)
    assert found.alive["cell"][0].tolist() == [False, *[True] * 7]
    found = state(first="none")
    started(found, updates=4, exclude_none=False)
    assert bool(found.alive["cell"].all())
    alone = state(experts=1, first="none")
    started(alone, updates=4)
    assert alone.alive["cell"].tolist() == [[True]]


def test_edges_are_ranked_by_what_they_earned_not_by_their_weight():
    found = state(edges=2)
    updater = started(found, updates=4)
    rewards = torch.zeros(2, EXPERTS, dtype=torch.float64)
    rewards[0, 1], rewards[1, 2] = 0.2, 0.9
    for _ in range(4):
        play(updater, found, rewards)
    assert weights(found).max(1).values.tolist() == [1, 1]
    strength = updater.strength(found, {"cell": weights(found)})["cell"]
    assert strength[1, 2] > strength[0, 1] > 0
    assert int((strength > 0).sum()) == 2


def test_a_saved_state_goes_on_bit_equal():
    rewards = sequence(5, 2, 40)
    whole, half = state(edges=2), state(edges=2)
    first, second = started(whole, updates=40), started(half, updates=40)
    for reward in rewards[:25]:
        play(first, whole, reward)
    second.load_state_dict(first.state_dict())
    half.load_state_dict(whole.state_dict())
    for reward in rewards[25:]:
        play(first, whole, reward)
        play(second, half, reward)
    assert torch.equal(whole.theta["cell"], half.theta["cell"])
    assert torch.equal(whole.alive["cell"], half.alive["cell"])
    assert first.state_dict() == second.state_dict()


@pytest.mark.parametrize("asked", [{}, {"wipe_out": False}])
def test_it_has_to_know_how_long_it_plays(asked):
    with pytest.raises(ValueError, match="number of updates"):
        started(state(), updates=None, **asked)
    started(state(), updates=None, wipe_out=False, eta=0.1)
