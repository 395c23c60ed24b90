"""Expands a description to its plan."""

from __future__ import annotations

from collections import Counter
from itertools import chain, repeat
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from nascore.description.checks import Checks, check_output
from nascore.description.keys import marks
from nascore.description.names import CONCAT, GROWN, IMAGES, NETWORK, UNREAD, graph_path
from nascore.description.plan import ChoiceGroup, FeatureMap, Plan, Row, Use, Wire, segments
from nascore.errors import DescriptionError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.description.graph import Description, Graph, Placed
    from nascore.description.keys import Marks
    from nascore.description.operation import Catalogue
    from nascore.description.problems import ProblemCollector
    from nascore.description.values import Edge, Node, Op


def lay_out(description: Description, states: Sequence[FeatureMap], checks: Checks) -> dict[str, ChoiceGroup]:
    """Return the choice groups, which relaxations and updaters get.

    Adds a problem for a group that is never used, that occurs in two graphs, or whose edges are not all used
    equally often.
    """
    offers = {
        (graph, node.name, str(edge.source)): edge.ops
        for graph, node, edge in description.edges()
        if edge.group is not None
    }
    uses = _count(states)
    return {
        name: _layout(description, name, checks, offers, uses.get(name, Counter()))
        for name in description.groups
    }


def _count(states: Sequence[FeatureMap]) -> dict[str, Counter[int]]:
    """Return per group how often each of its rows is used."""
    uses: dict[str, Counter[int]] = {}
    for state in states:
        for wire in state.wires:
            if wire.group is not None:
                uses.setdefault(wire.group, Counter())[wire.row] += 1
    return uses


def _layout(
    description: Description,
    name: str,
    checks: Checks,
    offers: dict[Row, tuple[Op, ...]],
    uses: Counter[int],
) -> ChoiceGroup:
    group = description.groups[name]
    rows = tuple(checks.rows[name])
    graphs = sorted({graph for graph, _, _ in rows})
    counts = sorted({uses[row] for row in range(len(rows))})
    if not uses:
        checks.tell(f"groups.{name}", "unused", "no use in the network reaches this group.")
    elif len(graphs) > 1:
        checks.tell(f"groups.{name}", "graphs", f"its edges lie in several graphs: {', '.join(graphs)}.")
    elif len(counts) > 1:
        text = f"its edges are used unequally often: {' and '.join(str(each) for each in counts)} times."
        checks.tell(f"groups.{name}", "uses", text)
    _check_room(name, rows, offers, checks)
    mask = tuple(tuple(op in offers[row] for op in group.ops) for row in rows)
    return ChoiceGroup(
        rows=rows,
        ops=group.ops,
        mask=mask,
        segments=segments(rows, mask, group.segment),
        replicas=max(counts, default=0),
        keep=group.keep,
        segment=group.segment,
        edges=group.edges,
        never=group.never,
    )


def _check_room(name: str, rows: tuple[Row, ...], offers: dict[Row, tuple[Op, ...]], checks: Checks) -> None:
    """Check that some node offers as much as the group's rule would keep of each."""
    group = checks.description.groups[name]
    may: Counter[tuple[str, ...]] = Counter()
    for row in rows:
        kept = sum(op not in group.never for op in offers[row])
        may[row[:2]] += min(kept, 1) if group.segment == "edge" else kept
    most = max(may.values(), default=0)
    if group.segment == "edge" and group.edges is not None and 0 < most < group.edges:
        text = f"a node cannot keep {group.edges} edges: none has more than {most} in this group."
        checks.tell(f"groups.{name}.edges", "room", text)
    if group.segment == "node" and 0 < most < group.keep and not name.startswith(GROWN):
        text = f"a node cannot keep {group.keep}: none offers more than {most} in this group."
        checks.tell(f"groups.{name}.keep", "room", text)


MOST_STATES = 100_000
"""No network comes near it; cells in cells multiply, and few lines could ask for more than fit in memory."""
MOST_OPERATIONS = 50_000
"""Operations, each in its place: a supernet of so many takes tens of gigabytes for its modules alone."""
DEEPEST = 50
"""Cells in cells, at most."""


def expand(description: Description, catalogue: Catalogue | None = None) -> Plan:
    """Work a description out.

    Args:
        description: An open or a closed description.
        catalogue: With it every operation is checked: its name, settings, stride and channels.

    Raises:
        DescriptionError: With every problem.
    """
    checks = Checks(description=description, catalogue=catalogue)
    walk = Walk(description=description, checks=checks)
    names = walk.network()
    auxiliary = None if description.auxiliary is None else names[description.auxiliary]
    if auxiliary is not None:
        checks.auxiliary(walk.states[auxiliary])
    plan = Plan(
        feature_maps=tuple(walk.states),
        output=names[description.network.output],
        auxiliary=auxiliary,
        layouts=lay_out(description, walk.states, checks),
        uses=tuple(walk.uses),
    )
    checks.found.stop()
    return plan


