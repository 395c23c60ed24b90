"""What is wrong with a text that is no YAML, in words that say what to change."""

from __future__ import annotations

from typing import Final

import yaml
from yaml.reader import ReaderError

_HINTS: Final = (
    ("'\\t'", "Indent with spaces, not with tabs."),
    ("that cannot start any token", "Put a text that begins with this character in quotes."),
    ("mapping values are not allowed", "Put a text that holds ': ' in quotes, or begin a new line."),
    ("undefined alias", "Put a text that begins with * in quotes."),
    ("could not find expected ':'", "Write KEY: VALUE."),
    ("but found another document", "Write one document: leave out the line ---."),
    ("special characters are not allowed", "Leave the character out."),
)


def yaml_fault(error: yaml.YAMLError | RecursionError, text: str) -> tuple[str, str, str]:
    """Say what the YAML parser refused.

    Args:
        error: What it raised.
        text: The text that it read.

    Returns:
        What is wrong, a hint (may be empty), and the place as ``line:column`` (empty where it has none).
    """
    if isinstance(error, RecursionError):
        return "it is nested too deeply", "", ""
    if isinstance(error, yaml.MarkedYAMLError):
        said = ", ".join(part for part in (error.context, error.problem) if part)
        said = said.replace("'<stream end>'", "the end of the text").replace("<block end>", "its end")
        mark = error.problem_mark or error.context_mark
        if "end of the text" in said or "end of stream" in said:
            # What is never closed is seen at the end, and mended where it begins.
            mark = error.context_mark or mark
        return said, _hint(said), "" if mark is None else f"{mark.line + 1}:{mark.column + 1}"
    if isinstance(error, ReaderError):
        before = text[: error.position]
        place = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
        said = str(error).splitlines()[0]
        return said, _hint(said), place
    return str(error).splitlines()[0], "", ""


def _hint(said: str) -> str:
    return next((hint for fragment, hint in _HINTS if fragment in said), "")
