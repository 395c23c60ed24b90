"""Cases at the edge: special numbers, layouts, types, processes and threads, and tracing."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import torch
from torch.library import opcheck

import nascore_native
from nascore_native import NativeKernels, reference

pytestmark = pytest.mark.skipif(not nascore_native.AVAILABLE, reason=nascore_native.REASON)

EPS = 1e-5
HOW = {"stride": 1, "padding": 1, "dilation": 1}
NORMED = (True, False)


def images(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=dtype, generator=generator).to(memory_format=torch.channels_last)


def calls(x, weight, terms, weights):
    """Each function of both sides on the same input, by name."""
    for side in (NativeKernels, reference):
        yield {
            "depthwise": partial(side.depthwise, x, weight, **HOW),
            "strided": partial(side.depthwise, x, weight, stride=2, padding=1, dilation=1),
            "pointwise": partial(side.pointwise, x, weight[:, :, :1, :1], groups=x.shape[1]),
            "norm_relu": partial(side.norm_relu, x, EPS),
            "mixed_sum": partial(side.mixed_sum, terms, weights, NORMED, EPS),
        }


@pytest.mark.parametrize("special", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("channels", [3, 16])
def test_what_is_no_number_stays_so(special, channels):
    x, terms = images(2, channels, 6, 7), [images(2, channels, 6, 7, seed=seed) for seed in (1, 2)]
    for each in (x, *terms):
        each[1, 1, 2, 3] = special
    inputs = [
        each.requires_grad_() for each in (x, images(channels, 1, 3, 3, seed=3), torch.rand(1, 2).double())
    ]
    native, torchs = calls(inputs[0], inputs[1], terms, inputs[2])
    for name, call in native.items():
        one, other = call(), torchs[name]()
        assert one.isnan().any() or one.isinf().any()
        torch.testing.assert_close(one, other, equal_nan=True)
        gradients = (torch.autograd.grad(each.sum(), inputs, allow_unused=True) for each in (one, other))
        for found, wanted in zip(*gradients, strict=True):
            assert (found is None) == (wanted is None)
            if found is not None:
                torch.testing.assert_close(found, wanted, equal_nan=True)


@pytest.mark.parametrize("shape", [(0, 4, 5, 5), (1, 4, 3, 3), (1, 1, 6, 6), (2, 4, 1, 2)])
def test_small_shapes(shape):
    x, terms = images(*shape), [images(*shape, seed=seed) for seed in (1, 2)]
    native, torchs = calls(x, images(shape[1], 1, 3, 3), terms, torch.rand(1, 2).double())
    for name, call in native.items():
        torch.testing.assert_close(call(), torchs[name]())


def test_one_value_per_channel_is_refused_as_by_torch():
    x = images(1, 4, 1, 1)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        NativeKernels.norm_relu(x, EPS)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        NativeKernels.mixed_sum([x, x], torch.rand(1, 2).double(), NORMED, EPS)
    unnormed = NativeKernels.mixed_sum([x, x], torch.ones(1, 2).double(), (False, False), EPS)
    torch.testing.assert_close(unnormed, 2 * x)


def test_other_layouts_and_steps_in_memory():
    whole = images(4, 12, 9, 8)
    layouts = [whole.contiguous(), whole[::2], whole[:, 2:8], whole[:, :, 1:, ::2], whole.transpose(2, 3)]
    for x in layouts:
        inputs = [x, images(6, 1, 6, 3)[: x.shape[1], :, ::2], torch.rand(1, 4).double()[:, ::2]]
        if x.shape[1] != 6:
            inputs[1] = images(x.shape[1], 1, 3, 3).transpose(2, 3)
        inputs = [each.detach().requires_grad_() for each in inputs]
        native, torchs = calls(inputs[0], inputs[1], [inputs[0], inputs[0].detach()], inputs[2])
        for name, call in native.items():
            pair = call(), torchs[name]()
            torch.testing.assert_close(*pair)
            # The gradient of a sum has steps of zero in memory.
            found, wanted = (torch.autograd.grad(each.sum(), inputs, allow_unused=True) for each in pair)
            for one, other in zip(found, wanted, strict=True):
                assert (one is None) == (other is None)
                if one is not None:
                    torch.testing.assert_close(one, other)


def test_other_types_are_left_to_torch():
    x, weight = images(2, 4, 5, 5, dtype=torch.bfloat16), images(4, 1, 3, 3, dtype=torch.bfloat16)
    native, torchs = calls(x, weight, [x, x], torch.ones(1, 2, dtype=torch.bfloat16))
    for name, call in native.items():
        assert torch.equal(call(), torchs[name]())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert NativeKernels.depthwise(x.float(), weight.float(), **HOW).dtype == torch.bfloat16
    assert NativeKernels.depthwise(x.to("meta"), weight.to("meta"), **HOW).device.type == "meta"


def test_only_needed_gradients_are_kept_and_computed():
    x, weight = images(2, 4, 5, 5), images(4, 1, 3, 3)
    out = NativeKernels.depthwise(x.requires_grad_(), weight, **HOW)
    assert out.grad_fn.saved_tensors[0] is None  # only the weight's gradient reads the input
    out.sum().backward()
    assert x.grad is not None
    assert weight.grad is None
    out = NativeKernels.depthwise(x.detach(), weight.requires_grad_(), **HOW)
    out.sum().backward()
    assert weight.grad is not None
    assert not NativeKernels.norm_relu(x.detach(), EPS).requires_grad
    with torch.no_grad():
        assert not NativeKernels.depthwise(x, weight, **HOW).requires_grad


def test_inputs_are_never_changed():
    x, weight, weights = images(2, 4, 5, 5), images(4, 1, 3, 3), torch.rand(2, 1, 2).double()
    inputs = [each.requires_grad_() for each in (x, weight, weights)]
    before = [each.clone() for each in inputs]
    for call in next(iter(calls(x, weight, [x, x], weights))).values():
        call().square().sum().backward()
    assert all(torch.equal(one, other) for one, other in zip(inputs, before, strict=True))


def test_second_derivatives_are_refused():
    x = images(2, 4, 5, 5).requires_grad_()
    native, _ = calls(x, images(4, 1, 3, 3), [x, x], torch.rand(1, 2).double())
    for call in native.values():
        (gradient,) = torch.autograd.grad(call().square().sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match="once_differentiable"):
            gradient.sum().backward()


@pytest.mark.parametrize("shape", [(2,), (1, 3), (3, 2), (3, 1, 2), (1, 2, 1, 2)])
def test_wrong_weights_are_refused(shape):
    x = images(2, 4, 5, 5)
    with pytest.raises(ValueError, match=r"2 terms of shape \[2, 4, 5, 5\], weights of shape .* n divides 4"):
        NativeKernels.mixed_sum([x, x], torch.rand(shape).double(), NORMED, EPS)


FORKING = """
import os, torch, nascore_native
x = torch.randn(16, 16, 32, 32).to(memory_format=torch.channels_last)
torch.set_num_threads(2)
before = nascore_native.norm_relu(x, 1e-5)
child = os.fork()
if child == 0:
    after = nascore_native.norm_relu(x, 1e-5)
    torch.set_num_threads(1)  # the threads of OpenMP, which torch uses, do not survive a fork
    os._exit(0 if torch.equal(after, before) else 1)
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_process_has_threads_of_its_own():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], check=False, timeout=30)
    assert done.returncode == 0


