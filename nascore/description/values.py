"""The six values of the description language, as they are written.

Every value checks its own invariants when it is made and tells all problems at once. What only arithmetic
over the whole can show (channels, reductions, uses of a group) is checked by
:func:`nascore.description.expand`.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from attrs import field, frozen

from nascore.config import read_scalar, write_scalar
from nascore.description import invariants
from nascore.description.draw import draw
from nascore.description.invariants import Scope, resolve
from nascore.description.names import CONCAT, NETWORK, SUM, Scalar, is_operation_name, is_setting_value
from nascore.description.problems import ProblemCollector
from nascore.errors import DescriptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Description", "Edge", "Graph", "Group", "Node", "Op", "Segment", "Settings"]


Settings = tuple[tuple[str, Scalar], ...]

_TEXT = re.compile(r"(?P<name>[^()]*)(\((?P<settings>[^()]+)\))?")


def _sorted(settings: Iterable[tuple[str, Scalar]]) -> Settings:
    return tuple(sorted(settings, key=lambda item: item[0]))


def _typed(settings: Settings) -> tuple[tuple[str, type, Scalar], ...]:
    """Return a form in which ``1``, ``1.0`` and ``true`` differ, as their texts do."""
    return tuple((key, type(value), value) for key, value in settings)


@frozen
class Op:
    """A primitive and its own settings.

    Its text is the YAML form, the label of a column of a group and the last part of a path. Settings are
    parted by ``;``, because a comma would force quotes inside the lists of YAML.

    Attributes:
        name: Name in the catalogue.
        settings: Pairs of a setting and its value, sorted; what is left out is the catalogue's default.

    Raises:
        DescriptionError: On a bad name, a setting named twice, or a value whose text would not read back.
    """

    name: str
    settings: Settings = field(default=(), converter=_sorted, eq=_typed)

    def __attrs_post_init__(self) -> None:
        found = ProblemCollector()
        if not is_operation_name(self.name):
            found.add("", f"{self.name!r} cannot name an operation.")
        keys = [key for key, _ in self.settings]
        for key, value in self.settings:
            if not is_operation_name(key):
                found.add("", f"{key!r} cannot name a setting of {self.name}.")
            if keys.count(key) > 1:
                found.add("", f"{self.name} has the setting {key} twice.")
            if not is_setting_value(value):
                found.add("", f"{value!r} cannot be the value of {self.name}'s setting {key}.")
        found.stop()

    def __str__(self) -> str:
        if not self.settings:
            return self.name
        inner = ";".join(f"{key}={write_scalar(value)}" for key, value in self.settings)
        return f"{self.name}({inner})"

    @classmethod
    def parse(cls, text: str) -> Op:
        """Return the operation of a text such as ``mbconv(expand=6;kernel=3)``.

        Raises:
            DescriptionError: If the text is no operation.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise DescriptionError(f"{text!r} is no operation: write NAME or NAME(KEY=VALUE;KEY=VALUE).")
        items = found["settings"].split(";") if found["settings"] else []
        return cls(found["name"], tuple(_setting(text, item) for item in items))

    def without(self, *keys: str) -> Op:
        """Return the same operation with these settings left to their defaults."""
        return Op(self.name, tuple(item for item in self.settings if item[0] not in keys))


def _setting(text: str, item: str) -> tuple[str, Scalar]:
    key, equals, value = item.partition("=")
    read = read_scalar(value)
    if not equals or read is None:
        raise DescriptionError(f"{item!r} in {text!r} is no setting: write KEY=VALUE.")
    return key, read


Segment = Literal["edge", "node"]


@frozen(kw_only=True)
class Edge:
    """One way into a node.

    Without operations it is *bare*: the state itself. With operations and no group it is *closed*: all are
    run. With a group it is *open*, and the operations are this edge's candidates.

    Attributes:
        source: Name of an earlier state, or ``-k``: the k-th node before.
        ops: Operations, no one twice.
        group: Choice group to which the edge belongs.
        gate: Whether the edge is multiplied by a scalar that starts at zero.

    Raises:
        DescriptionError: If an invariant is broken.
    """

    source: str | int
    ops: tuple[Op, ...] = ()
    group: str | None = None
    gate: bool = False

    def __attrs_post_init__(self) -> None:
        invariants.check_edge(self)


