"""The allowed values in the JSON files of a run, one table for each file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nascore.errors import RunFolderError
from nascore.files.schema import (
    ANY_OBJECT,
    COUNT,
    FIGURE,
    FLAG,
    INSIDE,
    INTERVAL,
    NUMBER,
    PLACE,
    SHARE,
    TEXT,
    WHOLE,
    faults,
    list_of,
    map_of,
    one_of,
    or_null,
)
from nascore.gallery import ACCURACY, metric_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from nascore.files.schema import Kind, Schema

_KIND: Final = one_of("search", "evaluate", "compare")

RESULT_SCHEMA: Final[Schema] = {
    "kind": _KIND,
    "status": one_of("done", "failed", "interrupted", "stopped"),
    "error": TEXT,
    "architecture": INSIDE,
    "gallery": INSIDE,
    "best": PLACE,
    "validation_accuracy": SHARE,
    "validation_count": COUNT,
    "validation_guided": FLAG,
    "test_accuracy": SHARE,
    "test_count": COUNT,
    "test_opened": COUNT,
    "interval": INTERVAL,
    "steps": COUNT,
    "params": FIGURE,
    "macs": FIGURE,
    "seed": WHOLE,
    "seeds": list_of(WHOLE),
    "scale": or_null(one_of("mini", "small", "paper")),
    "warnings": list_of(TEXT),
    "image": list_of(PLACE, 3),
    "device": TEXT,
    "observers": map_of(ANY_OBJECT),
    "jobs": map_of(COUNT),
    "failures": map_of(TEXT),
    "table": ANY_OBJECT,
    "seconds": FIGURE,
}

_MEASURED: Final = ("seed", "seconds", "params", "macs")

_OF_METRIC: Final[Schema] = {"interval": or_null(list_of(NUMBER, 2)), "scores": map_of(NUMBER)}
"""The values of a result whose metric is not the accuracy."""
_REQUIRED: Final = {
    "search": (*_MEASURED, "validation_accuracy", "validation_count", "validation_guided"),
    "evaluate": (*_MEASURED, "test_accuracy", "test_count"),
    "compare": ("seeds", "jobs", "table", "seconds"),
}
"""Keys that the result of a finished run must have, by kind of run."""

ENVIRONMENT_SCHEMA: Final[Schema] = {
    "format": PLACE,
    "python": TEXT,
    "implementation": TEXT,
    "system": TEXT,
    "machine": TEXT,
    "cpus": or_null(COUNT),
    "packages": map_of(TEXT),
    "kind": _KIND,
    "image": list_of(PLACE, 3),
    "device": TEXT,
    "threads": COUNT,
    "instruction_set": TEXT,
    "blas": TEXT,
    "brought": map_of(TEXT),
    "executor": ANY_OBJECT,
}

METRICS_SCHEMA: Final[Schema] = {
    "job": COUNT,
    "phase": TEXT,
    "epoch": COUNT,
    "epochs": COUNT,
    "step": COUNT,
    "loss": NUMBER,
    "accuracy": or_null(SHARE),
    "architecture_loss": or_null(NUMBER),
    "validation_accuracy": or_null(SHARE),
    "validation_count": or_null(COUNT),
    "lr": or_null(NUMBER),
    "entropy": map_of(NUMBER),
    "seconds": FIGURE,
    "fingerprints": map_of(TEXT),
}

CHANGE_SCHEMA: Final[Schema] = {"event": TEXT, "job": TEXT, "error": TEXT}

COMPARISON_SCHEMA: Final[Schema] = {
    "slots": list_of(TEXT),
    "seeds": list_of(WHOLE),
    "jobs": list_of(ANY_OBJECT),
}

JOB_SCHEMA: Final[Schema] = {
    "folder": INSIDE,
    "kind": one_of("search", "evaluate"),
    "choice": map_of(TEXT),
    "seed": WHOLE,
    "of": INSIDE,
    "recipe": INSIDE,
    "architecture": INSIDE,
    "key": TEXT,
}

ABLATION_SCHEMA: Final[Schema] = {
    "format": PLACE,
    "from": one_of("full", "bare"),
    "target": TEXT,
    "split": one_of("validation", "test"),
    "seeds": list_of(WHOLE),
    "variants": list_of(ANY_OBJECT),
}

VARIANT_SCHEMA: Final[Schema] = {
    "name": TEXT,
    "switch": TEXT,
    "choice": map_of(TEXT),
    "jobs": map_of(INSIDE),
}


def checked(
    plain: dict[str, Any], schema: Schema, where: Path | str, required: Iterable[str] = ()
) -> dict[str, Any]:
    """Return an object from a run's file unchanged, after checking its values against a schema.

    Raises:
        RunFolderError: Values are wrong or missing; the text lists all of them.
    """
    return _valid(plain, where, list(faults(plain, schema, required)))


def checked_result(plain: dict[str, Any], where: Path) -> dict[str, Any]:
    """Return the object in `result.json` unchanged, after checking its values.

    Raises:
        RunFolderError: Values are wrong or missing; the text lists all of them.
    """
    return _valid(plain, where, list(_faults_of_result(plain)))


def _faults_of_result(plain: Mapping[str, Any]) -> Iterator[str]:
    done = plain.get("status") == "done"
    kind = plain.get("kind")
    required = _REQUIRED.get(kind, ()) if done and isinstance(kind, str) else ()
    if kind == "evaluate" and "test_count" not in plain and "validation_count" in plain:
        required = tuple(name.replace("test_", "validation_") for name in required)
    schema: dict[str, Kind] = dict(RESULT_SCHEMA)
    if "metric" in plain:
        try:
            metric = metric_of(plain)
        except (TypeError, ValueError) as error:
            yield str(error)
            return
        keys = {ACCURACY.key(split): metric.key(split) for split in ("validation", "test")}
        required = tuple(keys.get(name, name) for name in required)
        schema |= {**_OF_METRIC, **dict.fromkeys(keys.values(), NUMBER)}
    yield from faults(plain, schema, ("kind", "status", *required))
    jobs = plain.get("jobs")
    if kind == "compare" and isinstance(jobs, dict):
        yield from (f"jobs.{text}" for text in faults(jobs, {}, ("planned", "done", "failed")))


def _valid(plain: dict[str, Any], where: Path | str, wrong: list[str]) -> dict[str, Any]:
    if wrong:
        raise RunFolderError(f"{where} cannot be read: {'; '.join(wrong)}.")
    return plain
