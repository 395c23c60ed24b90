"""What may be a name, and what may be the value of an operation's setting."""

from __future__ import annotations

import math
import re

Scalar = bool | int | float | str

NETWORK = "network"
IMAGES = "images"
SUM, CONCAT = "sum", "concat"
RESERVED_CELLS = (SUM, CONCAT, NETWORK)
"""Not names of cells: a join is ``sum``, ``concat`` or a cell, and a graph ``network`` or a cell."""

_NODE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(-\d+)?(\+\d+)*")
_OPERATION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_GROUP = re.compile(rf"{_NODE.pattern}(/({_NODE.pattern}|\d+))*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LARGEST = 2**63 - 1
_AMBIGUOUS = frozenset({"on", "off", "yes", "no", "true", "false", "null"})
"""Words that some reader of YAML takes for a truth value or nothing, whatever their case."""


def is_node_name(text: object) -> bool:
    """Return whether the text can name a node, an input or a cell."""
    return _fits(_NODE, text)


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
    return isinstance(text, str) and bool(pattern.fullmatch(text)) and text.lower() not in _AMBIGUOUS


def is_setting_value(value: object) -> bool:
    """Return whether an operation's setting can have this value: its text must read back as the same."""
    if isinstance(value, str):
        return is_word(value)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and abs(value) <= _LARGEST
