"""Finds architecture strings in longer texts, such as logs or AutoDL's ``Structure(4 nodes with ...)``."""

from __future__ import annotations

import re

from nascore.api import Passage, passages
from nascore_nasbench.space import STATES

LONGEST_STRING = 2_000
"""Maximum length of a string, in characters."""

NODES = len(STATES) - 1

_AROUND = " \t\r\n'\"`"
_BEGINS = re.compile(r"\||\w{1,99}[ \t]*~[ \t]*\d")
_EDGES = r"\|(?:[^|+'\"`,;()\n]{1,60}\|){1,20}"
_STRING = re.compile(rf"{_EDGES}(?:\s{{0,20}}\+\s{{0,20}}{_EDGES}){{0,20}}")
_NAME = re.compile(r"(?:^|[^\w.])([A-Za-z_]\w{0,99})['\"]?[ \t]*[=:][ \t]*['\"`]?$")
_DESCRIPTION = re.compile(r"^nascore[ \t]*:", re.MULTILINE)
_BEFORE = 200


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
