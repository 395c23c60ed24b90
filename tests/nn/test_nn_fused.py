"""The fused execution: the same mathematics as the plain one, in fewer operations."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from nn_samples import CATALOGUE, CHAIN, darts, images, per_sample, petridish, random_mixture, seed
from torch import nn
from torch.nn.functional import cross_entropy
from torch.overrides import TorchFunctionMode

from nascore.description import Op, Operation, grow, load
from nascore.nn import compile as compiled
from nascore.nn import fused, stages

SAMPLES = 4
LABELS = torch.arange(SAMPLES)
CANDIDATES = tuple(map(Op.parse, ("sep_conv_3x3(affine=false)", "max_pool_3x3(pool_norm=true)", "none")))
BIASED = """\
nascore: 1
channels: 4
in_channels: 3
classes: 5
affine: false
groups:
  both: {ops: [nor_conv_3x3, avg_pool_3x3, sep_conv_3x3]}
network:
  nodes:
    stem: {from: images, op: stem}
    left: {from: stem, choose: both}
    right: {from: [stem, left], choose: both}
    head: {from: right, op: classifier, width: classes}
"""


def shadowed():
    """A network under growth: a state of candidates that reads the others detached, beside closed edges."""
    return grow(seed(), "normal", "x", CANDIDATES, CATALOGUE)


DESCRIPTIONS = {
    "darts": darts(),
    "deep": darts(depth=2),
    "chain": load(CHAIN),
    "biased": load(BIASED),
    "noisy": load(BIASED.replace("sep_conv_3x3", "noise")),
    "closed": petridish(),
}


class Count(TorchFunctionMode):
    """Counts the convolutions of a pass."""

    def __init__(self):
        super().__init__()
        self.convolutions = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.convolutions += func in (torch.conv2d, torch.nn.functional.conv2d)
        return func(*args, **(kwargs or {}))


def built(description, execution):
    torch.manual_seed(0)
    return compiled(description, CATALOGUE, execution=execution).to(torch.float64)


def passed(description, execution, *, samples=False, alive=None, drop_path=0.0):
    """Return logits, and the gradients of all weights and of the mixture, by name."""
    net = built(description, execution)
    mixture = random_mixture(description, dtype=torch.float64)
    if samples:
        mixture = per_sample(description, mixture, SAMPLES)
    mixture = {name: weights.detach().requires_grad_() for name, weights in mixture.items()}
    torch.manual_seed(3)
    logits = net(images(SAMPLES, dtype=torch.float64), mixture or None, alive=alive, drop_path=drop_path)
    logits = logits[0] if isinstance(logits, tuple) else logits
    cross_entropy(logits, LABELS, reduction="sum").backward()
    found = {name: leaf.grad for name, leaf in (*net.named_parameters(), *mixture.items())}
    return logits.detach(), {name: grad for name, grad in found.items() if grad is not None}


def compare(description, **asked):
    plain, slopes = passed(description, "plain", **asked)
    logits, found = passed(description, "fused", **asked)
    assert torch.allclose(logits, plain, rtol=0, atol=1e-10)
    assert found.keys() == slopes.keys()
    largest = max(grad.abs().max() for grad in slopes.values())
    for name, grad in slopes.items():
        assert (found[name] - grad).abs().max() <= 1e-10 * largest, name


@pytest.mark.parametrize("samples", [False, True], ids=["shared", "per-sample"])
@pytest.mark.parametrize("description", DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_gives_what_the_plain_execution_gives(description, samples):
    compare(description, samples=samples)


def test_drops_the_same_paths():
    compare(darts(), drop_path=0.3)


def test_runs_only_what_is_alive():
    generator = torch.Generator().manual_seed(5)
    alive = {
        name: torch.rand(weights.shape, generator=generator) < 0.5
        for name, weights in random_mixture(darts()).items()
    }
    compare(darts(), alive=alive)


def test_reads_detached_where_the_plain_execution_does():
    compare(shadowed())


def test_calls_fewer_convolutions():
    counts = {}
    for execution in ("plain", "fused"):
        net = built(darts(), execution)
        with Count() as counted:
            net(images(SAMPLES, dtype=torch.float64), random_mixture(darts(), dtype=torch.float64))
        counts[execution] = counted.convolutions
    assert counts["fused"] < counts["plain"] / 2


def test_one_set_of_weights_for_all_is_noticed(monkeypatch):
    """A mutation: were the weights of the first operation used for all, the comparison would see it."""
    healthy = stages.Source._convolve

    def mistaken(source, convolutions, role, x, groups):
        return healthy(source, [convolutions[0]] * len(convolutions), role, x, groups)

    monkeypatch.setattr(stages.Source, "_convolve", mistaken)
    with pytest.raises(AssertionError):
        compare(darts())


@pytest.mark.parametrize("side_by_side", [0, 1 << 12, None], ids=["apart", "in-parts", "all"])
def test_edges_apart_and_side_by_side_give_the_same(monkeypatch, side_by_side):
    monkeypatch.setattr(fused.Fused, "side_by_side", side_by_side)
    compare(darts())


def test_equal_weights_of_all_images_have_gradients_per_image():
    """A mixture that is expanded over the images costs one forward pass; its gradients are as of a copy."""
    found = []
    for copy in (False, True):
        net, torch_random = built(darts(), "fused"), torch.Generator().manual_seed(2)
        leaves = {
            name: torch.rand(shape.rows, shape.columns, generator=torch_random, dtype=torch.float64)
            .expand(shape.replicas, SAMPLES, -1, -1)
            .clone(memory_format=torch.contiguous_format if copy else torch.preserve_format)
            for name, shape in net.groups.items()
        }
        if not copy:
            leaves = {name: leaf[:1, :1].expand(leaf.shape) for name, leaf in leaves.items()}
        leaves = {name: leaf.requires_grad_() for name, leaf in leaves.items()}
        logits = net(images(SAMPLES, dtype=torch.float64), leaves)
        logits = logits[0] if isinstance(logits, tuple) else logits
        loss = cross_entropy(logits, LABELS, reduction="sum")
        found.append([loss, *torch.autograd.grad(loss, list(leaves.values()))])
    for alike, apart in zip(*found, strict=True):
        torch.testing.assert_close(alike, apart, rtol=1e-9, atol=1e-10)


def test_a_listener_is_still_called():
    net, heard = built(darts(), "fused"), []
    path = next(path for path in net.ops if path.endswith("sep_conv_3x3"))
    net.ops[path].register_forward_hook(lambda *_: heard.append(path))
    net(images(SAMPLES, dtype=torch.float64), random_mixture(darts(), dtype=torch.float64))
    assert heard == [path]


def test_pools_that_are_written_alike_are_told_apart():
    counted, not_counted = (nn.AvgPool2d(3, 1, 1, count_include_pad=counts) for counts in (True, False))
    assert repr(counted) == repr(not_counted)
    assert stages.Chain(counted).kinds != stages.Chain(not_counted).kinds


@pytest.mark.parametrize("module", [nn.ReLU(inplace=True), nn.Conv2d(2, 2, 3, padding_mode="circular")])
def test_what_does_more_than_its_kind_is_called_by_itself(module):
    assert stages.Chain(module).roles == (stages.Role.EACH,)
    assert stages.Chain(nn.Conv2d(2, 2, 3)).roles == (stages.Role.CONVOLUTION,)


def test_one_value_per_channel_is_refused_as_by_torch():
    net = built(darts(), "fused")
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        net(images(1, dtype=torch.float64)[:, :, :1, :1], random_mixture(darts(), dtype=torch.float64))


class Gated(nn.Module):
    """An operation of a plugin: a separable convolution, multiplied by a gate of its own."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.relu = nn.ReLU()
        self.depthwise = nn.Conv2d(c_in, c_in, 3, stride, 1, groups=c_in, bias=False)
        self.pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.gate = nn.Parameter(torch.ones(c_out, 1, 1))

    def gated(self, x):
        return x * self.gate.sigmoid()

    def forward(self, x):
        return self.gated(self.pointwise(self.depthwise(self.relu(x))))


class Staged(Gated):
    """The same operation with a list of its stages."""

    def fusible_stages(self):
        return [self.relu, self.depthwise, self.pointwise, self.gated]


def test_an_operation_of_a_plugin_is_fused_if_it_lists_its_stages():
    """Both give the numbers of the plain execution; the listed stages take fewer convolutions."""
    description = load(BIASED.replace("sep_conv_3x3", "gated"))
    counts, logits = {}, {}
    for kind, execution in product((Gated, Staged), ("plain", "fused")):
        torch.manual_seed(0)
        catalogue = {**CATALOGUE, "gated": Operation(name="gated", build=kind)}
        net = compiled(description, catalogue, execution=execution).to(torch.float64)
        with Count() as counted:
            mixture = random_mixture(description, dtype=torch.float64)
            logits[kind, execution] = net(images(SAMPLES, dtype=torch.float64), mixture)
        counts[kind, execution] = counted.convolutions
    for found in logits.values():
        torch.testing.assert_close(found, logits[Gated, "plain"], rtol=1e-9, atol=1e-10)
    assert counts[Staged, "fused"] < counts[Gated, "fused"]
