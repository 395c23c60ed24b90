"""Damages to the content of a file: cut off, one bit changed, one value replaced."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random


def prefixes(content: bytes, most: int, random: Random) -> Iterator[tuple[bytes, str]]:
    """Yield prefixes of a content, with what they are; all where there are no more than `most`."""
    ends = range(len(content)) if len(content) <= most else sorted(random.sample(range(len(content)), most))
    for end in ends:
        yield content[:end], f"cut off at {end}"


def flips(content: bytes, count: int, random: Random) -> Iterator[tuple[bytes, str]]:
    """Yield a content with one bit changed, at random places."""
    for _ in range(count):
        bit = random.randrange(8 * len(content))
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed), f"bit {bit}"


WRONG = (
    None,
    True,
    -1,
    3.5,
    1e300,
    float("nan"),
    float("inf"),
    "",
    "\x1b[31mx\ny",
    [],
    {},
    [None],
    {"a": None},
    10**400,
)
"""What takes the place of a value."""


def rewritten(value: Any, path: str = "") -> Iterator[tuple[Any, str]]:
    """Yield a JSON value with one value in it replaced, or one key left out."""
    for wrong in WRONG:
        yield wrong, f"{path} = {wrong!r:.20}"
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {k: v for k, v in value.items() if k != key}, f"{path}.{key} left out"
            for changed, text in rewritten(inner, f"{path}.{key}"):
                yield {**value, key: changed}, text
    elif isinstance(value, list):
        for place, inner in enumerate(value[:2]):
            for changed, text in rewritten(inner, f"{path}[{place}]"):
                yield [*value[:place], changed, *value[place + 1 :]], text


def values_of(path: Path) -> Iterator[tuple[bytes, str]]:
    """Yield the content of a JSON file, or of JSON lines, with one value of it replaced."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        for changed, what in rewritten(json.loads(text)):
            yield json.dumps(changed).encode(), what
        return
    first, *rest = text.splitlines(keepends=True)
    for changed, what in rewritten(json.loads(first)):
        yield f"{json.dumps(changed)}\n{''.join(rest)}".encode(), what
