"""The stages of operations, and how equal operations on one state are computed together."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from nascore.nn.kernels import Kernels

    Stage = Callable[[Tensor], Tensor]

EPS: Final = 1e-5
"""The number that torch's batch norms add to variances by default."""

_NORM_RELU: Final = "norm and ReLU"

_WITHOUT_WEIGHTS: Final = (nn.ReLU, nn.ReLU6, nn.MaxPool2d, nn.AvgPool2d, nn.BatchNorm2d)


@runtime_checkable
class Staged(Protocol):
    """An operation that lists its stages, so that the fused execution computes them for several edges."""

    def fusible_stages(self) -> Sequence[Stage]:
        """Return functions whose composition, from first to last, is the operation.

        ReLU, pools, convolutions, and batch norms without weights and running statistics are fused; any other
        stage is called for each edge.
        """
        ...


class Chain:
    """The stages of an operation.

    Args:
        module: The operation.

    Attributes:
        stages: Functions whose composition is the operation.
        kinds: For each stage, a text that is equal for stages that differ only in their weights; empty for a
            stage that is called for each edge.
        shared: Number of the first stages that have no weights, so that their result is the same on all edges.
    """

    def __init__(self, module: nn.Module) -> None:
        stages = list(_leaves(module))
        if any(getattr(stage, "inplace", False) for stage in stages):
            stages = [module]
        pairs = list(_merged(stages))
        self.stages = tuple(stage for stage, _ in pairs)
        self.kinds = tuple(kind for _, kind in pairs)
        self.shared = len(
            list(takewhile(lambda pair: pair[1] and isinstance(pair[0], _WITHOUT_WEIGHTS), pairs))
        )


def _leaves(stage: Any) -> Iterator[Stage]:
    if not isinstance(stage, nn.Module) or has_hooks(stage):
        yield stage
    elif type(stage) is nn.Sequential:
        for part in stage:
            yield from _leaves(part)
    elif isinstance(stage, Staged):
        for part in stage.fusible_stages():
            yield from _leaves(part)
    elif type(stage) is not nn.Identity:
        yield stage


def _merged(stages: Sequence[Stage]) -> Iterator[tuple[Stage, str]]:
    """Yield the stages with their kinds; a norm and the ReLU after it are one stage."""
    kinds = [kind_of(stage) for stage in stages]
    rectified = False
    for index, (stage, kind) in enumerate(zip(stages, kinds, strict=True)):
        if rectified:
            rectified = False
            continue
        following = stages[index + 1] if index + 1 < len(stages) else None
        rectified = bool(kind) and type(stage) is nn.BatchNorm2d and type(following) is nn.ReLU
        yield stage, f"{kind} {_NORM_RELU}" if rectified else kind


