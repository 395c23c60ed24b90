"""Runs equal operations that read the same state as one, for speed; the results are those of the plain way.

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

from nascore.nn.execution import Pass, Plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.nn.program import Branch, Step

    Ready = Mapping[str, Tensor]  # results of operations, by path

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
        keeps = isinstance(first, nn.BatchNorm2d) and first.track_running_stats
        if not (keeps or isinstance(first, nn.Conv2d)):
            x = first(x)
            continue
        apart = keeps or not shared or first.groups != 1
        if apart and shared and count > 1:
            # From here on each chain has channels of its own, side by side.
            x = x.repeat(1, count, 1, 1)
        x = _normalised(place, x) if keeps else _convolved(place, x, apart=apart)
        shared = False
    return [x] * count if shared else x.chunk(count, 1)


def _convolved(place: Sequence[nn.Module], x: Tensor, *, apart: bool) -> Tensor:
    """Apply the convolutions of all chains, each to its own channels, or all to the same ones."""
    first = place[0]
    assert isinstance(first, nn.Conv2d)
    groups = first.groups * (len(place) if apart else 1)
    weight, bias = _stacked(place)
    return functional.conv2d(x, weight, bias, first.stride, first.padding, first.dilation, groups)


def _normalised(place: Sequence[nn.Module], x: Tensor) -> Tensor:
    """Apply the batch norms of all chains, each to its own channels, and update their running statistics."""
    norms = [module for module in place if isinstance(module, nn.BatchNorm2d)]
    first = norms[0]
    if len(norms) == 1 or first.momentum is None:  # the latter is a mean over all batches so far
        parts = zip(norms, x.chunk(len(norms), 1), strict=True)
        return torch.cat([norm(part) for norm, part in parts], 1)
    kept = [_statistics(norm) for norm in norms]
    mean, var = (torch.cat(each) for each in zip(*kept, strict=True))
    x = functional.batch_norm(x, mean, var, None, None, first.training, first.momentum, first.eps)
    if first.training:
        updated = zip(mean.chunk(len(norms)), var.chunk(len(norms)), strict=True)
        for norm, own, new in zip(norms, kept, updated, strict=True):
            own[0].copy_(new[0])
            own[1].copy_(new[1])
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.add_(1)
    return x


def _statistics(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    mean, var = norm.running_mean, norm.running_var
    assert mean is not None
    assert var is not None
    return mean, var


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
        return not module.affine  # its weights would have to be stacked too
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
