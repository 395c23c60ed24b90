"""DARTS's supernet and its three steps as programs commonly write them: the unit of the speed benchmarks.

Every candidate of every edge is a module that runs on its own, its output is multiplied by its weight, and
the products are added. Tensors are [B, C, H, W] in memory, and `backward` computes the gradients of weights
and architecture together (Liu, Simonyan, Yang: arXiv 1806.09055). The network equals the one that nascore
builds for the space darts; :func:`name_of` maps its parameters to those of nascore.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    Batch = tuple[Tensor, Tensor]

OPERATIONS = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
"""The candidates of an edge, in the order of the columns of alpha."""

REACH = 0.01
"""Length of the step to each side in the finite difference of the unrolled estimate."""


class Zero(nn.Module):
    """The candidate `none`.

    Args:
        stride: Factor by which height and width are reduced.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros [B, C, H/stride, W/stride]."""
        return x[:, :, :: self.stride, :: self.stride] * 0.0


class FactorizedReduce(nn.Module):
    """Two 1x1 convolutions of stride 2, the second shifted by one pixel, side by side.

    Args:
        c_in: Channels of the input.
        c_out: Channels of the output, an even number.
    """

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.even = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(c_out, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, c_in, H, W], with even H and W, to [B, c_out, H/2, W/2]."""
        x = functional.relu(x)
        return self.norm(torch.cat([self.even(x), self.odd(x[:, :, 1:, 1:])], 1))  # type: ignore[no-any-return]


def projection(c_in: int, c_out: int) -> nn.Module:
    """Return ReLU, 1x1 convolution, batch norm."""
    return nn.Sequential(
        nn.ReLU(), nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out, affine=False)
    )


def separable(channels: int, kernel: int, stride: int, dilation: int = 1) -> nn.Sequential:
    """Return ReLU, depthwise convolution, pointwise convolution, batch norm."""
    padding = dilation * (kernel // 2)
    depthwise = nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False)
    pointwise = nn.Conv2d(channels, channels, 1, bias=False)
    return nn.Sequential(nn.ReLU(), depthwise, pointwise, nn.BatchNorm2d(channels, affine=False))


def candidate(name: str, channels: int, stride: int) -> nn.Module:
    """Return a new module of a candidate.

    Args:
        name: One of :data:`OPERATIONS`.
        channels: Channels of input and output.
        stride: Stride, 1 or 2.
    """
    if name == "none":
        return Zero(stride)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels)
    if name in {"max_pool_3x3", "avg_pool_3x3"}:
        pool = (
            nn.MaxPool2d(3, stride, 1)
            if name == "max_pool_3x3"
            else nn.AvgPool2d(3, stride, 1, count_include_pad=False)
        )
        return nn.Sequential(pool, nn.BatchNorm2d(channels, affine=False))
    kernel = int(name[-1])
    if name.startswith("dil"):
        return separable(channels, kernel, stride, dilation=2)
    return nn.Sequential(*separable(channels, kernel, stride), *separable(channels, kernel, 1))


class MixedOperation(nn.Module):
    """All candidates of an edge.

    Args:
        channels: Channels of input and output.
        stride: Stride of every candidate.
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.candidates = nn.ModuleList(candidate(name, channels, stride) for name in OPERATIONS)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """Return the sum of the candidates' outputs, weighted with [O]."""
        pairs = zip(weights, self.candidates, strict=True)
        return sum(weight * module(x) for weight, module in pairs)  # type: ignore[return-value]


