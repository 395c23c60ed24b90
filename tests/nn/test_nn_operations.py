"""Operations: shapes, sizes, weights, and that none writes into its input."""

from __future__ import annotations

import pytest
import torch
from torch import fx, nn

from nascore.builtin.operations import OPERATIONS
from nascore.component import load
from nascore.errors import DescriptionError
from nascore.nn import (
    BasicBlock,
    FactorizedReduce,
    MobileBlock,
    Noise,
    ResidualBlock,
    Zero,
    avg_pool_3x3,
    classifier,
    dil_conv_5x5,
    max_pool_3x3,
    nor_conv_3x3,
    sep_conv_3x3,
    skip_connect,
    stem,
)

CATALOGUE = {entry.name: entry for entry in OPERATIONS}
HEADS = {"classifier", "norm_classifier", "auxiliary"}
C, D = 4, 6
C2 = C * C


def built(name, stride=1, c_out=None, **settings):
    entry = CATALOGUE[name]
    width = C if entry.same_channels else D if c_out is None else c_out
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        module = load(entry.build)(C, width, stride, **{**entry.settings, **settings})
    return module, width


def cases():
    for entry in OPERATIONS:
        for stride in entry.strides or (1, 2, 4):
            yield entry.name, stride


def count(module):
    return sum(each.numel() for each in module.parameters())


