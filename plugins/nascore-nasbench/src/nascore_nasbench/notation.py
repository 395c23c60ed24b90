"""Finds, reads and writes architecture strings: ``|OP~0|+|OP~0|OP~1|+|OP~0|OP~1|OP~2|``.

A string has a part between bars for each node of the cell. The part lists an edge for each earlier state, in
order: an operation and the number of the state, separated by a tilde. All mistakes are reported at once, each
with its line and column. Strings are found in longer texts too, such as logs or AutoDL's
``Structure(4 nodes with ...)``.
"""

from __future__ import annotations

import re
from itertools import starmap
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from nascore.api import DescriptionError, Origin, Passage, Problem, did_you_mean, passages
from nascore_nasbench.space import EDGES, OPERATIONS, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

BAR, TILDE, PLUS = "|~+"
FORM = "|OP~0|+|OP~0|OP~1|+|OP~0|OP~1|OP~2|"
NODES = len(STATES) - 1

LONGEST_STRING = 2_000
"""Maximum length of a string, in characters."""

MOST_NAMED = 8
"""Maximum number of strings that a message names."""

_AROUND = " \t\r\n'\"`"
_BEGINS = re.compile(r"\||\w{1,99}[ \t]*~[ \t]*\d")
_EDGES = r"\|(?:[^|+'\"`,;()\n]{1,60}\|){1,20}"
_STRING = re.compile(rf"{_EDGES}(?:\s{{0,20}}\+\s{{0,20}}{_EDGES}){{0,20}}")
_NAME = re.compile(r"(?:^|[^\w.])([A-Za-z_]\w{0,99})['\"]?[ \t]*[=:][ \t]*['\"`]?$")
_DESCRIPTION = re.compile(r"^nascore[ \t]*:", re.MULTILINE)
_BEFORE = 200

_SHOWN = 40
_SOURCE = re.compile(r"[0-9]{1,9}")

_LONGEST_NUMBERS = 200
_NUMBERS = re.compile(r"[(\[]\s*[0-4](?:\s*,\s*[0-4]){5}\s*,?\s*[)\]]")

_NASLIB = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
_BY_SOURCE = tuple(sorted(EDGES, key=lambda edge: (edge[1], edge[0])))

READINGS = {
    "in the order of the strings": (OPERATIONS, EDGES),
    "with NASLib's operations, edges by their source": (_NASLIB, _BY_SOURCE),
    "with the strings' operations, edges by their source": (OPERATIONS, _BY_SOURCE),
}
"""The numberings of public code: the operations, and the edges as (node, source)."""


def find(text: str) -> tuple[Passage, ...]:
    """Return the strings in a text, each once, with their names and line numbers.

    A description in YAML has none, whatever its comments contain.
    """
    if _DESCRIPTION.search(text):
        return ()
    text = text.replace("\ufeff", " ")
    spans = [
        (_name(text, match.start()), *match.span()) for match in _STRING.finditer(text) if "~" in match[0]
    ]
    begin = len(text) - len(text.lstrip(_AROUND))
    whole = [span for span in spans if text.count("+", *span[1:]) == NODES - 1]
    if len(whole) <= 1 and _BEGINS.match(text, begin):
        # Read the whole text as one string, so that its mistakes are reported.
        end = len(text.rstrip(_AROUND + ",;"))
        return passages(text, [("", begin, end)], {})
    return passages(text, spans, {})


def _name(text: str, begin: int) -> str:
    line = text.rfind("\n", 0, begin) + 1
    found = _NAME.search(text[max(line, begin - _BEFORE) : begin])
    return "" if found is None else found[1]


def looks_like(text: str) -> bool:
    """Return whether a text contains an architecture string, valid or not, or six numbers of operations."""
    return _is_numbers(text) or bool(find(text))


def write(operations: Sequence[str]) -> str:
    """Return the string of a cell, given the operation of each edge in the order of the strings."""
    parts: dict[int, str] = {}
    for (node, source), operation in zip(EDGES, operations, strict=True):
        parts[node] = parts.get(node, BAR) + f"{operation}{TILDE}{source}{BAR}"
    return PLUS.join(parts.values())


