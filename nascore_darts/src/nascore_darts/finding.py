"""Genotypes in a text that holds more: a log, a file with several, quotes, prompts. Nothing is executed."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from nascore.api import Passage, passages

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_GENOTYPE = 20_000
"""Characters of a genotype, at most."""

MOST_FOUND = 10_000
"""Genotypes of a text that are looked at."""

_CALL = r"Genotype[ \t]{0,40}\("
_DICTIONARY = r"\{[ \t\r\n]{0,200}['\"](?:normal|reduce)(?:_concat)?['\"][ \t]{0,40}:"
_BEGINS = re.compile(f"{_CALL}|{_DICTIONARY}")
_MODULE = re.compile(r"[\w.]{0,100}$")
_NAME = re.compile(r"(?:^|[^\w.])([A-Za-z_]\w{0,99})['\"]?[ \t]*(?::[ \t]*[\w.]{1,99}[ \t]*)?[=:][ \t]*$")
_DEFINED = re.compile(r"\b(?:class|def)[ \t]+$")
_ALIAS = re.compile(r"^([A-Za-z_]\w{0,99})[ \t]*=[ \t]*([A-Za-z_]\w{0,99})[ \t]*(?:#.*)?$", re.MULTILINE)
_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.)", re.MULTILINE)
_ESCAPED = re.compile(r"\\(['\"])(\w{0,99})\\\1")
_DESCRIPTION = re.compile(r"^nascore[ \t]*:", re.MULTILINE)

_COMMENT = re.compile(r"[^\S\n]{0,300}#")

_BEFORE = 300
"""Characters of a line before a genotype that may name it."""

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_IMAGENET = "imagenet:"


def find(text: str) -> tuple[Passage, ...]:
    """Return the genotypes in a text, each once, with the names and the line that they have there.

    A text that is a description in YAML has none, whatever its comments hold.
    """
    if _DESCRIPTION.search(text):
        return ()
    # As many characters as before, so that what is wrong keeps its place.
    text = text.replace("\ufeff", " ").replace("\\n", "  ")
    text = _ESCAPED.sub(r" \1\2\1 ", text)
    text = _PROMPT.sub(lambda prompt: " " * len(prompt[0]), text)
    found = list(islice(_spans(text), MOST_FOUND))
    written = [each for each in found if _is_written_out(text, *each[1:])]
    for usable in (
        [each for each in written if not _is_comment(text, each[1])],
        written,
        found,
    ):
        if usable:
            return passages(text, usable, dict(_ALIAS.findall(text)))
    return ()


def _spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield for each literal its name, or an empty one, and where it begins and ends."""
    at = 0
    while (match := _BEGINS.search(text, at)) is not None:
        opening = match.end() - 1 if match[0].endswith("(") else match.start()
        at = _end(text, opening)
        line = text.rfind("\n", 0, match.start()) + 1
        before = text[max(line, match.start() - _BEFORE) : match.start()]
        module = _MODULE.search(before)
        before = before[: module.start()] if module else before
        if _DEFINED.search(before):
            continue
        begin = max(line, match.start() - len(module[0])) if module else match.start()
        if text.endswith(_IMAGENET, 0, begin):
            begin -= len(_IMAGENET)
        name = _NAME.search(before)
        yield ("" if name is None else name[1]), begin, at


def _end(text: str, opening: int) -> int:
    """Return where the bracket that opens there is closed; where it is not, as far as was looked."""
    open_, quote, at = [_CLOSING[text[opening]]], "", opening + 1
    end = min(len(text), opening + LONGEST_GENOTYPE + 1)
    while at < end and open_:
        letter = text[at]
        if quote:
            quote = "" if letter in {quote, "\n"} else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "#":
            at = text.find("\n", at) if "\n" in text[at:end] else end
            continue
        elif letter in _CLOSING:
            open_.append(_CLOSING[letter])
        elif letter == open_[-1]:
            open_.pop()
        at += 1
    return at


def _is_written_out(text: str, begin: int, end: int) -> bool:
    """Return whether a call holds names of operations: in program text arguments are often variables."""
    return "'" in text[begin:end] or '"' in text[begin:end]


def _is_comment(text: str, begin: int) -> bool:
    return _COMMENT.match(text, text.rfind("\n", 0, begin) + 1, begin) is not None
