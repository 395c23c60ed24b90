"""How fast the kernels of nascore-native are against torch's functions.

    python benchmarks/native_kernels.py
    python benchmarks/native_kernels.py --seconds 2 --json

One thread, processor time, channels-last float32. The two sides of a line are called in turn, many times; a
line has the median of each and their ratio. "call" is the smallest case: one image of 2x2 pixels with four
channels. The side of torch is composed of its functions, as in `nascore_native/reference.py`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Final

import torch

import nascore_native
from nascore_native import reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    Case = tuple[str, Callable[[], object], Callable[[], object]]

EPS: Final = 1e-5
SIZES: Final = ((1, 4, 2), (32, 4, 8), (32, 16, 8), (64, 16, 32), (16, 16, 32), (16, 32, 16), (16, 64, 8))
CONVOLUTIONS: Final = ((3, 1, 1), (5, 1, 1), (3, 1, 2), (5, 1, 2), (3, 2, 1), (5, 2, 2))
TERMS: Final = 7


def images(count: int, channels: int, size: int) -> Tensor:
    """Return random images that need a gradient."""
    return torch.randn(count, channels, size, size).to(memory_format=torch.channels_last).requires_grad_()


def backward(result: Tensor, inputs: list[Tensor]) -> Callable[[], object]:
    """Return the backward pass alone, to be repeated."""
    gradient = torch.randn_like(result)
    return lambda: torch.autograd.grad(result, inputs, gradient, retain_graph=True)


def convolutions(count: int, channels: int, size: int) -> Iterator[Case]:
    """Yield the passes of depthwise convolutions."""
    for kernel, stride, dilation in CONVOLUTIONS:
        x, weight = (
            images(count, channels, size),
            torch.randn(channels, 1, kernel, kernel, requires_grad=True),
        )
        how = {"stride": stride, "padding": kernel // 2 * dilation, "dilation": dilation}
        name = f"depthwise {kernel}x{kernel} s{stride} d{dilation}"
        fixed_x, fixed = x.detach(), weight.detach()
        sides = reference.depthwise, nascore_native.depthwise
        yield name, *[partial(side, fixed_x, fixed, **how) for side in sides]
        for part, pair in {"x": (x, fixed), "weight": (fixed_x, weight), "both": (x, weight)}.items():
            inputs = [each for each in pair if each.requires_grad]
            yield f"{name} gradient of {part}", *[backward(side(*pair, **how), inputs) for side in sides]


def pointwise(count: int, channels: int, size: int) -> Iterator[Case]:
    """Yield the passes of convolutions of single pixels, of one edge and of four side by side."""
    sides = reference.pointwise, nascore_native.pointwise
    for groups in (1, 4):
        x, weight = (
            images(count, groups * channels, size),
            torch.randn(groups * channels, channels, 1, 1, requires_grad=True),
        )
        name = f"pointwise g{groups}"
        yield name, *[partial(side, x.detach(), weight.detach(), groups=groups) for side in sides]
        for part, pair in {
            "x": (x, weight.detach()),
            "weight": (x.detach(), weight),
            "both": (x, weight),
        }.items():
            inputs = [each for each in pair if each.requires_grad]
            yield (
                f"{name} gradient of {part}",
                *[backward(side(*pair, groups=groups), inputs) for side in sides],
            )


def norms(count: int, channels: int, size: int) -> Iterator[Case]:
    """Yield the passes of norm and ReLU."""
    x = images(count, channels, size)
    sides = reference.norm_relu, nascore_native.norm_relu
    yield "norm_relu", *[partial(side, x.detach(), EPS) for side in sides]
    yield "norm_relu gradient", *[backward(side(x, EPS), [x]) for side in sides]


def sums(count: int, channels: int, size: int) -> Iterator[Case]:
    """Yield the passes of the weighted sum, with shared weights and with weights for each image."""
    normed = [True] * (TERMS - 1) + [False]
    sides = reference.mixed_sum, nascore_native.mixed_sum
    for rows, name in (((1,), "mixed_sum"), ((count, 1), "mixed_sum per image")):
        terms = [images(count, channels, size) for _ in normed]
        weights = torch.rand(*rows, TERMS, requires_grad=True)
        inner, fixed = [term.detach() for term in terms], weights.detach()
        yield name, *[partial(side, inner, fixed, normed, EPS) for side in sides]
        for part, given in {"terms": fixed, "all": weights}.items():
            inputs = [each for each in (given, *terms) if each.requires_grad]
            yield (
                f"{name} gradient of {part}",
                *[backward(side(terms, given, normed, EPS), inputs) for side in sides],
            )


def measure(sides: tuple[Callable[[], object], ...], seconds: float) -> list[float]:
    """Return the median processor time of one call of each side, in microseconds."""
    times: list[list[float]] = [[] for _ in sides]
    repeats = []
    for side in sides:
        side()
        start = time.process_time()
        side()
        repeats.append(max(1, round(5e-4 / max(time.process_time() - start, 1e-6))))
    end = time.process_time() + seconds
    while time.process_time() < end or len(times[0]) < 5:  # noqa: PLR2004, for a median
        for side, repeat, found in zip(sides, repeats, times, strict=True):
            start = time.process_time()
            for _ in range(repeat):
                side()
            found.append((time.process_time() - start) / repeat * 1e6)
    return [statistics.median(found) for found in times]


def main() -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=0.2, help="processor time for each line")
    parser.add_argument("--only", default="", help="lines that contain this text")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    nascore_native.require()
    torch.set_num_threads(1)
    rows = []
    if not arguments.json:
        print(f"{'case':14} {'operation':40}{'torch us':>10} {'native us':>10} {'ratio':>7}")
    for count, channels, size in SIZES:
        for group in (convolutions, pointwise, norms, sums):
            for name, *sides in group(count, channels, size):
                where = "call" if size == 2 else f"N{count} C{channels} {size}x{size}"  # noqa: PLR2004, see above
                if arguments.only not in f"{where} {name}":
                    continue
                torch_time, native_time = measure(tuple(sides), arguments.seconds)
                row = {"case": where, "operation": name, "torch_us": torch_time, "native_us": native_time}
                rows.append(row)
                if not arguments.json:
                    times = f"{torch_time:10.1f} {native_time:10.1f} {torch_time / native_time:7.2f}"
                    print(f"{where:14} {name:40}{times}", flush=True)
    if arguments.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
