"""Writes the results of a run to files that can be used without nascore."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from functools import partial
from time import perf_counter
from traceback import format_exception
from typing import TYPE_CHECKING, Any

import attrs
from safetensors.torch import save

from nascore.description import dump, without_auxiliary
from nascore.engine.workers import lost_worker_error
from nascore.errors import NascoreError, Problem, RunFailed, error_line, mark, out_of_memory_text
from nascore.files import Checksum, with_digest
from nascore.gallery import ACCURACY
from nascore.nn import costs, standalone
from nascore.nn.preprocessing import TARGETS, Preprocessing
from nascore.run import (
    RESULT,
    BudgetSpentError,
    is_file,
    write_bytes,
    write_json,
    write_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from torch.nn import Module

    from nascore.contract import DataFacts, EpochReport, Search
    from nascore.description import Catalogue, Description
    from nascore.engine.job_progress import JobProgress
    from nascore.engine.run_context import RunContext
    from nascore.nn import Network
    from nascore.run import RunFolder


def record_epoch(job: JobProgress, report: EpochReport) -> None:
    """Add an epoch to `metrics.jsonl` of a job."""
    job.folder.metric({"job": job.number, **_plain_epoch(report)})
    job.epochs += 1


def _plain_epoch(report: EpochReport) -> dict[str, Any]:
    """Return an epoch as values for JSON, with the values of the metric under its name."""
    plain = attrs.asdict(report)
    metric, score, validation = (plain.pop(name) for name in ("metric", "score", "validation_score"))
    if report.metric == ACCURACY:
        return plain
    del plain["accuracy"], plain["validation_accuracy"]
    return {**plain, "metric": metric, report.metric.name: score, report.metric.key("validation"): validation}


def weights_of(network: Module) -> bytes:
    """Return parameters and buffers of a network in the safetensors format, by name."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    return save(tensors)


def save_best(
    context: RunContext, description: Description, network: Network, metrics: Mapping[str, Any]
) -> None:
    """Write the folder `best`: description, weights, figures, and a Python module that needs only torch.

    It replaces an existing folder `best` as a whole.
    """
    with context.folder.replacing("best") as best:
        write_text(best / "architecture.yaml", with_digest(dump(description)))
        weights = weights_of(network)
        write_bytes(best / "weights.safetensors", weights)
        write_json(best / "metrics.json", dict(metrics))
        preprocessing = preprocessing_of(context.facts)
        write_json(best / "preprocess.json", preprocessing.plain())
        _save_program(context, best / "model.py", network, preprocessing, Checksum.of(weights).sha256)


def preprocessing_of(facts: DataFacts) -> Preprocessing:
    """Return the preprocessing of images of these data."""
    return Preprocessing(
        shape=(facts.channels, facts.height, facts.width),
        mean=tuple(map(float, facts.mean)),
        std=tuple(map(float, facts.std)),
        classes=tuple(facts.class_names) or None,
        **{name: tuple(getattr(facts, name)) for name in TARGETS},
    )


def _save_program(
    context: RunContext, path: Path, network: Network, preprocessing: Preprocessing, sha256: str
) -> None:
    try:
        source = standalone(network, preprocessing, sha256=sha256)
    except NascoreError as error:
        # A plugin's operation that cannot be written out must not stop the run that chose it.
        context.folder.log(f"best/model.py is not written: {error}")
    else:
        write_text(path, source)


def costs_of(description: Description, catalogue: Catalogue, facts: DataFacts) -> dict[str, int]:
    """Return parameters and multiply-accumulates per image of a closed description without auxiliary head."""
    whole = costs(without_auxiliary(description), catalogue, (facts.height, facts.width))
    return {"params": int(whole.params), "macs": int(whole.macs)}


def learned_choices(search: Search) -> dict[str, Any]:
    """Return by group theta, alive, the expected mixture, and the names of rows and columns."""
    state, expected = search.state, search.expected()
    return {
        name: {
            "rows": list(state.groups[name].row_names()),
            "columns": list(state.groups[name].column_names()),
            "theta": theta.tolist(),
            "alive": state.alive[name].tolist(),
            "mixture": expected[name].tolist(),
        }
        for name, theta in state.theta.items()
    }


def save_job(job: JobProgress, network: Module, result: Mapping[str, Any]) -> dict[str, Any]:
    """Write the weights of a job, and last its result; returns the result."""
    job.folder.bytes("weights.safetensors", weights_of(network))
    return job.finish(result)