class Cell(nn.Module):
    """A cell, whose output is the concatenation of its nodes.

    Args:
        before: Channels of both inputs.
        channels: Channels of each node.
        nodes: Number of nodes; each reads both inputs and all nodes before it.
        reduces: Whether the cell halves height and width.
        after_reduction: Whether the previous cell did.
    """

    def __init__(
        self, before: tuple[int, int], channels: int, nodes: int, *, reduces: bool, after_reduction: bool
    ) -> None:
        super().__init__()
        self.reduces = reduces
        fit = FactorizedReduce if after_reduction else projection
        self.first = fit(before[0], channels)
        self.second = projection(before[1], channels)
        strides = [2 if reduces and source < 2 else 1 for node in range(nodes) for source in range(node + 2)]  # noqa: PLR2004 - the two inputs of the cell
        self.edges = nn.ModuleList(MixedOperation(channels, stride) for stride in strides)
        self.nodes = nodes

    def forward(self, first: Tensor, second: Tensor, weights: Tensor) -> Tensor:
        """Return the output [B, nodes * C, H, W] for both inputs and the weights [E, O]."""
        states = [self.first(first), self.second(second)]
        offset = 0
        for _ in range(self.nodes):
            node = sum(self.edges[offset + i](state, weights[offset + i]) for i, state in enumerate(states))
            offset += len(states)
            states.append(node)
        return torch.cat(states[2:], 1)


class Network(nn.Module):
    """The supernet; alpha is an argument of its forward pass.

    Args:
        channels: Channels of the first cell's nodes.
        cells: Number of cells, of which those at a third and at two thirds reduce.
        nodes: Nodes of a cell.
        classes: Number of classes.
        in_channels: Channels of the images.
    """

    def __init__(
        self, channels: int, cells: int, *, nodes: int = 4, classes: int = 10, in_channels: int = 3
    ) -> None:
        super().__init__()
        width = 3 * channels
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )
        before, made, reduced = (width, width), [], False
        for index in range(cells):
            reduces = index in {cells // 3, 2 * cells // 3}
            channels *= 2 if reduces else 1
            made.append(Cell(before, channels, nodes, reduces=reduces, after_reduction=reduced))
            before, reduced = (before[1], nodes * channels), reduces
        self.cells = nn.ModuleList(made)
        self.linear = nn.Linear(before[1], classes)

    def forward(self, images: Tensor, alphas: Sequence[Tensor]) -> Tensor:
        """Return logits [B, classes] for images and the alphas [E, O] of normal and reduction cells."""
        normal, reduction = (functional.softmax(alpha, -1) for alpha in alphas)
        first = second = self.stem(images)
        for cell in self.cells:
            first, second = second, cell(first, second, reduction if cell.reduces else normal)
        return self.linear(functional.adaptive_avg_pool2d(second, 1).flatten(1))  # type: ignore[no-any-return]


class Search:
    """A search with the settings of the paper: SGD with momentum on the weights, Adam on alpha.

    Args:
        network: The supernet.
    """

    LR, MOMENTUM, DECAY, CLIP = 0.025, 0.9, 3e-4, 5.0

    def __init__(self, network: Network) -> None:
        self.network = network.train()
        self.weights = list(network.parameters())
        edges = len(network.cells[0].edges)  # type: ignore[arg-type]
        self.alphas = [
            (1e-3 * torch.randn(edges, len(OPERATIONS))).to(self.weights[0]).requires_grad_()
            for _ in range(2)
        ]
        self.descent = torch.optim.SGD(self.weights, self.LR, momentum=self.MOMENTUM, weight_decay=self.DECAY)
        self.adam = torch.optim.Adam(self.alphas, 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)
        self.ahead: Network | None = None

    def loss(self, batch: Batch, network: Network | None = None) -> Tensor:
        """Return the mean cross entropy of a batch of images [B, C, H, W] and classes [B]."""
        images, labels = batch
        return functional.cross_entropy((network or self.network)(images, self.alphas), labels)

    def weights_step(self, train: Batch) -> None:
        """Make a step of SGD on the weights."""
        self.descent.zero_grad()
        self.loss(train).backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self.weights, self.CLIP)
        self.descent.step()

    def first_order_step(self, held: Batch) -> None:
        """Make a step of Adam on alpha along the gradient at the present weights."""
        self.adam.zero_grad()
        self.loss(held).backward()  # type: ignore[no-untyped-call]
        self.adam.step()

    def unrolled_step(self, train: Batch, held: Batch) -> None:
        """Make a step of Adam on alpha along the gradient at the weights one step ahead."""
        ahead = self._one_step_ahead(train)
        virtual = list(ahead.parameters())
        found = torch.autograd.grad(self.loss(held, ahead), [*self.alphas, *virtual])
        direct, vector = found[: len(self.alphas)], found[len(self.alphas) :]
        indirect = self._finite_difference(train, vector)
        for alpha, slope, correction in zip(self.alphas, direct, indirect, strict=True):
            alpha.grad = slope - self.LR * correction
        self.adam.step()

    def search_step(self, train: Batch, held: Batch) -> None:
        """Make the first-order step on alpha, then the step on the weights."""
        self.first_order_step(held)
        self.weights_step(train)

    def _one_step_ahead(self, train: Batch) -> Network:
        """Return a copy of the network whose weights are one step of SGD ahead."""
        if self.ahead is None:
            self.ahead = deepcopy(self.network)
        slopes = torch.autograd.grad(self.loss(train), self.weights)
        with torch.no_grad():
            for virtual, weight, slope in zip(self.ahead.parameters(), self.weights, slopes, strict=True):
                buffer = self.descent.state[weight].get("momentum_buffer")
                moved = slope + self.DECAY * weight
                if buffer is not None:
                    moved += self.MOMENTUM * buffer
                virtual.copy_(weight - self.LR * moved)
        return self.ahead

    def _finite_difference(self, train: Batch, vector: Sequence[Tensor]) -> list[Tensor]:
        """Return the second derivative of the training loss by alpha and weights, times a vector."""
        eps = REACH / torch.cat([part.flatten() for part in vector]).norm()
        self._move(vector, eps)
        plus = torch.autograd.grad(self.loss(train), self.alphas)
        self._move(vector, -2 * eps)
        minus = torch.autograd.grad(self.loss(train), self.alphas)
        self._move(vector, eps)
        return [(above - below) / (2 * eps) for above, below in zip(plus, minus, strict=True)]

    @torch.no_grad()
    def _move(self, vector: Sequence[Tensor], distance: Tensor) -> None:
        for weight, part in zip(self.weights, vector, strict=True):
            weight.add_(distance * part)


