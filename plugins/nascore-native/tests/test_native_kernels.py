"""The kernels against compositions of torch's functions."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import pytest
import torch
from torch.autograd import gradcheck

import nascore_native
from nascore_native import NativeKernels, library, reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

pytestmark = pytest.mark.skipif(not nascore_native.AVAILABLE, reason=nascore_native.REASON)

LAST = torch.channels_last
CHANNELS = (1, 3, 12, 16, 20, 36, 64)
EPS = 1e-5


@pytest.fixture(params=["default", "avx2", "avx512"])
def target(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each library that this processor can run."""
    fitting = library.FITTING.get(torch.backends.cpu.get_cpu_capability(), ("default",))
    path = library.compilation.library(request.param)
    if request.param not in fitting or not path.is_file():
        pytest.skip(f"no library {request.param} for this processor")
    monkeypatch.setattr(library, "FUNCTIONS", library.functions(path))
    return request.param


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def images(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=dtype, generator=generator).to(memory_format=LAST).requires_grad_()


def assert_same(actual: Callable[[], Tensor], expected: Callable[[], Tensor], *inputs: Tensor) -> None:
    """Results and gradients of both are equal up to rounding in float64."""
    result, reference_result = actual(), expected()
    torch.testing.assert_close(result, reference_result, rtol=1e-10, atol=1e-10)
    gradient = torch.randn(result.shape, dtype=result.dtype, generator=torch.Generator().manual_seed(1))
    found = torch.autograd.grad(result, inputs, gradient)
    wanted = torch.autograd.grad(reference_result, inputs, gradient)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.usefixtures("target")
@pytest.mark.parametrize("channels", CHANNELS)
def test_depthwise(channels: int) -> None:
    sizes = ((2, 8, 8), (3, 7, 5), (1, 4, 9))
    cases = itertools.product(sizes, (1, 3, 5, 7), (1, 2), (1, 2))
    for (count, height, width), kernel, stride, dilation in cases:
        reach = (kernel - 1) * dilation
        for padding in {reach // 2, 0, min(1, reach), reach}:
            if min(height, width) + 2 * padding <= reach:
                continue
            inputs = images(count, channels, height, width), images(channels, 1, kernel, kernel, seed=2)
            how = {"stride": stride, "padding": padding, "dilation": dilation}
            sides = (partial(side.depthwise, *inputs, **how) for side in (NativeKernels, reference))
            assert_same(*sides, *inputs)


@pytest.mark.usefixtures("target", "threads")
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("size", [(2, 8, 8), (3, 7, 5), (1, 33, 31), (20, 16, 16)])
def test_norm_relu(channels: int, size: tuple[int, int, int]) -> None:
    count, height, width = size
    x = images(count, channels, height, width)
    assert_same(lambda: NativeKernels.norm_relu(x, EPS), lambda: reference.norm_relu(x, EPS), x)


@pytest.mark.usefixtures("target", "threads")
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("size", [(2, 8, 8), (3, 7, 5), (1, 15, 33)])
@pytest.mark.parametrize("kind", ["shared", "per image", "expanded", "one row"])
def test_mixed_sum(channels: int, size: tuple[int, int, int], kind: str) -> None:
    count, height, width = size
    normed = (True, False, True)
    terms = [images(count, channels, height, width, seed=seed) for seed in range(len(normed))]
    rows = {"shared": (), "per image": (count,), "expanded": (1,), "one row": (1,)}[kind]
    if kind == "one row" and count != 1:
        pytest.skip("one row of weights is for one image")
    leaf = torch.rand(*rows, len(normed), dtype=torch.float64).requires_grad_()
    weights = leaf.expand(count, -1) if kind == "expanded" else leaf
    assert_same(
        lambda: NativeKernels.mixed_sum(terms, weights, normed, EPS),
        lambda: reference.mixed_sum(terms, weights, normed, EPS),
        weights,
        *terms,
    )


def test_gradcheck() -> None:
    x, weight = images(2, 3, 5, 4), images(3, 1, 3, 3)
    assert gradcheck(lambda x, w: NativeKernels.depthwise(x, w, stride=2, padding=2, dilation=2), (x, weight))
    assert gradcheck(lambda x: NativeKernels.norm_relu(x, EPS), (x,))
    terms = [images(2, 3, 2, 3, seed=seed) for seed in range(3)]
    weights = torch.rand(2, 3, dtype=torch.float64).requires_grad_()
    assert gradcheck(lambda w, *t: NativeKernels.mixed_sum(t, w, (True, False, True), EPS), (weights, *terms))
    assert gradcheck(
        lambda w, *t: NativeKernels.mixed_sum(t, w[0], (True, True, False), EPS), (weights, *terms)
    )
