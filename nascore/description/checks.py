"""Checks of a description that need arithmetic: reductions, channels, places of operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import define, field

from nascore.description.names import IMAGES, LARGEST, UNREAD, graph_path
from nascore.description.operation import unknown
from nascore.description.problems import ProblemCollector

if TYPE_CHECKING:
    from nascore.description.graph import Description
    from nascore.description.operation import Catalogue
    from nascore.description.plan import FeatureMap, Row, Wire
    from nascore.description.values import Node, Op


@define(kw_only=True)
class Checks:
    """The checks of one expansion; each problem is reported once, at the first use that shows it.

    In a draft, unknown channels or reductions are 0, and problems that depend on them are not reported.

    Attributes:
        description: The description that is expanded.
        catalogue: The operations; None: operations are not checked.
        found: Collects the problems.
    """

    description: Description
    catalogue: Catalogue | None
    found: ProblemCollector = field(factory=ProblemCollector)
    rows: dict[str, list[Row]] = field(init=False)
    """The written edges of each group, in the order of the description."""
    _told: set[tuple[str, str]] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self.rows = {name: [] for name in self.description.groups}
        for graph, node, edge in self.description.edges():
            if edge.group is not None:
                self.rows.setdefault(edge.group, []).append((graph, node.name, str(edge.source)))
        if self.catalogue is not None:
            self._known(self.catalogue)

    def tell(self, path: str, kind: str, text: str, hint: str = "", *, spot: str = "") -> None:
        """Report a problem, unless one of this kind was reported for this path."""
        if (path, kind) not in self._told:
            self._told.add((path, kind))
            self.found.add(path, text, hint=hint, spot=spot)

    def state(self, state: FeatureMap, path: str) -> None:
        """Check that the terms of a sum have equal channels, and that no state is impossibly large."""
        if state.channels > LARGEST or state.reduction > LARGEST:
            size = f"{state.channels} channels and reduction {state.reduction}"
            self.tell(path, "size", f"no network has {size} (at {state.path}).", f"At most {LARGEST:,}.")
        if state.join != "sum":
            return
        different = {wire.c_out for wire in state.wires}
        different.add(state.channels)
        if len(different) > 1 and len(known := sorted(different - {0})) > 1:
            counts = " and ".join(str(each) for each in known)
            hint = "Widths must match, or a bare edge needs an operation that changes channels."
            self.tell(path, "channels", f"a sum needs equal channels, not {counts} (at {state.path}).", hint)

    def auxiliary(self, state: FeatureMap) -> None:
        """Check that the auxiliary head has a channel for each class."""
        classes = self.description.classes
        if state.channels and state.channels != classes:
            text = f"{state.path} has {state.channels} channels, not one for each of the {classes} classes."
            self.tell(
                "auxiliary", "channels", text, f"Give the node {self.description.auxiliary} width: classes."
            )

    def wire(self, wire: Wire, source: FeatureMap, reduction: int, path: str) -> None:
        """Check the stride of an edge, and its operations with this stride and these channels."""
        if not source.reduction or not reduction:
            return
        if source.reduction > reduction:
            text = f"the source is coarser ({source.reduction}) than the node ({reduction})"
            hint = f"A reduction of {source.reduction} or a multiple of it can read it."
            self.tell(path, "stride", f"{text} (at {wire.path}).", hint)
        elif reduction % source.reduction:
            text = f"no whole stride leads from reduction {source.reduction} to {reduction}"
            hint = f"Multiples of {source.reduction} can be reached."
            self.tell(path, "stride", f"{text} (at {wire.path}).", hint)
        elif not wire.ops and wire.stride != 1:
            text = f"a bare edge cannot change the reduction from {source.reduction} to {reduction}"
            self.tell(path, "stride", f"{text} (at {wire.path}).", "Give it an operation.")
        else:
            for op in wire.ops:
                self._fits(op, wire, path)

    def _fits(self, op: Op, wire: Wire, path: str) -> None:
        entry = None if self.catalogue is None else self.catalogue.get(op.name)
        if entry is not None:
            c_in, width = wire.c_in or wire.width, wire.width or wire.c_in
            for text in entry.misfits(c_in, width, wire.stride):
                located = f"{text[:-1]} (at {wire.op_path(op)})."
                self.tell(path, f"{op}: {text[:20]}", located, spot=str(op))

    def _known(self, catalogue: Catalogue) -> None:
        """Check the name and the settings of every written operation, also of those that no use reaches."""
        columns = [
            (f"groups.{name}", op) for name, group in self.description.groups.items() for op in group.ops
        ]
        listed = {op for _, op in columns}
        written = [
            (f"{graph_path(graph)}.nodes.{node.name}.from.{edge.source}", op)
            for graph, node, edge in self.description.edges()
            for op in edge.ops
            if op not in listed
        ]
        for path, op in (*columns, *written):
            for text, hint in unknown(op, catalogue):
                self.tell(path, f"{op}: {text}", text, hint, spot=str(op))


HEAD: Final = "End the network in a node such as  head: {from: -1, op: classifier, width: classes}."


def output_path(description: Description) -> str:
    """Return the path of the output node of the network."""
    network = description.network
    name = network.scope.names.get(network.output, network.output)
    return "network.output" if name == IMAGES else f"network.nodes.{_node_name(description, name)}"


def check_output(
    description: Description, state: FeatureMap, found: ProblemCollector, catalogue: Catalogue | None = None
) -> None:
    """Report an output whose number of channels differs from the number of classes.

    Height and width of the output are not known here; :func:`nascore.nn.shapes.check_shapes` checks them.

    Args:
        description: The network.
        state: Its output.
        found: Collects the problem.
        catalogue: The operations, which declare whether they are structural, such as a classifier.
    """
    classes = description.classes
    if not state.channels or not classes or state.channels == classes or state.path == UNREAD:
        return
    has = f"{state.path} has {state.channels} channels"
    text = f"the network's output {has}, not {classes}, one for each class."
    found.add(output_path(description), text, hint=_hint(description, catalogue))


def _hint(description: Description, catalogue: Catalogue | None) -> str:
    network = description.network
    heads = [
        node.name for node in network.nodes if node.width == "classes" and node.name != description.auxiliary
    ]
    name = _node_name(description, network.scope.names.get(network.output, network.output))
    node = network.node(name)
    if heads and name not in heads:
        return f"Write output: {heads[-1]}, or leave network.output out where that node is the last."
    if node is not None and _ends(node, catalogue):
        return f"Write width: classes for the node {name}."
    return HEAD


def _ends(node: Node, catalogue: Catalogue | None) -> bool:
    """Return whether a node has only structural operations, and does not read the images."""
    ops = [op for edge in node.edges for op in edge.ops]
    if not ops or any(edge.source == IMAGES for edge in node.edges):
        return False
    entries = [None if catalogue is None else catalogue.get(op.name) for op in ops]
    return all(entry is not None and entry.structural for entry in entries)


def _node_name(description: Description, placed: str) -> str:
    """Return the written name of the node of a placed name, which has a number if the node repeats."""
    for one in description.network.scope.placed:
        if one.name == placed:
            return one.node.name
    return placed
