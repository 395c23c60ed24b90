"""Converts architecture strings to descriptions and back."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from nascore.api import (
    Description,
    DescriptionError,
    Op,
    Problem,
    Translator,
    final,
    fingerprint,
    spread,
    with_auxiliary,
)
from nascore_nasbench import notation, space
from nascore_nasbench.notation import find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.api import Node

CELLS = 15
"""Cells of the benchmark's networks: five in each of the three stages."""


def from_string(  # noqa: PLR0913 - the values that a string does not contain
    text: str,
    *,
    channels: int = 16,
    cells: int = CELLS,
    classes: int = 10,
    in_channels: int = 3,
    auxiliary: bool = False,
) -> Description:
    """Return the network of an architecture string, in the form that is trained from scratch.

    Args:
        text: The string.
        channels: Width of the first stage; the benchmark has 16.
        cells: Number of cells, spread evenly over the three stages; the benchmark has 15.
        classes: Number of classes.
        in_channels: Channels of the images.
        auxiliary: Add DARTS's auxiliary head after the second residual block; the benchmark has none.

    Raises:
        DescriptionError: With every problem of the text.
    """
    if cells < 1:
        message = f"a network of NAS-Bench-201 has at least 1 cell, not {cells}."
        raise DescriptionError([Problem(path="cells", text=message)])
    description = _network(
        notation.parse(text), _repeats(cells), channels=channels, classes=classes, in_channels=in_channels
    )
    return with_auxiliary(description, space.BLOCKS[-1]) if auxiliary else description


def to_string(description: Description) -> str:
    """Return the architecture string of a closed description of a NAS-Bench-201 network.

    A string does not contain depth, channels and classes.

    Raises:
        DescriptionError: A string cannot express the description: its cell or its network differs.
    """
    if description.is_open:
        raise DescriptionError("an open description has no architecture string yet: derive it first")
    problems: list[Problem] = []
    operations = _read(description, problems)
    if problems:
        raise DescriptionError(problems)
    rebuilt = _network(
        operations,
        space.count_cells(description.network),
        channels=description.channels,
        classes=description.classes,
        in_channels=description.in_channels,
    )
    rebuilt = rebuilt if description.auxiliary is None else with_auxiliary(rebuilt, space.BLOCKS[-1])
    if rebuilt != description and fingerprint(rebuilt) != fingerprint(final(description)):
        raise DescriptionError(
            "an architecture string cannot express this description: its network is not that of "
            "NAS-Bench-201, or its cells differ"
        )
    return notation.write(operations)


STRINGS = Translator(
    name="nb201",
    summary="The architecture string of NAS-Bench-201 and NATS-Bench.",
    to_text=to_string,
    from_text=from_string,
    recognises=notation.looks_like,
    find=find,
    mini={"cells": 4},
    small={"cells": 6},
)


def _network(
    operations: Sequence[str],
    repeats: space.Repeats,
    *,
    channels: int = 16,
    classes: int = 10,
    in_channels: int = 3,
) -> Description:
    return Description(
        network=space.network(repeats),
        cells={space.CELL: space.cell([(Op(operation),) for operation in operations])},
        channels=channels,
        classes=classes,
        in_channels=in_channels,
    )


@cache
def _repeats(cells: int) -> space.Repeats:
    """Return the number of cells of each stage, distributed as by ``--cells``."""
    first, second, third = spread(_network(["none"] * len(space.EDGES), (1, 1, 1)), cells).values()
    return first, second, third


def _read(description: Description, problems: list[Problem]) -> tuple[str, ...]:
    """Return the operation of each edge of the first cell; the caller checks that all cells are equal."""
    name = next((node.cell for node in description.network.nodes if node.cell is not None), None)
    if name is None:
        message = "an architecture string describes a cell, and this network has none."
        problems.append(Problem(path="network", text=message))
        return ()
    graph, path = description.cells[name], f"cells.{name}"
    sums = all(node.join == "sum" for node in graph.nodes)
    if len(graph.inputs) != 1 or len(graph.nodes) != notation.NODES or not sums:
        message = f"a cell of NAS-Bench-201 has one input and {notation.NODES} nodes, each of which is a sum."
        problems.append(Problem(path=path, text=message))
        return ()
    states = [*graph.inputs, *(node.name for node in graph.nodes)]
    if graph.output != states[-1]:
        text = f"the output must be the last node, {states[-1]}."
        problems.append(Problem(path=f"{path}.output", text=text))
    return tuple(
        _operation(graph.nodes[node - 1], states[source], path, problems) for node, source in space.EDGES
    )


def _operation(node: Node, source: str, path: str, problems: list[Problem]) -> str:
    """Return the name of the only operation on an edge."""
    edge = next((edge for edge in node.edges if edge.source == source), None)
    # As in the form that is trained from scratch, where edges have no settings affine and pool_norm.
    ops = () if edge is None or edge.gate else [op.without("affine", "pool_norm") for op in edge.ops]
    if len(ops) == 1 and ops[0].name in space.OPERATIONS and not ops[0].settings:
        return ops[0].name
    if edge is None:
        message, hint = f"has no edge from {source}.", "Add the edge with the operation none."
    else:
        content = "a gate" if edge.gate else " and ".join(map(str, edge.ops)) or "no operation"
        message = f"an architecture string cannot express the edge from {source}: it has {content}."
        hint = f"An edge has one of {', '.join(space.OPERATIONS)}."
    problems.append(Problem(path=f"{path}.nodes.{node.name}", text=message, hint=hint))
    return ""
