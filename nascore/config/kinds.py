"""Types of settings: their description in words, and the conversion of nodes to values.

Nothing is coerced: ``"false"`` is not a bool, 2.0 not a whole number, true not a number. Only a whole number
for a float is converted.

`Duration` and `Count` are aliases of plain numbers, so that settings declared with them need no cast.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias, Union, get_args, get_origin

from attrs import frozen

from nascore.config.document import Node
from nascore.files import given_path

if TYPE_CHECKING:
    from collections.abc import Mapping


class InvalidValueError(Exception):
    """A node does not hold a value of the declared type and bounds.

    Args:
        node: The wrong node, or its wrong item.
        declared: The declared type.
    """

    def __init__(self, node: Node, declared: object) -> None:
        super().__init__(str(node.origin))
        self.node = node
        self.declared = declared


_Check: TypeAlias = Callable[[Any], Any]  # returns the value, or _NO for a wrong one
_NO: Final = object()


def _bool(value: object) -> object:
    return value if isinstance(value, bool) else _NO


def _int(value: object) -> object:
    return value if isinstance(value, int) and not isinstance(value, bool) else _NO


def _float(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _NO
    try:
        number = float(value)
    except OverflowError:
        return _NO
    return number if math.isfinite(number) else _NO


def _str(value: object) -> object:
    return value if isinstance(value, str) else _NO


def _path(value: object) -> object:
    return given_path(value) if isinstance(value, str) else _NO


def _none(value: object) -> object:
    return value if value is None else _NO


_SCALARS: Final[dict[object, tuple[str, _Check]]] = {
    bool: ("true or false", _bool),
    int: ("a whole number", _int),
    float: ("a number", _float),
    str: ("text", _str),
    Path: ("a path", _path),
    NoneType: ("null", _none),
    None: ("null", _none),
}


def supported(expected: object) -> bool:
    """Return whether a setting may have this type (nested groups are handled by the reader)."""
    if expected in _SCALARS or get_origin(expected) in (Literal, Annotated) or _is_map(expected):
        return True
    if _is_union(expected) or _is_list(expected):
        return all(supported(arm) for arm in get_args(expected) if arm is not Ellipsis)
    return isinstance(expected, type) and issubclass(expected, Enum)


def describe(expected: object, limits: str = "") -> str:
    """Return a type in words: ``a whole number``, ``one of first, unrolled``.

    Args:
        expected: The declared type.
        limits: Bounds in words, added to each kind of number: ``above 0``.
    """
    if expected in _SCALARS:
        words = _SCALARS[expected][0]
        return f"{words} {limits}".rstrip() if expected in (int, float) else words
    if get_origin(expected) is Annotated:
        unit: Unit = get_args(expected)[1]
        return f"{unit.expected} {limits}".rstrip()
    if _is_union(expected):
        return " or ".join(describe(arm, limits) for arm in get_args(expected))
    if _is_list(expected):
        return f"a list, each item {describe(get_args(expected)[0], limits)}"
    if _is_map(expected):
        return "a map"
    return "one of " + ", ".join(map(str, _allowed(expected)))


def words_of(expected: object) -> tuple[str, ...]:
    """Return the words that a type with choices allows: ``first``, ``unrolled``."""
    arms = get_args(expected) if _is_union(expected) else (expected,)
    return tuple(choice for arm in arms for choice in _allowed(arm) if isinstance(choice, str))


def item_of(expected: object) -> object:
    """Return the type of the items of a list type; otherwise the type itself."""
    for arm in get_args(expected) if _is_union(expected) else (expected,):
        if _is_list(arm):
            return get_args(arm)[0]
    return expected


def convert(expected: object, node: Node) -> Any:  # noqa: ANN401 - as declared
    """Return the value of a node in the declared type.

    Raises:
        InvalidValueError: The node, or an item of it, has another type.
    """
    value = _convert(expected, node)
    if value is _NO and node.text is not None:
        # A setting of type text takes the characters after --set unchanged: note=1e3.
        value = _convert(expected, Node(value=node.text, origin=node.origin, folder=node.folder))
    if value is _NO:
        raise InvalidValueError(node, expected)
    return value


def _convert(expected: object, node: Node) -> Any:  # noqa: ANN401 - as declared
    if expected in _SCALARS:
        value = _SCALARS[expected][1](node.value)
        return _placed(value, node) if isinstance(value, Path) else value
    if get_origin(expected) is Annotated:
        return _with_unit(expected, node)
    if _is_union(expected):
        candidates = (_convert(arm, node) for arm in get_args(expected))
        return next((value for value in candidates if value is not _NO), _NO)
    if _is_list(expected) or _is_map(expected):
        return _list(expected, node) if _is_list(expected) else _map(node)
    for choice in _allowed(expected):
        # True == 1: compare the types first.
        if type(choice) is type(node.value) and choice == node.value:
            return expected(choice) if isinstance(expected, type) else choice
    return _NO


def _placed(path: Path, node: Node) -> Path:
    # A path that begins with ~ is not relative; its user expands it.
    return path if node.folder is None or str(path).startswith("~") else node.folder / path


def _list(expected: object, node: Node) -> Any:  # noqa: ANN401 - a list or tuple of what was declared
    if not isinstance(node.value, list):
        return _NO
    items = [convert(get_args(expected)[0], item) for item in node.value]
    return tuple(items) if get_origin(expected) is tuple else items


def _map(node: Node) -> Any:  # noqa: ANN401 - a map of any values; the component checks them
    return _plain(node) if isinstance(node.value, dict) else _NO


def _with_unit(expected: object, node: Node) -> Any:  # noqa: ANN401 - int or float
    plain, unit = get_args(expected)
    value = node.value
    if isinstance(value, str):
        number = unit.read(value)
        value = int(number) if number is not None and number.is_integer() and plain is int else number
    return _SCALARS[plain][1](value)


def _is_union(expected: object) -> bool:
    return get_origin(expected) in (Union, UnionType)


def _is_list(expected: object) -> bool:
    return get_origin(expected) in (list, tuple)


def _is_map(expected: object) -> bool:
    return get_origin(expected) is dict


def _plain(node: Node) -> Any:  # noqa: ANN401 - any value of YAML
    """Return the value of a node without origins."""
    if isinstance(node.value, dict):
        return {key: _plain(item) for key, item in node.value.items()}
    return [_plain(item) for item in node.value] if isinstance(node.value, list) else node.value


def _allowed(expected: object) -> tuple[Any, ...]:
    if isinstance(expected, type) and issubclass(expected, Enum):
        return tuple(member.value for member in expected)
    return get_args(expected) if get_origin(expected) is Literal else ()


_NUMBER_AND_UNIT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)")


@frozen(kw_only=True, eq=False)
class Unit:
    """The units of a number, to read text such as ``30min``.

    Attributes:
        expected: The value in words, for error texts.
        factors: The factor of each unit.
    """

    expected: str
    factors: Mapping[str, int]

    def read(self, text: str) -> float | None:
        """Return the number in a text, or None where it has none."""
        match = _NUMBER_AND_UNIT.fullmatch(text.strip())
        if match is None or match[2] not in self.factors:
            return None
        # In floats, 1.001 * 1000 would not be a whole number.
        return float(Decimal(match[1]) * self.factors[match[2]])


Duration: TypeAlias = Annotated[
    float,
    Unit(
        expected="a time (seconds, or with a unit: 45s, 30min, 2h)",
        factors={"s": 1, "min": 60, "h": 3600, "d": 86400},
    ),
]
Count: TypeAlias = Annotated[
    int,
    Unit(
        expected="a whole number (200K, 200M and 1.5G work too)",
        factors={"K": 10**3, "M": 10**6, "G": 10**9},
    ),
]
