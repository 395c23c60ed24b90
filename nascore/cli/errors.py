"""Converts exceptions into a message on stderr and an exit code, without a traceback."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from errno import EDQUOT, ENOSPC, EPIPE
from tempfile import NamedTemporaryFile
from traceback import format_exception
from typing import TYPE_CHECKING, Final

import click
from click.exceptions import Exit

from nascore.cli.output import echo, wrapped
from nascore.errors import NascoreError, cause, error_line, further_notes, out_of_memory_text, run_of
from nascore.files import shown_path
from nascore.plugin import discover
from nascore.plugin.guard import plugin_at_fault
from nascore.run import (
    ARCHITECTURE,
    COMPARISON,
    LOG,
    RECIPE,
    inventory,
    is_file,
    is_folder,
    learned_file,
    resume_command,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def crash_report(error: BaseException) -> str:
    """Return the text for an unexpected exception, and write its traceback to a file."""
    return "\n".join(_lines(error))


def _lines(error: BaseException) -> Iterable[str]:
    yield f"unexpected: {error_line(error)}"
    plugin = _plugin(error)
    if plugin:
        yield f"  raised in: the plugin {plugin}"
    run = run_of(error)
    run = run if run is not None and is_folder(run) else None
    log = _logged(error) if run is None else str(shown_path(run / LOG))
    if log:
        yield f"  log:       {log}, with the traceback"
    else:
        yield "  log:       cannot be written; nascore --debug shows the traceback"
    if run is not None:
        yield f"  run:       {shown_path(run)}, with the files that it has written"
    authors = "the plugin's authors" if plugin else "the authors of nascore"
    yield f"  report:    send the log and the output of `nascore plugins doctor --report` to {authors}"


def _plugin(error: BaseException) -> str:
    # A broken plugin may be the cause of the error: an exception here must not hide the first one.
    with suppress(Exception):
        return plugin_at_fault(error, discover().plugins)
    return ""


def _logged(error: BaseException) -> str:
    """Write the traceback to a temporary file; returns its path, or an empty text if that fails."""
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


FAILED = 1
_ERROR: Final = "Error: "
"""Prefix that click writes before a message."""

INTERRUPTED = 130
"""Exit code that a shell reports for a program that Ctrl-C ended."""


@contextmanager
def exiting(*, debug: bool) -> Iterator[None]:
    """Convert every exception of the body into a message on stderr and an exit code.

    Args:
        debug: Whether to print the traceback before the message.

    Raises:
        Exit: The body raises; carries the exit code.
    """
    try:
        yield
    except (click.ClickException, Exit, click.Abort) as error:
        # click prints these itself.
        raise _before_the_verb(error) from None
    except KeyboardInterrupt as error:
        _end(error, _interrupted(error), INTERRUPTED, debug=debug)
    except NascoreError as error:
        run = run_of(error)
        # Notes hold commands that work, such as after a misfit.
        lines = [str(error), *further_notes(error)]
        if run is not None and is_folder(run):
            lines.append(f"run: {shown_path(run)}, with the files that it has written")
        _end(error, "\n".join(lines), error.exit_code, debug=debug)
    except BaseException as error:
        # BaseException, since plugins may derive their exceptions from it.
        if _is_quiet_exit(error):
            raise
        _end(error, _expected_text(error) or crash_report(error), FAILED, debug=debug)


def _expected_text(error: BaseException) -> str:
    """Return the message for a full disk or lack of memory; empty for all other errors."""
    if isinstance(error, OSError) and error.errno in {ENOSPC, EDQUOT} and run_of(error) is None:
        target = error.filename or "the output of this command"
        return f"{target} cannot be written: {cause(error)}."
    return out_of_memory_text(error)


def _is_quiet_exit(error: BaseException) -> bool:
    """Return whether an error ends the process without a message: a closed pipe, as by `head`, or SystemExit.

    During a run a plugin raised it, and the run failed: then it is an error as any other.
    """
    quiet = isinstance(error, SystemExit) or (isinstance(error, OSError) and error.errno == EPIPE)
    return quiet and run_of(error) is None


def _end(error: BaseException, text: str, code: int, *, debug: bool) -> None:
    if debug:
        echo("".join(format_exception(error)), err=True)
    echo(text, err=True)
    raise Exit(code) from None


def _interrupted(error: KeyboardInterrupt) -> str:
    run = run_of(error)
    if run is None:
        return "\n".join(["interrupted", *further_notes(error)])
    if not is_folder(run):
        return f"interrupted; the folder of the run is gone: {shown_path(run)}"
    found = learned_file(run)
    latest = (
        ""
        if found is None or is_file(run / ARCHITECTURE)
        else f" Its architecture so far: {shown_path(found)}"
    )
    kept = f"interrupted; the run is kept in {shown_path(run)}. {inventory(run)}{latest}"
    begun = any(is_file(run / name) for name in (RECIPE, COMPARISON))
    return f"{kept}\nResume it: {resume_command(run)}" if begun else kept


def _before_the_verb(error: Exception) -> Exception:
    if isinstance(error, click.NoSuchOption) and error.option_name == "--debug":
        verb = "VERB" if error.ctx is None else error.ctx.info_name
        return click.UsageError(f"--debug stands before the verb: nascore --debug {verb} ...", ctx=error.ctx)
    if type(error) is click.UsageError:  # subclasses print a text before the message
        message = wrapped(f"{_ERROR}{error.message}", err=True).removeprefix(_ERROR)
        return click.UsageError(message, ctx=error.ctx)
    return error
