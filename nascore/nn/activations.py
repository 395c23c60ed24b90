"""How many numbers the backward pass of a network reads, counted without building it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.description import expand
from nascore.nn.measured import measured
from nascore.nn.program import needed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.description import Catalogue, Description, Op, Wire


def activations(
    description: Description,
    catalogue: Catalogue,
    size: tuple[int, int],
    runs: Mapping[str, Tensor] | None = None,
) -> int:
    """Return how many numbers per image a training step keeps for its backward pass, to about a quarter.

    Every module's output is counted, since the module after it reads it.

    Args:
        description: Open or closed.
        catalogue: The operations that it may name.
        size: Height and width of an image, in pixels.
        runs: By choice group [E, O] bool, which candidates are run; None: all of them.

    Raises:
        DescriptionError: With every problem of the description.
    """
    plan = expand(description, catalogue)
    heads = [] if plan.auxiliary is None else [plan.auxiliary]
    run = needed(plan, [plan.output, *heads])
    sizes: list[tuple[int, ...]] = []
    kept = 0
    for index, state in enumerate(plan.states):
        given: tuple[int, ...] = size if not state.wires else sizes[state.wires[0].source]
        for wire in state.wires:
            for op in wire.ops:
                found = measured(op, wire, sizes[wire.source], description, catalogue)
                given = found.size
                if index in run and (runs is None or _is_run(op, wire, description, runs)):
                    kept += found.kept
        sizes.append(given)
    return kept


def _is_run(op: Op, wire: Wire, description: Description, runs: Mapping[str, Tensor]) -> bool:
    if wire.group is None or wire.group not in runs:
        return True
    return bool(runs[wire.group][wire.row, description.groups[wire.group].ops.index(op)])
