"""What is said of an exception that nobody foresaw: what, whose, where its traceback is, what to report."""

from __future__ import annotations

import sys
from contextlib import suppress
from tempfile import NamedTemporaryFile
from traceback import format_exception
from typing import TYPE_CHECKING

from nascore.cli.blame import blamed
from nascore.errors import said
from nascore.files import shown_path
from nascore.plugin import discover
from nascore.run import LOG, run_of

if TYPE_CHECKING:
    from collections.abc import Iterable


def crash_said(error: BaseException) -> str:
    """Return the text for an exception, and see to it that its traceback is in a file."""
    return "\n".join(_lines(error))


def _lines(error: BaseException) -> Iterable[str]:
    yield f"unexpected: {said(error)}"
    plugin = _plugin(error)
    if plugin:
        yield f"  raised in: the plugin {plugin}"
    run = run_of(error)
    log = _logged(error) if run is None else str(shown_path(run / LOG))
    if log:
        yield f"  log:       {log}, with the traceback"
    else:
        yield "  log:       none could be written; nascore --debug shows the traceback"
    if run is not None:
        yield f"  run:       {shown_path(run)}, with what it had written"
    whom = "the plugin's authors" if plugin else "the authors of nascore"
    yield f"  report:    send the log, and what `nascore plugins doctor --report` prints, to {whom}"


def _plugin(error: BaseException) -> str:
    # Whatever is wrong with what is installed may be why we are here: it must not hide the exception.
    with suppress(Exception):
        return blamed(error, discover().plugins)
    return ""


def _logged(error: BaseException) -> str:
    """Write the traceback to a new file among the system's temporary ones; returns its path, or nothing."""
    text = f"{' '.join(sys.argv)}\n\n{''.join(format_exception(error))}"
    with (
        suppress(OSError),
        NamedTemporaryFile(
            "w", encoding="utf-8", errors="backslashreplace", prefix="nascore-", suffix=".log", delete=False
        ) as file,
    ):
        file.write(text)
        return file.name
    return ""