def test_calls_at_the_same_time():
    inputs = [images(8, 16, 32, 32, seed=seed) for seed in range(4)]
    wanted = [NativeKernels.norm_relu(each, EPS) for each in inputs]

    def compute(each):
        torch.set_num_threads(2)
        return NativeKernels.norm_relu(each, EPS)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(compute, inputs * 5))
    torch.set_num_threads(1)
    assert all(torch.equal(one, wanted[i % 4]) for i, one in enumerate(found))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # opcheck reads it
def test_operators_of_torch():
    x, weight = images(2, 3, 5, 6).requires_grad_(), images(3, 1, 3, 3).requires_grad_()
    operators = torch.ops.nascore_native
    weights = torch.rand(2, 3, 2).double().requires_grad_()
    for operator, arguments in {
        operators.depthwise: (x, weight, 2, 1, 1),
        operators.norm_relu: (x, EPS),
        operators.mixed_sum: ([x, images(2, 3, 5, 6, seed=1)], weights, [True, False], EPS, False),
        operators.pointwise: (x, weight[:, :, :1, :1].detach().requires_grad_(), 3),
    }.items():
        assert set(opcheck(operator.default, arguments).values()) == {"SUCCESS"}
    with pytest.raises(ValueError, match="has no kernel for x"):
        operators.depthwise(x, weight, 3, 1, 1)
    with pytest.raises(ValueError, match="has no kernel for x"):
        operators.pointwise(x, weight, 3)


def test_compiled_functions_call_the_operators():
    x, weight = images(2, 4, 6, 6).requires_grad_(), images(4, 1, 3, 3).requires_grad_()
    weights = torch.rand(1, 2).double().requires_grad_()

    def network(x, weight, weights):
        y = nascore_native.norm_relu(nascore_native.depthwise(x, weight, **HOW), EPS)
        y = nascore_native.pointwise(y, weight[:, :, :1, :1], groups=4)
        return nascore_native.mixed_sum([y, x], weights, NORMED, EPS)

    inputs = x, weight, weights
    out, compiled = network(*inputs), torch.compile(network, backend="aot_eager", fullgraph=True)(*inputs)
    assert torch.equal(out, compiled)
    for one, other in zip(
        *(torch.autograd.grad(each.sin().sum(), inputs) for each in (out, compiled)), strict=True
    ):
        torch.testing.assert_close(one, other)
