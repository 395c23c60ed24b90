"""Finds the nearest valid value to a wrong one, for suggestions in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nascore.config.document import Node, read_scalar
from nascore.config.kinds import InvalidValueError, convert, words_of
from nascore.config.setting import LARGEST
from nascore.config.writer import write_scalar
from nascore.errors import did_you_mean

if TYPE_CHECKING:
    from nascore.config.setting import Setting

_BOOLS: Final = {
    **dict.fromkeys(("on", "yes", "y"), True),
    **dict.fromkeys(("off", "no", "n"), False),
}
"""The further booleans of YAML 1.1."""


def nearest(setting: Setting, expected: object, node: Node) -> str:
    """Return a hint at the nearest valid value; empty where none is near.

    Args:
        setting: The declaration of the setting.
        expected: Its type, or the type of a list's items.
        node: The wrong value.
    """
    value = node.value
    if isinstance(value, str):
        intended = _intended(value)
        if intended is not None and _fits(setting, expected, intended, node):
            return f"Write {write_scalar(intended)}."
        words = [str(word) for word in setting.choices] or words_of(expected)
        return did_you_mean(value, words)
    if beyond(expected, node):
        return "Larger numbers overflow torch's 32-bit floats."
    if isinstance(value, float) and value.is_integer() and _fits(setting, expected, int(value), node):
        return f"Write {int(value)}."
    if isinstance(value, (bool, int, float)) and _fits(setting, expected, str(value), node):
        return "Put it in quotes."
    return ""


def beyond(expected: object, node: Node) -> str:
    """Return the limit of all numbers in words where a value exceeds it; otherwise an empty text."""
    value = node.value
    if isinstance(value, (int, float)) and _is_float(expected, node) and abs(value) > LARGEST:
        return f", at most {LARGEST:.3g} in size"
    return ""


def _is_float(expected: object, node: Node) -> bool:
    try:
        return isinstance(convert(expected, node), float)
    except InvalidValueError:
        return False


def _intended(text: str) -> Any:  # noqa: ANN401 - any scalar
    """Return the scalar in a quoted text, or the boolean of YAML 1.1; None where it is only text."""
    plain = text.strip().lower()
    if plain in _BOOLS:
        return _BOOLS[plain]
    inner = read_scalar(plain)
    return None if isinstance(inner, str) else inner


def _fits(setting: Setting, expected: object, value: Any, node: Node) -> bool:  # noqa: ANN401 - any scalar
    try:
        found = convert(expected, Node(value=value, origin=node.origin))
    except InvalidValueError:
        return False
    return setting.allows(found)
