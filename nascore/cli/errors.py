"""Prints errors: a message on stderr and an exit code, without a traceback."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager, suppress
from errno import EDQUOT, ENOSPC, EPIPE
from tempfile import NamedTemporaryFile
from threading import current_thread, main_thread
from traceback import format_exception
from typing import TYPE_CHECKING, Final

import click
from click.exceptions import Exit

from nascore.cli.output import echo, wrapped
from nascore.errors import NascoreError, error_line, out_of_memory_text
from nascore.files import shown_path
from nascore.plugin import discover
from nascore.plugin.guard import plugin_at_fault
from nascore.run import ARCHITECTURE, LOG, cause, inventory, is_file, learned_file, run_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType


def crash_report(error: BaseException) -> str:
    """Return the text for an exception, and see to it that its traceback is in a file."""
    return "\n".join(_lines(error))


def _lines(error: BaseException) -> Iterable[str]:
    yield f"unexpected: {error_line(error)}"
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
        return plugin_at_fault(error, discover().plugins)
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


FAILED = 1
_ERROR: Final = "Error: "
"""What click writes before a message."""

INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C ended."""


@contextmanager
def exiting(*, debug: bool) -> Iterator[None]:
    """Turn whatever is raised inside into a text on stderr and an exit code.

    Args:
        debug: Whether tracebacks are shown before the texts.

    Raises:
        Exit: With the exit code.
    """
    try:
        yield
    except (click.ClickException, Exit, click.Abort) as error:
        # click says these itself.
        raise _before_the_verb(error) from None
    except KeyboardInterrupt as error:
        _end(error, _interrupted(error), INTERRUPTED, debug=debug)
    except NascoreError as error:
        run = run_of(error)
        # The problems as they are: each says where it is and what to do.
        lines = [str(error), *getattr(error, "__notes__", ())]  # a command that works, after a misfit
        if run is not None:
            lines.append(f"run: {shown_path(run)}, with what it had written")
        _end(error, "\n".join(lines), error.exit_code, debug=debug)
    except BaseException as error:
        # Also what is no Exception: plugins make kinds of their own.
        if _passes(error):
            raise
        _end(error, _cured(error) or crash_report(error), FAILED, debug=debug)


def _cured(error: BaseException) -> str:
    """Return what to say of an error that the user can cure; empty: of this one nobody knows."""
    if isinstance(error, OSError) and error.errno in {ENOSPC, EDQUOT} and run_of(error) is None:
        what = error.filename or "what this command prints"
        return f"{what} cannot be written: {cause(error)}."
    return out_of_memory_text(error)


def _passes(error: BaseException) -> bool:
    """Say whether Python and click end quietly: the reader went away, as `head` does, or a verb is done.

    In the middle of a run it is neither: there a plugin raised it, and the run failed.
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
        return "\n".join(["interrupted", *getattr(error, "__notes__", ())])
    found = learned_file(run)
    kept = (
        ""
        if found is None or is_file(run / ARCHITECTURE)
        else f" Its architecture so far: {shown_path(found)}"
    )
    return f"interrupted; the run is kept in {shown_path(run)}. {inventory(run)}{kept}"


def _before_the_verb(error: Exception) -> Exception:
    if isinstance(error, click.NoSuchOption) and error.option_name == "--debug":
        verb = "VERB" if error.ctx is None else error.ctx.info_name
        return click.UsageError(f"--debug stands before the verb: nascore --debug {verb} ...", ctx=error.ctx)
    if type(error) is click.UsageError:  # others say something before the message
        message = wrapped(f"{_ERROR}{error.message}", err=True).removeprefix(_ERROR)
        return click.UsageError(message, ctx=error.ctx)
    return error


@contextmanager
def killed_by_the_second() -> Iterator[None]:
    """Inside, the first Ctrl-C raises KeyboardInterrupt, and a second ends the process wherever it is.

    So does SIGTERM, with which clusters and `kill` end a process.
    """
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    # A program in the background ignores Ctrl-C, and a caller may have a handler of its own: leave both.
    main = current_thread() is main_thread()
    ours = {number: former for number, former in usual.items() if main and signal.getsignal(number) is former}
    for number in ours:
        signal.signal(number, _first)
    try:
        yield
    finally:
        for number, former in ours.items():
            signal.signal(number, former)


def _first(number: int, _frame: FrameType | None) -> None:
    # The system's own answer: Python would wait for the end of whatever torch is computing.
    signal.signal(number, signal.SIG_DFL)
    raise KeyboardInterrupt
