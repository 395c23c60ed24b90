"""The trainer of two levels, on a small network."""

from __future__ import annotations

import pytest
import torch
from engine_toys import Follower, equal, everything, started, toy_phase

from nascore.contract import Sampled
from nascore.engine.api import fixed_draw
from nascore.engine.checkpoint import capture, restore
from nascore.errors import RecipeError
from nascore.nn import segment_softmax

ESTIMATES = ("first", "unrolled", "single-level")


@pytest.mark.parametrize("estimate", ["first", "unrolled"])
def test_an_architecture_pass_leaves_the_network_bit_unchanged(estimate):
    phase = toy_phase()
    trainer = started(phase, estimate=estimate)
    trainer.step()
    before, theta = everything(phase.network), phase.search.state.theta["g"].clone()
    trainer._architecture(phase.batches["train"].next())
    assert equal(before, everything(phase.network))
    assert not torch.equal(theta, phase.search.state.theta["g"])
    assert "norms.0.running_mean" in before


def test_the_weights_pass_does_move_the_buffers():
    phase = toy_phase()
    before = everything(phase.network)
    started(phase).step()
    assert not torch.equal(before["norms.0.running_mean"], phase.network.norms[0].running_mean)


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("sequence", ["architecture-first", "weights-first"])
def test_weights_and_choices_move_and_the_global_generator_does_not(estimate, sequence):
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    phase = toy_phase()
    trainer = started(phase, estimate=estimate, sequence=sequence)
    before, theta = everything(phase.network), phase.search.state.theta["g"].clone()
    report = trainer.step()
    assert report.architecture_loss is not None
    assert (report.step, report.lr) == (0, 0.05)
    assert not torch.equal(before["convs.0.weight"], phase.network.convs[0].weight)
    assert not torch.equal(theta, phase.search.state.theta["g"])
    assert phase.search.state.theta["g"][1, 2] == theta[1, 2]
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_a_phase_that_is_saved_in_mid_epoch_goes_on_bit_equal(estimate, tmp_path):
    whole, stopped = toy_phase(), toy_phase()
    one, other = started(whole, estimate=estimate), started(stopped, estimate=estimate)
    for _ in range(8):
        one.step()
        other.step()
    torch.save(capture(stopped, other), tmp_path / "phase.pt")
    torch.rand(17)  # somebody else's random numbers
    restored = toy_phase(seed=0)
    trainer = started(restored, estimate=estimate)
    trainer.step()
    restore(restored, trainer, torch.load(tmp_path / "phase.pt", weights_only=True))
    for _ in range(8, whole.steps):
        assert one.step() == trainer.step()
    assert equal(everything(whole.network), everything(restored.network))
    assert torch.equal(whole.search.state.theta["g"], restored.search.state.theta["g"])
    assert whole.search.updater.steps == restored.search.updater.steps


def test_a_state_without_the_random_numbers_is_seen_to_go_on_otherwise():
    whole, stopped = toy_phase(), toy_phase()
    one, other = started(whole), started(stopped)
    for _ in range(8):
        one.step()
        other.step()
    state = capture(stopped, other)
    state["streams"] = toy_phase().streams.state_dict()
    restore(stopped, other, state)
    for _ in range(4):
        one.step()
        other.step()
    assert not equal(everything(whole.network), everything(stopped.network))


def test_gradients_per_sample_sum_to_the_gradient_of_the_batch():
    found = {}
    for granularity in ("batch", "sample"):
        updater = Follower("mixture", granularity)
        phase = toy_phase(updater=updater)
        started(phase).step()
        found[granularity] = updater.got[0].mixture["g"]
    assert found["sample"].shape == (1, 5, 2, 3)
    # Per sample in the unit of the summed loss, for the batch in that of the mean.
    assert torch.allclose(found["sample"].sum((0, 1)) / 5, found["batch"], atol=1e-6)


def test_theta_gets_the_pulled_back_gradient():
    phase, plain = toy_phase(updater=Follower("theta")), toy_phase(updater=Follower("mixture"))
    started(phase).step()
    started(plain).step()
    u = plain.search.relaxation.expected(
        torch.tensor([[0.1, -0.2, 0.3], [0.2, 0.1, 0.0]]),
        plain.search.state.segments("g"),
        plain.search.state.groups["g"],
    )
    slope = plain.search.updater.got[0].mixture["g"]
    expected = u * (slope - (u * slope).sum(1, keepdim=True))
    assert torch.allclose(phase.search.updater.got[0].theta["g"], expected, atol=1e-7)


