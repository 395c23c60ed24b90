"""The kernels against compositions of torch's functions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import torch
from torch.autograd import gradcheck

import nascore_native
from nascore_native import NativeKernels, compilation, convolutions, library, reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

pytestmark = pytest.mark.skipif(not nascore_native.AVAILABLE, reason=nascore_native.REASON)

LAST = torch.channels_last
EPS = 1e-5
NORMED = (True, False, True)
POINTWISE = [(1, 1, 1), (1, 3, 16), (1, 16, 16), (4, 4, 4), (5, 4, 4), (2, 3, 5), (3, 20, 7), (2, 64, 33)]
"""Groups, and inputs and outputs of each."""


@pytest.fixture(params=["default", "avx2", "avx512"])
def target(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each library that this processor can run."""
    fitting = library.FITTING.get(torch.backends.cpu.get_cpu_capability(), ("default",))
    path = compilation.library(request.param)
    if request.param not in fitting or not path.is_file():
        pytest.skip(f"no library {request.param} for this processor")
    monkeypatch.setattr(library, "FUNCTIONS", library.functions(path))
    plans = (convolutions.depthwise_plan, convolutions.pointwise_plan)
    for plan in plans:
        plan.cache_clear()
    yield request.param
    for plan in plans:
        plan.cache_clear()


def images(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=dtype, generator=generator).to(memory_format=LAST).requires_grad_()


def assert_same(
    actual: Callable[[], Tensor], expected: Callable[[], Tensor], *inputs: Tensor, close: float = 1e-10
) -> None:
    """Results and gradients of both are equal up to rounding."""
    result, wanted_result = actual(), expected()
    assert result.is_contiguous(memory_format=LAST)
    torch.testing.assert_close(result, wanted_result, rtol=close, atol=close)
    gradient = torch.randn(result.shape, dtype=result.dtype, generator=torch.Generator().manual_seed(1))
    found = torch.autograd.grad(result, inputs, gradient)
    wanted = torch.autograd.grad(wanted_result, inputs, gradient)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=close, atol=close)


def assert_same_convolution(x: Tensor, kernel: int, close: float = 1e-10, **how: int) -> None:
    inputs = x, images(x.shape[1], 1, kernel, kernel, dtype=x.dtype, seed=2)
    sides = (partial(side.depthwise, *inputs, **how) for side in (NativeKernels, reference))
    assert_same(*sides, *inputs, close=close)


@pytest.mark.parametrize("channels", [1, 3, 12, 16, 20, 36, 64])
@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.usefixtures("target")
def test_depthwise(channels: int, kernel: int) -> None:
    for stride, dilation in ((1, 1), (2, 1), (1, 2), (2, 2)):
        how = {"stride": stride, "padding": (kernel - 1) * dilation // 2, "dilation": dilation}
        for count, height, width in ((2, 8, 8), (3, 7, 5), (1, 4, 9)):
            assert_same_convolution(images(count, channels, height, width), kernel, **how)


@pytest.mark.parametrize("padding", range(5))
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("kernel", "dilation"), [(3, 1), (3, 2), (5, 1)])
@pytest.mark.parametrize("size", [(5, 6), (6, 9), (1, 1)])
def test_every_padding(padding: int, stride: int, kernel: int, dilation: int, size: tuple[int, int]) -> None:
    # Paddings beyond the reach of the kernel are left to torch.
    inputs = images(2, 3, *size), images(3, 1, kernel, kernel)
    how = {"stride": stride, "padding": padding, "dilation": dilation}
    if min(size) + 2 * padding <= (kernel - 1) * dilation:
        with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
            NativeKernels.depthwise(*inputs, **how)
        return
    sums = (side.depthwise(*inputs, **how).sin().sum() for side in (NativeKernels, reference))
    found, wanted = (torch.autograd.grad(each, inputs) for each in sums)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("channels", [1, 3, 12, 16, 20, 36, 64])
@pytest.mark.usefixtures("target")
def test_norm_relu(channels: int) -> None:
    for count, height, width in ((2, 8, 8), (3, 7, 5), (1, 33, 31)):
        x = images(count, channels, height, width)
        assert_same(*(partial(side.norm_relu, x, EPS) for side in (NativeKernels, reference)), x)


