"""Writes YAML: maps over several lines or in one, lists, comments, and scalars with quotes where needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.config.document import read_scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.config.document import Scalar

STEP: Final = "  "
"""The indent of a map's entries."""

_PLAIN: Final = re.compile(r"[A-Za-z_./][A-Za-z0-9_./+-]*")


def write_scalar(value: Scalar) -> str:
    """Return a scalar as YAML, with quotes where :func:`read_scalar` would not return it exactly."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if _PLAIN.fullmatch(value) and isinstance(read_scalar(value), str):
        return value
    return '"' + "".join(map(_escape, value)) + '"'


def write_value(value: object) -> str:
    """Return the value of a setting as it is typed after ``--set``."""
    if isinstance(value, (Mapping, list, tuple)):
        return _flow(value)
    return write_scalar(value) if isinstance(value, bool | int | float | str | None) else str(value)


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four hex digits


class Verbatim(str):
    """A text that needs no quotes and is written unchanged."""

    __slots__ = ()


@frozen
class Flow:
    """A map that is written in one line: ``{op: skip, from: n0}``."""

    entries: Mapping[str, Any]


@frozen(kw_only=True)
class Commented:
    """A value with a comment at the end of its line, or of its key's line; empty for no comment."""

    value: Any
    comment: str


def write_yaml(entries: Mapping[str, Any]) -> str:
    """Return a document: maps are written over several lines, lists in one.

    Args:
        entries: Scalars, lists and maps by key, nested; a map may be a :class:`Flow`, a text a
            :class:`Verbatim`, and each value may be :class:`Commented`.
    """
    return "".join(f"{line}\n" for line in _block(entries, ""))


def _block(entries: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, entry in entries.items():
        value, end = (entry.value, entry.comment) if isinstance(entry, Commented) else (entry, "")
        end = f"{STEP}# {' '.join(end.split())}" if end else ""
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_scalar(key)}:{end}"
            yield from _block(value, indent + STEP)
        else:
            yield f"{indent}{_scalar(key)}: {_flow(value)}{end}"


def _flow(value: Any) -> str:  # noqa: ANN401 - what YAML can hold
    entries = value.entries if isinstance(value, Flow) else value
    if isinstance(entries, Mapping):
        return f"{{{_listed([f'{_scalar(key)}: {_flow(item)}' for key, item in entries.items()])}}}"
    if isinstance(entries, (list, tuple)):
        return f"[{_listed([_flow(item) for item in entries])}]"
    return _scalar(entries)


def _listed(items: Sequence[str]) -> str:
    return ", ".join(items)


def _scalar(value: Any) -> str:  # noqa: ANN401 - any scalar
    if isinstance(value, Verbatim):
        return str(value)
    value = value.value if isinstance(value, Enum) else value
    return write_scalar(str(value) if isinstance(value, Path) else value)