def test_without_an_architecture_gradient_no_architecture_pass_is_made():
    updater = Follower(gradient=None)
    phase = toy_phase(updater=updater)
    trainer = started(phase)
    assert trainer.step().architecture_loss is None
    assert updater.steps == 0
    assert phase.batches["architecture"].state_dict()["position"] == 0


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_warm_up_steps_are_no_updates(estimate):
    updater = Follower()
    phase = toy_phase(updater=updater, warm_up=6)
    trainer = started(phase, estimate=estimate)
    theta = phase.search.state.theta["g"].clone()
    for _ in range(6):
        assert trainer.step().architecture_loss is None
    assert torch.equal(theta, phase.search.state.theta["g"])
    for _ in range(6, phase.steps):
        trainer.step()
    assert updater.steps == updater.horizon.updates == 12
    assert updater.horizon.samples == 5


class Sparse:
    """Gives an entry that is alive the weight zero, and says nothing of what is to be run."""

    def mixture(self, theta, segments, group, *, generator):
        del group, generator
        weights = segment_softmax(theta, segments)
        return Sampled(weights=weights * torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]))


def test_the_weights_pass_runs_nothing_of_weight_zero():
    phase = toy_phase()
    phase.search.relaxation = Sparse()
    trainer = started(phase)
    assert phase.search.state.alive["g"].tolist() == [[True, True, True], [True, True, False]]
    trainer.fit(phase.batches["train"].next(), fixed_draw(phase.search, phase.streams))
    assert phase.network.ran == [(0, 0), (0, 1), (1, 1)]


def test_weight_decay_reaches_weights_that_were_not_run():
    phase = toy_phase()
    phase.search.state.alive["g"][0, 1] = False
    trainer = started(phase, weight_decay=0.1, lr=0.1)
    before = phase.network.convs[0].weight.detach().clone()
    trainer.step()
    # The gradient is zero, so one step of SGD scales the weight.
    assert torch.allclose(phase.network.convs[0].weight, before * (1 - 0.1 * 0.1))


def test_only_the_weights_are_clipped():
    found = {}
    for clip in (5.0, 1e-9):
        phase = toy_phase()
        trainer = started(phase, clip=clip, weight_decay=0.0)
        before = everything(phase.network)
        trainer.step()
        moved = (phase.network.stem.weight - before["stem.weight"]).norm()
        found[clip] = (moved.item(), phase.search.updater.got[0].theta["g"])
    assert found[1e-9][0] < 1e-9 < found[5.0][0]
    assert torch.equal(found[1e-9][1], found[5.0][1])


def test_the_unrolled_estimate_needs_the_replay_of_noise():
    """With other noise in each pass the finite difference is mostly noise."""

    def size(*, replayed):
        phase = toy_phase()
        if not replayed:
            phase.streams.repeated = lambda: Fresh(phase.streams)
        trainer = started(phase, estimate="unrolled", lr=1.0)
        trainer.step()
        return phase.search.updater.got[0].theta["g"].norm().item()

    class Fresh:
        def __init__(self, streams):
            self.again = streams.network

    assert size(replayed=False) > 3 * size(replayed=True)


def test_unrolled_refuses_rewards_per_sample():
    phase = toy_phase(updater=Follower("mixture", "sample"))
    with pytest.raises(RecipeError, match="per sample"):
        started(phase, estimate="unrolled")


def test_a_closed_network_is_refused():
    phase = toy_phase()
    phase.search = None
    with pytest.raises(RecipeError, match="choices"):
        started(phase)


class Squared:
    """A penalty on the mixture, 0.5 * sum u^2, whose derivative is u."""

    def penalty(self, state, drawn, expected, progress):
        del state, expected, progress
        return 0.5 * sum((value**2).sum() for value in drawn.values())


def test_a_penalty_reaches_theta_through_the_draw():
    plain, penalised = toy_phase(), toy_phase(regularizers=(Squared(),))
    started(plain).step()
    started(penalised).step()
    u = plain.search.relaxation.expected(
        torch.tensor([[0.1, -0.2, 0.3], [0.2, 0.1, 0.0]]),
        plain.search.state.segments("g"),
        plain.search.state.groups["g"],
    )
    expected = u * (u - (u * u).sum(1, keepdim=True))
    difference = penalised.search.updater.got[0].theta["g"] - plain.search.updater.got[0].theta["g"]
    assert torch.allclose(difference, expected, atol=1e-6)
    assert plain.search.updater.got[0].penalty is None


@pytest.mark.parametrize(("granularity", "scale"), [("batch", 1), ("sample", 5)])
def test_a_penalty_reaches_mixture_updaters_apart(granularity, scale):
    phase = toy_phase(updater=Follower("mixture", granularity), regularizers=(Squared(),))
    u = phase.search.expected()["g"]
    started(phase).step()
    assert torch.allclose(phase.search.updater.got[0].penalty["g"], scale * u)