_STAGE = re.compile(
    r"ops\.(?P<stage>a|r1|b|r2|c)(?:-(?P<number>\d+))?/(?P<target>\w+)/(?P<source>\w+)/(?P<op>\w+)"
)

_PARTS = {"depthwise": 1, "pointwise": 2}
"""Places of the weights in :func:`separable`."""


def name_of(nascore: str, cells: int) -> str:
    """Return the name of a parameter of :class:`Network`, given its name in nascore's network.

    Args:
        nascore: The name in the network that nascore builds for the space darts.
        cells: Number of cells.
    """
    _, _, rest = nascore.rpartition("/")
    if "/stem." in nascore:
        return f"stem.{int('norm' in rest)}.{rest.rpartition('.')[2]}"
    if "/classifier." in nascore:
        return rest.removeprefix("classifier.")
    found = _STAGE.match(nascore)
    assert found is not None, nascore
    third, two_thirds = cells // 3, 2 * cells // 3
    begins = {"a": 0, "r1": third, "b": third + 1, "r2": two_thirds, "c": two_thirds + 1}
    cell = f"cells.{begins[found['stage']] + int(found['number'] or 0)}"
    if found["op"] == "fit":
        side = "first" if found["target"] == "pre0" else "second"
        return f"{cell}.{side}.{rest.removeprefix('fit.').replace('conv', '1')}"
    source = int(found["source"][-1]) + (2 if found["source"].startswith("n") else 0)
    node = int(found["target"][1:])
    edge = f"{cell}.edges.{node * (node + 3) // 2 + source}.candidates.{OPERATIONS.index(found['op'])}"
    parts = rest.split(".")[1:-1]
    if found["op"] == "skip_connect":
        return f"{edge}.{parts[0]}.weight"
    second = len(separable(1, 1, 1)) if parts[0] == "second" else 0
    return f"{edge}.{second + _PARTS[parts[-1]]}.weight"
