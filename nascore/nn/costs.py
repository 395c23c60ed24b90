"""What a network costs, without building it: torch's meta device holds shapes and no numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import torch
from attrs import define, evolve, frozen
from torch.utils.flop_counter import FlopCounterMode

from nascore.description import expand
from nascore.errors import DescriptionError, Problem, did_you_mean
from nascore.nn.compiler import kind_of
from nascore.nn.program import needed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor, nn

    from nascore.description import Catalogue, Description, Op, Pick, Plan, State, Wire
    from nascore.description.names import Scalar

MOST_KNOWN: Final = 4096
"""Operations whose costs are remembered: a search measures many architectures of the same operations."""

SAMPLES = 2
"""Images that are sent through an operation: batch norm refuses one value per channel."""

FLOPS = 2
"""Floating point operations of a multiply-accumulate."""

Size = tuple[int, ...]
"""Height and width of a state; empty where it has none, as logits."""


@frozen(kw_only=True, eq=False)
class GroupCosts:
    """What the candidates of a choice group cost, each in each of its uses.

    Attributes:
        params: Parameters, int64 [K, E, O].
        macs: Multiply-accumulates per image, int64 [K, E, O].
    """

    params: Tensor
    macs: Tensor


@frozen(kw_only=True, eq=False)
class Costs:
    """What a network costs: what is certain, and what each choice adds.

    Attributes:
        params: Parameters, of all that is built.
        macs: Multiply-accumulates of convolutions and linear maps per image, of what inference runs.
        groups: By choice group what its candidates cost.
    """

    params: int
    macs: int
    groups: Mapping[str, GroupCosts]

    def of(self, picks: Mapping[str, Sequence[Pick]]) -> Costs:
        """Return what it costs with the picks taken; groups that are not named stay open.

        It is what the derived network costs, as long as that network needs the same states.

        Raises:
            DescriptionError: There is no such group.
        """
        problems = [
            Problem(path=name, text="there is no such group.", hint=did_you_mean(name, self.groups))
            for name in picks
            if name not in self.groups
        ]
        if problems:
            raise DescriptionError(problems)
        params, macs = self.params, self.macs
        for name, pairs in picks.items():
            for row, column in pairs:
                params += int(self.groups[name].params[:, row, column].sum())
                macs += int(self.groups[name].macs[:, row, column].sum())
        left = {name: group for name, group in self.groups.items() if name not in picks}
        return evolve(self, params=params, macs=macs, groups=left)


def costs(description: Description, catalogue: Catalogue, size: tuple[int, int]) -> Costs:
    """Count parameters and multiply-accumulates; each distinct operation is built once in a process.

    Args:
        description: Open or closed.
        catalogue: The operations that it may name.
        size: Height and width of an image.

    Raises:
        DescriptionError: With every problem of the description.
    """
    plan = expand(description, catalogue)
    count = _Count(description=description, catalogue=catalogue, groups=_zeros(plan))
    run = needed(plan, [plan.output])
    sizes: list[Size] = []
    for index, state in enumerate(plan.states):
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


@frozen(kw_only=True)
class _Measured:
    params: int
    macs: int
    size: Size


@define(kw_only=True)
class _Count:
    description: Description
    catalogue: Catalogue
    groups: dict[str, GroupCosts]
    params: int = 0
    macs: int = 0

    def state(self, state: State, sizes: Sequence[Size], images: Size, *, run: bool) -> Size:
        """Add what leads to a state; return the size of the state."""
        size = images if not state.wires else sizes[state.wires[0].source]
        for wire in state.wires:
            self.params += wire.gate
            for op in wire.ops:
                measured = self._measure(op, wire, sizes[wire.source])
                self._add(op, wire, measured, run=run)
                size = measured.size
        return size

    def _add(self, op: Op, wire: Wire, measured: _Measured, *, run: bool) -> None:
        macs = measured.macs if run else 0
        if wire.group is None:
            self.params += measured.params
            self.macs += macs
            return
        column = self.description.groups[wire.group].ops.index(op)
        group = self.groups[wire.group]
        group.params[wire.replica, wire.row, column] = measured.params
        group.macs[wire.replica, wire.row, column] = macs

    def _measure(self, op: Op, wire: Wire, size: Size) -> _Measured:
        # What builds it, not its name: two plugins may bring an operation of the same name.
        kind, settings = kind_of(op, self.description, self.catalogue)
        return _measured(kind, tuple(settings.items()), (wire.c_in, wire.width, wire.stride), size)


@lru_cache(maxsize=MOST_KNOWN)
def _measured(
    kind: Callable[..., nn.Module],
    settings: tuple[tuple[str, Scalar], ...],
    shape: tuple[int, int, int],
    size: Size,
) -> _Measured:
    with torch.device("meta"), torch.no_grad():
        module = kind(*shape, **dict(settings))
        x = torch.empty(SAMPLES, shape[0], *size)
        with FlopCounterMode(display=False) as counter:
            y = module(x)
    return _Measured(
        params=sum(each.numel() for each in module.parameters()),
        macs=counter.get_total_flops() // (SAMPLES * FLOPS),
        size=tuple(y.shape[2:]),
    )
