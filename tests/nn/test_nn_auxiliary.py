"""The auxiliary heads of DARTS, against the counts of its code and against torch's own pooling."""

from __future__ import annotations

import torch
from torch import nn

from nascore.nn import Auxiliary


def count(module):
    return sum(weight.numel() for weight in module.parameters())


def test_the_auxiliary_head_of_darts():
    assert count(Auxiliary(576, 10, 1)) == 476_426


def test_the_auxiliary_head_pools_as_darts_does_where_darts_can():
    head = Auxiliary(2, 3, 1).eval()
    x = torch.randn(2, 2, 8, 8)
    pooled = nn.AvgPool2d(5, stride=3, padding=0, count_include_pad=False)(x.relu())
    assert torch.equal(head(x), head.linear(head.features(pooled)))
    small = torch.randn(2, 2, 2, 2)
    assert torch.equal(head(small), head.linear(head.features(small.relu())))


def test_the_auxiliary_head_for_imagenet_has_no_second_norm_and_pools_with_stride_two():
    head = Auxiliary(768, 1000, 1, imagenet=True).eval()
    assert count(head) == 768 * 128 + 2 * 128 + 4 * 128 * 768 + 768 * 1000 + 1000
    assert count(head) == count(Auxiliary(768, 1000, 1)) - 1_536
    x = torch.randn(2, 768, 7, 7)
    pooled = nn.AvgPool2d(5, stride=2, padding=0, count_include_pad=False)(x.relu())
    assert pooled.shape[2:] == (2, 2)
    assert torch.equal(head(x), head.linear(head.features(pooled)))
    assert [type(part).__name__ for part in head.features] == [
        "Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "ReLU", "Flatten",
    ]  # fmt: skip
    assert head(torch.randn(2, 768, 3, 5)).shape == (2, 1000)
