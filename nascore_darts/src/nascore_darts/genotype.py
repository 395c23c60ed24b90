"""Converts genotypes to descriptions and back.

Code bases number the operations differently, so a genotype of numbers is refused as ambiguous.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nascore.api import (
    Description,
    DescriptionError,
    Edge,
    Graph,
    Node,
    Op,
    Origin,
    Problem,
    Translator,
    final,
    fingerprint,
    reducing,
    with_auxiliary,
)
from nascore_darts import space
from nascore_darts.genotypes import GENOTYPES
from nascore_darts.notation import INPUTS, OPERATIONS_PER_NODE, CellGenotype, Genotype, Term, parse
from nascore_darts.source import find
from nascore_darts.space import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


_LONGEST = 2_000
_PAIR = r"[(\[]\s*\d{1,2}\s*,\s*\d{1,2}\s*[)\]]"
_CELL = rf"[(\[]\s*{_PAIR}(?:\s*,\s*{_PAIR}){{0,39}}\s*,?\s*[)\]]"
_COMPACT = re.compile(rf"\s*[(\[]\s*{_CELL}\s*,\s*{_CELL}\s*,?\s*[)\]][\s,]*")

_READINGS = (
    "0 is max_pool_3x3 where `none` is not counted, as in NASLib and NAS-Bench-301, and `none` where it is, "
    "as in BANANAS"
)


def looks_like(text: str) -> bool:
    """Return whether a text is a genotype of numbers."""
    return len(text) < _LONGEST and _COMPACT.fullmatch(text.strip("\ufeff'\"` \t\r\n")) is not None


def refuse(text: str) -> None:
    """Refuse a genotype of numbers.

    Raises:
        DescriptionError: The text is one; the message has both numberings.
    """
    if looks_like(text):
        message = f"the numbers of the operations are ambiguous: {_READINGS}."
        hint = "Write their names: Genotype(normal=[(OPERATION, STATE), ...], ...)."
        where = Origin(kind="recipe", file="genotype", line=1, column=1)
        raise DescriptionError([Problem(path="", text=message, hint=hint, origin=where)])


GENOTYPE_OPERATIONS = (*OPERATIONS, "sep_conv_7x7", "conv_7x1_1x7", "noise")
"""The operations of genotypes: those of the space, two of NASNet and AmoebaNet, and one of RobustDARTS."""

MOST_NAMED = 8
"""Maximum number of genotypes that a message names."""

IMAGENET = "imagenet:"
"""The prefix of a genotype or a name that selects the network with the stems for ImageNet."""


def recognises(text: str) -> bool:
    """Return whether the text is a genotype, or the name of a published one."""
    text = text.strip().removeprefix(IMAGENET)
    return text in GENOTYPES or looks_like(text) or bool(find(text))


def from_genotype(  # noqa: PLR0913 - the values that a genotype does not contain
    text: str,
    *,
    channels: int = 36,
    cells: int = 20,
    classes: int = 10,
    in_channels: int = 3,
    auxiliary: bool = False,
    operations: Collection[str] = (),
) -> Description:
    """Return the network of a genotype, in the form that is trained from scratch.

    Args:
        text: A genotype in any dialect of :mod:`nascore_darts.notation`, or the name of a published one. The
            prefix ``imagenet:`` selects the network for ImageNet, whose two stems have reduction 8.
        channels: Width of the first cell's operations; DARTS evaluates with 36.
        cells: Number of cells, at least 2; DARTS evaluates with 20.
        classes: Number of classes.
        in_channels: Channels of the images.
        auxiliary: Add the auxiliary head after the second reduction.
        operations: Allowed operations besides :data:`GENOTYPE_OPERATIONS`, such as those of plugins.

    Raises:
        DescriptionError: With every problem of the text.
    """
    if cells < space.FEWEST_CELLS:
        text = f"a network of DARTS has at least {space.FEWEST_CELLS} cells, not {cells}."
        raise DescriptionError([Problem(path="cells", text=text)])
    text = only(text)
    large = text.strip().startswith(IMAGENET)
    # Replace the prefix by blanks, so that the columns of problems stay right.
    text = text.replace(IMAGENET, " " * len(IMAGENET), 1) if large else text
    known = tuple(dict.fromkeys((*GENOTYPE_OPERATIONS, *operations)))
    genotype = parse(GENOTYPES.get(text.strip(), text), known)
    used = {space.NORMAL: genotype.normal, space.REDUCE: genotype.reduce}
    description = Description(
        network=space.network(cells, "imagenet" if large else "cifar", reduces=genotype.reduce is not None),
        cells={name: _cell(cell, space.REDUCTION[name]) for name, cell in used.items() if cell is not None},
        groups={},
        channels=channels,
        in_channels=in_channels,
        classes=classes,
    )
    source = reducing(description) if auxiliary else None
    return description if source is None else with_auxiliary(description, source)


def to_genotype(description: Description) -> str:
    """Return the genotype text of a closed description of a DARTS network.

    A genotype does not contain depth, channels and classes; its prefix contains the stems for ImageNet.

    Raises:
        DescriptionError: A genotype cannot express the description: its cells are connected differently, a
            node has more or fewer than two operations, or an operation has settings.
    """
    if description.is_open:
        raise DescriptionError("an open description has no genotype yet: derive it first")
    problems: list[Problem] = []
    normal = _read(description, space.NORMAL, problems)
    reduce = _read(description, space.REDUCE, problems) if space.reduces(description.network) else None
    if problems:
        raise DescriptionError(problems)
    before = IMAGENET if space.stem_of(description.network) == "imagenet" else ""
    text = f"{before}{Genotype(normal=normal, reduce=reduce)}"
    rebuilt = from_genotype(
        text,
        channels=description.channels,
        cells=space.count_cells(description.network),
        classes=description.classes,
        in_channels=description.in_channels,
        auxiliary=description.auxiliary is not None,
        operations=sorted({op.name for cell in description.cells.values() for op in _ops(cell)}),
    )
    if fingerprint(rebuilt) != fingerprint(final(description)):
        raise DescriptionError(
            "a genotype cannot express this description: its network outside the cells is not that of DARTS"
        )
    return text


GENOTYPE = Translator(
    name="genotype",
    summary="The genotype notation of DARTS, which most tools use.",
    to_text=to_genotype,
    from_text=from_genotype,
    recognises=recognises,
    names=tuple(GENOTYPES),
    find=find,
    of_catalogue=True,
    mini={"channels": 16, "cells": 4},
    small={"channels": 16, "cells": 8},
)


def only(text: str) -> str:
    """Return the only genotype of a text, with the rest blank; the whole text if it contains none.

    Raises:
        DescriptionError: The text contains several genotypes.
    """
    refuse(text)
    found = find(text)
    if len(found) > 1:
        names = ", ".join(
            f"{' = '.join(one.names) or 'one'} in line {one.line}" for one in found[:MOST_NAMED]
        )
        message = f"this text contains {len(found)} genotypes: {names}."
        raise DescriptionError([Problem(path="", text=message, hint="Give one of them.")])
    return found[0].text if found else text


def _ops(cell: Graph) -> Iterator[Op]:
    for node in cell.nodes:
        for edge in node.edges:
            yield from edge.ops


def _cell(cell: CellGenotype, reduction: int | None) -> Graph:
    states = list(space.PREPROCESSED)
    nodes: list[Node] = []
    for index, terms in enumerate(cell.nodes):
        nodes += _nodes(f"n{index}", [(name, states[source]) for name, source in terms], reduction)
        states.append(f"n{index}")
    return space.cell(nodes, [states[number] for number in cell.concat])


def _nodes(name: str, terms: list[tuple[str, str]], reduction: int | None) -> list[Node]:
    """Return the node of a sum of terms.

    Two operations on one source share an edge. An edge cannot contain the same operation twice (NASNet has
    such a node), so each repetition gets its own node, which the sum reads without an operation.
    """
    by_source: dict[str, list[Op]] = {}
    repeated: list[Node] = []
    for operation, source in terms:
        op = Op(operation)
        ops = by_source.setdefault(source, [])
        if op not in ops:
            ops.append(op)
            continue
        twin = f"{name}_again{len(repeated) or ''}"
        repeated.append(Node(name=twin, edges=(Edge(source=source, ops=(op,)),), reduction=reduction))
    edges = [Edge(source=source, ops=tuple(ops)) for source, ops in by_source.items()]
    edges += [Edge(source=twin.name) for twin in repeated]
    return [*repeated, Node(name=name, edges=tuple(edges), reduction=reduction)]


def _read(description: Description, name: str, problems: list[Problem]) -> CellGenotype:
    graph = description.cells.get(name)
    path = f"cells.{name}"
    if graph is None:
        problems.append(Problem(path=path, text="is missing: a genotype needs this cell."))
        return CellGenotype(nodes=(), concat=())
    nodes = {node.name: node for node in graph.nodes}
    fitted = [_fitted(graph, source) for source in graph.inputs]
    sums = [node for node in graph.nodes if node.join == "sum" and node.name not in fitted]
    inlined = {edge.source for node in sums for edge in node.edges if not edge.ops}
    kept = [node for node in sums if node.name not in inlined]
    index = {source: number for number, source in enumerate([*fitted, *(node.name for node in kept)])}
    out = nodes[graph.output]
    concat = [index.get(str(edge.source)) for edge in out.edges if not edge.ops]
    if len(graph.inputs) != INPUTS or out.join != "concat" or None in concat:
        problems.append(Problem(path=path, text="a genotype's cell has two inputs and concatenates nodes."))
    read = []
    for node in kept:
        terms = _terms(node, nodes, index, f"{path}.nodes.{node.name}", problems)
        read.append(tuple(terms))
    return CellGenotype(nodes=tuple(read), concat=tuple(number for number in concat if number is not None))


def _fitted(graph: Graph, source: str) -> str:
    """Return the name of the node that projects an input to the cell's channels, or of the input itself."""
    for node in graph.nodes:
        if [(edge.source, edge.ops) for edge in node.edges] == [(source, (Op(space.FIT),))]:
            return node.name
    return source


def _terms(
    node: Node, nodes: dict[str, Node], index: dict[str, int], path: str, problems: list[Problem]
) -> list[Term]:
    """Return the (operation, state) terms of a sum, with nodes read without an operation expanded."""
    found: list[Term] = []
    left = list(node.edges)
    while left:
        edge = left.pop(0)
        bare = nodes.get(str(edge.source))
        if not edge.ops and bare is not None and bare.join == "sum" and not edge.gate:
            left += bare.edges
        elif edge.gate or not edge.ops or edge.source not in index or any(op.settings for op in edge.ops):
            problems.append(
                Problem(path=path, text=f"a genotype cannot express the edge from `{edge.source}`.")
            )
        else:
            found += [(op.name, index[str(edge.source)]) for op in edge.ops]
    if len(found) != OPERATIONS_PER_NODE:
        names = ", ".join(name for name, _ in found)
        problems.append(
            Problem(path=path, text=f"a genotype has two operations per node, and this node has: {names}.")
        )
    return found
