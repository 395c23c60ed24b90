"""Checks the values of JSON files against a schema for each file."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

MOST: Final = 10**18
"""The largest number: parameters, operations, steps, seconds."""

_MAX_SHOWN: Final = 60


@frozen
class Kind:
    """A kind of value.

    Attributes:
        text: Its name in messages, after "not".
        fits: Returns whether a value is of this kind.
    """

    text: str
    fits: Callable[[Any], bool]


Schema: TypeAlias = "Mapping[str, Kind]"


def faults(plain: Mapping[str, Any], schema: Schema, required: Iterable[str] = ()) -> Iterator[str]:
    """Yield the faults of an object's values; keys outside the schema are ignored.

    Args:
        plain: The object.
        schema: The kind of each value, by key.
        required: The required keys.
    """
    for key in required:
        if key not in plain:
            yield f"{key} is missing"
    for key, kind in schema.items():
        if key in plain and not kind.fits(plain[key]):
            yield f"{key} is {_shown(plain[key])}, not {kind.text}"


def or_null(kind: Kind) -> Kind:
    """Return a kind that may also be null."""
    return Kind(f"{kind.text} or null", lambda value: value is None or kind.fits(value))


def one_of(*words: str) -> Kind:
    """Return the kind of a value that is one of some words."""
    return Kind(f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words)


def list_of(kind: Kind, count: int | None = None) -> Kind:
    """Return the kind of a list.

    Args:
        kind: The kind of the items.
        count: The number of items; None: any.
    """
    return Kind(
        f"a list, each item {kind.text}" if count is None else f"a list of {count}, each {kind.text}",
        lambda value: (
            isinstance(value, list) and (count is None or len(value) == count) and all(map(kind.fits, value))
        ),
    )


def map_of(kind: Kind) -> Kind:
    """Return the kind of an object with any keys."""
    return Kind(
        f"an object, each value {kind.text}",
        lambda value: isinstance(value, dict) and all(map(kind.fits, value.values())),
    )


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= MOST and isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 1 << 64


def _is_inside(value: object) -> bool:
    if not isinstance(value, str) or not value.isprintable() or "\\" in value or ":" in value:
        return False
    path = PurePosixPath(value)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _is_setting(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_setting, value))
    return value is None or isinstance(value, (str, bool)) or _is_number(value)


SETTING: Final = Kind("a text, a number, true, false, null, or a list of them", _is_setting)
TEXT: Final = Kind("a text", lambda value: isinstance(value, str))
FLAG: Final = Kind("true or false", lambda value: isinstance(value, bool))
WHOLE: Final = Kind("a whole number", _is_whole)
COUNT: Final = Kind("a count, 0 or more", lambda value: _is_whole(value) and 0 <= value <= MOST)
PLACE: Final = Kind("a whole number, 1 or more", lambda value: _is_whole(value) and 1 <= value <= MOST)
NUMBER: Final = Kind("a finite number", _is_number)
FIGURE: Final = Kind("a finite number, 0 or more", lambda value: _is_number(value) and value >= 0)
SHARE: Final = Kind("a share from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1)
INTERVAL: Final = Kind(
    "two shares from 0 to 1, the lower first",
    lambda value: list_of(SHARE, 2).fits(value) and value[0] <= value[1],
)
INSIDE: Final = Kind("the path of a file inside the run's folder", _is_inside)
ANY_OBJECT: Final = Kind("an object", lambda value: isinstance(value, dict))


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
