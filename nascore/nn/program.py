"""The program of a network: the steps of its plan in order, for execution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nascore.description import Catalogue, Op, Plan, State, Wire
    from nascore.description.plan import Join


@frozen(kw_only=True)
class Branch:
    """An operation in its place.

    Attributes:
        path: Its path, under which the network holds its module.
        column: Its column in the choice group; -1 on a closed edge.
        drops: Whether drop path falls on what it gives.
    """

    path: str
    column: int
    drops: bool


@frozen(kw_only=True)
class Link:
    """An edge in its place.

    Attributes:
        target: Index of the state that it leads to.
        place: Which of that state's edges it is.
        branches: Its operations; none if it is bare.
        width: Channels that each operation gives.
        stride: By how much each operation makes the state smaller.
        detached: Whether it reads a state that its gradient does not reach, since it leads to a shadow.
        gate: Path of the scalar by which it is multiplied, if there is one.
        group: Choice group; None on a closed edge.
        row: Row in the group.
        replica: Which use of the row it is.
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
    """A state: join what leads to it, then follow the edges that read it.

    Attributes:
        index: Index of the state.
        join: How its edges meet; ``input`` for the images.
        shadow: Whether it is read as zero and passes its gradient.
        arity: Number of edges that lead to it.
        readers: The edges that read it.
    """

    index: int
    join: Join
    shadow: bool
    arity: int
    readers: tuple[Link, ...]


@frozen(kw_only=True)
class Program:
    """The states that some outputs need, each after those that it reads.

    Attributes:
        steps: The states.
        outputs: Indices of the states that are returned.
    """

    steps: tuple[Step, ...]
    outputs: tuple[int, ...]


def needed(plan: Plan, outputs: Iterable[int]) -> set[int]:
    """Return the indices of the states from which the outputs are computed, and of the outputs themselves."""
    found: set[int] = set()
    left = list(outputs)
    while left:
        index = left.pop()
        if index not in found:
            found.add(index)
            left += [wire.source for wire in plan.states[index].wires]
    return found


def write_program(plan: Plan, catalogue: Catalogue, outputs: Sequence[int]) -> Program:
    """Return the program that computes these states of a plan, and no state that they do not need."""
    wanted = sorted({*needed(plan, outputs), *_images(plan)})
    readers: dict[int, list[Link]] = {index: [] for index in wanted}
    for index in wanted:
        state = plan.states[index]
        for place, wire in enumerate(state.wires):
            readers[wire.source].append(_link(plan, catalogue, wire, (index, place), state))
    steps = tuple(
        Step(
            index=index,
            join=plan.states[index].join,
            shadow=plan.states[index].shadow,
            arity=len(plan.states[index].wires),
            readers=tuple(readers[index]),
        )
        for index in wanted
    )
    return Program(steps=steps, outputs=tuple(outputs))


def _images(plan: Plan) -> Iterator[int]:
    return (index for index, state in enumerate(plan.states) if state.join == "input")


def _link(plan: Plan, catalogue: Catalogue, wire: Wire, at: tuple[int, int], state: State) -> Link:
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
    # What may be the identity is it only where nothing changes; a skip that halves the size is dropped.
    is_identity = entry.identity and wire.stride == 1 and wire.c_in == wire.width
    return not (entry.structural or is_identity)
