"""The stages of operations, and how equal operations on one state are computed together."""

from __future__ import annotations

from enum import Enum, auto
from itertools import chain, takewhile, zip_longest
from typing import TYPE_CHECKING, Final, Protocol, cast, runtime_checkable

import torch
from torch import nn
from torch.nn import functional

from nascore.nn.kernels import stacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from nascore.nn.kernels import Kernels

    Stage = Callable[[Tensor], Tensor]

EPS: Final = 1e-5
"""The number that torch's batch norms add to variances by default."""

_CHANNELWISE: Final = (nn.ReLU, nn.ReLU6, nn.MaxPool2d, nn.AvgPool2d)


@runtime_checkable
class Staged(Protocol):
    """An operation that lists its stages, so that the fused execution computes them for several edges."""

    def fusible_stages(self) -> Sequence[Stage]:
        """Return functions whose composition, from first to last, is the operation.

        ReLU, pools, convolutions, and batch norms without weights and running statistics are fused; any other
        stage is called for each edge. An operation that lists its stages draws no random numbers.
        """
        ...


class Role(Enum):
    """How a stage is computed for several edges."""

    EACH = auto()
    """Called for each edge."""
    CHANNELWISE = auto()
    """Called once for all channels; it has no weights."""
    NORM = auto()
    """A batch norm without weights, with the statistics of the batch."""
    NORM_RELU = auto()
    """Such a norm, and the ReLU after it."""
    CONVOLUTION = auto()
    """A convolution, in groups for several edges."""
    DEPTHWISE = auto()
    """A depthwise convolution with a square kernel."""
    POINTWISE = auto()
    """A 1x1 convolution."""


_WITHOUT_WEIGHTS: Final = frozenset({Role.CHANNELWISE, Role.NORM, Role.NORM_RELU})


class Chain:
    """The stages of an operation.

    Args:
        module: The operation.

    Attributes:
        stages: Functions whose composition is the operation.
        roles: How each is computed.
        kinds: For each stage, a text that is equal for stages that differ only in their weights.
        shared: Number of the first stages without weights, whose result is the same on all edges.
    """

    def __init__(self, module: nn.Module) -> None:
        stages = list(_leaves(module))
        if any(getattr(stage, "inplace", False) for stage in stages):
            stages = [module]
        joined = list(_joined([(stage, role_of(stage)) for stage in stages]))
        self.stages = tuple(stage for stage, _ in joined)
        self.roles = tuple(role for _, role in joined)
        self.kinds = tuple(_kind(stage, role) for stage, role in joined)
        self.shared = len(list(takewhile(_WITHOUT_WEIGHTS.__contains__, self.roles)))


def _leaves(stage: Stage) -> Iterator[Stage]:
    if not isinstance(stage, nn.Module) or has_hooks(stage):
        yield stage
    elif type(stage) is nn.Sequential:
        yield from chain.from_iterable(map(_leaves, stage))
    elif isinstance(stage, Staged):
        yield from chain.from_iterable(map(_leaves, stage.fusible_stages()))
    elif type(stage) is not nn.Identity:
        yield stage


def _joined(stages: Sequence[tuple[Stage, Role]]) -> Iterator[tuple[Stage, Role]]:
    """Yield stages and roles; a norm and the ReLU after it are one stage."""
    skip = False
    for (stage, role), following in zip_longest(stages, stages[1:]):
        if skip:
            skip = False
        elif role is Role.NORM and following is not None and type(following[0]) is nn.ReLU:
            skip = following[1] is Role.CHANNELWISE
            yield stage, Role.NORM_RELU if skip else role
        else:
            yield stage, role


