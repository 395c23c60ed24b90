"""What a network costs, without building it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from attrs import define, evolve, frozen

from nascore.description import expand
from nascore.errors import DescriptionError, Problem, did_you_mean
from nascore.nn.measured import measured
from nascore.nn.program import needed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from nascore.description import Catalogue, Description, Op, Pick, Plan, State, Wire
    from nascore.nn.measured import Measured

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