@define(kw_only=True)
class Walk:
    """The states placed so far, and how often each written edge was met.

    Attributes:
        description: The description that is expanded.
        checks: The callbacks for each new state and wire.
        states: Every state so far.
        uses: Every use of a graph so far.
        counts: How often each edge of a group was met.
        operations: How many operations were placed.
    """

    description: Description
    checks: Checks
    states: list[FeatureMap] = field(factory=list)
    uses: list[Use] = field(factory=list)
    counts: Counter[Row] = field(factory=Counter)
    operations: int = 0

    def network(self) -> dict[str, int]:
        """Place the images and every node of the network; return the states behind the network's names."""
        description = self.description
        self.states.append(
            FeatureMap(
                path=IMAGES,
                join="input",
                channels=description.in_channels,
                reduction=1,
                template=(NETWORK, IMAGES),
            )
        )
        network = description.network
        use = Use(
            graph=NETWORK,
            prefix="",
            channels=description.channels,
            base=1,
            names={},
            marks=marks(network),
        )
        return self.graph(network, use, {IMAGES: 0})

    def graph(self, graph: Graph, use: Use, found: dict[str, int]) -> dict[str, int]:
        """Place every node of a graph; return the index of the state behind each of its names.

        Args:
            graph: The network or a cell.
            use: The use of it.
            found: The states behind its inputs.
        """
        self.uses.append(use)
        for placed in graph.scope.placed:
            sources = tuple(found[name] for name in placed.sources)
            if placed.node.cell is None:
                found[placed.name] = self._state(placed, use, sources)
            else:
                found[placed.name] = self.cell(placed.node.cell, placed, use, sources)
        use.names.update({name: found[state] for name, state in graph.scope.names.items()})
        return use.names

    def cell(self, name: str, placed: Placed, use: Use, sources: tuple[int, ...]) -> int:
        """Place every node of a use of a cell; return the index of the state that leaves it."""
        if len(self.states) > MOST_STATES:
            raise DescriptionError(f"the network has more than {MOST_STATES:,} states.")
        if use.prefix.count("/") > DEEPEST:
            raise DescriptionError(f"cells are nested more than {DEEPEST} deep.")
        cell = self.description.cells[name]
        inner = Use(
            graph=name,
            prefix=f"{use.prefix}{placed.name}/",
            channels=self._width(placed.node, use),
            base=self._reduction(placed.node, use, sources),
            names={},
            marks=(*use.marks, *_marks_of_cell(placed.node, cell)),
        )
        return self.graph(cell, inner, dict(zip(cell.inputs, sources, strict=True)))[cell.output]

    def _width(self, node: Node, use: Use) -> int:
        return self.description.classes if node.width == "classes" else node.width * use.channels

    def _reduction(self, node: Node, use: Use, sources: tuple[int, ...]) -> int:
        if node.reduction is not None:
            return use.base * node.reduction
        read = [self.states[source].reduction for source in sources]
        return max(read) if all(read) else 0

    def _state(self, placed: Placed, use: Use, sources: tuple[int, ...]) -> int:
        node = placed.node
        reduction = self._reduction(node, use, sources)
        pairs = zip(node.edges, sources, strict=True)
        wires = tuple(self._wire(placed, edge, use, source, reduction) for edge, source in pairs)
        whole, rest = divmod(reduction, use.base or 1)
        state = FeatureMap(
            path=f"{use.prefix}{placed.name}",
            join="concat" if node.join == CONCAT else "sum",
            channels=self._channels(node, use, wires),
            reduction=reduction,
            wires=wires if node.join == CONCAT else tuple(sorted(wires, key=lambda wire: wire.gate)),
            shadow=node.shadow,
            template=(use.graph, node.name),
            relative=None if rest else whole,
            marks=(*use.marks, *marks(node)),
        )
        self.checks.state(state, _written(use, node))
        self.states.append(state)
        return len(self.states) - 1

    def _wire(self, placed: Placed, edge: Edge, use: Use, source: int, reduction: int) -> Wire:
        read = self.states[source]
        width = self._width(placed.node, use) if edge.ops else read.channels
        self.operations += len(edge.ops)
        if self.operations > MOST_OPERATIONS:
            text = f"the network has more than {MOST_OPERATIONS:,} operations."
            raise DescriptionError(
                [Problem(path=NETWORK, text=text, hint="Set fewer cells, nodes or candidates.")]
            )
        every_op = placed.node.join == CONCAT and edge.group is None
        wire = Wire(
            source=source,
            path=f"{use.prefix}{placed.name}/{edge.source}",
            ops=edge.ops,
            c_in=read.channels,
            width=width,
            c_out=width * len(edge.ops) if every_op and edge.ops else width,
            stride=max(reduction // (read.reduction or 1), 1),
            gate=edge.gate,
            group=edge.group,
            marks=(*marks(edge), *self._marks_of_group(edge)),
        )
        self.checks.wire(wire, read, reduction, f"{_written(use, placed.node)}.from.{edge.source}")
        return self._counted(wire, (use.graph, placed.node.name, str(edge.source)))

    def _marks_of_group(self, edge: Edge) -> Marks:
        group = self.description.groups.get(edge.group or "")
        return () if group is None else marks(group)

    def _counted(self, wire: Wire, row: Row) -> Wire:
        if wire.group is None:
            return wire
        replica = self.counts[row]
        self.counts[row] += 1
        return evolve(wire, row=self.checks.rows[wire.group].index(row), replica=replica)

    def _channels(self, node: Node, use: Use, wires: tuple[Wire, ...]) -> int:
        if node.join == CONCAT:
            brought = [wire.c_out for wire in wires]
            return sum(brought) if all(brought) else 0
        return self._width(node, use) if any(wire.ops for wire in wires) else wires[0].c_out


def _marks_of_cell(node: Node, cell: Graph) -> Marks:
    """Return the marks of a cell and of its use, which apply to all its states."""
    return (*marks(node), *(mark for edge in node.edges for mark in marks(edge)), *marks(cell))


def _written(use: Use, node: Node) -> str:
    return f"{graph_path(use.graph)}.nodes.{node.name}"


def survey(
    description: Description,
    catalogue: Catalogue | None,
    found: ProblemCollector,
    *,
    classifies: bool = False,
) -> None:
    """Add the problems that show in the arithmetic of shapes and in the catalogue.

    Args:
        description: A description, or a draft of one, whose other problems are already reported.
        catalogue: With it every operation is checked.
        found: Where problems go.
        classifies: Whether the output must have a channel for each class.
    """
    checks = Checks(description=description, catalogue=catalogue, found=found)
    walk = _Survey(description=description, checks=checks)
    try:
        names = walk.network()
    except DescriptionError as error:
        found.problems += error.problems
        return
    auxiliary = names.get(description.auxiliary or "")
    if auxiliary is not None:
        checks.auxiliary(walk.states[auxiliary])
    output = names.get(description.network.output)
    if classifies and output is not None:
        check_output(description, walk.states[output], found, catalogue)
    if not walk.torn and not _is_torn(description):
        # How often a group is used is only known where all edges are.
        lay_out(description, walk.states, checks)


@define(kw_only=True)
class _Survey(Walk):
    """A walk that continues past missing parts, with a placeholder state for each.

    Attributes:
        torn: Whether a use of a cell could not be followed.
        within: The cells that are being walked, to notice one that contains itself.
    """

    torn: bool = False
    within: list[str] = field(factory=list)

    def graph(self, graph: Graph, use: Use, found: dict[str, int]) -> dict[str, int]:
        """Place every node of a graph; unreadable nodes become the unknown state."""
        unknown = self._unknown(use)
        return super().graph(graph, use, dict.fromkeys(graph.inputs, unknown) | found | {UNREAD: unknown})

    def cell(self, name: str, placed: Placed, use: Use, sources: tuple[int, ...]) -> int:
        """Place a use of a cell, or the unknown state where it cannot be followed."""
        cell = self.description.cells.get(name)
        if cell is None or name in self.within or not cell.inputs or cell.output not in cell.scope.names:
            self.torn = True
            return self._unknown(use)
        self.within.append(name)
        inputs = chain(sources, repeat(self._unknown(use)))
        result = super().cell(
            name, placed, use, tuple(each for each, _ in zip(inputs, cell.inputs, strict=False))
        )
        self.within.pop()
        return result

    def _unknown(self, use: Use) -> int:
        self.states.append(
            FeatureMap(path=UNREAD, join="input", channels=0, reduction=0, template=(use.graph, UNREAD))
        )
        return len(self.states) - 1


def _is_torn(description: Description) -> bool:
    """Return whether some edge could not be read, or names a group that does not exist."""
    return any(
        edge.source is UNREAD
        or node.join is UNREAD
        or any(op.name is UNREAD for op in edge.ops)
        or (edge.group is not None and edge.group not in description.groups)
        for _, node, edge in description.edges()
    )
