"""Running the equal operations that leave a state as one.

In a cell every pair of states is joined by the same candidates, so a state is read by as many separable
convolutions as there are states after it. One convolution with groups takes little longer than one of them
alone: on small networks nearly all time is spent on starting operations. What has no parameters gives the
same on all edges and is computed once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import nn
from torch.nn import functional

from nascore.nn.execution import Plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.nn.execution import Pass, Ready
    from nascore.nn.program import Branch, Step

_CHANNELWISE: Final = (nn.ReLU, nn.MaxPool2d, nn.AvgPool2d)
_RELU: Final = repr(nn.ReLU())


class Fused(Plain):
    """Calls what is equal among the operations that read a state together.

    The mathematics is that of :class:`Plain`; sums may be added up in another order.

    Args:
        ops: Every operation by path.
        gates: Every gate by path.
    """

    def __init__(self, ops: nn.ModuleDict, gates: nn.ParameterDict) -> None:
        super().__init__(ops, gates)
        chains = {path: list(_leaves(module)) for path, module in ops.items()}
        self._chains = {path: chain for path, chain in chains.items() if all(map(_fuses, chain))}
        self._kinds = {path: tuple(map(_kind, chain)) for path, chain in self._chains.items()}

    def _ahead(self, step: Step, value: Tensor, asked: Pass) -> Ready:
        equal: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
        for detached, branch in _run(step, asked):
            if branch.path in self._kinds:
                equal.setdefault((detached, self._kinds[branch.path]), []).append(branch.path)
        rectified: dict[bool, Tensor] = {}
        ready: dict[str, Tensor] = {}
        for (detached, kind), paths in equal.items():
            source, done = (value.detach() if detached else value), 0
            if kind and kind[0] == _RELU:
                if detached not in rectified:
                    rectified[detached] = functional.relu(source)
                source, done = rectified[detached], 1
            chains = [self._chains[path][done:] for path in paths]
            ready.update(zip(paths, together(chains, source), strict=True))
        return ready


def together(chains: Sequence[Sequence[nn.Module]], x: Tensor) -> Sequence[Tensor]:
    """Apply several chains of modules of one kind to one input [B, C, H, W]; returns the result of each.

    Args:
        chains: Modules that :func:`_fuses` allows; in each place those of all chains differ in weights only.
        x: The input of all.
    """
    count, shared = len(chains), True
    for place in zip(*chains, strict=True):
        first = place[0]
        if not isinstance(first, nn.Conv2d):
            x = first(x)
            continue
        groups = first.groups
        if not (shared and groups == 1):
            # From here on each chain has channels of its own, side by side.
            x = x.repeat(1, count, 1, 1) if shared and count > 1 else x
            groups *= count
        weight, bias = _stacked(place)
        x = functional.conv2d(x, weight, bias, first.stride, first.padding, first.dilation, groups)
        shared = False
    return [x] * count if shared else x.chunk(count, 1)


def _stacked(place: Sequence[nn.Module]) -> tuple[Tensor, Tensor | None]:
    convolutions = [module for module in place if isinstance(module, nn.Conv2d)]
    if len(convolutions) == 1:
        return convolutions[0].weight, convolutions[0].bias
    biases = [module.bias for module in convolutions if module.bias is not None]
    return torch.cat([module.weight for module in convolutions]), torch.cat(biases) if biases else None


def _run(step: Step, asked: Pass) -> Iterator[tuple[bool, Branch]]:
    """Yield the operations of a state that are run, each with whether it reads the state detached."""
    for link in step.readers:
        for branch in link.branches:
            if link.group is None or asked.weights.runs(link, branch.column):
                yield link.detached, branch


def _leaves(module: nn.Module) -> Iterator[nn.Module]:
    if type(module) is nn.Sequential and not _watched(module):
        for part in module:
            yield from _leaves(part)
    else:
        yield module


def _fuses(module: nn.Module) -> bool:
    """Say whether a module may work on the channels of several operations side by side."""
    if _watched(module) or getattr(module, "inplace", False):
        return False
    if type(module) is nn.Conv2d:
        return module.padding_mode == "zeros"
    if type(module) is nn.BatchNorm2d:
        # With weights or running statistics it would have to be told whose channels it sees.
        return not (module.affine or module.track_running_stats)
    return type(module) in _CHANNELWISE


def _watched(module: nn.Module) -> bool:
    """Say whether calling a module does more than its forward: somebody listens, or remakes its weight."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")  # torch has no other way to ask
    return any(getattr(module, name) for name in hooks)


def _kind(module: nn.Module) -> str:
    """Return what is equal for modules that compute alike, apart from their weights."""
    text = repr(module)
    if isinstance(module, nn.AvgPool2d):
        # These it does not write.
        text += f"{module.ceil_mode}{module.count_include_pad}{module.divisor_override}"
    return text


EXECUTIONS: Final[Mapping[str, type[Plain]]] = {"plain": Plain, "fused": Fused}
"""The ways of running a network, by name."""
