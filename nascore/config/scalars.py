"""Scalars of YAML 1.2 (core schema), read and written.

PyYAML follows YAML 1.1, where ``on`` is true, ``1:30`` is 90 and ``1e-3`` is text; none of that is meant in a
recipe.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nascore.config.node import Scalar

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
_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./+-]*")
_DIGITS_MAX = 300  # Python refuses to read integers of thousands of digits; no setting is that large


def read_scalar(text: str) -> Scalar:
    """Read a plain (unquoted) scalar by the core schema of YAML 1.2."""
    if text in _NAMED:
        return _NAMED[text]
    if len(text) > _DIGITS_MAX:
        return text
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text


def write_scalar(value: Scalar) -> str:
    """Write a scalar so that :func:`read_scalar`, or quotes, give it back exactly."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if _PLAIN.fullmatch(value) and isinstance(read_scalar(value), str):
        return value
    return '"' + "".join(map(_escape, value)) + '"'


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four hex digits