def has_hooks(module: nn.Module) -> bool:
    """Return whether calling a module runs hooks, for example those that recompute its weight."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")  # torch has no other way to ask
    return "forward" in vars(module) or any(getattr(module, name) for name in hooks)


def role_of(stage: Stage) -> Role:
    """Return how a stage is computed for several edges."""
    if not isinstance(stage, nn.Module) or has_hooks(stage) or getattr(stage, "inplace", False):
        return Role.EACH
    if type(stage) is nn.Conv2d:
        return _role_of_convolution(stage)
    if type(stage) is nn.BatchNorm2d:
        return Role.EACH if stage.affine or stage.track_running_stats else Role.NORM
    return Role.CHANNELWISE if type(stage) in _CHANNELWISE else Role.EACH


def _role_of_convolution(stage: nn.Conv2d) -> Role:
    if stage.padding_mode != "zeros" or isinstance(stage.padding, str):
        return Role.EACH
    sides = (stage.kernel_size, stage.stride, stage.padding, stage.dilation)
    if stage.bias is not None or any(len(set(side)) > 1 for side in sides):
        return Role.CONVOLUTION
    if stage.groups == stage.in_channels == stage.out_channels:
        return Role.DEPTHWISE
    is_pixelwise = stage.kernel_size[0] == stage.stride[0] == 1 and stage.padding[0] == 0
    return Role.POINTWISE if is_pixelwise else Role.CONVOLUTION


def _kind(stage: Stage, role: Role) -> str:
    if role is Role.EACH:
        return role.name
    # The repr of an average pool leaves these out.
    more = [str(getattr(stage, name, "")) for name in ("ceil_mode", "count_include_pad", "divisor_override")]
    return " ".join((role.name, repr(stage), *more))


class Source:
    """A state that candidates read, with the results that several of them share.

    Args:
        value: The state [B, C, H, W].
        kernels: The functions that compute convolutions and norms.
    """

    def __init__(self, value: Tensor, kernels: Kernels) -> None:
        self._kernels = kernels
        self._results: dict[tuple[tuple[str, ...], int], Tensor] = {((), 1): value}

    def output(self, chains: Sequence[Chain]) -> tuple[Tensor, bool]:
        """Return the outputs of n equal operations side by side, [B, n * C, H, W], before their last norm.

        Returns:
            The outputs, and whether they still have to be normalised with the statistics of the batch.
        """
        first = chains[0]
        for end in range(first.shared):
            self._share(first.stages[end], first.roles[end], first.kinds[: end + 1])
        prefix, length = first.kinds[: first.shared], len(first.kinds)
        if first.shared == length:
            return self._beside(prefix, len(chains)), False
        x = self._begin(chains, prefix)
        for index in range(first.shared + 1, length):
            stages, role = [each.stages[index] for each in chains], first.roles[index]
            if index + 1 == length and role is Role.NORM and getattr(stages[0], "eps", None) == EPS:
                check_countable(x)
                return x, True
            x = self._advance(stages, role, x)
        return x, False

    def _share(self, stage: Stage, role: Role, kinds: tuple[str, ...]) -> None:
        if (kinds, 1) not in self._results:
            self._results[kinds, 1] = self._advance([stage], role, self._results[kinds[:-1], 1])

    def _beside(self, kinds: tuple[str, ...], count: int) -> Tensor:
        """Return a shared result `count` times side by side."""
        if (kinds, count) not in self._results:
            self._results[kinds, count] = torch.cat([self._results[kinds, 1]] * count, 1)
        return self._results[kinds, count]

    def _begin(self, chains: Sequence[Chain], prefix: tuple[str, ...]) -> Tensor:
        """Return the result of the first stage with weights of n operations, side by side."""
        stages, role = [each.stages[len(prefix)] for each in chains], chains[0].roles[len(prefix)]
        if role in {Role.CONVOLUTION, Role.POINTWISE} and getattr(stages[0], "groups", 0) == 1:
            return self._convolve(stages, role, self._results[prefix, 1], 1)
        return self._advance(stages, role, self._beside(prefix, len(chains)))

    def _advance(self, stages: Sequence[Stage], role: Role, x: Tensor) -> Tensor:
        """Return the result of the next stage of n operations, whose features are side by side."""
        first = stages[0]
        if role is Role.CHANNELWISE:
            return first(x)
        if role is Role.EACH:
            parts = zip(stages, x.chunk(len(stages), 1), strict=True)
            return torch.cat([stage(part) for stage, part in parts], 1) if len(stages) > 1 else first(x)
        if isinstance(first, nn.BatchNorm2d):
            check_countable(x)
            if role is Role.NORM_RELU:
                return self._kernels.norm_relu(x, first.eps)
            return functional.batch_norm(x, None, None, None, None, True, 0.0, first.eps)  # noqa: FBT003
        assert isinstance(first, nn.Conv2d)
        return self._convolve(stages, role, x, first.groups * len(stages))

    def _convolve(self, stages: Sequence[Stage], role: Role, x: Tensor, groups: int) -> Tensor:
        convolutions = cast("Sequence[nn.Conv2d]", stages)
        first = convolutions[0]
        weight = first.weight if len(stages) == 1 else stacked([each.weight for each in convolutions])
        if role is Role.POINTWISE:
            return self._kernels.pointwise(x, weight, groups=groups)
        stride, padding, dilation = first.stride[0], int(first.padding[0]), first.dilation[0]
        if role is Role.DEPTHWISE:
            return self._kernels.depthwise(x, weight, stride=stride, padding=padding, dilation=dilation)
        biases = [each.bias for each in convolutions if each.bias is not None]
        bias = torch.cat(biases) if biases else None
        return functional.conv2d(x, weight, bias, first.stride, first.padding, first.dilation, groups)


def check_countable(x: Tensor) -> None:
    """Refuse to normalise features [B, C, H, W] of which each channel has one value.

    Raises:
        ValueError: As torch's batch norms do.
    """
    if x.numel() == x.shape[1]:
        shape = list(x.shape)
        raise ValueError(f"a batch norm needs more than 1 value per channel when training, not {shape}")
