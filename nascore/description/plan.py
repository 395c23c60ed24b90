"""The plan: an expanded description, flat and in topological order.

Cells no longer exist in it: every feature map has its path, channels and reduction, every edge its stride.
The compiler, costs and the hash read the plan and nothing else.
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
    """An edge in its place.

    Attributes:
        source: Index of the feature map that it reads.
        path: ``INSTANCE/.../NODE/SOURCE-AS-WRITTEN``; that of its gate, if it has one.
        ops: Its operations or candidates; none if it is bare.
        c_in: Channels of its source.
        width: Channels that each of its operations must produce.
        c_out: Channels that it brings to the join.
        stride: Reduction of its node divided by that of its source.
        gate: Whether it is multiplied by a scalar that starts at zero.
        group: Choice group, if it is open.
        row: Row in the group, else -1.
        replica: Which use of the row it is, counted from 0 in the order of the plan, else -1.
        marks: What else is set of its edge and group and counts in the fingerprint.
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
        """Return the path of one of its operations; torch forbids dots in names, so they become ``_``."""
        return f"{self.path}/{op}".replace(".", "_")


@frozen(kw_only=True)
class FeatureMap:
    """The feature map that a node computes, in its place in the network.

    Attributes:
        path: ``INSTANCE/.../NODE``.
        join: How its wires meet; ``input`` for the images.
        channels: Number of channels.
        reduction: How much coarser than the images.
        wires: The ways into it; in a sum the gated ones come last, so that a closed gate changes no bit.
        shadow: Whether it is read as zero and passes its gradient.
        template: The graph (``network`` or a cell) and the node, as written.
        relative: The reduction relative to its graph's coarsest input; None where it is finer than that.
        marks: What else is set of its node, and around it, and counts in the fingerprint.
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
    """What relaxations and updaters see of a group: E rows (edges) by O columns (operations).

    Attributes:
        rows: Graph, node and source of each edge, in the order of the description.
        ops: The columns.
        mask: [E][O], whether the edge offers the operation.
        segments: [E][O], over what the entries compete; -1 outside the mask.
        replicas: How often each edge is used in the network (K).
        keep: How many entries deriving keeps per segment, by the space's own rule.
        segment: What competes by that rule; None: what competes here.
        edges: How many edges per node the rule keeps, where the operations of an edge compete; None: all.
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
        """Return the same group with the operations of an edge, or all of a node, competing."""
        return evolve(self, segments=segments(self.rows, self.mask, segment))

    def enough(self) -> int:
        """Return how many of the strongest of a segment must be left for the rule to find what it keeps.

        It is more than `keep` where the rule is for edges and all of a node compete: the strongest may be of
        one edge.
        """
        if self.segment != "edge" or self.segments == segments(self.rows, self.mask, "edge"):
            return self.keep
        offers: dict[tuple[str, str], list[int]] = {}
        for (graph, node, _), line in zip(self.rows, self.mask, strict=True):
            may = (on and op not in self.never for op, on in zip(self.ops, line, strict=True))
            offers.setdefault((graph, node), []).append(sum(may))
        return max(map(self._before, offers.values())) + self.keep

    def _before(self, offers: list[int]) -> int:
        """Return how many entries of other edges of a node may be stronger than the last that is kept."""
        # Before the best of an edge come those of better edges alone; before its second, those of all.
        edges = len(offers) if self.edges is None or self.keep > 1 else min(self.edges, len(offers))
        return sum(sorted(offers, reverse=True)[: edges - 1])

    def nodes(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """Return by node, its graph and name, the rows of the edges that lead to it."""
        found: dict[tuple[str, str], list[int]] = {}
        for row, (graph, node, _source) in enumerate(self.rows):
            found.setdefault((graph, node), []).append(row)
        return {node: tuple(rows) for node, rows in found.items()}

    def row_names(self) -> tuple[str, ...]:
        """Return a name for each row (``normal/n0/pre1``); the order of rows is free, names are not."""
        return tuple("/".join(row) for row in self.rows)

    def column_names(self) -> tuple[str, ...]:
        """Return the texts of the operations."""
        return tuple(str(op) for op in self.ops)


@frozen(kw_only=True, hash=False)
class Use:
    """One use of a graph.

    Attributes:
        graph: ``network`` or the name of a cell.
        prefix: What the paths of its feature maps begin with: empty for the network, else ``INSTANCE/.../``.
        channels: Channels of a node of width 1 in it.
        base: The reduction to which its nodes' are relative.
        names: Index of the feature map behind each name that can be read in it.
        marks: What else is set of the graph, and around its use, and counts in the fingerprint.
    """

    graph: str
    prefix: str
    channels: int
    base: int
    names: dict[str, int]
    marks: Marks = ()


@frozen(kw_only=True, hash=False)
class Plan:
    """A description worked out.

    Attributes:
        feature_maps: The feature maps, each after those that it reads; the first is the images.
        output: Index of the feature map that leaves the network.
        auxiliary: Index of the auxiliary head, if there is one.
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
