"""Compares a run with its replay, epoch by epoch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal

from attrs import field, frozen

from nascore.errors import RunFolderError, cause
from nascore.run.layout import DESCRIPTION, JOBS, METRICS, is_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TOLERANCE: Final = 1e-3
"""Largest difference of a loss, relative to it if it is above 1, of a replay within tolerance."""

_NUMBERS: Final = ("loss", "architecture_loss", "lr")
_SHARES: Final = ("accuracy", "validation_accuracy")
"""Accuracies: they move in steps of one image, so that no tolerance fits them."""

Verdict = Literal["bit-equal", "within tolerance", "diverged"]


@frozen(kw_only=True)
class Divergence:
    """A quantity that is not the same in a run and in its replay.

    Attributes:
        job: Number of the job.
        phase: Name of the phase; empty for what is no quantity of an epoch.
        epoch: Number of the epoch, from 0; None for what is no quantity of an epoch.
        quantity: Its name: `loss`, `weights`, `architecture`.
        before: Its value in the run; None: it is missing.
        now: Its value in the replay; None: it is missing.
        difference: The difference, relative to the value if it is above 1; None if it is no number.
    """

    job: int
    phase: str
    epoch: int | None
    quantity: str
    before: Any
    now: Any
    difference: float | None = None

    def __str__(self) -> str:
        epoch = "" if self.epoch is None else f", {self.phase} epoch {self.epoch + 1}"
        return (
            f"job {self.job}{epoch}: {self.quantity} {_text(self.before)} in the run, {_text(self.now)} now"
        )


@frozen(kw_only=True)
class Comparison:
    """The result of comparing a run with its replay.

    Attributes:
        verdict: `bit-equal`, `within tolerance` or `diverged`.
        epochs: Number of epochs that were compared.
        fingerprints: Whether the run has fingerprints; without them only its figures are compared.
        tolerance: The tolerance.
        first: The first difference of any size; None: there is none.
        divergence: The first difference beyond the tolerance; None: there is none.
        largest: The largest difference of a loss or an entropy; None: there is none.
    """

    verdict: Verdict
    epochs: int
    fingerprints: bool
    tolerance: float
    first: Divergence | None = field(default=None)
    divergence: Divergence | None = None
    largest: Divergence | None = None


def compare_replay(run: Path, replay: Path, tolerance: float = TOLERANCE) -> Comparison:
    """Return how a replay differs from its run.

    A fingerprint that differs although the state after it is equal to the last bit is a divergence too: the
    file was changed.

    Args:
        run: The folder of the run.
        replay: The folder of the replay.
        tolerance: Largest difference of a loss within tolerance.

    Raises:
        RunFolderError: A file cannot be read.
    """
    before, now = _epochs_of(run), _epochs_of(replay)
    found = [*_of_epochs(before, now), *_of_architectures(run, replay)]
    found.sort(key=lambda one: one.job)  # stable: the order of the epochs stays
    numbers = [one for one in found if one.difference is not None and one.quantity not in _SHARES]
    isolated = _isolated(found, before, run, replay)
    beyond = [
        one
        for one in found
        if one in isolated
        or one.epoch is None
        or (one in numbers and (one.difference or 0) > tolerance)
        or one.now is None
        or one.before is None
    ]
    verdict: Verdict = "diverged" if beyond else "within tolerance" if found else "bit-equal"
    return Comparison(
        verdict=verdict,
        epochs=len(before),
        fingerprints=any(line.get("fingerprints") for line in before.values()),
        tolerance=tolerance,
        first=found[0] if found else None,
        divergence=beyond[0] if beyond else None,
        largest=max(numbers, key=lambda one: one.difference or 0, default=None),
    )


_Key = tuple[int, str, int]


def _epochs_of(run: Path) -> dict[_Key, Mapping[str, Any]]:
    """Return the lines of `metrics.jsonl` by job, phase and epoch.

    They are not compared with the checksums of the run: the replay checks them better.
    """
    file = run / METRICS
    try:
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return {(line["job"], line["phase"], line["epoch"]): line for line in lines}
    except OSError as error:
        raise RunFolderError(f"{file} cannot be read: {cause(error)}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"{file} cannot be read: it is truncated or damaged ({error}).") from error


def _of_epochs(
    before: Mapping[_Key, Mapping[str, Any]], now: Mapping[_Key, Mapping[str, Any]]
) -> Iterator[Divergence]:
    for key in (*before, *(one for one in now if one not in before)):
        job, phase, epoch = key
        if key not in before or key not in now:
            states = ["done" if key in lines else None for lines in (before, now)]
            yield Divergence(
                job=job, phase=phase, epoch=epoch, quantity="epoch", before=states[0], now=states[1]
            )
            continue
        first, second = _quantities(before[key]), _quantities(now[key])
        for name in first:
            if first[name] != second.get(name):
                yield Divergence(
                    job=job,
                    phase=phase,
                    epoch=epoch,
                    quantity=name,
                    before=first[name],
                    now=second.get(name),
                    difference=_difference(first[name], second.get(name)),
                )


def _quantities(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the quantities of an epoch by name; a quantity that influences others comes before them."""
    named = line.get("metric", {}).get("name")
    scores = _SHARES if named is None else (named, f"validation_{named}")
    numbers = {name: line.get(name) for name in (*_NUMBERS, *scores)}
    entropies = {f"entropy of {name}": value for name, value in line.get("entropy", {}).items()}
    return {**numbers, **entropies, **line.get("fingerprints", {})}


def _difference(before: Any, now: Any) -> float | None:  # noqa: ANN401 - a number, a digest or nothing
    if not isinstance(before, (int, float)) or not isinstance(now, (int, float)):
        return None
    return abs(before - now) / max(1.0, abs(before))


def _isolated(
    found: Sequence[Divergence], before: Mapping[_Key, object], run: Path, replay: Path
) -> list[Divergence]:
    """Return the differences of fingerprints after which the job continues or ends equal to the last bit."""
    differing = {(one.job, one.phase, one.epoch) for one in found}
    alone = []
    for one in found:
        if one.difference is not None or one.epoch is None or one.now is None:
            continue
        later = [key for key in before if key[:2] == (one.job, one.phase) and key[2] > one.epoch]
        if any(key not in differing for key in later) or (not later and _same_weights(one.job, run, replay)):
            alone.append(one)
    return alone


def _same_weights(job: int, run: Path, replay: Path) -> bool:
    files = [sorted((path / JOBS).glob(f"{job:04d}-*/weights.safetensors")) for path in (run, replay)]
    return all(files) and files[0][0].read_bytes() == files[1][0].read_bytes()


def _of_architectures(run: Path, replay: Path) -> Iterator[Divergence]:
    """Yield the jobs that have another architecture than in the run."""
    for file in sorted((run / JOBS).glob(f"*/{DESCRIPTION}")):
        other = replay / JOBS / file.parent.name / DESCRIPTION
        if not is_file(other) or other.read_bytes() != file.read_bytes():
            number = int(file.parent.name.partition("-")[0])
            now = "another" if is_file(other) else None
            yield Divergence(job=number, phase="", epoch=None, quantity="architecture", before="one", now=now)


def _text(value: Any) -> str:  # noqa: ANN401 - as above
    if value is None:
        return "none"
    return f"{value:.9g}" if isinstance(value, float) else str(value)