INTERRUPTED = {"status": "interrupted"}
STOPPED = {"status": "stopped"}
"""The status of a run whose budget is spent."""


@contextmanager
def record_result(context: RunContext, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the result of a run as a dict to fill; write it at the end with its status.

    The status is `done`, `failed` or `interrupted`. Observers are notified of the start and of the end here,
    so that they end in every case.

    Args:
        context: The run.
        kind: `search` or `evaluate`.
    """
    result: dict[str, Any] = {}
    began, process = perf_counter(), os.getpid()
    try:
        context.control.waiting = False  # from here on a stop is recorded in the result
        context.observers.notify("run_started", context.folder.path, context.recipe)
        yield result
        _conclude(context, kind, began, {"status": "done", **result})
    except KeyboardInterrupt as error:
        _stopped(
            context, error, "interrupted", partial(_conclude, context, kind, began, result | INTERRUPTED)
        )
        raise
    except BudgetSpentError:
        budget = context.control.budget
        assert budget is not None
        context.folder.log(f"stopped: the budget of {budget.text} is spent")
        _conclude(context, kind, began, result | STOPPED | {"budget": budget.text})
    except BaseException as raised:
        if os.getpid() != process:
            raise  # a child that a plugin forked ends; the run continues in its parent
        # SystemExit too: after sys.exit() in a plugin the run must not look as if it were running.
        known = _explained(raised)
        text = str(known) if isinstance(known, NascoreError) else error_line(known)
        failed = result | {"status": "failed", "error": text}
        line = f"failed: {text}{_trace(raised)}"
        _stopped(context, known, line, partial(_conclude, context, kind, began, failed))
        if known is raised:
            raise
        raise known from raised
    finally:
        if os.getpid() == process:
            context.observers.end()
            context.folder.close()


def _explained(error: BaseException) -> BaseException:
    """Return the error, or a RunFailed that explains it if memory ran out or a worker ended."""
    text = out_of_memory_text(error)
    return RunFailed([Problem(path="", text=text)]) if text else lost_worker_error(error) or error


@contextmanager
def explain_errors() -> Iterator[None]:
    """Replace an error of torch or Python about memory or workers by an error that explains it.

    Raises:
        RunFailed: Memory ran out, or a process that reads images ended.
    """
    try:
        yield
    except Exception as raised:
        known = _explained(raised)
        if known is raised:
            raise
        raise known from raised


def _stopped(context: RunContext, error: BaseException, line: str, conclude: Callable[[], None]) -> None:
    """Write the cause to the log and the result of a run, and mark the exception with the folder."""
    mark(error, context.folder.path)
    if is_file(context.folder / RESULT):
        return  # it stopped while observers were notified of its end: it is done
    # A full disk may be the cause: the user sees the first error, not the failure to write it.
    with suppress(Exception):
        context.folder.log(line)
        conclude()


def record_failed_start(folder: RunFolder, kind: str, error: BaseException) -> None:
    """Write the result of a run that ended before its first job, and mark the exception with the folder.

    Args:
        folder: The run's folder.
        kind: `search` or `evaluate`.
        error: The cause.
    """
    mark(error, folder.path)
    interrupted = isinstance(error, KeyboardInterrupt)
    text = str(error) if isinstance(error, NascoreError) else error_line(error)
    result = INTERRUPTED if interrupted else {"status": "failed", "error": text}
    with suppress(Exception):
        folder.log("interrupted" if interrupted else f"failed: {text}")
        folder.make_room()
        folder.finish({"kind": kind, **result})
    folder.close()


def _trace(error: BaseException) -> str:
    if isinstance(error, NascoreError):
        return ""
    return "\n" + "".join(format_exception(error)).rstrip()


def _conclude(context: RunContext, kind: str, began: float, result: dict[str, Any]) -> None:
    recipe = context.recipe
    whole = {
        "kind": kind,
        **result,
        "seed": recipe.run.seed,
        "scale": None if recipe.scale is None else recipe.scale[0],
        "warnings": [*map(str, recipe.warned), *context.warnings],
        "image": [context.facts.channels, context.facts.height, context.facts.width],
        "device": context.device.type,
        "observers": context.observers.counts(),
        "seconds": round(perf_counter() - began, 3),
    }
    context.folder.make_room()
    context.gallery.end()
    context.folder.finish(whole)
    context.observers.notify("run_finished", context.folder.path, whole)
