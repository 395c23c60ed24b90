"""Measuring: what is sorted by class, and batches that are too small, do not change what is measured."""

from __future__ import annotations

import pytest
import torch
from engine_toys import accuracy
from torch import nn

from nascore.contract import DataFacts
from nascore.engine.batches import MEASURED_AT_ONCE, evaluation_batches
from nascore.engine.streams import Streams
from nascore.errors import RunFailed
from nascore.nn import Examples

FACTS = DataFacts(channels=1, height=1, width=1, classes=4, train=800, test=0, mean=(0.0,), std=(1.0,))


class ByBatch(nn.Module):
    """Tells the class by the value relative to the others of the batch, as norms without parameters do."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(1, affine=False, track_running_stats=False)

    def forward(self, images):
        value = self.norm(images).flatten(1)
        # Of four classes in equal parts, these are the normalised values.
        return -((value - torch.tensor([-1.34, -0.447, 0.447, 1.34])) ** 2)


def sorted_by_class(count):
    labels = torch.arange(count) * 4 // count
    return Examples(images=labels.float().view(-1, 1, 1, 1), labels=labels)


def test_a_network_with_batch_statistics_does_not_see_data_sorted_by_class():
    share = accuracy(ByBatch(), sorted_by_class(800), FACTS, Streams(0))
    assert share == 1.0


def test_every_image_is_measured_once_in_batches_of_even_size():
    count = MEASURED_AT_ONCE + 1
    examples = Examples(images=torch.arange(count).float().view(-1, 1, 1, 1), labels=torch.arange(count))
    pieces = list(evaluation_batches(examples, FACTS))
    assert torch.equal(torch.cat([labels for _, labels in pieces]).sort().values, examples.labels)
    assert [len(labels) for _, labels in pieces] == [129, 128]
    assert all(torch.equal(images.flatten(), labels.float()) for images, labels in pieces)


def test_measuring_repeats_bit_for_bit():
    first, second = (list(evaluation_batches(sorted_by_class(300), FACTS)) for _ in range(2))
    assert all(torch.equal(one[0], two[0]) for one, two in zip(first, second, strict=True))


class Strange(nn.Module):
    """Gives one image a logit that is no number, and another one without end."""

    def __init__(self, *values):
        super().__init__()
        self.values = values

    def forward(self, images):
        logits = images.flatten(1).repeat(1, 4)
        for place, value in enumerate(self.values):
            logits[place, 1] = value
        return logits


@pytest.mark.parametrize("values", [(float("nan"),), (float("inf"), float("nan")), (float("-inf"),)])
def test_an_output_that_is_not_finite_has_no_accuracy(values):
    said = f"the network's output is not finite for {len(values)} of 40 images"
    with pytest.raises(RunFailed, match=said):
        accuracy(Strange(*values), sorted_by_class(40), FACTS, Streams(0))
    assert accuracy(Strange(), sorted_by_class(40), FACTS, Streams(0)) == 0.25