@pytest.mark.parametrize(
    ("edges", "width"), [(1, 1), (1, 3), (1, 16), (1, 36), (2, 1), (3, 4), (5, 4), (4, 16)]
)
@pytest.mark.parametrize("kind", ["shared", "per image", "expanded", "alike"])
@pytest.mark.usefixtures("target")
def test_mixed_sum(edges: int, width: int, kind: str) -> None:
    for count, height, breadth in ((2, 8, 8), (3, 7, 5), (1, 15, 33)):
        terms = [images(count, edges * width, height, breadth, seed=seed) for seed in range(3)]
        rows = {"shared": (), "per image": (count,)}.get(kind, (1,))
        leaf = torch.rand(*rows, edges, 3, dtype=torch.float64).requires_grad_()
        weights = leaf if kind in {"shared", "per image"} else leaf.expand(count, -1, -1)
        if kind == "alike":
            weights = weights.clone()  # rows that are equal but lie apart in memory
        how = {"alike": kind == "alike"}
        sides = (
            partial(side.mixed_sum, terms, weights, NORMED, EPS, **how)
            for side in (nascore_native, reference)
        )
        # The gradient of the expanded weights themselves has a row for each image.
        assert_same(*sides, weights, leaf, *terms)


@pytest.mark.parametrize(("groups", "inputs", "outputs"), POINTWISE)
@pytest.mark.usefixtures("target")
def test_pointwise(groups: int, inputs: int, outputs: int) -> None:
    weight = images(groups * outputs, inputs, 1, 1, seed=2)
    for count, height, width in ((2, 8, 8), (3, 7, 5), (1, 33, 31), (1, 1, 1)):
        x = images(count, groups * inputs, height, width)
        sides = (partial(side.pointwise, x, weight, groups=groups) for side in (nascore_native, reference))
        assert_same(*sides, x, weight)


def test_float32_and_images_of_a_search() -> None:
    for count in (4, 16):  # the latter is large enough for oneDNN
        x = images(count, 16, 32, 32, dtype=torch.float32)
        assert_same_convolution(x, 5, close=1e-3, stride=1, padding=2, dilation=1)
    x = images(4, 20, 16, 16, dtype=torch.float32)
    truth = reference.norm_relu(x.double() + 1000, EPS)
    shifted = (x + 1000).detach()
    # Far from zero the statistics still have no cancellation; what is left is the rounding of the shifted x.
    assert (NativeKernels.norm_relu(shifted, EPS) - truth).abs().max() < 5e-4


def test_gradcheck() -> None:
    x, weight = images(2, 3, 5, 4), images(3, 1, 3, 3)
    assert gradcheck(lambda x, w: NativeKernels.depthwise(x, w, stride=2, padding=2, dilation=2), (x, weight))
    assert gradcheck(lambda x: NativeKernels.norm_relu(x, EPS), (x,))
    terms = [images(2, 3, 2, 3, seed=seed) for seed in range(3)]
    assert gradcheck(lambda x, w: NativeKernels.pointwise(x, w, groups=3), (x, images(6, 1, 1, 1, seed=2)))
    weights = torch.rand(2, 3, 3, dtype=torch.float64).requires_grad_()
    assert gradcheck(lambda w, *t: NativeKernels.mixed_sum(t, w, NORMED, EPS), (weights, *terms))
    assert gradcheck(lambda w, *t: NativeKernels.mixed_sum(t, w[0], NORMED, EPS), (weights, *terms))


def everything(dtype: torch.dtype) -> list[Tensor]:
    """Results and gradients of all kernels, with enough work for two threads."""
    x, weight = images(7, 20, 23, 19, dtype=dtype), images(20, 1, 5, 5, dtype=dtype)
    terms = [images(7, 20, 23, 19, dtype=dtype, seed=seed) for seed in range(3)]
    pixel = images(20, 5, 1, 1, dtype=dtype, seed=3)
    weights = torch.linspace(0, 1, 42, dtype=dtype).reshape(7, 2, 3).requires_grad_()
    inputs = [x, weight, pixel, weights, *terms]
    results = [
        *(NativeKernels.depthwise(x, weight, stride=stride, padding=2, dilation=1) for stride in (1, 2)),
        NativeKernels.norm_relu(x, EPS),
        NativeKernels.pointwise(x, pixel, groups=4),
        NativeKernels.mixed_sum(terms, weights, NORMED, EPS),
        NativeKernels.mixed_sum(terms, weights[0], NORMED, EPS),
    ]
    found = [*results]
    for result in results:
        found += torch.autograd.grad(result.square().sum(), inputs, retain_graph=True, allow_unused=True)
    return [each for each in found if each is not None]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_results_do_not_depend_on_threads(dtype: torch.dtype) -> None:
    before, runs = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 2, 3):
            torch.set_num_threads(threads)
            runs.append(everything(dtype))
    finally:
        torch.set_num_threads(before)
    assert len(runs[0]) == 6 + 2 + 2 + 1 + 2 + 4 + 4
    for run in runs[1:]:
        assert all(torch.equal(one, other) for one, other in zip(runs[0], run, strict=True))
