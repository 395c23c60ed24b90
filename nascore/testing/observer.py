"""What every observer promises."""

from __future__ import annotations

from contextlib import contextmanager, redirect_stderr, redirect_stdout
from copy import deepcopy
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from nascore.contract import Observer
from nascore.engine.watch import copied, untouched
from nascore.errors import said
from nascore.testing.conformance import NotConformingError
from nascore.testing.part import PartConformance
from nascore.testing.watched import events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from torch import Tensor

    from nascore.testing.watched import Event

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
                    raise NotConformingError(f"{self.component} breaks at {name}: {said(error)}.") from error


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
