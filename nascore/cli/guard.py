"""How a verb ends when it does not end well: a text on stderr and an exit code, never a traceback."""

from __future__ import annotations

from contextlib import contextmanager
from errno import EDQUOT, ENOSPC, EPIPE
from traceback import format_exception
from typing import TYPE_CHECKING, Final

import click
from click.exceptions import Exit

from nascore.cli.crash import crash_said
from nascore.cli.echo import echo, wrapped
from nascore.errors import NascoreError, memory_told
from nascore.files import shown_path
from nascore.run import ARCHITECTURE, cause, inventory, is_file, learned_file, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILED = 1
_ERROR: Final = "Error: "
"""What click writes before a message."""

INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C ended."""


@contextmanager
def answered(*, debug: bool) -> Iterator[None]:
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
        _end(error, _cured(error) or crash_said(error), FAILED, debug=debug)


def _cured(error: BaseException) -> str:
    """Return what to say of an error that the user can cure; empty: of this one nobody knows."""
    if isinstance(error, OSError) and error.errno in {ENOSPC, EDQUOT} and run_of(error) is None:
        what = error.filename or "what this command prints"
        return f"{what} cannot be written: {cause(error)}."
    return memory_told(error)


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
