"""The plugin's operations: shapes at every stride and size, weights by their parts, and what they refuse."""

from __future__ import annotations

import pytest
import torch
from spaces_samples import CATALOGUE

from nascore.api import DescriptionError
from nascore.component import load
from nascore_spaces import nascore_operations

ENTRIES = {one.name: one for one in nascore_operations()}
C, D = 8, 12  # channels before and after


def made(name, c_in, c_out, stride, **settings):
    return load(ENTRIES[name].build)(c_in, c_out, stride, **settings)


def test_the_catalogue_has_them():
    assert all(CATALOGUE[name] == entry for name, entry in ENTRIES.items())


@pytest.mark.parametrize("size", [1, 7, 8])
@pytest.mark.parametrize(
    ("name", "stride"), [(name, stride) for name, entry in ENTRIES.items() for stride in entry.strides]
)
def test_sizes_are_rounded_up_and_the_input_is_left_alone(name, stride, size):
    c_out = C if ENTRIES[name].same_channels else D
    images = torch.rand(2, C, size, size, requires_grad=True)
    before = images.detach().clone()
    given = made(name, C, c_out, stride)(images)
    pixels = () if name == "wide_classifier" else (-(-size // stride),) * 2
    assert given.shape == (2, c_out, *pixels)
    assert torch.equal(images, before)
    given.sum().backward()
    assert images.grad is not None


@pytest.mark.parametrize(
    ("name", "settings", "weights"),
    [
        ("conv_norm_relu", {}, 9 * C * D + 2 * D),
        ("conv_norm_relu", {"kernel": 1}, C * D + 2 * D),
        ("conv_norm_relu", {"kernel": 5, "affine": False}, 25 * C * D),
        ("two_conv_3x3", {}, 9 * C * D + 9 * D * D + 4 * D),
        ("two_conv_3x3", {"affine": False}, 9 * C * D + 9 * D * D),
        ("bottleneck", {}, C * 3 + 9 * 3 * 3 + 3 * D + 2 * (3 + 3 + D)),
        ("bottleneck", {"narrow": 2}, C * 6 + 9 * 6 * 6 + 6 * D + 2 * (6 + 6 + D)),
        ("bottleneck", {"narrow": 100, "affine": False}, C + 9 + D),
        ("dense_layer", {}, 2 * C + C * 4 * D + 8 * D + 9 * 4 * D * D),
        ("dense_transition", {}, 2 * C + C * D),
        ("wide_classifier", {}, C * 4 * C + 8 * C + 4 * C * D + D),
        ("frame_conv", {}, 9 * C * D + 2 * D),
        ("frame_conv", {"norm": False, "activation": "none", "kernel": 1}, C * D),
    ],
)
def test_weights(name, settings, weights):
    assert sum(each.numel() for each in made(name, C, D, 1, **settings).parameters()) == weights


@pytest.mark.parametrize(("activation", "largest"), [("relu", 9.0), ("relu6", 6.0), ("none", 9.0)])
def test_what_an_activation_lets_through(activation, largest):
    conv = made("frame_conv", 1, 1, 1, kernel=1, norm=False, activation=activation)
    torch.nn.init.ones_(conv.conv.weight)
    given = conv(torch.tensor([[[[-3.0, 9.0]]]])).flatten().tolist()
    assert given == [-3.0 if activation == "none" else 0.0, largest]


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("conv_norm_relu", {"kernel": 2}, "a convolution needs an odd kernel, not 2"),
        ("conv_norm_relu", {"kernel": -1}, "a convolution needs an odd kernel, not -1"),
        ("frame_conv", {"kernel": 4}, "a convolution needs an odd kernel, not 4"),
        ("frame_conv", {"activation": "gelu"}, "no activation 'gelu'. Known: relu, relu6, none."),
        ("wide_classifier", {"times": 0}, "wide_classifier needs times to be at least 1, not 0"),
        ("bottleneck", {"narrow": 0}, "bottleneck needs narrow to be at least 1, not 0"),
    ],
)
def test_what_they_refuse(name, settings, said):
    with pytest.raises(DescriptionError, match=said):
        made(name, C, D, 1, **settings)
