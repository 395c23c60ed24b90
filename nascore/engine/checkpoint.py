"""Checkpoints: everything that decides how a phase continues, saved by name in the folder of its job."""

from __future__ import annotations

import io
import re
from contextlib import suppress
from hashlib import sha256
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

import torch
from attrs import Factory, asdict, define, frozen

from nascore.engine.return_checks import ReturnCheck
from nascore.errors import Problem, RunFolderError
from nascore.files import shown_path
from nascore.run import resume_command, write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nascore.contract import Phase, Stateful, Trainer
    from nascore.run import RunControl, RunFolder

FORMAT: Final = 1
"""The form of a checkpoint; a newer one is not read."""

WORTH: Final = 5.0
"""Seconds of work for which the end of a phase is saved: less is done again as quickly."""

RETRY: Final = 60.0
"""Seconds after which a checkpoint that could not be written is tried again, at most."""

KEPT: Final = 2
"""Checkpoints of a job that are kept: where the last one is damaged, the one before it serves."""

_NAME: Final = re.compile(r"checkpoint-(\d{4,9})\.pt")
_MAGIC: Final = b"nascore checkpoint, sha256 "


@frozen(kw_only=True)
class Checkpoint:
    """The state of a job in the middle of a phase.

    Attributes:
        stage: Name of the phase: `search`, `candidates` or `train`.
        step: Steps of the phase that are done.
        state: What :func:`capture` returned.
        reports: Loss, architecture loss, accuracy and learning rate of each step of the current epoch.
        epochs: Lines that the job had added to `metrics.jsonl`.
        not_finite: Names of tensors that were not finite when the phase began.
        warnings: What the job had warned of.
        lr_factor: Multiplier of the learning rate of the weights, below 1 after the run went back.
    """

    stage: str
    step: int
    state: Mapping[str, Any]
    reports: list[list[float | None]]
    epochs: int
    not_finite: list[str] = Factory(list)
    warnings: list[str] = Factory(list)
    lr_factor: float = 1.0


@define(kw_only=True)
class Checkpoints:
    """The checkpoints of a job, in its folder.

    Attributes:
        folder: The job's folder.
        every: Seconds between two of them.
        log: Where it is written that one cannot be read.
    """

    folder: Path
    every: float
    log: Callable[[str], None]
    _saved: float = Factory(monotonic)

    @property
    def age(self) -> float:
        """Seconds since the last one, or since the job began."""
        return monotonic() - self._saved

    @property
    def due(self) -> bool:
        """Whether it is time for the next one."""
        return self.age >= self.every

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, whole or not at all, and remove all but the last two.

        Raises:
            RunFolderError: It cannot be written; those before it are still there.
        """
        paths = self._paths()
        write_bytes(self.folder / self._next(), _content(checkpoint))
        for path in paths[: len(paths) - KEPT + 1]:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        self._saved = monotonic()

    def save_elsewhere(self, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint to a new folder for temporary files; returns its path.

        Raises:
            OSError: It cannot be written there either.
            RunFolderError: As above.
        """
        path = Path(mkdtemp(prefix="nascore-")) / self._next()
        write_bytes(path, _content(checkpoint))
        return path

    def postpone(self) -> None:
        """Let the next one be due in a minute at most: this one could not be written."""
        self._saved = monotonic() - self.every + min(self.every, RETRY)

    def latest(self) -> Checkpoint | None:
        """Return the last checkpoint that can be read; None where there is none."""
        for path in reversed(self._paths()):
            try:
                return _read(path)
            except Exception as error:  # noqa: BLE001 - whatever a damaged file makes torch raise
                text = str(error).partition("\n")[0]
                self.log(
                    f"{path.name} of job {self.folder.name} cannot be used ({text}): the one before it is"
                )
        return None

    def clear(self) -> None:
        """Remove all of them: the job is done."""
        for path in self._paths():
            path.unlink(missing_ok=True)

    def _next(self) -> str:
        paths = self._paths()
        return f"checkpoint-{1 + (_number(paths[-1]) if paths else 0):04d}.pt"

    def _paths(self) -> list[Path]:
        found = (path for path in self.folder.glob("checkpoint-*.pt") if _NAME.fullmatch(path.name))
        return sorted(found, key=_number)


