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


def cause(error: OSError) -> str:
    """Return why the system refused; the path is left out, since the message names it already."""
    if error.errno in _CURES:
        return _CURES[error.errno]
    return error.strerror or str(error) or type(error).__name__
