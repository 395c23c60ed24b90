"""Parses YAML documents into nodes with positions.

Scalars follow YAML 1.2, since PyYAML follows YAML 1.1, where ``on`` is true, ``1:30`` is 90 and ``1e-3`` is
text. Duplicate keys, tags, anchors and aliases are refused: with them a recipe means something other than
what a reader sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

import attrs
import yaml
from attrs import Factory, evolve, frozen
from yaml.reader import ReaderError

from nascore.errors import Origin, Problem
from nascore.files import digest_fault

if TYPE_CHECKING:
    from nascore.errors import OriginKind


_MAX_SHOWN: Final = 60  # longer values are cut off in messages
Scalar: TypeAlias = bool | int | float | str | None


@frozen(kw_only=True, eq=False)
class Node:
    """One value of a document, with its origin.

    Attributes:
        value: A scalar, a list of nodes or a map of nodes.
        origin: The origin of the value.
        text: The characters as typed after ``--set``, for settings of type text.
        key: The origin of the value's key.
        folder: The base of the value if it is a relative path; None: the working folder.
    """

    value: Scalar | list[Node] | dict[str, Node]
    origin: Origin
    text: str | None = None
    key: Origin | None = None
    folder: Path | None = None


def wrap(value: Any, origin: Origin) -> Node:  # noqa: ANN401 - plain Python values of any shape
    """Return a plain Python value as a node; all items get the same origin."""
    if isinstance(value, Node):
        return value
    if isinstance(value, Mapping):
        return Node(value={str(key): wrap(item, origin) for key, item in value.items()}, origin=origin)
    if isinstance(value, (list, tuple)):
        return Node(value=[wrap(item, origin) for item in value], origin=origin)
    if attrs.has(type(value)):
        return wrap(attrs.asdict(value, recurse=False), origin)
    return Node(value=_plain(value), origin=origin)


def unwrap(node: Node) -> Any:  # noqa: ANN401 - the reverse of `wrap`
    """Return the plain Python value of a node."""
    if isinstance(node.value, dict):
        return {key: unwrap(item) for key, item in node.value.items()}
    if isinstance(node.value, list):
        return [unwrap(item) for item in node.value]
    return node.value


def _plain(value: Any) -> Any:  # noqa: ANN401 - any scalar
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def merge(low: Node, high: Node) -> Node:
    """Return ``low`` overridden by ``high``: maps are merged key by key, other values are replaced."""
    if not (isinstance(low.value, dict) and isinstance(high.value, dict)):
        return high
    merged = dict(low.value)
    for key, node in high.value.items():
        merged[key] = merge(merged[key], node) if key in merged else node
    return attrs.evolve(high, value=merged)


def show(node: Node) -> str:
    """Return a wrong value for an error text: ``'many'``, ``null``, ``a list``."""
    if isinstance(node.value, dict):
        return "a map"
    if isinstance(node.value, list):
        return "a list"
    if node.value is None:
        return "null"
    if isinstance(node.value, bool):
        return str(node.value).lower()
    text = repr(node.value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def word(key: str) -> str:
    """Return a key for an error text; in quotes where it does not look like one word."""
    return key if key and key.isprintable() and not any(map(str.isspace, key)) else repr(key)


_NAMED: dict[str, bool | float | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
    **{f"{sign}{word}": float(f"{sign}inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
    **{word: float("nan") for word in (".nan", ".NaN", ".NAN")},
}  # fmt: skip
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MAX_DIGITS = 300  # Python refuses to read integers of thousands of digits; no setting is that large


def read_scalar(text: str) -> Scalar:
    """Read a plain (unquoted) scalar by the core schema of YAML 1.2."""
    if text in _NAMED:
        return _NAMED[text]
    if len(text) > _MAX_DIGITS:
        return text
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text


_HINTS: Final = (
    ("'\\t'", "Indent with spaces, not with tabs."),
    ("that cannot start any token", "Put text that begins with this character in quotes."),
    ("mapping values are not allowed", "Put text that contains ': ' in quotes, or begin a new line."),
    ("undefined alias", "Put text that begins with * in quotes."),
    ("could not find expected ':'", "Write KEY: VALUE."),
    ("but found another document", "Write one document: remove the line ---."),
    ("special characters are not allowed", "Remove the character."),
)


def yaml_fault(error: yaml.YAMLError | RecursionError, text: str) -> tuple[str, str, tuple[int, int]]:
    """Return the message of a YAML parser error, with a hint and its position.

    Args:
        error: The error.
        text: The parsed text.

    Returns:
        The message, a hint (may be empty), line and column (0, 0 where it has none).
    """
    if isinstance(error, RecursionError):
        return "it is nested too deeply", "", (0, 0)
    if isinstance(error, yaml.MarkedYAMLError):
        message = ", ".join(part for part in (error.context, error.problem) if part)
        message = message.replace("'<stream end>'", "the end of the text").replace("<block end>", "its end")
        mark = error.problem_mark or error.context_mark
        if "end of the text" in message or "end of stream" in message:
            # An unclosed bracket or quote is detected at the end, but must be fixed at its beginning.
            mark = error.context_mark or mark
        return message, _hint(message), (0, 0) if mark is None else (mark.line + 1, mark.column + 1)
    if isinstance(error, ReaderError):
        before = text[: error.position]
        place = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = str(error).splitlines()[0]
        return message, _hint(message), place
    return str(error).splitlines()[0], "", (0, 0)


def _hint(message: str) -> str:
    return next((hint for fragment, hint in _HINTS if fragment in message), "")


_EDITED: Final = "Restore it; if it was edited on purpose, delete its first line."


@frozen(kw_only=True)
class Document:
    """A parsed text: its root (None where the text is not YAML) and its problems."""

    root: Node | None
    problems: list[Problem] = Factory(list)


def parse_document(
    text: str, *, where: str, kind: OriginKind = "recipe", what: str = "recipe", folder: Path | None = None
) -> Document:
    """Parse one YAML document.

    Args:
        text: The document.
        where: Its name in error texts, usually the file's.
        kind: The kind of origin of its values.
        what: The kind of document in error texts: ``recipe``, ``description``.
        folder: The base of relative paths in it. None: the working folder.

    Returns:
        Its root and its problems; the root of an empty document is null.
    """
    reader = _Reader(text=text, where=where, kind=kind, what=what, folder=folder)
    fault = digest_fault(text)
    if fault:
        wrong = f"this {what} is damaged: {fault}."
        problem = Problem(path="", text=wrong, origin=reader.origin(None), hint=_EDITED)
        return Document(root=None, problems=[problem])
    try:
        # The pure Python loader: the C loader marks quoted scalars differently and has other error texts.
        root = yaml.compose(text, Loader=_Loader)
        node = Node(value=None, origin=reader.origin(None)) if root is None else reader.node(root, "")
    except _AnchorError as error:
        return Document(root=None, problems=[reader.not_allowed("", reader.origin(error.problem_mark))])
    except (yaml.YAMLError, RecursionError) as error:
        message, hint, (line, column) = yaml_fault(error, text)
        origin = Origin(kind=kind, file=where, line=line, column=column)
        problem = Problem(path="", text=f"not YAML: {message}.", origin=origin, hint=hint)
        return Document(root=None, problems=[problem])
    return Document(root=node, problems=reader.problems)


class _AnchorError(yaml.MarkedYAMLError):
    """The text has an anchor."""


class _Loader(yaml.BaseLoader):
    """Stops at the first anchor: a few lines of aliases can expand to a billion items."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: object = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.NodeEvent) and event.anchor and not isinstance(event, yaml.AliasEvent):
            raise _AnchorError(problem_mark=cast("yaml.Mark", event.start_mark))
        return super().compose_node(parent, index)


