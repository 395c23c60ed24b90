"""Rules for names, and for the settings of operations."""

from __future__ import annotations

import math
import re
from typing import Final

Scalar = bool | int | float | str


class _Unread(str):
    """A marker compared by identity, so that no name in a text equals it."""

    __slots__ = ()


class _UnreadNumber(int):
    """A marker compared by identity; as a factor it makes every product 0, which means unknown."""


UNREAD: Final = _Unread("?")
"""Stands for a name that could not be read; it passes every check, since its problem is already reported."""

UNREAD_NUMBER: Final = _UnreadNumber(0)
"""Stands for a number that could not be read."""

GROWN = "grow/"
"""Prefix of the names of growth's groups: ``grow/GRAPH/TARGET/NUMBER``."""

LANGUAGE: Final = 1
"""The version of the language, under the key ``nascore``."""
NETWORK = "network"
IMAGES = "images"
SUM, CONCAT = "sum", "concat"
WAYS = ("from", SUM, CONCAT)
"""The keys for the sources of a node; a node has exactly one of them."""
RESERVED_CELLS = (SUM, CONCAT, NETWORK)
"""Names that no cell may have: a join is ``sum``, ``concat`` or a cell, a graph ``network`` or a cell."""

_NODE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(-\d+)?(\+\d+)*")
_OPERATION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_GROUP = re.compile(rf"{_NODE.pattern}(/({_NODE.pattern}|\d+))*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LARGEST = 2**63 - 1
LARGEST: Final = 2**20
"""Largest width and reduction, far above any real network; products of three fit into int64."""
MOST_REPEATS: Final = 10_000
_AMBIGUOUS = frozenset({"on", "off", "yes", "no", "true", "false", "null"})
"""Words that some YAML parsers read as a boolean or null, in any case."""


def graph_path(name: str) -> str:
    """Return the path of a graph in the YAML text."""
    return name if name in RESERVED_CELLS else f"cells.{name}"


def is_node_name(text: object) -> bool:
    """Return whether the text can name a node, an input or a cell."""
    return _fits(_NODE, text)


def is_grown(name: str) -> bool:
    """Return whether growth added the node of this name."""
    return "+" in name


def is_operation_name(text: object) -> bool:
    """Return whether the text can name an operation or one of its settings."""
    return _fits(_OPERATION, text)


def is_group_name(text: object) -> bool:
    """Return whether the text can name a choice group, such as ``normal`` or ``grow/normal/x/1``."""
    return _fits(_GROUP, text)


def is_word(text: object) -> bool:
    """Return whether the text can be the value of an operation's setting."""
    return _fits(_WORD, text)


def _fits(pattern: re.Pattern[str], text: object) -> bool:
    if text is UNREAD:
        return True
    return isinstance(text, str) and bool(pattern.fullmatch(text)) and text.lower() not in _AMBIGUOUS


def is_setting_value(value: object) -> bool:
    """Return whether a setting of an operation can have this value: its text must read back as the value."""
    if isinstance(value, str):
        return is_word(value)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and abs(value) <= _LARGEST
