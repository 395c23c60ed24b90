"""Writes the results of a run as files that need no nascore."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import partial
from time import perf_counter
from traceback import format_exception
from typing import TYPE_CHECKING, Any

import attrs
from safetensors.torch import save

from nascore.description import dump, without_auxiliary
from nascore.errors import NascoreError, Problem, RunFailed, error_line, out_of_memory_text
from nascore.files import Checksum, with_digest
from nascore.nn import costs, standalone
from nascore.nn.preprocessing import Preprocessing
from nascore.run import RESULT, is_file, mark, write_bytes, write_json, write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from torch.nn import Module

    from nascore.contract import DataFacts, EpochReport, Search
    from nascore.description import Catalogue, Description
    from nascore.engine.run_context import RunContext
    from nascore.nn import Network
    from nascore.run import RunFolder


def record_epoch(context: RunContext, job: int, report: EpochReport) -> None:
    """Add an epoch to `metrics.jsonl`."""
    context.folder.metric({"job": job, **attrs.asdict(report)})


def weights_of(network: Module) -> bytes:
    """Return parameters and buffers as a file of safetensors, by their names in the network."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    return save(tensors)


def save_best(
    context: RunContext, description: Description, network: Network, metrics: Mapping[str, Any]
) -> None:
    """Write the folder `best`: description, weights, figures, and a program that needs torch alone.

    In a run that finds a better one later, it takes the place of the folder that was there, as a whole.
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
    """Return what is done to an image of these data before a network reads it."""
    return Preprocessing(
        shape=(facts.channels, facts.height, facts.width),
        mean=tuple(map(float, facts.mean)),
        std=tuple(map(float, facts.std)),
        classes=tuple(facts.class_names) or None,
    )


def _save_program(
    context: RunContext, path: Path, network: Network, preprocessing: Preprocessing, sha256: str
) -> None:
    try:
        source = standalone(network, preprocessing, sha256=sha256)
    except NascoreError as error:
        # A plugin's operation that cannot be written out must not cost the run that found it useful.
        context.folder.log(f"best/model.py is not there: {error}")
    else:
        write_text(path, source)


def costs_of(description: Description, catalogue: Catalogue, facts: DataFacts) -> dict[str, int]:
    """Return parameters, and multiplications with addition per image, of a closed description.

    An auxiliary head counts as little as it does in use: not at all.
    """
    whole = costs(without_auxiliary(description), catalogue, (facts.height, facts.width))
    return {"params": int(whole.params), "macs": int(whole.macs)}


def learned_choices(search: Search) -> dict[str, Any]:
    """Return by group theta, what is alive, the expected mixture, and the names of rows and columns."""
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


def save_job(folder: RunFolder, network: Module, result: Mapping[str, Any]) -> None:
    """Write what a job gave: its weights, and last its result."""
    folder.bytes("weights.safetensors", weights_of(network))
    folder.finish(dict(result))


INTERRUPTED = {"status": "interrupted"}


@contextmanager
def record_result(context: RunContext, kind: str) -> Iterator[dict[str, Any]]:
    """Give a result to fill; write it at the end, with `status` done, failed or interrupted.

    Observers are told of the start here, so that they are let go whatever comes after it.

    Args:
        context: The run.
        kind: `search` or `evaluate`.
    """
    result: dict[str, Any] = {}
    began = perf_counter()
    try:
        context.observers.notify("run_started", context.folder.path, context.recipe)
        yield result
        _conclude(context, kind, began, {"status": "done", **result})
    except KeyboardInterrupt as error:
        _stopped(
            context, error, "interrupted", partial(_conclude, context, kind, began, result | INTERRUPTED)
        )
        raise
    except BaseException as raised:
        # SystemExit too: a plugin that calls sys.exit() must not leave a run that seems to go on.
        known = _memory_error(raised)
        text = str(known) if isinstance(known, NascoreError) else error_line(known)
        failed = result | {"status": "failed", "error": text}
        line = f"failed: {text}{_trace(raised)}"
        _stopped(context, known, line, partial(_conclude, context, kind, began, failed))
        if known is raised:
            raise
        raise known from raised
    finally:
        context.observers.end()


def _memory_error(error: BaseException) -> BaseException:
    """Return an error, or the one that says in plain words that memory was not enough."""
    told = out_of_memory_text(error)
    return RunFailed([Problem(path="", text=told)]) if told else error


@contextmanager
def explain_memory_errors() -> Iterator[None]:
    """Say in plain words that memory was not enough, where nothing inside has said it.

    Raises:
        RunFailed: It was not.
    """
    try:
        yield
    except Exception as raised:
        known = _memory_error(raised)
        if known is raised:
            raise
        raise known from raised


def _stopped(context: RunContext, error: BaseException, line: str, conclude: Callable[[], None]) -> None:
    """Write what stopped a run, and say on the exception where that is."""
    mark(error, context.folder.path)
    if is_file(context.folder / RESULT):
        return  # it stopped while observers were told that it is done: it is done
    # A disk that is full may be why the run stopped: what stopped it is said, not what came of it.
    with suppress(Exception):
        context.folder.log(line)
        conclude()


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
    context.gallery.end()
    context.folder.finish(whole)
    context.observers.notify("run_finished", context.folder.path, whole)
