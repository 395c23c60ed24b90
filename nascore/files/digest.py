"""The first line of a document that nascore wrote: the SHA-256 of the lines below.

A recipe that was cut off at the end of a line is a valid recipe with other values. With the digest in its
first line a part of a document is never taken for the whole, wherever it was copied to. Documents that are
written by hand have no such line.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

_BEGIN: Final = "# sha256 "
_LINE: Final = re.compile(r"# sha256 ([0-9a-f]{64}) of the lines below; delete this line if you edit them")


def with_digest(text: str) -> str:
    """Return a document with the digest of its lines as its first line."""
    return f"{_BEGIN}{_digest(text)} of the lines below; delete this line if you edit them\n{text}"


def without_digest(text: str) -> str:
    """Return a document without its digest, if it has one."""
    first, _, rest = text.partition("\n")
    return rest if _LINE.fullmatch(first) else text


def digest_fault(text: str) -> str:
    """Return what is wrong with a document by its digest; empty where nothing is, or where it has none."""
    first, _, rest = text.partition("\n")
    found = _LINE.fullmatch(first)
    if found is None:
        return "its first line, a digest, is damaged" if first.startswith(_BEGIN) else ""
    if found[1] == _digest(rest):
        return ""
    return "its first line is the digest of another text, so it was cut off, damaged or edited"


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