@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
@pytest.mark.parametrize(("name", "stride"), list(cases()))
def test_shape_and_that_the_input_stays(name, stride, size):
    module, width = built(name, stride)
    x = torch.randn(3, C, *size, requires_grad=True)
    before = x.detach().clone()
    y = module(x)
    assert torch.equal(x.detach(), before)
    expected = (3, width) if name in HEADS else (3, width, *(-(-side // stride) for side in size))
    assert y.shape == expected
    assert torch.isfinite(y).all()


@pytest.mark.parametrize(("name", "stride"), [case for case in cases() if case[0] != "auxiliary"])
def test_the_size_may_be_traced(name, stride):
    module, _ = built(name, stride)
    module.eval()
    traced = fx.symbolic_trace(module)
    if name == "noise":
        assert traced(torch.zeros(2, C, 7, 7)).std() > 0.5
        return
    for side in (7, 8):  # one trace serves odd and even sizes
        x = torch.randn(3, C, side, side)
        assert torch.equal(traced(x), module(x))


@pytest.mark.parametrize(
    ("name", "stride", "width", "expected"),
    [
        ("sep_conv_3x3", 1, C, 2 * (9 * C + C2 + 2 * C)),
        ("sep_conv_5x5", 2, C, 2 * (25 * C + C2 + 2 * C)),
        ("sep_conv_7x7", 1, C, 2 * (49 * C + C2 + 2 * C)),
        ("dil_conv_3x3", 1, C, 9 * C + C2 + 2 * C),
        ("dil_conv_5x5", 2, C, 25 * C + C2 + 2 * C),
        ("conv_7x1_1x7", 1, C, 14 * C2 + 2 * C),
        ("conv_3x3", 1, D, 9 * C * D + 2 * D),
        ("skip_connect", 1, C, 0),
        ("skip_connect", 2, C, C2 + 2 * C),
        ("max_pool_3x3", 1, C, 0),
        ("avg_pool_3x3", 2, C, 0),
        ("none", 1, D, 0),
        ("noise", 2, D, 0),
        ("fit", 1, D, C * D + 2 * D),
        ("fit", 2, D, C * D + 2 * D),
        ("stem", 1, D, 9 * C * D + 2 * D),
        ("basic_block", 2, D, 9 * C * D + 9 * D * D + 4 * D),
        ("classifier", 1, D, C * D + D),
        ("mbconv", 1, D, (6 * C) * C + 9 * 6 * C + 6 * C * D + 24 * C + 2 * D),
    ],
)
def test_weights(name, stride, width, expected):
    module, _ = built(name, stride, width)
    assert count(module) == expected


def test_a_convolution_has_a_bias_where_its_norm_has_none():
    assert count(nor_conv_3x3(C, D, 1, affine=False)) == 9 * C * D + D
    assert count(nor_conv_3x3(C, D, 1, affine=True)) == 9 * C * D + 2 * D


def test_without_affine_norms_have_no_weights_but_statistics():
    searching, final = sep_conv_3x3(C, C, 1, affine=False), sep_conv_3x3(C, C, 1, affine=True)
    assert count(searching) == 2 * (9 * C + C2)
    assert count(final) == count(searching) + 4 * C
    assert len(list(searching.buffers())) == len(list(final.buffers())) == 6


def test_pools_are_normalised_in_a_search_only():
    x = torch.randn(5, C, 6, 6)
    for pool in (max_pool_3x3, avg_pool_3x3):
        plain, normed = pool(C, C, 1), pool(C, C, 1, pool_norm=True)
        assert count(normed) == 0
        y = normed(x)
        assert torch.allclose(y.mean((0, 2, 3)), torch.zeros(C), atol=1e-6)
        assert torch.allclose(y, nn.functional.batch_norm(plain(x), None, None, training=True))


def test_the_mean_pool_leaves_its_padding_out():
    ones = torch.ones(1, 1, 4, 4)
    assert torch.equal(avg_pool_3x3(1, 1, 1)(ones), ones)


def test_factorized_reduce_takes_both_diagonals():
    reduce = FactorizedReduce(1, 2)
    nn.init.ones_(reduce.even.weight)
    nn.init.ones_(reduce.odd.weight)
    reduce.norm = nn.Identity()
    x = torch.arange(1.0, 10).view(1, 1, 3, 3)
    y = reduce(x)
    assert y[0, 0].tolist() == [[1, 3], [7, 9]]
    assert y[0, 1].tolist() == [[5, 0], [0, 0]]  # beyond the edge there are zeros
    even = torch.arange(1.0, 17).view(1, 1, 4, 4)
    assert torch.equal(reduce(even)[:, 1:], even[:, :, 1::2, 1::2])
    assert FactorizedReduce(3, 5)(torch.randn(2, 3, 4, 4)).shape == (2, 5, 2, 2)
    assert FactorizedReduce(3, 1)(torch.randn(2, 3, 5, 5)).shape == (2, 1, 3, 3)


def test_skip_is_the_identity_only_where_nothing_changes():
    assert type(skip_connect(C, C, 1)) is nn.Identity
    assert type(skip_connect(C, C, 2)) is FactorizedReduce


def test_zero_is_zero_even_of_what_is_not_finite():
    x = torch.full((2, C, 4, 4), torch.inf)
    assert not Zero(C, D, 2)(x).any()


def test_noise_is_fresh_in_every_channel_and_hangs_on_torch_alone():
    noise, x = Noise(C, D, 2, copy=1), torch.zeros(400, C, 4, 4)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        first, second = noise(x), noise(x)
        torch.manual_seed(5)
        assert torch.equal(noise(x), first)
    assert not torch.equal(first, second)
    flat = first.permute(1, 2, 3, 0).reshape(D * 4, -1)
    correlation = torch.corrcoef(flat) - torch.eye(D * 4)
    assert correlation.abs().max() < 0.25  # 276 pairs of 400 numbers: standard deviation 0.05
    assert abs(float(first.std()) - 1) < 0.05


def test_the_shortcut_of_option_a_adds_channels_of_zeros():
    block = BasicBlock(2, 5, 2).eval()
    nn.init.zeros_(block.branch.norm2.weight)
    x = torch.rand(1, 2, 4, 4)
    y = block(x)
    assert torch.equal(y[:, 1:3], x[:, :, ::2, ::2])
    assert not y[:, [0, 3, 4]].any()


def test_residual_shortcuts():
    assert type(ResidualBlock(C, C, 1).shortcut) is nn.Identity
    assert count(ResidualBlock(C, D, 1).shortcut) == C * D + 2 * D
    assert count(ResidualBlock(C, D, 2).shortcut) == C * D


def test_a_mobile_block_adds_its_input_where_the_shape_stays():
    for width, stride, adds in ((C, 1, True), (D, 1, False), (C, 2, False)):
        block = MobileBlock(C, width, stride)
        nn.init.zeros_(block.branch.norm3.weight)
        x = torch.randn(2, C, 4, 4)
        assert torch.equal(block(x), x) if adds else not block(x).any()


@pytest.mark.parametrize("settings", [{"kernel": 4}, {"expand": 0}])
def test_a_mobile_block_that_cannot_be(settings):
    with pytest.raises(DescriptionError, match="odd kernel"):
        MobileBlock(C, C, 1, **settings)


def test_a_dilated_kernel_spans_nine_pixels():
    module = dil_conv_5x5(1, 1, 1)
    module.norm = nn.Identity()
    x = torch.zeros(1, 1, 9, 9)
    x[0, 0, 4, 4] = 1
    rows = module(x)[0, 0].abs().sum(1) > 0
    assert rows.tolist() == [True, False] * 4 + [True]


def test_a_stem_with_relu_gives_nothing_negative():
    x = torch.randn(4, 3, 5, 5)
    assert (stem(3, 8, 1, relu=True)(x) >= 0).all()
    assert (stem(3, 8, 1)(x) < 0).any()


def test_a_classifier_of_full_size_sees_every_place():
    head = classifier(1, 3, 1, size=4)
    x = torch.zeros(16, 1, 4, 4)
    x.view(16, 16).fill_diagonal_(1)
    assert torch.allclose(head(x), head.linear.weight.T + head.linear.bias)
