"""Why something failed, in one line."""

from __future__ import annotations

from errno import EACCES, EDQUOT, EISDIR, ENOSPC, ENOTDIR, EPERM, EROFS
from typing import Final

_CURES: Final = {
    EACCES: "you have no right to it",
    EPERM: "you have no right to it",
    EROFS: "the disk is read-only",
    ENOSPC: "the disk is full",
    EDQUOT: "your share of the disk is used up",
    EISDIR: "a folder stands there",
    ENOTDIR: "a file stands where a folder must be",
}

LONGEST: Final = 500
"""Letters of an error that are kept: a plugin must not fill a log or a screen."""


def cause(error: OSError) -> str:
    """Return why the system refused; the path is left out, since the message names it already."""
    if error.errno in _CURES:
        return _CURES[error.errno]
    return error.strerror or str(error) or type(error).__name__


def said(error: BaseException) -> str:
    """Return an error in one line; even its own text may raise, or be none that a file can hold."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # noqa: BLE001 - a plugin's own __str__
        text = "its text cannot be read"
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return f"{type(error).__name__}: {text[:LONGEST]}".rstrip(": ")