def _content(checkpoint: Checkpoint) -> bytes:
    """Return the content of the file of a checkpoint."""
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **asdict(checkpoint, recurse=False)}, buffer)
    content = buffer.getvalue()
    return _MAGIC + sha256(content).hexdigest().encode() + b"\n" + content


def _number(path: Path) -> int:
    found = _NAME.fullmatch(path.name)
    assert found is not None
    return int(found[1])


def _read(path: Path) -> Checkpoint:
    """Return the checkpoint of a file; nothing in it is executed.

    Raises:
        ValueError: It is damaged, or of a newer form.
    """
    head, _, content = path.read_bytes().partition(b"\n")
    if head != _MAGIC + sha256(content).hexdigest().encode():
        raise ValueError("it was cut off or damaged")
    plain: dict[str, Any] = torch.load(io.BytesIO(content), weights_only=True)
    if plain.pop("format") != FORMAT:
        raise ValueError("it was made by a different version of nascore")
    return Checkpoint(**plain)


@define(kw_only=True)
class JobProgress:
    """How far a job has come, and what it has to say when it is done.

    Attributes:
        number: Number of the job.
        folder: Its folder.
        control: Decides when it is saved and when it stops.
        checkpoints: Its checkpoints.
        result: What it gave, where it was done before the run went on; None: it is to be done.
        epochs: Lines that it added to `metrics.jsonl`.
        warnings: What it warned of.
    """

    number: int
    folder: RunFolder
    control: RunControl
    checkpoints: Checkpoints
    result: dict[str, Any] | None = None
    epochs: int = 0
    warnings: list[str] = Factory(list)
    _found: Checkpoint | None = None

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.folder.path.name

    @property
    def stage(self) -> str:
        """Name of the phase that its checkpoint is of; empty where it has none."""
        return "" if self._found is None else self._found.stage

    def go_on_from(self, checkpoint: Checkpoint | None) -> None:
        """Take over what a checkpoint says of the job; its phase is restored by :meth:`restored`."""
        self._found = checkpoint
        if checkpoint is not None:
            self.epochs, self.warnings = checkpoint.epochs, list(checkpoint.warnings)

    def restored(self, phase: Phase, trainer: Trainer, stage: str) -> Checkpoint | None:
        """Return the checkpoint of a phase after the phase has taken over its state; None: it begins."""
        found = self._found
        if found is None or found.stage != stage:
            return None
        restore(phase, trainer, found.state)
        phase.lr_factor = found.lr_factor
        self._found = None
        return found

    def save_if_due(self, make: Callable[[], Checkpoint], *, over: bool) -> None:
        """Save the phase where it is time to; then stop, where that was asked for.

        Args:
            make: Returns the checkpoint of the phase as it is now.
            over: Whether the phase is over.

        Raises:
            KeyboardInterrupt: Somebody asked the run to stop.
            BudgetSpentError: The budget is spent.
        """
        stopping = self.control.requested or self.control.spent()
        if stopping or self.checkpoints.due or (over and self.checkpoints.age >= WORTH):
            self._save(make(), last=stopping or over)
        if stopping:
            self.control.stop_if_due()

    def _save(self, checkpoint: Checkpoint, *, last: bool) -> None:
        """Write a checkpoint; if it cannot be written now, go on and try again, unless it is the last one.

        Raises:
            RunFolderError: The run's folder is gone; or the last checkpoint cannot be written into it, and
                the error names the place of the state.
        """
        self.folder.refuse_gone()
        try:
            self.folder.write_waiting()
            self.checkpoints.save(checkpoint)
        except RunFolderError as error:
            self.folder.refuse_gone()
            if last:
                raise self._saved_elsewhere(checkpoint, error) from error
            self.folder.log(f"{error} The run goes on, and tries again")
            self.checkpoints.postpone()

    def _saved_elsewhere(self, checkpoint: Checkpoint, error: RunFolderError) -> RunFolderError:
        """Return the error of a state that does not fit into the run's folder."""
        again = resume_command(self.folder.run)
        try:
            path = self.checkpoints.save_elsewhere(checkpoint)
        except (OSError, RunFolderError):
            hint = f"Make room, then go on from the checkpoint before: {again}"
            return RunFolderError([*error.problems, Problem(path="", text="The state is lost.", hint=hint)])
        text = f"the state of the run is saved in {path}."
        hint = f"Make room, move that file to {shown_path(self.folder.path)}, and go on: {again}"
        return RunFolderError([*error.problems, Problem(path="", text=text, hint=hint)])

    def save_now(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, whatever the time since the last one; a failure is a line of the log."""
        self._save(checkpoint, last=False)

    def go_back(self) -> Checkpoint | None:
        """Return the last checkpoint, and forget the epochs and warnings that come after it; None: none.

        Raises:
            RunFolderError: `metrics.jsonl` cannot be written.
        """
        found = self.checkpoints.latest()
        if found is not None:
            self.epochs, self.warnings = found.epochs, list(found.warnings)
            self.forget_later_epochs()
        return found

    def forget_later_epochs(self) -> None:
        """Remove the epochs of the job that come after its checkpoint from `metrics.jsonl`.

        Raises:
            RunFolderError: The file cannot be read or written.
        """
        places = count(1)
        self.folder.keep_metrics(lambda line: line["job"] != self.number or next(places) <= self.epochs)

    def finish(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Write the result of the job, last of all its files; returns it."""
        self.result = {**result, **({"warnings": self.warnings} if self.warnings else {})}
        self.folder.finish(self.result)
        self.checkpoints.clear()
        return self.result


def capture(phase: Phase, trainer: Trainer) -> dict[str, Any]:
    """Return all that decides how the phase continues; `torch.load(weights_only=True)` can read it back.

    Raises:
        PluginError: The state of a part is not a dictionary.
    """
    return {name: _copied(_state(one, slot)) for name, slot, one in _stateful(phase, trainer)}


def restore(phase: Phase, trainer: Trainer, state: Mapping[str, Any]) -> None:
    """Take over a state.

    Args:
        phase: A phase built like the one that was captured.
        trainer: Its trainer, already started on it.
        state: What :func:`capture` returned.
    """
    for name, _, one in _stateful(phase, trainer):
        one.load_state_dict(state[name])


def _stateful(phase: Phase, trainer: Trainer) -> Iterator[tuple[str, str, Stateful]]:
    """Yield everything that changes in a phase and decides how it continues, in loading order.

    Each comes with its name in a checkpoint and, if it is a part from a plugin, its slot.
    """
    yield "network", "", cast("Stateful", phase.network)
    if phase.search is not None:
        yield "architecture", "", phase.search.state
        yield "updater", "updater", phase.search.updater
        for place in sorted(phase.search.stateful):
            regularizer = cast("Stateful", phase.search.regularizers[place])
            yield f"regularizer/{place}", "regularizer", regularizer
        yield "search", "", phase.search
    yield "trainer", "trainer", trainer
    for name, batches in phase.batches.items():
        yield f"batches/{name}", "", batches
    # Last, since building objects draws.
    yield "streams", "", phase.streams


def _state(one: Stateful, slot: str) -> Mapping[str, Any]:
    given: object = one.state_dict()
    if slot:
        state: dict[str, Any] = ReturnCheck(one, "state_dict", slot).expect(
            given, dict, "a dict of all state"
        )
        return state
    return cast("Mapping[str, Any]", given)


def _copied(value: Any) -> Any:  # noqa: ANN401 - a tree of tensors and plain values
    """Return a state whose tensors are copies, so that the next step does not change it."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {name: _copied(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(one) for one in value)
    return value