@frozen(kw_only=True)
class Node:
    """A state.

    Attributes:
        name: Name within its graph.
        edges: The ways into it, at least one.
        join: How the edges meet: ``sum``; ``concat`` (every operation brings channels of its own); or the
            name of a cell, to which they are handed.
        width: Channels of an operation's output, in channels of the graph; or ``classes``.
        reduction: How much coarser than the images (in a cell: than the cell's coarsest input); None for as
            coarse as the coarsest source.
        repeat: How many nodes to write out, each reading the one before (``a-0``, ``a-1``); None for one node
            without a number.
        shadow: Whether it is read as zero and passes its gradient.

    Raises:
        DescriptionError: If an invariant is broken.
    """

    name: str
    edges: tuple[Edge, ...]
    join: str = SUM
    width: int | Literal["classes"] = 1
    reduction: int | None = None
    repeat: int | None = None
    shadow: bool = False

    def __attrs_post_init__(self) -> None:
        invariants.check_node(self)

    @property
    def cell(self) -> str | None:
        """Name of the cell that it uses, if it uses one."""
        return None if self.join in {SUM, CONCAT} else self.join


@frozen(kw_only=True, slots=False)
class Graph:
    """A cell, or the network: named states, of which each reads earlier ones.

    Attributes:
        inputs: Names of the states that come from outside; ``("images",)`` for the network.
        nodes: The nodes, each after those that it reads.
        output: Name of the state that leaves the graph.

    Raises:
        DescriptionError: If an invariant is broken.
    """

    inputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    output: str

    def __attrs_post_init__(self) -> None:
        invariants.check_graph(self)

    @cached_property
    def scope(self) -> Scope:
        """The states with repeats written out and sources resolved."""
        return resolve(self, ProblemCollector())

    def node(self, name: str) -> Node | None:
        """Return the node of this name, if there is one."""
        return next((node for node in self.nodes if node.name == name), None)


@frozen(kw_only=True)
class Group:
    """A choice group: its columns, and the space's rule for deriving.

    Attributes:
        ops: All operations that its edges may offer, in the order of the columns.
        segment: Over what the choices compete: the operations of an ``edge``, or all of a ``node``.
        keep: How many operations per edge, or (edge, operation) pairs per node, deriving keeps.
        edges: How many edges per node deriving keeps, for segments of an edge; None for all.
        never: Operations that compete and are never kept.

    Raises:
        DescriptionError: If an invariant is broken.
    """

    ops: tuple[Op, ...]
    segment: Segment = "edge"
    keep: int = 1
    edges: int | None = None
    never: tuple[Op, ...] = ()

    def __attrs_post_init__(self) -> None:
        invariants.check_group(self)


def _copied_graphs(graphs: Mapping[str, Graph]) -> dict[str, Graph]:
    return dict(graphs)


def _copied_groups(groups: Mapping[str, Group]) -> dict[str, Group]:
    return dict(groups)


@frozen(kw_only=True, hash=False)
class Description:
    """A network, or a space of networks, as data.

    Attributes:
        network: The graph from images to the output.
        cells: Graphs that nodes may use.
        groups: Choice groups that edges may belong to.
        channels: Channels of a node of width 1 in the network.
        in_channels: Channels of the images.
        classes: Number of classes: the width ``classes``.
        affine: What operations take for their setting ``affine`` unless they say so themselves.
        pool_norm: The same for ``pool_norm``.
        auxiliary: Node of the network that is the auxiliary head.

    Raises:
        DescriptionError: If an invariant is broken, with all problems.
    """

    network: Graph
    cells: dict[str, Graph] = field(factory=dict, converter=_copied_graphs)
    groups: dict[str, Group] = field(factory=dict, converter=_copied_groups)
    channels: int = 16
    in_channels: int = 3
    classes: int = 10
    affine: bool = True
    pool_norm: bool = False
    auxiliary: str | None = None

    def __attrs_post_init__(self) -> None:
        invariants.check_description(self)

    def __str__(self) -> str:
        """The cells and the network, drawn as text; `repr` is the value as it is written in Python."""
        return draw(self)

    @property
    def is_open(self) -> bool:
        """Whether some edge still has a choice."""
        return any(edge.group is not None for _, _, edge in self.edges())

    def graphs(self) -> dict[str, Graph]:
        """Return the cells and, under ``network``, the network."""
        return {**self.cells, NETWORK: self.network}

    def edges(self) -> Iterator[tuple[str, Node, Edge]]:
        """Yield every edge as written, with the name of its graph and its node."""
        for name, graph in self.graphs().items():
            for node in graph.nodes:
                for edge in node.edges:
                    yield name, node, edge
