"""The plan: an expanded description, flat and in topological order.

It contains no cells: every feature map has its path, channels and reduction, every edge its stride. The
compiler, the costs and the fingerprint read only the plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from attrs import evolve, frozen

if TYPE_CHECKING:
    from nascore.description.keys import Marks
    from nascore.description.values import Op, Segment

Join = Literal["input", "sum", "concat"]
Row = tuple[str, str, str]
"""The graph, the node and the source of an edge, as written."""

OUTSIDE = -1
"""The segment of an entry outside the mask."""


@frozen(kw_only=True)
class Wire:
    """An edge of the expanded network.

    Attributes:
        source: Index of the feature map that it reads.
        path: ``INSTANCE/.../NODE/SOURCE-AS-WRITTEN``; also the path of its gate, if it has one.
        ops: Its operations or candidates; empty for a bare edge.
        c_in: Channels of its source.
        width: Output channels of each of its operations.
        c_out: Channels that it contributes to the join.
        stride: Reduction of its node divided by that of its source.
        gate: Whether its output is multiplied by a scalar that starts at zero.
        group: Its choice group; None for a closed edge.
        row: Row in the group, else -1.
        replica: Index of its use of the row, from 0 in the order of the plan, else -1.
        marks: Other values of its edge and group that are part of the fingerprint.
    """

    source: int
    path: str
    ops: tuple[Op, ...]
    c_in: int
    width: int
    c_out: int
    stride: int
    gate: bool
    group: str | None
    row: int = -1
    replica: int = -1
    marks: Marks = ()

    def op_path(self, op: Op) -> str:
        """Return the path of one of its operations, with ``_`` for dots, which torch forbids in names."""
        return f"{self.path}/{op}".replace(".", "_")


@frozen(kw_only=True)
class FeatureMap:
    """The feature map that a node computes in one use of its graph.

    Attributes:
        path: ``INSTANCE/.../NODE``.
        join: How its wires are joined; ``input`` for the images.
        channels: Number of channels.
        reduction: Height of an image divided by its own height.
        wires: Its incoming edges; in a sum the gated ones come last, so that a closed gate changes no bit.
        shadow: Whether its value is zero while its gradient passes.
        template: The graph (``network`` or a cell) and the node, as written.
        relative: The reduction relative to its graph's coarsest input; None if it is finer than this input.
        marks: Other values of its node and of what contains it that are part of the fingerprint.
    """

    path: str
    join: Join
    channels: int
    reduction: int
    wires: tuple[Wire, ...] = ()
    shadow: bool = False
    template: tuple[str, str]
    relative: int | None = 1
    marks: Marks = ()


@frozen(kw_only=True)
class ChoiceGroup:
    """A choice group for relaxations and updaters: E rows (edges) by O columns (operations).

    Attributes:
        rows: Graph, node and source of each edge, in the order of the description.
        ops: The operations of the columns.
        mask: [E][O], whether the edge offers the operation.
        segments: [E][O], number of the segment in which the entry competes; -1 outside the mask.
        replicas: K, the number of uses of each edge in the network.
        keep: Number of entries that the space's own rule keeps per segment.
        segment: The segments of that rule; None: those of this object.
        edges: Number of edges per node that the rule keeps, if the operations of an edge compete; None: all.
        never: Operations that the rule never keeps.
    """

    rows: tuple[Row, ...]
    ops: tuple[Op, ...]
    mask: tuple[tuple[bool, ...], ...]
    segments: tuple[tuple[int, ...], ...]
    replicas: int
    keep: int = 1
    segment: Segment | None = None
    edges: int | None = None
    never: tuple[Op, ...] = ()

    def segmented(self, segment: Segment) -> ChoiceGroup:
        """Return the same group with segments of each edge, or of each node."""
        return evolve(self, segments=segments(self.rows, self.mask, segment))

    def enough(self) -> int:
        """Return the number of strongest entries of a segment that must stay alive for the rule of the group.

        It is more than `keep` if the rule selects per edge but all entries of a node compete, since the
        strongest may all belong to one edge.
        """
        if self.segment != "edge" or self.segments == segments(self.rows, self.mask, "edge"):
            return self.keep
        offers: dict[tuple[str, str], list[int]] = {}
        for (graph, node, _), line in zip(self.rows, self.mask, strict=True):
            may = (on and op not in self.never for op, on in zip(self.ops, line, strict=True))
            offers.setdefault((graph, node), []).append(sum(may))
        return max(map(self._before, offers.values())) + self.keep

    def _before(self, offers: list[int]) -> int:
        """Return how many entries of other edges of a node may be stronger than the last kept entry."""
        # Only entries of better edges precede the best of an edge; those of all edges may precede its second.
        edges = len(offers) if self.edges is None or self.keep > 1 else min(self.edges, len(offers))
        return sum(sorted(offers, reverse=True)[: edges - 1])

    def nodes(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """Return the rows of the incoming edges of each node, by graph and name of the node."""
        found: dict[tuple[str, str], list[int]] = {}
        for row, (graph, node, _source) in enumerate(self.rows):
            found.setdefault((graph, node), []).append(row)
        return {node: tuple(rows) for node, rows in found.items()}

    def row_names(self) -> tuple[str, ...]:
        """Return a name for each row (``normal/n0/pre1``), which does not depend on the order of rows."""
        return tuple("/".join(row) for row in self.rows)

    def column_names(self) -> tuple[str, ...]:
        """Return the texts of the operations."""
        return tuple(str(op) for op in self.ops)


@frozen(kw_only=True, hash=False)
class Use:
    """One use of a graph.

    Attributes:
        graph: ``network`` or the name of a cell.
        prefix: Prefix of the paths of its feature maps: empty for the network, else ``INSTANCE/.../``.
        channels: Channels of a node of width 1 in it.
        base: The reduction to which the reductions of its nodes are relative.
        names: Index of the feature map of each name that its edges may read.
        marks: Other values of the graph and of what contains its use that are part of the fingerprint.
    """

    graph: str
    prefix: str
    channels: int
    base: int
    names: dict[str, int]
    marks: Marks = ()


@frozen(kw_only=True, hash=False)
class Plan:
    """An expanded description.

    Attributes:
        feature_maps: The feature maps in topological order; the first is the images.
        output: Index of the output.
        auxiliary: Index of the auxiliary head; None: no head.
        layouts: The choice groups by name.
        uses: Every use of a graph; the network first.
    """

    feature_maps: tuple[FeatureMap, ...]
    output: int
    auxiliary: int | None
    layouts: dict[str, ChoiceGroup]
    uses: tuple[Use, ...]


def segments(
    rows: tuple[Row, ...], mask: tuple[tuple[bool, ...], ...], segment: Segment
) -> tuple[tuple[int, ...], ...]:
    """Return the number of the segment of every entry, -1 outside the mask."""
    keys: list[tuple[str, ...]] = [row if segment == "edge" else row[:2] for row in rows]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return tuple(
        tuple(numbers[key] if offered else OUTSIDE for offered in line)
        for key, line in zip(keys, mask, strict=True)
    )
