"""The fused execution: computes equal operations on the same state as one grouped operation, for speed.

In a cell every pair of states is joined by the same candidates, so a state is read by as many separable
convolutions as there are states after it. One grouped convolution takes little longer than one of them: on
small networks nearly all time is spent on launching kernels. An operation without parameters has the same
result on all edges and is computed once.
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
    """Calls equal operations that read the same state together.

    The results equal those of :class:`Plain` up to rounding, since sums may be added in another order.

    Args:
        ops: Every operation by path.
        gates: Every gate by path.
    """

    def __init__(self, ops: nn.ModuleDict, gates: nn.ParameterDict) -> None:
        super().__init__(ops, gates)
        chains = {path: list(_leaves(module)) for path, module in ops.items()}
        self._chains = {path: chain for path, chain in chains.items() if all(map(_is_fusible, chain))}
        self._kinds = {path: tuple(map(_signature, chain)) for path, chain in self._chains.items()}

    def _ahead(self, step: Step, value: Tensor, options: Pass) -> Ready:
        equal: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
        for detached, branch in _active_branches(step, options):
            if branch.path in self._kinds:
                equal.setdefault((detached, self._kinds[branch.path]), []).append(branch.path)
        rectified: dict[bool, Tensor] = {}
        ready: dict[str, Tensor] = {}
        for (detached, kind), paths in equal.items():
            source, start = (value.detach() if detached else value), 0
            if kind and kind[0] == _RELU:
                if detached not in rectified:
                    rectified[detached] = functional.relu(source)
                source, start = rectified[detached], 1
            chains = [self._chains[path][start:] for path in paths]
            ready.update(zip(paths, apply_chains(chains, source), strict=True))
        return ready


def apply_chains(chains: Sequence[Sequence[nn.Module]], x: Tensor) -> Sequence[Tensor]:
    """Return the results of several equal chains of modules on one input [B, C, H, W], one per chain.

    Args:
        chains: Fusible modules; at each position the modules of all chains differ only in their weights.
        x: The input of all chains.
    """
    count, shared = len(chains), True
    for modules in zip(*chains, strict=True):
        first = modules[0]
        has_statistics = isinstance(first, nn.BatchNorm2d) and first.track_running_stats
        if not (has_statistics or isinstance(first, nn.Conv2d)):
            x = first(x)
            continue
        separate = has_statistics or not shared or first.groups != 1
        if separate and shared and count > 1:
            # From here on each chain has its own channels, side by side.
            x = x.repeat(1, count, 1, 1)
        x = _normalise(modules, x) if has_statistics else _convolve(modules, x, separate=separate)
        shared = False
    return [x] * count if shared else x.chunk(count, 1)


def _convolve(modules: Sequence[nn.Module], x: Tensor, *, separate: bool) -> Tensor:
    """Apply the convolutions of all chains, each to its own channels, or all to the same ones."""
    first = modules[0]
    assert isinstance(first, nn.Conv2d)
    groups = first.groups * (len(modules) if separate else 1)
    weight, bias = _stacked(modules)
    return functional.conv2d(x, weight, bias, first.stride, first.padding, first.dilation, groups)


def _normalise(modules: Sequence[nn.Module], x: Tensor) -> Tensor:
    """Apply the batch norms of all chains, each to its own channels, and update their running statistics."""
    norms = [module for module in modules if isinstance(module, nn.BatchNorm2d)]
    first = norms[0]
    # Without momentum, a mean over all batches so far; that of new norms differs from that of inherited ones.
    if len(norms) == 1 or first.momentum is None or any(norm.momentum != first.momentum for norm in norms):
        parts = zip(norms, x.chunk(len(norms), 1), strict=True)
        return torch.cat([norm(part) for norm, part in parts], 1)
    statistics = [_statistics(norm) for norm in norms]
    mean, var = (torch.cat(each) for each in zip(*statistics, strict=True))
    x = functional.batch_norm(x, mean, var, None, None, first.training, first.momentum, first.eps)
    if first.training:
        updated = zip(mean.chunk(len(norms)), var.chunk(len(norms)), strict=True)
        for norm, old, new in zip(norms, statistics, updated, strict=True):
            old[0].copy_(new[0])
            old[1].copy_(new[1])
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.add_(1)
    return x


def _statistics(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    mean, var = norm.running_mean, norm.running_var
    assert mean is not None
    assert var is not None
    return mean, var


def _stacked(modules: Sequence[nn.Module]) -> tuple[Tensor, Tensor | None]:
    convolutions = [module for module in modules if isinstance(module, nn.Conv2d)]
    if len(convolutions) == 1:
        return convolutions[0].weight, convolutions[0].bias
    biases = [module.bias for module in convolutions if module.bias is not None]
    return torch.cat([module.weight for module in convolutions]), torch.cat(biases) if biases else None


def _active_branches(step: Step, options: Pass) -> Iterator[tuple[bool, Branch]]:
    """Yield the active operations that read a state, and whether each reads it detached."""
    for link in step.readers:
        for branch in link.branches:
            if link.group is None or options.weights.runs(link, branch.column):
                yield link.detached, branch


def _leaves(module: nn.Module) -> Iterator[nn.Module]:
    if type(module) is nn.Sequential and not _has_hooks(module):
        for part in module:
            yield from _leaves(part)
    else:
        yield module


def _is_fusible(module: nn.Module) -> bool:
    """Return whether a module can process the channels of several operations side by side."""
    if _has_hooks(module) or getattr(module, "inplace", False):
        return False
    if type(module) is nn.Conv2d:
        return module.padding_mode == "zeros"
    if type(module) is nn.BatchNorm2d:
        return not module.affine  # its weights are not stacked
    return type(module) in _CHANNELWISE


def _has_hooks(module: nn.Module) -> bool:
    """Return whether calling a module runs hooks, for example those that recompute its weight."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")  # torch has no other way to ask
    return any(getattr(module, name) for name in hooks)


def _signature(module: nn.Module) -> str:
    """Return a text that is equal for modules that differ only in their weights."""
    text = repr(module)
    if isinstance(module, nn.AvgPool2d):
        # Its repr leaves these out.
        text += f"{module.ceil_mode}{module.count_include_pad}{module.divisor_override}"
    return text


EXECUTIONS: Final[Mapping[str, type[Plain]]] = {"plain": Plain, "fused": Fused}
"""The executions by name."""
