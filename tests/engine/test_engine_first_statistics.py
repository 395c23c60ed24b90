"""Running statistics of short trainings, in new norms and inherited ones: no initial values are left."""

import pytest
import torch
from engine_toys import Toy, toy_phase
from torch import nn

from nascore.contract import Demand, WeightSettings
from nascore.engine.weight_step import Supervised
from nascore.nn import inherit
from nascore.nn.operations.normalization import FirstStatistics


def batches(count):
    generator = torch.Generator().manual_seed(3)
    return [1 + 0.1 * torch.randn(4, 2, 3, 3, generator=generator) for _ in range(count)]


def run_batches(norm, images):
    statistics = FirstStatistics.of(norm)
    for number, batch in enumerate(images):
        with statistics.batch(number):
            norm(batch)


def trainer_of():
    return Supervised(WeightSettings(lr=0.1), Demand(epochs=3, batch=5))


def closed_phase():
    phase = toy_phase()
    phase.search = None
    assert isinstance(phase.network, Toy)
    return phase


@pytest.mark.parametrize("count", [1, 2, 14])
@pytest.mark.parametrize("momentum", [0.1, 0.5, 1.0])
def test_they_are_those_of_torch_without_the_share_of_the_initial_values(momentum, count):
    norm, plain = nn.BatchNorm2d(2, momentum=momentum), nn.BatchNorm2d(2, momentum=momentum)
    run_batches(norm, batches(count))
    for batch in batches(count):
        plain(batch)
    share = (1 - momentum) ** count
    assert torch.allclose(norm.running_mean, plain.running_mean / (1 - share), atol=1e-6)
    # Below 1 %, the share is no longer divided anew, and none of it is left.
    assert torch.allclose(norm.running_var, (plain.running_var - share) / (1 - share), rtol=2e-2)
    assert norm.momentum == momentum


def test_the_correction_ends_where_the_share_is_below_one_percent():
    norm = nn.BatchNorm2d(2)
    statistics = FirstStatistics.of(norm)
    assert 0.9**statistics.batches < 0.01 < 0.9 ** (statistics.batches - 1)
    for count, corrected in ((statistics.batches - 1, True), (statistics.batches, False)):
        norm.num_batches_tracked.fill_(count)
        with statistics.batch(0):
            assert (norm.momentum > 0.1) is corrected
    norm.reset_running_stats()
    with statistics.batch(statistics.batches):
        assert norm.momentum == 0.1


def test_each_norm_follows_its_own_counter():
    new, young, old = (nn.BatchNorm2d(2) for _ in range(3))
    young.num_batches_tracked.fill_(1)
    old.num_batches_tracked.fill_(1000)
    statistics = FirstStatistics.of(
        nn.Sequential(new, young, old, nn.BatchNorm2d(2, track_running_stats=False))
    )
    with statistics.batch(0):
        assert [norm.momentum for norm in (new, young, old)] == [1, pytest.approx(0.1 / 0.19), 0.1]


def test_trained_statistics_without_a_counter_are_not_taken_for_initial_ones():
    norm = nn.BatchNorm2d(2)
    norm.running_mean.fill_(0.5)
    with FirstStatistics.of(norm).batch(0):
        assert norm.momentum == 0.1
    assert norm.num_batches_tracked == FirstStatistics.of(norm).batches
    norm.reset_running_stats()
    FirstStatistics.of(norm)
    assert norm.num_batches_tracked == 0


def test_a_counter_is_inherited_only_with_its_statistics():
    parent = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(2))
    run_batches(parent, batches(3))
    child = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(4))
    inherited, left = inherit(child, parent)
    assert "0.num_batches_tracked" in inherited
    assert "1.num_batches_tracked" in left
    assert [int(norm.num_batches_tracked) for norm in child] == [3, 0]
    run_batches(child[1], [torch.cat([batch, batch], 1) for batch in batches(1)])
    assert torch.allclose(child[1].running_mean, batches(1)[0].mean((0, 2, 3)).repeat(2))


def test_every_training_corrects_the_new_norms_and_continues_the_inherited_ones():
    parent, trainer = closed_phase(), trainer_of()
    trainer.start(parent)
    trainer.step()
    first, other = parent.network.norms[0], closed_phase()
    x = other.network.convs[0](other.network.stem(other.batches["train"].next()[0]))
    assert torch.allclose(first.running_mean, x.mean((0, 2, 3)), atol=1e-6)
    assert torch.allclose(first.running_var, x.var((0, 2, 3)))
    child, trainer = closed_phase(), trainer_of()
    state = {name: value for name, value in parent.network.state_dict().items() if "norms.1." not in name}
    inherit(child.network, state)
    trainer.start(child)
    with trainer.statistics.batch(0):
        assert [norm.momentum for norm in child.network.norms[:2]] == [pytest.approx(0.1 / 0.19), 1]


def test_a_resumed_training_continues_the_counters_of_its_checkpoint():
    whole, trainer = closed_phase(), trainer_of()
    trainer.start(whole)
    for _ in range(2):
        trainer.step()
    network, state = whole.network.state_dict(), trainer.state_dict()
    resumed, again = closed_phase(), trainer_of()
    again.start(resumed)
    resumed.network.load_state_dict(network)
    again.load_state_dict(state)
    with again.statistics.batch(again.done):
        assert resumed.network.norms[0].momentum == pytest.approx(0.1 / (1 - 0.9**3))
