"""Four values of the description language: operation, edge, node and choice group.

Each checks its own invariants when it is made and raises all problems at once. Graphs and descriptions, which
are made of them, stand in :mod:`nascore.description.graph`.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Literal

from attrs import field, frozen

from nascore.config import read_scalar, write_scalar
from nascore.config.document import show
from nascore.description.keys import (
    FLAG,
    Hashed,
    Kind,
    check_values,
    declared,
    form,
    key,
    one_of,
    verbatim,
    whole,
)
from nascore.description.names import (
    CONCAT,
    MOST_REPEATS,
    SUM,
    UNREAD,
    UNREAD_NUMBER,
    WAYS,
    Scalar,
    is_group_name,
    is_node_name,
    is_operation_name,
    is_setting_value,
)
from nascore.description.problems import ProblemCollector, nearest
from nascore.errors import DescriptionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nascore.config import Node as Yaml

__all__ = [
    "UNREAD_OP",
    "Edge",
    "Group",
    "Node",
    "Op",
    "Segment",
    "Settings",
    "read_list",
    "read_ops",
    "unlisted",
]


Settings = tuple[tuple[str, Scalar], ...]

_TEXT = re.compile(r"(?P<name>[^()]*)(\((?P<settings>[^()]+)\))?")


def _sorted(settings: Iterable[tuple[str, Scalar]]) -> Settings:
    return tuple(sorted(settings, key=lambda item: item[0]))


def _typed(settings: Settings) -> tuple[tuple[str, type, Scalar], ...]:
    """Return a key that tells ``1``, ``1.0`` and ``true`` apart, which are equal in Python."""
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
        names = [setting for setting, _ in self.settings]
        for setting, value in self.settings:
            if not is_operation_name(setting):
                found.add("", f"{setting!r} cannot name a setting of {self.name}.")
            if names.count(setting) > 1:
                found.add("", f"{self.name} has the setting {setting} twice.")
            if not is_setting_value(value):
                found.add("", f"{value!r} cannot be the value of {self.name}'s setting {setting}.")
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
            DescriptionError: If the text is not an operation.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise DescriptionError(f"{text!r} is not an operation: write NAME or NAME(KEY=VALUE;KEY=VALUE).")
        items = found["settings"].split(";") if found["settings"] else []
        return cls(found["name"], tuple(_setting(text, item) for item in items))

    def without(self, *keys: str) -> Op:
        """Return the same operation with these settings left to their defaults."""
        return Op(self.name, tuple(item for item in self.settings if item[0] not in keys))


def _setting(text: str, item: str) -> tuple[str, Scalar]:
    key, equals, value = item.partition("=")
    read = read_scalar(value)
    if not equals or read is None:
        raise DescriptionError(f"{item!r} in {text!r} is not a setting: write KEY=VALUE.")
    return key, read


UNREAD_OP = Op(UNREAD)
"""In place of operations that could not be read."""


def read_list(node: Yaml) -> list[Yaml]:
    """Return the items of a list; a value that is not a list counts as a list of one."""
    return node.value if isinstance(node.value, list) else [node]


def read_ops(node: Yaml, path: str, found: ProblemCollector) -> tuple[Op, ...]:
    """Return the operations of a list or one value; an invalid one adds a problem and is ``UNREAD_OP``."""
    ops: list[Op] = []
    for item in read_list(node):
        if not isinstance(item.value, str):
            text = f"{show(item)} is not an operation."
            found.add(path, text, hint="Write NAME or NAME(KEY=VALUE;KEY=VALUE).", origin=item.origin)
            continue
        with found.at(path, item.origin):
            ops.append(Op.parse(item.value))
    return tuple(ops) if len(ops) == len(read_list(node)) else (*ops, UNREAD_OP)


_OPS = Kind(read=read_ops, write=verbatim)

Segment = Literal["edge", "node"]


@frozen(kw_only=True, field_transformer=declared)
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

    source: str | int = field(metadata=form("from", hashed=Hashed.PLAN))
    ops: tuple[Op, ...] = field(default=(), metadata=form("op", "ops", hashed=Hashed.PLAN))
    group: str | None = field(default=None, metadata=form("choose", hashed=Hashed.PLAN))
    gate: bool = field(default=False, metadata=key("gate", FLAG, hashed=Hashed.PLAN))

    def __attrs_post_init__(self) -> None:
        found = ProblemCollector()
        _check_source(self.source, found)
        _check_unique(self.ops, "on one edge", found)
        check_values(self, found)
        if self.group is not None:
            if not is_group_name(self.group):
                found.add("choose", f"{self.group!r} cannot name a group.")
            if not self.ops:
                found.add("ops", "an edge with a choice needs candidates.")
            if self.gate:
                found.add("gate", "an edge with a choice has no gate.")
        found.stop()


def _check_source(source: object, found: ProblemCollector) -> None:
    if isinstance(source, bool) or not isinstance(source, (str, int)):
        found.add(
            "from", f"{source!r} is not a source: write the name of a state, or -1 for the previous node."
        )
    elif isinstance(source, int) and source >= 0:
        found.add("from", f"a relative source is negative, not {source}.")
    elif isinstance(source, str) and not is_node_name(source):
        found.add("from", f"{source!r} cannot name a state.")


@frozen(kw_only=True, field_transformer=declared)
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

    name: str = field(metadata=form(hashed=Hashed.NO))
    edges: tuple[Edge, ...] = field(metadata=form(*WAYS, hashed=Hashed.PLAN))
    join: str = field(default=SUM, metadata=form("cell", hashed=Hashed.PLAN))
    width: int | Literal["classes"] = field(
        default=1, metadata=key("width", whole(word="classes"), hashed=Hashed.PLAN, draft=UNREAD_NUMBER)
    )
    reduction: int | None = field(
        default=None, metadata=key("reduction", whole(), hashed=Hashed.PLAN, draft=UNREAD_NUMBER)
    )
    repeat: int | None = field(
        default=None, metadata=key("repeat", whole(0, MOST_REPEATS), hashed=Hashed.PLAN)
    )
    shadow: bool = field(default=False, metadata=key("shadow", FLAG, hashed=Hashed.PLAN))

    def __attrs_post_init__(self) -> None:
        found = ProblemCollector()
        if not is_node_name(self.name):
            found.add("", f"{self.name!r} cannot name a node.")
        if not is_node_name(self.join):
            found.add("cell", f"{self.join!r} cannot name a cell.")
        check_values(self, found)
        if self.shadow and self.join != SUM:
            found.add("shadow", "only a sum can be a shadow.")
        if not self.edges:
            found.add("", "a node needs at least one edge.")
        _check_edges(self, found)
        found.stop()

    def __str__(self) -> str:
        """The operations, inputs and join: ``sep_conv_3x3(pre0) + skip_connect(pre1)   [reduction 2]``."""
        facts = ", ".join(_facts(self))
        return f"{_join(self)}{f'   [{facts}]' if facts else ''}"

    @property
    def cell(self) -> str | None:
        """Name of the cell that it uses, if it uses one."""
        return None if self.join in {SUM, CONCAT} else self.join

    @property
    def states(self) -> list[str]:
        """Names of its states: its own, or one for each repetition."""
        if self.repeat is None:
            return [self.name]
        return [f"{self.name}-{index}" for index in range(self.repeat)]


def _check_edges(node: Node, found: ProblemCollector) -> None:
    if node.cell is not None:
        for edge in node.edges:
            if edge.ops or edge.gate:
                found.add(f"from.{edge.source}", "an edge into a cell has neither operations nor a gate.")
        return
    read = [edge for edge in node.edges if edge.source is not UNREAD]
    counted = [edge.source for edge in read if node.join == SUM or edge.ops]
    for source, count in Counter(counted).items():
        if count > 1:
            found.add(f"from.{source}", "two edges come from this source: put the operations on one edge.")
    gated = Counter(edge.source for edge in read if node.join == CONCAT and edge.gate)
    for source, count in gated.items():
        if count > 1:
            found.add(f"from.{source}", "two gates on edges from this source would have one path.")


def _join(node: Node) -> str:
    parts = [_edge(edge, ", " if node.join == CONCAT else " + ") for edge in node.edges]
    if node.cell is not None:
        return f"{node.cell}({', '.join(parts)})"
    return f"concat({', '.join(parts)})" if node.join == CONCAT else " + ".join(parts)


def _edge(edge: Edge, between: str) -> str:
    if edge.group is not None:
        text = f"{edge.group}{{{len(edge.ops)}}}({edge.source})"
    elif edge.ops:
        text = between.join(f"{op}({edge.source})" for op in edge.ops)
    else:
        text = str(edge.source)
    return f"gate*({text})" if edge.gate else text


def _facts(node: Node) -> Iterator[str]:
    if node.width != 1:
        yield f"width {node.width}"
    if node.reduction not in {None, 1}:
        yield f"reduction {node.reduction}"
    if node.shadow:
        yield "shadow"


@frozen(kw_only=True, field_transformer=declared)
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

    ops: tuple[Op, ...] = field(metadata=key("ops", _OPS, hashed=Hashed.PLAN))
    segment: Segment = field(
        default="edge", metadata=key("segment", one_of("edge", "node"), hashed=Hashed.NO)
    )
    keep: int = field(default=1, metadata=key("keep", whole(), hashed=Hashed.NO))
    edges: int | None = field(default=None, metadata=key("edges", whole(), hashed=Hashed.NO))
    never: tuple[Op, ...] = field(default=(), metadata=key("never", _OPS, hashed=Hashed.NO))

    def __attrs_post_init__(self) -> None:
        found = ProblemCollector()
        if not self.ops:
            found.add("ops", "a group needs operations.")
        _check_unique(self.ops, "in one group", found)
        _check_unique(self.never, "under never", found)
        check_values(self, found)
        if self.edges is not None and self.segment == "node":
            found.add("edges", "has no meaning where a whole node competes: keep says how many stay.")
        for op in unlisted(self.never, self.ops):
            hint = nearest(str(op), map(str, self.ops))
            found.add("never", f"{op} is not among the group's operations.", hint=hint, spot=str(op))
        _check_keeping(self, found)
        found.stop()


def _check_unique(ops: Iterable[Op], where: str, found: ProblemCollector) -> None:
    """Note every operation that stands twice in one place."""
    for op, count in Counter(ops).items():
        if count > 1:
            found.add("ops", f"the operation {op} stands {where} twice.")


def unlisted(ops: Iterable[Op], known: Sequence[Op]) -> Iterator[Op]:
    """Yield the operations that are not among the known ones; none where not all of those could be read."""
    if not any(op.name is UNREAD for op in known):
        yield from (op for op in ops if op not in known and op.name is not UNREAD)


def _check_keeping(group: Group, found: ProblemCollector) -> None:
    """Check that as many operations as an edge keeps can be kept."""
    may = [op for op in group.ops if op not in group.never]
    if group.ops and not may:
        found.add("never", "all operations of the group are in `never`, so deriving would keep nothing.")
    elif group.segment == "edge" and isinstance(group.keep, int) and group.keep > max(len(may), 1):
        count = f"{len(may)} operation{'' if len(may) == 1 else 's'}"
        found.add("keep", f"an edge cannot keep {group.keep}: {count} of the group may be kept.")
