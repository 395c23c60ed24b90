"""Checkpoints of a job: the state of a phase by name, in files that are verified by their SHA-256."""

from __future__ import annotations

import io
import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

import torch
from attrs import Factory, asdict, define, frozen

from nascore.engine.return_checks import ReturnCheck
from nascore.run import write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nascore.contract import Phase, Stateful, Trainer

FORMAT: Final = 1
"""Version of the format; checkpoints of other versions are not read."""

RETRY: Final = 60.0
"""Largest delay in seconds before a checkpoint that could not be written is tried again."""

KEPT: Final = 2
"""Number of checkpoints that are kept: if the last one is damaged, the one before it is used."""

_NAME: Final = re.compile(r"checkpoint-(\d{4,9})\.pt")
_MAGIC: Final = b"nascore checkpoint, sha256 "


@frozen(kw_only=True)
class Checkpoint:
    """The state of a job in the middle of a phase.

    Attributes:
        stage: Name of the phase: `search`, `candidates` or `train`.
        step: Steps of the phase that are done.
        state: The return value of :func:`capture`.
        reports: Loss, architecture loss, accuracy and learning rate of each step of the current epoch.
        epochs: Number of lines that the job had added to `metrics.jsonl`.
        not_finite: Names of tensors that were not finite when the phase began.
        warnings: Warnings of the job so far.
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
        every: Seconds between two checkpoints.
        log: Adds a line to the log of the run.
    """

    folder: Path
    every: float
    log: Callable[[str], None]
    _saved: float = Factory(monotonic)

    @property
    def age(self) -> float:
        """Seconds since the last checkpoint, or since the job began."""
        return monotonic() - self._saved

    @property
    def due(self) -> bool:
        """Whether it is time for the next checkpoint."""
        return self.age >= self.every

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint completely or not at all, and remove all but the last two.

        Raises:
            RunFolderError: The file cannot be written; earlier checkpoints are unchanged.
        """
        paths = self._paths()
        write_bytes(self.folder / self._next(), _content(checkpoint))
        for path in paths[: len(paths) - KEPT + 1]:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        self._saved = monotonic()

    def save_elsewhere(self, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint to a new temporary folder, and return its path.

        Raises:
            OSError: The temporary folder cannot be made.
            RunFolderError: The file cannot be written there either.
        """
        path = Path(mkdtemp(prefix="nascore-")) / self._next()
        write_bytes(path, _content(checkpoint))
        return path

    def postpone(self) -> None:
        """Make the next checkpoint due within a minute, since this one could not be written."""
        self._saved = monotonic() - self.every + min(self.every, RETRY)

    def latest(self) -> Checkpoint | None:
        """Return the last checkpoint that can be read; None if there is none."""
        paths = self._paths()
        while paths:
            path = paths.pop()
            try:
                return _read(path)
            except Exception as error:  # noqa: BLE001 - whatever a damaged file makes torch raise
                reason = str(error).partition("\n")[0]
                instead = "the one before it is used" if paths else "the job begins again"
                self.log(f"job {self.folder.name}: {path.name} cannot be used: {reason}; {instead}")
        return None

    def clear(self) -> None:
        """Remove all checkpoints, since the job is done."""
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
    """Return the checkpoint in a file, without executing any code from it.

    Raises:
        ValueError: The file is damaged, or has a different format.
    """
    head, _, content = path.read_bytes().partition(b"\n")
    if head != _MAGIC + sha256(content).hexdigest().encode():
        raise ValueError("it is truncated or damaged")
    plain: dict[str, Any] = torch.load(io.BytesIO(content), weights_only=True)
    if plain.pop("format") != FORMAT:
        raise ValueError("a different version of nascore made it")
    return Checkpoint(**plain)


def capture(phase: Phase, trainer: Trainer) -> dict[str, Any]:
    """Return the complete state of a phase, which `torch.load(weights_only=True)` can read back.

    Raises:
        PluginError: The state of a part is not a dictionary.
    """
    return {name: _copied(_state(one, slot)) for name, slot, one in _stateful(phase, trainer)}


def restore(phase: Phase, trainer: Trainer, state: Mapping[str, Any]) -> None:
    """Load the state of a phase.

    Args:
        phase: A phase built like the captured one.
        trainer: Its trainer, already started on the phase.
        state: The return value of :func:`capture`.
    """
    for name, _, one in _stateful(phase, trainer):
        one.load_state_dict(state[name])


def _stateful(phase: Phase, trainer: Trainer) -> Iterator[tuple[str, str, Stateful]]:
    """Yield the name, the slot and the object of each state of a phase, in loading order.

    The slot is empty for objects of the engine.
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
    for used in phase.tricks:
        if "stateful" in used.declared:
            yield f"trick/{used.name}", "trick", used.trick
    for name, batches in phase.batches.items():
        yield f"batches/{name}", "", batches
    # Last, since building objects draws.
    yield "streams", "", phase.streams


def _state(part: Stateful, slot: str) -> Mapping[str, Any]:
    returned: object = part.state_dict()
    if slot:
        state: dict[str, Any] = ReturnCheck(part, "state_dict", slot).expect(
            returned, dict, "a dict of all state"
        )
        return state
    return cast("Mapping[str, Any]", returned)


def _copied(value: Any) -> Any:  # noqa: ANN401 - a tree of tensors and plain values
    """Return a state whose tensors are copies, so that the next step does not change it."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {name: _copied(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(one) for one in value)
    return value
