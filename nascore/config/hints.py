"""Finds the nearest valid value to a wrong one, for suggestions in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nascore.config.document import Node, read_scalar
from nascore.config.kinds import UnfitError, convert, words_of
from nascore.config.setting import LARGEST
from nascore.config.writer import write_scalar
from nascore.errors import did_you_mean

if TYPE_CHECKING:
    from nascore.config.setting import Setting

_BOOLS: Final = {
    **dict.fromkeys(("on", "yes", "y"), True),
    **dict.fromkeys(("off", "no", "n"), False),
}
"""What YAML 1.1 took for a boolean."""


def nearest(setting: Setting, expected: object, node: Node) -> str:
    """Return a hint at the nearest valid value; empty where none can be told.

    Args:
        setting: What is declared besides the type.
        expected: The declared type, or that of the items of a list.
        node: The wrong value.
    """
    value = node.value
    if isinstance(value, str):
        meant = _meant(value)
        if meant is not None and _fits(setting, expected, meant, node):
            return f"Write {write_scalar(meant)}."
        words = [str(word) for word in setting.choices] or words_of(expected)
        return did_you_mean(value, words)
    if beyond(expected, node):
        return "torch computes in 32-bit floats."
    if isinstance(value, float) and value.is_integer() and _fits(setting, expected, int(value), node):
        return f"Write {int(value)}."
    if isinstance(value, (bool, int, float)) and _fits(setting, expected, str(value), node):
        return "Put it in quotes."
    return ""


def beyond(expected: object, node: Node) -> str:
    """Return the bound of all numbers where a value is a number beyond it; otherwise an empty text."""
    value = node.value
    if isinstance(value, (int, float)) and _is_float(expected, node) and abs(value) > LARGEST:
        return f", at most {LARGEST:.3g} in size"
    return ""


def _is_float(expected: object, node: Node) -> bool:
    try:
        return isinstance(convert(expected, node), float)
    except UnfitError:
        return False


def _meant(text: str) -> Any:  # noqa: ANN401 - any scalar
    """Return what stands in quotes, or was a boolean in YAML 1.1; None where the text is only text."""
    plain = text.strip().lower()
    if plain in _BOOLS:
        return _BOOLS[plain]
    inner = read_scalar(plain)
    return None if isinstance(inner, str) else inner


def _fits(setting: Setting, expected: object, value: Any, node: Node) -> bool:  # noqa: ANN401 - any scalar
    try:
        found = convert(expected, Node(value=value, origin=node.origin))
    except UnfitError:
        return False
    return setting.allows(found)
