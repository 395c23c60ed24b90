"""Running statistics of a short training: no share of their initial values is left."""

import torch
from engine_toys import Toy, toy_phase
from torch import nn

from nascore.contract import Demand, WeightSettings
from nascore.engine.weight_step import Supervised
from nascore.nn.operations.normalization import FirstStatistics


def test_they_are_the_mean_of_the_first_batches_until_the_momentum_of_torch_takes_over():
    norm = nn.BatchNorm2d(2)
    batches = [0.1 * torch.randn(4, 2, 3, 3, generator=torch.Generator().manual_seed(n)) for n in range(14)]
    statistics = FirstStatistics.of(norm)
    mean, var = torch.zeros(2), torch.ones(2)
    for number, batch in enumerate(batches):
        with statistics.batch(number):
            norm(batch)
        share = max(0.1, 1 / (number + 1))
        mean = (1 - share) * mean + share * batch.mean((0, 2, 3))
        var = (1 - share) * var + share * batch.var((0, 2, 3))
        if number == 9:
            first = torch.stack([one.var((0, 2, 3)) for one in batches[:10]]).mean(0)
            assert torch.allclose(norm.running_var, first)
        assert norm.momentum == 0.1
    assert torch.allclose(norm.running_mean, mean)
    assert torch.allclose(norm.running_var, var)


def test_inherited_statistics_keep_their_momentum():
    norm = nn.BatchNorm2d(2)
    norm.num_batches_tracked.fill_(1)
    assert FirstStatistics.of(nn.Sequential(norm, nn.BatchNorm2d(2, track_running_stats=False))).norms == ()


def test_a_training_from_scratch_uses_them():
    found = {}
    for from_scratch in (False, True):
        phase = toy_phase()
        phase.search = None
        rule, demand = WeightSettings(lr=0.1), Demand(epochs=3, batch=5)
        trainer = Supervised(rule, demand, from_scratch=from_scratch)
        trainer.start(phase)
        trainer.step()
        assert isinstance(phase.network, Toy)
        found[from_scratch] = phase.network.norms[0].running_var
    # After one batch torch's own statistics are nine tenths of the initial 1.
    assert torch.allclose(found[False], 0.9 + 0.1 * found[True])