def has_hooks(module: nn.Module) -> bool:
    """Return whether calling a module runs hooks, for example those that recompute its weight."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")  # torch has no other way to ask
    return "forward" in vars(module) or any(getattr(module, name) for name in hooks)


def kind_of(stage: Stage) -> str:
    """Return a text that is equal for stages that differ only in their weights; empty if it is not fused."""
    if not isinstance(stage, nn.Module) or has_hooks(stage):
        return ""
    if type(stage) is nn.Conv2d:
        return repr(stage) if stage.padding_mode == "zeros" and not isinstance(stage.padding, str) else ""
    if type(stage) is nn.BatchNorm2d:
        return "" if stage.affine or stage.track_running_stats else repr(stage)
    if type(stage) is nn.AvgPool2d:
        # Its repr leaves these out.
        return f"{stage!r}{stage.ceil_mode}{stage.count_include_pad}{stage.divisor_override}"
    return repr(stage) if type(stage) in _WITHOUT_WEIGHTS else ""


class Source:
    """A state that candidates read, with the results that several of them share.

    Args:
        value: The state [B, C, H, W].
        kernels: The functions that compute convolutions and norms.
    """

    def __init__(self, value: Tensor, kernels: type[Kernels]) -> None:
        self._kernels = kernels
        self._results: dict[tuple[tuple[str, ...], int], Tensor] = {((), 1): value}

    def output(self, chains: Sequence[Chain]) -> tuple[Tensor, bool]:
        """Return the outputs of n equal operations side by side, [B, n * C, H, W], before their last norm.

        Returns:
            The outputs, and whether they still have to be normalised with the statistics of the batch.
        """
        first = chains[0]
        for end in range(first.shared):
            self._share(first.stages[end], first.kinds[: end + 1])
        prefix = first.kinds[: first.shared]
        if len(prefix) == len(first.kinds):
            return self._beside(prefix, len(chains)), False
        x = self._begin(chains, prefix)
        for index in range(first.shared + 1, len(first.kinds)):
            stages, kind = [chain.stages[index] for chain in chains], first.kinds[index]
            if index + 1 == len(first.kinds) and _is_default_norm(stages[0], kind):
                return x, True
            x = self._advance(stages, kind, x)
        return x, False

    def _share(self, stage: Stage, kinds: tuple[str, ...]) -> None:
        if (kinds, 1) not in self._results:
            self._results[kinds, 1] = self._advance([stage], kinds[-1], self._results[kinds[:-1], 1])

    def _beside(self, kinds: tuple[str, ...], count: int) -> Tensor:
        """Return a shared result `count` times side by side."""
        if (kinds, count) not in self._results:
            self._results[kinds, count] = torch.cat([self._results[kinds, 1]] * count, 1)
        return self._results[kinds, count]

    def _begin(self, chains: Sequence[Chain], prefix: tuple[str, ...]) -> Tensor:
        """Return the result of the first stage with weights of n operations, side by side."""
        stages, kind = [chain.stages[len(prefix)] for chain in chains], chains[0].kinds[len(prefix)]
        if isinstance(stages[0], nn.Conv2d) and kind and stages[0].groups == 1:
            return _convolve(stages, self._results[prefix, 1], 1)
        return self._advance(stages, kind, self._beside(prefix, len(chains)))

    def _advance(self, stages: Sequence[Stage], kind: str, x: Tensor) -> Tensor:
        """Return the result of the next stage of n operations, whose features are side by side."""
        first = stages[0]
        if not kind:
            parts = zip(stages, x.chunk(len(stages), 1), strict=True)
            return torch.cat([stage(part) for stage, part in parts], 1) if len(stages) > 1 else first(x)
        if isinstance(first, nn.BatchNorm2d):
            check_countable(x)
            if kind.endswith(_NORM_RELU):
                return self._kernels.norm_relu(x, first.eps)
            return functional.batch_norm(x, None, None, None, None, True, 0.0, first.eps)  # noqa: FBT003
        if isinstance(first, nn.Conv2d):
            return self._convolve(stages, x)
        return first(x)

    def _convolve(self, stages: Sequence[Stage], x: Tensor) -> Tensor:
        first = stages[0]
        assert isinstance(first, nn.Conv2d)
        if _is_depthwise(first):
            weight, _ = _stacked(stages)
            (stride, _), (padding, _), (dilation, _) = first.stride, first.padding, first.dilation
            return self._kernels.depthwise(
                x, weight, stride=stride, padding=int(padding), dilation=dilation
            )
        return _convolve(stages, x, first.groups * len(stages))


def check_countable(x: Tensor) -> None:
    """Refuse to normalise features [B, C, H, W] of which each channel has one value.

    Raises:
        ValueError: As torch's batch norms do.
    """
    if x.numel() == x.shape[1]:
        shape = list(x.shape)
        raise ValueError(f"a batch norm needs more than 1 value per channel when training, not {shape}")


def _is_default_norm(stage: Stage, kind: str) -> bool:
    is_norm = bool(kind) and isinstance(stage, nn.BatchNorm2d) and not kind.endswith(_NORM_RELU)
    return is_norm and getattr(stage, "eps", None) == EPS


def _is_depthwise(stage: nn.Conv2d) -> bool:
    sides = (stage.kernel_size, stage.stride, stage.padding, stage.dilation)
    is_square = all(len(set(side)) == 1 for side in sides)
    return stage.groups == stage.in_channels == stage.out_channels and stage.bias is None and is_square


def _convolve(stages: Sequence[Stage], x: Tensor, groups: int) -> Tensor:
    first = stages[0]
    assert isinstance(first, nn.Conv2d)
    weight, bias = _stacked(stages)
    return functional.conv2d(x, weight, bias, first.stride, first.padding, first.dilation, groups)


def _stacked(stages: Sequence[Stage]) -> tuple[Tensor, Tensor | None]:
    convolutions = [stage for stage in stages if isinstance(stage, nn.Conv2d)]
    if len(convolutions) == 1:
        return convolutions[0].weight, convolutions[0].bias
    biases = [each.bias for each in convolutions if each.bias is not None]
    return torch.cat([each.weight for each in convolutions]), torch.cat(biases) if biases else None
