"""What one run says to a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import Factory, frozen

from nascore.comparison.flat import digest, flat_recipe
from nascore.run import (
    ARCHITECTURE,
    METRICS,
    METRICS_SCHEMA,
    checked,
    environment_of,
    is_file,
    lines_of,
    read,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nascore.comparison.flat import Flat
    from nascore.run import Record

ARCHITECTURE_PATH = "architecture"
"""Where an evaluation says what was evaluated: its recipe does not."""


@frozen(kw_only=True)
class Measured:
    """An accuracy, and what makes it comparable with another.

    Attributes:
        share: Share of the images that was right, 0 to 1.
        count: How many images.
        split: Of which images.
        params: Parameters of the network that was measured; an evaluation may train a larger one.
        macs: Its multiplications with addition, per image.
        guided: Whether these images guided the choice of the architecture.
        best_of: Of how many architectures this was the best on these images.
    """

    share: float
    count: int
    split: Literal["validation", "test"]
    params: float
    macs: float
    guided: bool = False
    best_of: int = 1


@frozen(kw_only=True)
class Sample:
    """What one run gave: one value of a row of the table.

    Attributes:
        name: How the run is called: its folder.
        status: Of the run; `done` has figures.
        seed: Of the run.
        kind: `search` or `evaluate`.
        recipe: What its recipe says, without the seed.
        measured: Its accuracies, by split.
        steps: Training steps of all its jobs together.
        seconds: What it took; an evaluation that belongs to it is counted apart.
        made_on: Versions, device and threads.
        error: Why it failed; empty where it did not.
        evaluation: Status of the evaluation of its architecture, `missing` where it was not begun; empty
            where none was planned.
    """

    name: str
    status: str
    seed: int | None
    kind: str
    recipe: Flat
    measured: Mapping[str, Measured] = Factory(dict)
    steps: int = 0
    seconds: float = 0.0
    made_on: Mapping[str, Any] = Factory(dict)
    error: str = ""
    evaluation: str = ""

    @property
    def key(self) -> tuple[tuple[str, Any], ...]:
        """What runs of one row have in common: everything but the seed."""
        return (("kind", self.kind), *sorted(self.recipe.items(), key=lambda item: item[0]))


def sample_of(path: Path, *, name: str) -> Sample:
    """Return what a run says.

    Args:
        path: Its folder; the run need not be done.
        name: How it is called in the table.

    Raises:
        RunFolderError: It is no run, or cannot be read.
    """
    record = read(path)
    result = record.result or {}
    made_on = environment_of(path)
    kind = str(result.get("kind", made_on.get("kind", "search")))
    recipe = flat_recipe(record.recipe, path)
    if kind == "evaluate" and is_file(path / ARCHITECTURE):
        recipe[ARCHITECTURE_PATH] = digest(path / ARCHITECTURE)
    done = record.status == "done"
    return Sample(
        name=name,
        status=record.status,
        seed=result.get("seed"),
        kind=kind,
        recipe=recipe,
        measured=_measured(record, result) if done else {},
        steps=_steps(record),
        seconds=float(result.get("seconds", 0.0)),
        made_on=made_on,
        error=str(result.get("error", "")),
    )


def _measured(record: Record, result: Mapping[str, Any]) -> dict[str, Measured]:
    found: dict[str, Measured] = {}
    params, macs = float(result["params"]), float(result["macs"])
    if "validation_accuracy" in result:
        found["validation"] = Measured(
            share=float(result["validation_accuracy"]),
            count=int(result["validation_count"]),
            split="validation",
            guided=bool(result.get("validation_guided", False)),
            best_of=max(1, len(record.gallery)),
            params=params,
            macs=macs,
        )
    if "test_accuracy" in result:
        share, count = float(result["test_accuracy"]), int(result["test_count"])
        found["test"] = Measured(share=share, count=count, split="test", params=params, macs=macs)
    return found


def _steps(record: Record) -> int:
    """Return the steps of all phases of all jobs: a line says how many its phase has had up to there."""
    last: dict[tuple[Any, Any], int] = {}
    file = record.path / METRICS
    for number, line in enumerate(lines_of(file), start=1):
        checked(line, METRICS_SCHEMA, f"{file}, line {number}", ("job", "phase", "step"))
        last[line["job"], line["phase"]] = line["step"]
    return sum(last.values())