def parse(text: str) -> tuple[str, ...]:
    """Return the operation of each edge of a string, in the order of the strings.

    The edges of a node may have any order, since each names its state.

    Raises:
        DescriptionError: With every problem of the text.
    """
    if _is_numbers(text):
        return _of_numbers(text)
    found = find(text)
    if len(found) > 1:
        lines = ", ".join(str(one.line) for one in found[:MOST_NAMED])
        message = f"this text contains {len(found)} architecture strings, in lines {lines}."
        raise DescriptionError([Problem(path="", text=message, hint="Give one of them.")])
    text = found[0].text if found else text
    if (length := len(text.strip())) > LONGEST_STRING:
        message = (
            f"an architecture string has at most {LONGEST_STRING:,} characters, this text has {length:,}."
        )
        raise DescriptionError(message)
    reader = _Reader(text=text)
    operations = reader.cell()
    if reader.problems:
        raise DescriptionError(reader.problems)
    return operations


def _is_numbers(text: str) -> bool:
    """Return whether a text is six numbers of operations."""
    return len(text) < _LONGEST_NUMBERS and _NUMBERS.fullmatch(text.strip("\ufeff'\"` \t\r\n,")) is not None


def _of_numbers(text: str) -> tuple[str, ...]:
    """Return the operation of each edge, in the order of the strings, if all numberings agree.

    Raises:
        DescriptionError: The numbers are ambiguous; the message lists the possible networks.
    """
    numbers = [int(digit) for digit in re.findall(r"\d", text)]
    found = {how: _in_order(numbers, *lists) for how, lists in READINGS.items()}
    first = next(iter(found.values()))
    if all(one == first for one in found.values()):
        return first
    message = "; ".join(starmap(lambda how, ops: f"{how}: {write(ops)}", found.items()))
    where = Origin(kind="recipe", file="nb201", line=1, column=1)
    text = f"numbers of operations are ambiguous, since code bases number them differently: {message}."
    hint = "Write one of these strings instead."
    raise DescriptionError([Problem(path="", text=text, hint=hint, origin=where)])


def _in_order(
    numbers: Sequence[int], operations: Sequence[str], edges: Sequence[tuple[int, int]]
) -> tuple[str, ...]:
    by_edge = {edge: operations[number] for edge, number in zip(edges, numbers, strict=True)}
    return tuple(by_edge[edge] for edge in EDGES)


@frozen(kw_only=True)
class _Piece:
    """A piece of the text without the space around it.

    Attributes:
        text: The piece.
        at: Its position in the whole text.
    """

    text: str
    at: int

    def cut(self, separator: str) -> list[_Piece]:
        """Return the pieces between separators."""
        pieces, at = [], self.at
        for part in self.text.split(separator):
            pieces.append(_piece(part, at))
            at += len(part) + len(separator)
        return pieces


def _piece(text: str, at: int) -> _Piece:
    return _Piece(text=text.strip(), at=at + len(text) - len(text.lstrip()))