@frozen(kw_only=True)
class _Reader:
    text: str
    where: str
    kind: OriginKind
    what: str
    folder: Path | None
    problems: list[Problem] = Factory(list)

    def origin(self, mark: yaml.Mark | None) -> Origin:
        if mark is None:
            return Origin(kind=self.kind, file=self.where)
        return Origin(kind=self.kind, file=self.where, line=mark.line + 1, column=mark.column + 1)

    def node(self, found: yaml.Node, path: str) -> Node:
        origin = self.origin(found.start_mark)
        if self.text[found.start_mark.index : found.start_mark.index + 1] in ("!", "&"):
            # Only this character distinguishes `!!str 3` from `3`.
            self.problems.append(self.not_allowed(path, origin))
        if isinstance(found, yaml.MappingNode):
            return Node(value=self._map(found, path), origin=origin, folder=self.folder)
        if isinstance(found, yaml.SequenceNode):
            items = [self.node(item, path) for item in found.value]
            return Node(value=items, origin=origin, folder=self.folder)
        quoted = isinstance(found, yaml.ScalarNode) and found.style is not None
        value = found.value if quoted else read_scalar(found.value)
        return Node(value=value, origin=origin, folder=self.folder)

    def not_allowed(self, path: str, origin: Origin) -> Problem:
        text = f"tags (!) and anchors (&) are not allowed in a {self.what}."
        hint = "Write the value itself, in quotes if it begins with ! or &."
        return Problem(path=path, text=text, origin=origin, hint=hint)

    def _map(self, found: yaml.MappingNode, path: str) -> dict[str, Node]:
        items: dict[str, Node] = {}
        for key, value in found.value:
            origin = self.origin(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                self._wrong(path, "a key must be a word.", origin)
                continue
            inner = f"{path}.{word(key.value)}" if path else word(key.value)
            first = items.get(key.value)
            if first is not None and first.key is not None:
                self._wrong(inner, f"given twice; first at {first.key}.", origin)
            else:
                items[key.value] = evolve(self.node(value, inner), key=origin)
        return items

    def _wrong(self, path: str, text: str, origin: Origin, hint: str = "") -> None:
        self.problems.append(Problem(path=path, text=text, origin=origin, hint=hint))
