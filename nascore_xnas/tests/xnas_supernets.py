"""A supernet as DARTS's, small, whose batch norm is frozen; and the engine's own way to rewards."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import cross_entropy

import nascore.builtin
from nascore.api import DataFacts, expand, load
from nascore.builtin.components import SoftmaxSettings
from nascore.builtin.relaxations import Softmax
from nascore.engine.api import Criterion, Passes, Phase, draw, first, pull_back
from nascore.engine.batches import Batches
from nascore.engine.phase_factory import ArchitectureSearch
from nascore.engine.streams import Streams
from nascore.nn import ArchitectureState, Examples
from nascore.nn import compile as compiled
from nascore.nn.execution import Plain, weigh_output
from nascore.nn.fused import EXECUTIONS
from nascore.plugin import Registry
from nascore_xnas import UpdaterSettings
from nascore_xnas.updater import Updater

SUPERNET = """\
nascore: 1
channels: 4
in_channels: 3
classes: 5
affine: false
pool_norm: true
groups:
  normal: {ops: [CANDIDATES], edges: 2, never: [none]}
  reduce: {ops: [CANDIDATES], edges: 2, never: [none]}
cells:
  normal:
    inputs: [in0, in1]
    nodes:
      pre0: {from: in0, op: fit, reduction: 1}
      pre1: {from: in1, op: fit, reduction: 1}
      n0: {from: [pre0, pre1], choose: normal}
      n1: {from: [pre0, pre1, n0], choose: normal}
      out: {concat: [n0, n1]}
  reduce:
    inputs: [in0, in1]
    nodes:
      pre0: {from: in0, op: fit, reduction: 1}
      pre1: {from: in1, op: fit, reduction: 1}
      n0: {from: [pre0, pre1], choose: reduce, reduction: 2}
      n1: {from: [pre0, pre1, n0], choose: reduce, reduction: 2}
      out: {concat: [n0, n1]}
network:
  nodes:
    stem: {from: images, op: stem, width: 3}
    a: {from: [-2, -1], cell: normal, repeat: 2}
    r: {from: [-2, -1], cell: reduce, width: 2}
    b: {from: [-2, -1], cell: normal, width: 2}
    head: {from: -1, op: classifier, width: classes}
""".replace(
    "CANDIDATES",
    "none, max_pool_3x3, avg_pool_3x3, skip_connect, sep_conv_3x3, sep_conv_5x5, dil_conv_3x3, dil_conv_5x5",
)
DOUBLE = torch.float64
SAMPLES, CLASSES = 4, 5
CATALOGUE = Registry.of(builtin=nascore.builtin).operations()
FACTS = DataFacts(
    channels=3, height=8, width=8, classes=CLASSES, train=SAMPLES, test=1, mean=(0.0,) * 3, std=(1.0,) * 3
)


def frozen(module, generator):
    """Put in the place of every batch norm what it is once its statistics stand: a scale and a shift.

    As a convolution of single channels, since these are run fused too.
    """
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            width = child.num_features
            scale = nn.Conv2d(width, width, 1, groups=width)
            scale.weight.data = 0.5 + torch.rand(scale.weight.shape, generator=generator)
            scale.bias.data = 0.3 * torch.randn(width, generator=generator)
            setattr(module, name, scale)
        else:
            frozen(child, generator)


def supernet(execution="plain"):
    """Return the network in float64, alike in every call; what of it is run fused is so."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = compiled(load(SUPERNET), CATALOGUE, execution=execution)
    generator = torch.Generator().manual_seed(1)
    for op in list(net.ops.values()):
        frozen(op, generator)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in net.modules())
    net = net.to(DOUBLE)
    net.execution = EXECUTIONS[execution](net.ops, net.gates)  # it has looked at the modules as they were
    return net


def examples(seed=2):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(SAMPLES, 3, 8, 8, generator=generator, dtype=DOUBLE)
    return images, torch.arange(SAMPLES) % CLASSES


def phase_of(net, *, granularity="sample", **asked):
    """Return the engine's phase: a search with xnas whose theta is not even, and one batch of images."""
    groups = expand(load(SUPERNET)).layouts
    generator = torch.Generator().manual_seed(3)
    start = {
        name: torch.randn(len(group.rows), len(group.ops), generator=generator, dtype=DOUBLE)
        for name, group in groups.items()
    }
    asked = {"exclude_none": False, "wipe_out": False, **asked}
    updater = Updater(UpdaterSettings(granularity=granularity, **asked))
    state = ArchitectureState(groups=groups, theta=start)
    search = ArchitectureSearch(state=state, relaxation=Softmax(SoftmaxSettings()), updater=updater)
    images, labels = examples()
    streams = Streams(0)
    batches = Batches(Examples(images=images, labels=labels), FACTS, size=SAMPLES, order=streams["order"])
    phase = Phase(
        name="search",
        network=net,
        batches={"train": batches},
        steps=10,
        steps_per_epoch=1,
        streams=streams,
        search=search,
    )
    updater.start(state, phase.horizon(), streams["updater"])
    return phase


def rewards(phase):
    """Return what the engine hands to the updater for one batch: of one draw, one backward pass."""
    batch = examples()
    drawn = draw(phase.search, phase.streams, SAMPLES)
    passes = Passes(network=phase.network, streams=phase.streams, criterion=Criterion(), runs=drawn.runs)
    found = first(passes.loss(batch), dict(phase.network.named_parameters()), drawn.leaf)
    return drawn, pull_back(phase, drawn, found.mixture)


def one_by_one(net, mixture):
    """Return the same by a loop: each image alone, each use of a cell with weights of its own, dL/du."""
    shapes = {name: (net.groups[name].replicas, 1, *value.shape) for name, value in mixture.items()}
    slopes = []
    for image, label in zip(*examples(), strict=True):
        leaf = {
            name: value.detach().expand(shapes[name]).clone().requires_grad_()
            for name, value in mixture.items()
        }
        loss = cross_entropy(net(image[None], leaf), label[None])
        slopes.append(torch.autograd.grad(loss, list(leaf.values())))
    return {name: torch.cat(found, 1) for name, found in zip(mixture, zip(*slopes, strict=True), strict=True)}


class Listening(Plain):
    """Keeps what each candidate gives, weighted or not, where it stands."""

    def __init__(self, ops, gates):
        super().__init__(ops, gates)
        self.heard = []

    def _mixed(self, link, value, asked):
        terms = []
        shares = asked.weights.of(link)
        for branch in link.branches:
            given = self._call(branch, value, asked)
            weighted = weigh_output(shares[branch.column], given)
            self.heard.append((link, branch.column, given, weighted))
            terms.append(weighted)
        return sum(terms[1:], terms[0])
