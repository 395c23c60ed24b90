"""The checks of observers."""

from __future__ import annotations

from contextlib import contextmanager, redirect_stderr, redirect_stdout
from copy import deepcopy
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Final

import torch

from nascore.contract import DataFacts, EpochReport, Observer, StepReport
from nascore.description import choose, derive, expand
from nascore.errors import error_line
from nascore.recipe import Request, settled
from nascore.testing.conformance import NotConformingError
from nascore.testing.harness import copied, tiny, untouched
from nascore.testing.part import PartConformance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from torch import Tensor

    from nascore.description import Description
    from nascore.plugin import Registry


Event = tuple[str, tuple[Any, ...]]
"""Name of a method, and what it is called with."""

STEPS: Final = 4
STEPS_PER_EPOCH: Final = 2
RESULT: Final = {"status": "done", "validation_accuracy": 0.5, "interval": [0.4, 0.6], "params": 100}


def events(registry: Registry, folder: Path) -> list[Event]:
    """Return what a search tells, but for its end: two jobs, of which the second has fewer figures.

    Args:
        registry: What is installed.
        folder: The run's folder.
    """
    parts = {"space": ["builtin:tiny"], "updater": ["builtin:uniform"], "dataset": ["builtin:synthetic"]}
    recipe = settled(Request(names={**parts, "observer": ["none"]}, scale="mini"), registry)
    told: list[Event] = [("run_started", (folder, recipe))]
    for number, (job, phase) in enumerate((("001-search", "search"), ("002-train", "train")), start=1):
        searching = phase == "search"
        told += [("job_started", (job, number, 2)), ("phase_started", (phase, STEPS, STEPS_PER_EPOCH))]
        for step in range(STEPS):
            told.append(("step_finished", (_step(step, searching=searching),)))
            if (step + 1) % STEPS_PER_EPOCH == 0:
                told.append(("epoch_finished", (_epoch(phase, step + 1, searching=searching),)))
                if searching:
                    told.append(("architecture_changed", (architecture(),)))
        told.append(("job_finished", (job, dict(RESULT))))
    return [*told, ("run_finished", (folder, dict(RESULT)))]


def architecture() -> Description:
    """Return a closed description."""
    facts = DataFacts(channels=1, height=8, width=8, classes=3, train=60, test=12, mean=(0.5,), std=(0.25,))
    space = tiny(facts)
    groups = expand(space).layouts
    strength = {name: [[1.0] * len(one.ops) for _ in one.rows] for name, one in groups.items()}
    return derive(space, choose(space, strength))


def _step(step: int, *, searching: bool) -> StepReport:
    if not searching:
        return StepReport(step=step, loss=1.5)
    return StepReport(step=step, loss=1.5, architecture_loss=1.4, accuracy=0.5, lr=0.025)


def _epoch(phase: str, step: int, *, searching: bool) -> EpochReport:
    return EpochReport(
        phase=phase,
        epoch=step // STEPS_PER_EPOCH - 1,
        epochs=STEPS // STEPS_PER_EPOCH,
        step=step,
        loss=1.5,
        accuracy=0.5 if searching else None,
        architecture_loss=1.4 if searching else None,
        validation_accuracy=0.5 if searching else None,
        validation_count=30 if searching else None,
        lr=0.025 if searching else None,
        entropy={"cell": 1.2} if searching else {},
        seconds=0.1,
    )


KEPT = ("recipe.yaml", "result.json")


class ObserverConformance(PartConformance):
    """The checks of an observer: it sees all that is told, and changes nothing."""

    slot: ClassVar[str] = "observer"

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Tell it a whole run."""
        del seed
        with _run() as folder:
            self._tell(part, self._events(folder))
        return {}

    def test_takes_every_event(self) -> None:
        """It takes all that a run tells, with the figures that a trainer may leave out."""
        part = self.made()
        self.hold(isinstance(part, Observer), f"is no Observer but {type(part).__name__}: extend that class")
        self.exercise(part, 0)

    def test_prints_nothing_to_stdout(self) -> None:
        """It leaves stdout, which is for results, to the verb."""
        with _run() as folder, redirect_stdout(StringIO()) as out:
            self._tell(self.made(), self._events(folder))
        self.hold(not out.getvalue(), f"prints to stdout: {out.getvalue().strip()[:60]!r}")

    def test_lets_go_when_a_run_breaks_off(self) -> None:
        """It lets go wherever a run ends: before its start, in a phase, or in the middle of a job."""
        with _run() as folder:
            told = self._events(folder)
            for most in range(len(told) + 1):
                self._tell(self.made(), told[:most])

    def test_watches_run_after_run(self) -> None:
        """One run after the other can be watched, each with an observer of its own."""
        for _ in range(2):
            self.exercise(self.made(), 0)

    def test_leaves_what_it_is_told_alone(self) -> None:
        """It changes nothing of what it is handed."""
        with _run() as folder:
            told = self._events(folder)
            handed = [(name, tuple(map(copied, details))) for name, details in told]
            self._tell(self.made(), handed)
        for (name, before), (_, after) in zip(told, handed, strict=True):
            if name != "run_started":  # a recipe is compared by identity
                self.hold(before == after, f"changes what it is handed by {name}")

    def test_leaves_the_runs_files_alone(self) -> None:
        """It changes no file of the run; it may add some."""
        with _run() as folder:
            before = _files(folder)
            self._tell(self.made(), self._events(folder))
            after = _files(folder)
        for name, text in before.items():
            self.hold(after.get(name) == text, f"changes {name} in the folder of the run")

    def test_leaves_the_process_alone(self) -> None:
        """It leaves the folder, threads, the type of numbers and whether gradients are kept as they were."""
        with _run() as folder, untouched():
            before = _process()
            self._tell_unguarded(self.made(), self._events(folder))
            after = _process()
        changed = [name for name in before if before[name] != after[name]]
        self.hold(not changed, f"changes {', '.join(changed)} of the process")

    def _events(self, folder: Path) -> list[Event]:
        return events(self.found(), folder)

    def _tell(self, part: Any, told: Iterable[Event]) -> None:  # noqa: ANN401 - a plugin's class
        # As the engine does: what it changes of the process must not fail other checks.
        with untouched():
            self._tell_unguarded(part, told)

    def _tell_unguarded(self, part: Any, told: Iterable[Event]) -> None:  # noqa: ANN401 - the same
        # What it shows on stderr is for runs, and not for who reads the report on it.
        with redirect_stderr(StringIO()):
            for name, details in [*told, ("run_ended", ())]:
                try:
                    getattr(part, name)(*details)
                except Exception as error:
                    raise NotConformingError(
                        f"{self.component} breaks at {name}: {error_line(error)}."
                    ) from error


@contextmanager
def _run() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        for name in KEPT:
            (Path(folder) / name).write_text("{}\n", encoding="utf-8")
        yield Path(folder)


def _files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in KEPT if (folder / name).is_file()}


def _process() -> dict[str, Any]:
    return deepcopy(
        {
            "the folder": str(Path.cwd()),
            "the threads": torch.get_num_threads(),
            "the type of numbers": torch.get_default_dtype(),
            "the gradients": torch.is_grad_enabled(),
        }
    )
