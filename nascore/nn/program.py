"""The program of a network: the states of its plan in the order in which an execution computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nascore.description import Catalogue, FeatureMap, Op, Plan, Wire
    from nascore.description.plan import Join


@frozen(kw_only=True)
class Branch:
    """An operation on an edge.

    Attributes:
        path: Its path, the key of its module in the network.
        column: Its column in the choice group; -1 on a closed edge.
        drops: Whether drop path applies to its output.
    """

    path: str
    column: int
    drops: bool


@frozen(kw_only=True)
class Link:
    """An edge between two states.

    Attributes:
        target: Index of the state that it leads to.
        place: Its index among the edges into that state.
        branches: Its operations; empty if it passes the state on unchanged.
        width: Output channels of each operation.
        stride: Factor by which each operation reduces height and width.
        detached: Whether its gradient stops at the state that it reads, since it leads to a shadow.
        gate: Path of the scalar that multiplies its output; None: it has no gate.
        group: Name of its choice group; None on a closed edge.
        row: Row in the group.
        replica: Index of its use of the row, 0 to K - 1.
    """

    target: int
    place: int
    branches: tuple[Branch, ...]
    width: int
    stride: int
    detached: bool
    gate: str | None
    group: str | None
    row: int
    replica: int


@frozen(kw_only=True)
class Step:
    """The computation of a state: join its incoming edges, then compute its outgoing edges.

    Attributes:
        index: Index of the state.
        join: How its edges are joined, ``sum`` or ``concat``; ``input`` for the images.
        shadow: Whether its value is zero while its gradient passes.
        arity: Number of edges that lead to it.
        readers: The edges that read it.
        cell: The cell of the network that holds it; empty for a state outside of cells.
    """

    index: int
    join: Join
    shadow: bool
    arity: int
    readers: tuple[Link, ...]
    cell: str


@frozen(kw_only=True)
class Program:
    """The states that some outputs depend on, in topological order.

    Attributes:
        steps: The states.
        outputs: Indices of the states that are returned.
    """

    steps: tuple[Step, ...]
    outputs: tuple[int, ...]


def needed(plan: Plan, outputs: Iterable[int]) -> set[int]:
    """Return the indices of the states that the outputs depend on, including the outputs themselves."""
    found: set[int] = set()
    pending = list(outputs)
    while pending:
        index = pending.pop()
        if index not in found:
            found.add(index)
            pending += [wire.source for wire in plan.feature_maps[index].wires]
    return found


def write_program(plan: Plan, catalogue: Catalogue, outputs: Sequence[int]) -> Program:
    """Return the program that computes these states of a plan, and only the states that they depend on."""
    indices = sorted({*needed(plan, outputs), *_images(plan)})
    readers: dict[int, list[Link]] = {index: [] for index in indices}
    for index in indices:
        state = plan.feature_maps[index]
        for place, wire in enumerate(state.wires):
            readers[wire.source].append(_link(plan, catalogue, wire, (index, place), state))
    steps = tuple(
        Step(
            index=index,
            join=plan.feature_maps[index].join,
            shadow=plan.feature_maps[index].shadow,
            arity=len(plan.feature_maps[index].wires),
            readers=tuple(readers[index]),
            cell=cell_of(plan.feature_maps[index]),
        )
        for index in indices
    )
    return Program(steps=steps, outputs=tuple(outputs))


def cell_of(state: FeatureMap) -> str:
    """Return the cell of the network that holds a state; empty for a state outside of cells."""
    return state.path.rpartition("/")[0].partition("/")[0]


def _images(plan: Plan) -> Iterator[int]:
    return (index for index, state in enumerate(plan.feature_maps) if state.join == "input")


def _link(plan: Plan, catalogue: Catalogue, wire: Wire, at: tuple[int, int], state: FeatureMap) -> Link:
    columns = plan.layouts[wire.group].ops if wire.group is not None else ()
    return Link(
        target=at[0],
        place=at[1],
        branches=tuple(
            Branch(
                path=wire.op_path(op),
                column=columns.index(op) if columns else -1,
                drops=_drops(op, wire, catalogue),
            )
            for op in wire.ops
        ),
        width=wire.width,
        stride=wire.stride,
        detached=state.shadow,
        gate=wire.path if wire.gate else None,
        group=wire.group,
        row=wire.row,
        replica=wire.replica,
    )


def _drops(op: Op, wire: Wire, catalogue: Catalogue) -> bool:
    entry = catalogue[op.name]
    # A skip connection is the identity only if the shape is unchanged; one that halves the size is dropped.
    is_identity = entry.identity and wire.stride == 1 and wire.c_in == wire.width
    return not (entry.structural or is_identity)
