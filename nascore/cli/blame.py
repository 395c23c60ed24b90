"""Whose mistake an exception is, where the traceback tells."""

from __future__ import annotations

from traceback import walk_tb
from typing import TYPE_CHECKING, Final

from nascore.plugin.loading import OF_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.plugin import Plugin

CORE: Final = "nascore"


def blamed(error: BaseException, plugins: Iterable[Plugin]) -> str:
    """Return the plugin in which an exception was raised, as one names it; empty where it was none.

    The innermost frame of the core or of a plugin decides: what lies below it was called by it.

    Args:
        error: The exception, with its traceback.
        plugins: What is installed.
    """
    owners = {one.package: f"{one.name} {one.version}".rstrip() for one in plugins}
    owners.pop(CORE, None)
    for frame, _ in reversed(list(walk_tb(error.__traceback__))):
        module = str(frame.f_globals.get("__name__", ""))
        root = module.partition(".")[0]
        if root.startswith(OF_FILES):
            return f"{root.removeprefix(OF_FILES)} ({frame.f_code.co_filename})"
        if root in owners:
            return owners[root]
        if root == CORE:
            return ""
    return ""
