"""Counts parameters, multiply-accumulates and activations of a network without building it."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any, Final

import torch
from attrs import define, frozen
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from nascore.contract import Costs, GroupCosts
from nascore.description import expand
from nascore.nn.compiler import kind_of
from nascore.nn.program import cell_of, needed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor
    from torch._ops import OpOverload

    from nascore.description import Catalogue, Description, FeatureMap, Op, Plan, Wire
    from nascore.description.names import Scalar


MOST_KNOWN: Final = 4096
"""Size of the cache: a search measures many architectures of the same operations."""

SAMPLES: Final = 2
"""Images in the batch that is sent through an operation: batch norm refuses one value per channel."""

FLOPS: Final = 2
"""Floating point operations of a multiply-accumulate."""


@frozen(kw_only=True)
class Measured:
    """Costs and output shape of an operation on one wire.

    Attributes:
        params: Number of its parameters.
        macs: Multiply-accumulates per image.
        shape: Shape of its output for one image: [C, H, W], or [C] for logits.
        kept: Number of values per image that the backward pass needs: the outputs of its modules.
    """

    params: int
    macs: int
    shape: tuple[int, ...]
    kept: int

    @property
    def size(self) -> tuple[int, ...]:
        """Height and width of its output; empty for logits."""
        return self.shape[1:]


def measured(  # noqa: PLR0913 - an operation, where it stands, and on how many images
    op: Op,
    wire: Wire,
    size: tuple[int, ...],
    description: Description,
    catalogue: Catalogue,
    *,
    samples: int = SAMPLES,
) -> Measured:
    """Return the costs of an operation in training mode; each distinct one is built once in a process.

    Args:
        op: The operation.
        wire: The wire on which it is placed.
        size: Height and width of the state that it reads.
        description: The description that contains the operation.
        catalogue: The operations that the description may name.
        samples: Images in the batch that is sent through it.

    Raises:
        Exception: Whatever the operation raises for an input of this shape.
    """
    # The cache key is the class, not the name: two plugins may define operations of the same name.
    kind, settings = kind_of(op, description, catalogue)
    return _measured(kind, tuple(settings.items()), (wire.c_in, wire.width, wire.stride), size, samples)


class _FlopCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts floating point operations with torch's own formulas, in the current thread only.

    torch's own counter also counts the modules that other threads call.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        """Call an operator of torch and count its floating point operations."""
        del types
        named = kwargs or {}
        formula = flop_registry.get(func.overloadpacket)
        if formula is None:
            with self:
                parts = func.decompose(*args, **named)
            if parts is not NotImplemented:
                return parts
        result = func(*args, **named)
        if formula is not None:
            self.flops += formula(*args, **named, out_val=result)
        return result


@lru_cache(maxsize=MOST_KNOWN)
def _measured(
    kind: Callable[..., nn.Module],
    settings: tuple[tuple[str, Scalar], ...],
    shape: tuple[int, int, int],
    size: tuple[int, ...],
    samples: int,
) -> Measured:
    kept = 0

    def count(_module: nn.Module, _inputs: object, result: object) -> None:
        nonlocal kept
        kept += result.numel() if isinstance(result, torch.Tensor) else 0

    with torch.device("meta"), torch.no_grad():
        module = kind(*shape, **dict(settings))
        if not isinstance(module, nn.Module):
            raise TypeError(f"it builds {type(module).__name__}, not a torch.nn.Module")
        for each in module.modules():
            if not any(each.children()):
                each.register_forward_hook(count)
        x = torch.empty(samples, shape[0], *size)
        with _FlopCounter() as counter:
            y = module(x)
    if not isinstance(y, torch.Tensor):
        raise TypeError(f"it returns {type(y).__name__}, not a tensor")
    return Measured(
        params=sum(each.numel() for each in module.parameters()),
        macs=counter.flops // (samples * FLOPS),
        shape=tuple(y.shape[1:]),
        kept=kept // samples,
    )


Size = tuple[int, ...]
"""Height and width of a state in pixels; empty for logits."""


def costs(description: Description, catalogue: Catalogue, size: tuple[int, int]) -> Costs:
    """Return parameters and multiply-accumulates per image of a network, in total and by candidate.

    Each distinct operation is built once in a process.

    Args:
        description: Open or closed.
        catalogue: The operations that it may name.
        size: Height and width of an image, in pixels.

    Raises:
        DescriptionError: With every problem of the description.
    """
    plan = expand(description, catalogue)
    count = _Count(description=description, catalogue=catalogue, groups=_zeros(plan))
    run = needed(plan, [plan.output])
    sizes: list[Size] = []
    for index, state in enumerate(plan.feature_maps):
        sizes.append(count.state(state, sizes, size, run=index in run))
    return Costs(params=count.params, macs=count.macs, groups=count.groups)


def _zeros(plan: Plan) -> dict[str, GroupCosts]:
    groups = {}
    for name, layout in plan.layouts.items():
        shape = (layout.replicas, len(layout.rows), len(layout.ops))
        groups[name] = GroupCosts(
            params=torch.zeros(shape, dtype=torch.int64), macs=torch.zeros(shape, dtype=torch.int64)
        )
    return groups


@define(kw_only=True)
class _Count:
    description: Description
    catalogue: Catalogue
    groups: dict[str, GroupCosts]
    params: int = 0
    macs: int = 0

    def state(self, state: FeatureMap, sizes: Sequence[Size], images: Size, *, run: bool) -> Size:
        """Add the costs of the wires into a state; return the size of the state."""
        size = images if not state.wires else sizes[state.wires[0].source]
        for wire in state.wires:
            self.params += wire.gate
            for op in wire.ops:
                found = measured(op, wire, sizes[wire.source], self.description, self.catalogue)
                self._add(op, wire, found, run=run)
                size = found.size
        return size

    def _add(self, op: Op, wire: Wire, measured: Measured, *, run: bool) -> None:
        macs = measured.macs if run else 0
        if wire.group is None:
            self.params += measured.params
            self.macs += macs
            return
        column = self.description.groups[wire.group].ops.index(op)
        group = self.groups[wire.group]
        group.params[wire.replica, wire.row, column] = measured.params
        group.macs[wire.replica, wire.row, column] = macs


def activations(
    description: Description,
    catalogue: Catalogue,
    size: tuple[int, int],
    runs: Mapping[str, Tensor] | None = None,
    *,
    recompute: bool = False,
) -> int:
    """Return how many values per image a training step keeps for its backward pass, to about a quarter.

    The output of every module is counted, since the next module reads it. If cells are recomputed, these are
    the outputs of one cell, the largest, and what cells hand on.

    Args:
        description: Open or closed.
        catalogue: The operations that it may name.
        size: Height and width of an image, in pixels.
        runs: By choice group, [E, O] bool: the candidates that are run; None: all of them.
        recompute: Whether the features inside of cells are computed again in the backward pass.

    Raises:
        DescriptionError: With every problem of the description.
    """
    plan = expand(description, catalogue)
    heads = [] if plan.auxiliary is None else [plan.auxiliary]
    run = needed(plan, [plan.output, *heads])
    sizes: list[tuple[int, ...]] = []
    # The cells that are recomputed, one by one; a state outside of cells counts as one.
    cells = [cell_of(state) or str(index) for index, state in enumerate(plan.feature_maps)]
    kept: Counter[str] = Counter()
    between = 0
    for index, state in enumerate(plan.feature_maps):
        output_size: Size = size if not state.wires else sizes[state.wires[0].source]
        for wire in state.wires:
            for op in wire.ops:
                found = measured(op, wire, sizes[wire.source], description, catalogue)
                output_size = found.size
                if index in run and (runs is None or _is_run(op, wire, description, runs)):
                    kept[cells[wire.source]] += found.kept
            if index in run and cells[wire.source] != cells[index]:
                between += wire.c_out * prod(output_size)
        sizes.append(output_size)
    return max(kept.values(), default=0) + between if recompute else kept.total()


def _is_run(op: Op, wire: Wire, description: Description, runs: Mapping[str, Tensor]) -> bool:
    if wire.group is None or wire.group not in runs:
        return True
    return bool(runs[wire.group][wire.row, description.groups[wire.group].ops.index(op)])