@define(kw_only=True)
class _Reader:
    """Walks the text once and collects the problems."""

    text: str
    problems: list[Problem] = field(factory=list)

    def wrong(self, path: str, at: int, text: str, hint: str = "") -> None:
        before = self.text[:at]
        line, column = before.count("\n") + 1, at - before.rfind("\n")
        origin = Origin(kind="recipe", file="nb201", line=line, column=column)
        self.problems.append(Problem(path=path, text=text, hint=hint, origin=origin))

    def cell(self) -> tuple[str, ...]:
        whole = _piece(self.text, 0)
        parts = whole.cut(PLUS)
        if len(parts) != NODES:
            message = f"a cell has {NODES} nodes, separated by `{PLUS}`, not {len(parts)}."
            surplus = parts[NODES] if len(parts) > NODES else parts[-1]
            self.wrong("", surplus.at, message, f"Write {FORM}.")
        read = [
            operation
            for node, part in enumerate(parts[:NODES], start=1)
            for operation in self.node(node, part)
        ]
        return tuple(read)

    def node(self, node: int, part: _Piece) -> list[str]:
        path, edges = f"node {node}", part.cut(BAR)
        open_ends = [piece for piece in (edges[0], edges[-1]) if piece.text or len(edges) == 1]
        if open_ends:
            message = f"must begin and end with a bar, not with {_shown(open_ends[0].text)}."
            self.wrong(path, open_ends[0].at, message, f"Write {_form(node)}.")
        inner = [piece for place, piece in enumerate(edges) if piece.text or 0 < place < len(edges) - 1]
        if len(inner) != node:
            edge = f"{len(inner)} edge{'' if len(inner) == 1 else 's'}"
            message = f"has {edge}, not {node}: one for each state before it ({_states(node)})."
            self.wrong(path, part.at, message, _completed(node, inner) or f"Write {_form(node)}.")
        inner = _sorted(inner)
        seen: set[int] = set()
        return [self.edge(node, source, piece, seen) for source, piece in enumerate(inner[:node])]

    def edge(self, node: int, expected: int, piece: _Piece, seen: set[int]) -> str:
        path = f"{node}<-{expected}"
        operation, *sources = piece.cut(TILDE)
        sound = len(sources) == 1 and _SOURCE.fullmatch(sources[0].text) is not None
        if not sound:
            message = f"{_shown(piece.text)} is not OPERATION{TILDE}STATE."
            self.wrong(path, piece.at, message, f"Write {operation.text or 'OP'}{TILDE}{expected}.")
        else:
            self.source(node, expected, sources[0], seen)
        if operation.text not in OPERATIONS and (sound or operation.text):
            hint = did_you_mean(operation.text, OPERATIONS) or f"Known: {', '.join(OPERATIONS)}."
            self.wrong(path, operation.at, f"there is no operation {_shown(operation.text)}.", hint)
        return operation.text

    def source(self, node: int, expected: int, piece: _Piece, seen: set[int]) -> None:
        source = int(piece.text)
        hint = f"Name each of {_states(node)} once." if node > 1 else f"Write {TILDE}0."
        if source >= node:
            message = f"reads state {source}; node {node} reads {_states(node)}."
            self.wrong(f"{node}<-{expected}", piece.at, message, hint)
        elif source in seen:
            self.wrong(f"{node}<-{expected}", piece.at, f"reads state {source} a second time.", hint)
        seen.add(source)


def _source_of(edge: _Piece) -> int | None:
    operation, *sources = edge.cut(TILDE)
    sound = bool(operation.text) and len(sources) == 1 and _SOURCE.fullmatch(sources[0].text) is not None
    return int(sources[0].text) if sound else None


def _sorted(edges: list[_Piece]) -> list[_Piece]:
    """Return the edges of a node in the order of their states."""
    sources = [_source_of(edge) for edge in edges]
    by_source = {source: edge for source, edge in zip(sources, edges, strict=True) if source is not None}
    if sorted(by_source) != list(range(len(edges))):
        return edges
    return [by_source[source] for source in range(len(edges))]


def _completed(node: int, edges: list[_Piece]) -> str:
    """Return a hint that completes a node with too few edges by the operation `none`."""
    by_source = {source: edge for edge in edges if (source := _source_of(edge)) is not None}
    if len(by_source) != len(edges) or len(edges) >= node or any(source >= node for source in by_source):
        return ""
    written = [
        by_source[source].text if source in by_source else f"{OPERATIONS[0]}{TILDE}{source}"
        for source in range(node)
    ]
    return f"Write a missing edge as the operation none: {BAR}{BAR.join(written)}{BAR}."


def _form(node: int) -> str:
    return BAR + "".join(f"OP{TILDE}{source}{BAR}" for source in range(node))


def _states(node: int) -> str:
    return "state 0" if node == 1 else f"states 0 to {node - 1}"


def _shown(text: str) -> str:
    """Return a piece as messages show it, shortened if it is long."""
    return repr(text[:_SHOWN])
