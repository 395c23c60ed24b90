"""How a run ends: its result is written last, whatever happened."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial
from time import perf_counter
from traceback import format_exception
from typing import TYPE_CHECKING, Any

from nascore.errors import NascoreError, Problem, RunFailed, memory_told, said
from nascore.run import RESULT, is_file, mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nascore.engine.build import Live

INTERRUPTED = {"status": "interrupted"}


@contextmanager
def concluding(live: Live, kind: str) -> Iterator[dict[str, Any]]:
    """Give a result to fill; write it at the end, with `status` done, failed or interrupted.

    Observers are told of the start here, so that they are let go whatever comes after it.

    Args:
        live: The run.
        kind: `search` or `evaluate`.
    """
    result: dict[str, Any] = {}
    began = perf_counter()
    try:
        live.watch.tell("run_started", live.folder.path, live.recipe)
        yield result
        _conclude(live, kind, began, {"status": "done", **result})
    except KeyboardInterrupt as error:
        _stopped(live, error, "interrupted", partial(_conclude, live, kind, began, result | INTERRUPTED))
        raise
    except BaseException as raised:
        # SystemExit too: a plugin that calls sys.exit() must not leave a run that seems to go on.
        known = enough(raised)
        text = str(known) if isinstance(known, NascoreError) else said(known)
        failed = result | {"status": "failed", "error": text}
        line = f"failed: {text}{_trace(raised)}"
        _stopped(live, known, line, partial(_conclude, live, kind, began, failed))
        if known is raised:
            raise
        raise known from raised
    finally:
        live.watch.end()


def enough(error: BaseException) -> BaseException:
    """Return an error, or the one that says in plain words that memory was not enough."""
    told = memory_told(error)
    return RunFailed([Problem(path="", text=told)]) if told else error


@contextmanager
def within_memory() -> Iterator[None]:
    """Say in plain words that memory was not enough, where nothing inside has said it.

    Raises:
        RunFailed: It was not.
    """
    try:
        yield
    except Exception as raised:
        known = enough(raised)
        if known is raised:
            raise
        raise known from raised


def _stopped(live: Live, error: BaseException, line: str, conclude: Callable[[], None]) -> None:
    """Write what stopped a run, and say on the exception where that is."""
    mark(error, live.folder.path)
    if is_file(live.folder / RESULT):
        return  # it stopped while observers were told that it is done: it is done
    # A disk that is full may be why the run stopped: what stopped it is said, not what came of it.
    with suppress(Exception):
        live.folder.log(line)
        conclude()


def _trace(error: BaseException) -> str:
    if isinstance(error, NascoreError):
        return ""
    return "\n" + "".join(format_exception(error)).rstrip()


def _conclude(live: Live, kind: str, began: float, result: dict[str, Any]) -> None:
    recipe = live.recipe
    whole = {
        "kind": kind,
        **result,
        "seed": recipe.run.seed,
        "scale": None if recipe.scale is None else recipe.scale[0],
        "warnings": [*map(str, recipe.warned), *live.warnings],
        "image": [live.facts.channels, live.facts.height, live.facts.width],
        "device": live.device.type,
        "observers": live.watch.counts(),
        "seconds": round(perf_counter() - began, 3),
    }
    live.gallery.end()
    live.folder.finish(whole)
    live.watch.tell("run_finished", live.folder.path, whole)
