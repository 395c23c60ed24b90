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
"""Name of a method, and its arguments."""

STEPS: Final = 4
STEPS_PER_EPOCH: Final = 2
RESULT: Final = {"status": "done", "validation_accuracy": 0.5, "interval": [0.4, 0.6], "params": 100}


def events(registry: Registry, folder: Path) -> list[Event]:
    """Return the events of a search of two jobs, except `run_ended`; the second job reports fewer values.

    Args:
        registry: The installed plugins.
        folder: The folder of the run.
    """
    parts = {"space": ["builtin:tiny"], "updater": ["builtin:uniform"], "dataset": ["builtin:synthetic"]}
    recipe = settled(Request(names={**parts, "observer": ["none"]}, scale="mini"), registry)
    reported: list[Event] = [("run_started", (folder, recipe))]
    for number, (job, phase) in enumerate((("001-search", "search"), ("002-train", "train")), start=1):
        searching = phase == "search"
        reported += [("job_started", (job, number, 2)), ("phase_started", (phase, STEPS, STEPS_PER_EPOCH))]
        for step in range(STEPS):
            reported.append(("step_finished", (_step(step, searching=searching),)))
            if (step + 1) % STEPS_PER_EPOCH == 0:
                reported.append(("epoch_finished", (_epoch(phase, step + 1, searching=searching),)))
                if searching:
                    reported.append(("architecture_changed", (architecture(),)))
        reported.append(("job_finished", (job, dict(RESULT))))
    return [*reported, ("run_finished", (folder, dict(RESULT)))]


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


FILES = ("recipe.yaml", "result.json")


class ObserverConformance(PartConformance):
    """The checks of an observer: it accepts every event, and changes nothing."""

    slot: ClassVar[str] = "observer"

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Send it the events of a whole run."""
        del seed
        with _run() as folder:
            self._send(part, self._events(folder))
        return {}

    def test_takes_every_event(self) -> None:
        """It accepts every event of a run, even without the values that a trainer may leave out."""
        part = self.made()
        kind = type(part).__name__
        self.hold(isinstance(part, Observer), f"builds {kind}, which does not extend nascore.api.Observer")
        self.exercise(part, 0)

    def test_prints_nothing_to_stdout(self) -> None:
        """It prints nothing to stdout, which is reserved for results."""
        with _run() as folder, redirect_stdout(StringIO()) as out:
            self._send(self.made(), self._events(folder))
        self.hold(not out.getvalue(), f"prints to stdout: {out.getvalue().strip()[:60]!r}")

    def test_lets_go_when_a_run_breaks_off(self) -> None:
        """It accepts `run_ended` after every event, since a run can stop anywhere."""
        with _run() as folder:
            reported = self._events(folder)
            for count in range(len(reported) + 1):
                self._send(self.made(), reported[:count])

    def test_watches_run_after_run(self) -> None:
        """Several runs can be watched one after the other, each by its own observer."""
        for _ in range(2):
            self.exercise(self.made(), 0)

    def test_leaves_what_it_is_told_alone(self) -> None:
        """It does not change its arguments."""
        with _run() as folder:
            reported = self._events(folder)
            sent = [(name, tuple(map(copied, details))) for name, details in reported]
            self._send(self.made(), sent)
        for (name, before), (_, after) in zip(reported, sent, strict=True):
            if name != "run_started":  # a recipe is compared by identity
                self.hold(before == after, f"changes an argument of {name}")

    def test_leaves_the_runs_files_alone(self) -> None:
        """It changes no file of the run; it may add files."""
        with _run() as folder:
            before = _files(folder)
            self._send(self.made(), self._events(folder))
            after = _files(folder)
        for name, text in before.items():
            self.hold(after.get(name) == text, f"changes {name} in the folder of the run")

    def test_leaves_the_process_alone(self) -> None:
        """It changes neither working folder, threads, default type nor the recording of gradients."""
        with _run() as folder, untouched():
            before = _process()
            self._send_unguarded(self.made(), self._events(folder))
            after = _process()
        changed = [name for name in before if before[name] != after[name]]
        self.hold(not changed, f"changes {', '.join(changed)} of the process")

    def _events(self, folder: Path) -> list[Event]:
        return events(self.found(), folder)

    def _send(self, part: Any, reported: Iterable[Event]) -> None:  # noqa: ANN401 - a plugin's class
        # Restored as in the engine, so that changes to the process fail only the check of it.
        with untouched():
            self._send_unguarded(part, reported)

    def _send_unguarded(self, part: Any, reported: Iterable[Event]) -> None:  # noqa: ANN401 - the same
        # The output of the observer does not belong in the report of the checks.
        with redirect_stderr(StringIO()):
            for name, details in [*reported, ("run_ended", ())]:
                try:
                    getattr(part, name)(*details)
                except Exception as error:
                    raise NotConformingError(
                        f"{self.component} raises an exception in {name}: {error_line(error)}."
                    ) from error


@contextmanager
def _run() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        for name in FILES:
            (Path(folder) / name).write_text("{}\n", encoding="utf-8")
        yield Path(folder)


def _files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES if (folder / name).is_file()}


def _process() -> dict[str, Any]:
    return deepcopy(
        {
            "the working folder": str(Path.cwd()),
            "the number of threads": torch.get_num_threads(),
            "the default type": torch.get_default_dtype(),
            "the recording of gradients": torch.is_grad_enabled(),
        }
    )
