"""The exceptions of nascore, the problems that they carry, and the run that an exception ended.

Every mistake becomes a :class:`Problem`: its path, its text, the origin of the wrong value, and a hint at the
nearest correct input. All problems of an input are collected and raised together as one
:class:`NascoreError`, whose class determines the exit code of the command line.

The run that an exception ended is a note on the exception: Python prints it under the traceback, and the
command line reads it to name the log.
"""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from errno import EACCES, EDQUOT, EISDIR, ENOSPC, ENOTDIR, EPERM, EROFS
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from attrs import Factory, asdict, field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LONGEST: Final = 500
"""The maximal length of an error's text: a plugin must not fill a log or a screen."""

SMALLER: Final = (
    "Try a smaller batch (trainer.batch, ranking.batch, training.batch), fewer channels or cells "
    "(space.channels, ranking.channels, training.channels), or smaller or fewer images."
)
"""The hint for errors of memory."""

_EXHAUSTED: Final = (
    "allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "ALLOC_FAILED",
    "Storage size calculation overflowed",
)
_REQUEST: Final = re.compile(r"[Tt]ried to allocate (?:([\d.]+ [KMGT]iB)|(\d+) bytes)")

_CAUSES: Final = {
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the disk is read-only",
    ENOSPC: "the disk is full",
    EDQUOT: "your disk quota is used up",
    EISDIR: "it is a folder",
    ENOTDIR: "part of its path is a file",
}
"""Texts of the usual errors of files."""

_NOTE: Final = "The run is kept in "
_GONE: Final = "The folder of the run is gone: "

Verdict = Literal["refused", "warned"]
OriginKind = Literal["default", "wish", "scale", "preset", "recipe", "flag", "set", "python"]
"""The kinds of origins of a value, lowest precedence first."""


def _words(words: Iterable[str]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


@frozen(kw_only=True)
class Origin:
    """The origin of a value; printed as a place: ``base.yaml:3:7``, ``--set trainer.epochs=5``.

    Attributes:
        kind: The kind of layer that sets the value.
        who: The part that wishes or declares the value, or the scale; empty for typed values.
        what: A description that replaces the one of the kind: ``default``.
        file: The file, or the name of the text.
        line: The line in the file, from 1; 0 if unknown.
        column: The column in the line, from 1; 0 if unknown.
        flag: The option (``--updater``), or the argument of a call from Python (``updater``).
        value: The text after the option, or the argument as Python prints it.
    """

    kind: OriginKind
    who: str = ""
    what: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    flag: str = ""
    value: str = ""

    def __str__(self) -> str:
        if self.file:
            return ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])
        if self.flag or self.value:
            join = "=" if self.kind == "python" else " "
            return join.join(filter(None, (self.flag, self.value)))
        if self.what:
            return f"{self.what} of {self.who}" if self.who else self.what
        words = {"wish": "wished by ", "scale": "scale "}
        return f"{words.get(self.kind, '')}{self.who}"

    @property
    def in_file(self) -> bool:
        """Whether the value is from a recipe or a preset, not from a command or a call."""
        return self.kind in ("preset", "recipe")

    @property
    def in_python(self) -> bool:
        """Whether the value is an argument of a call from Python."""
        return self.kind == "python"


@frozen(kw_only=True)
class Problem:
    """One fault of an input.

    Attributes:
        path: The path of the wrong value: ``updater.lr``, ``cells.normal.nodes.n0``.
        text: The fault, and the expected value.
        origin: The origin of the wrong value.
        hint: The nearest correct input.
        verdict: ``refused`` stops the work, ``warned`` is printed and recorded.
        slots: The slots in which another component could solve it.
        missing: The distribution to install.
        of_plugin: Whether a plugin is faulty or missing, so that the recipe itself may be right; always true
            where a distribution is missing.
    """

    path: str
    text: str
    origin: Origin | None = None
    hint: str = ""
    verdict: Verdict = "refused"
    slots: tuple[str, ...] = field(default=(), converter=_words)
    missing: str = ""
    of_plugin: bool = Factory(lambda self: bool(self.missing), takes_self=True)

    def __str__(self) -> str:
        head = f"{self.path}: {self.text}" if self.path else self.text
        if self.verdict == "warned":
            head = f"warning: {head}"
        line = f"{head} {self.hint}".rstrip()
        return line if self.origin is None else f"{line}\n     from {self.origin}"


class NascoreError(Exception):
    """Base class of all errors that nascore raises on purpose; holds all problems.

    Args:
        problems: The problems, or the text of a single one.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problems: Iterable[Problem] | str) -> None:
        self.problems: tuple[Problem, ...] = (
            (Problem(path="", text=problems),) if isinstance(problems, str) else tuple(problems)
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RecipeError(NascoreError):
    """A recipe, a setting or a combination is wrong (exit code 3)."""

    exit_code = 3


class DescriptionError(RecipeError):
    """A description, a genotype or an edit of one is wrong (exit code 3)."""


class PluginError(NascoreError):
    """A plugin is missing, broken or ambiguous (exit code 4)."""

    exit_code = 4


def refusal(problems: Iterable[Problem]) -> NascoreError:
    """Return the error of some problems: a PluginError if all refused ones are of plugins."""
    found = tuple(problems)
    refused = [problem for problem in found if problem.verdict == "refused"]
    kind = PluginError if refused and all(problem.of_plugin for problem in refused) else RecipeError
    return kind(found)


class RunFolderError(NascoreError):
    """A run folder cannot be used (exit code 5)."""

    exit_code = 5


class ImageError(NascoreError):
    """Image files for a prediction cannot be used (exit code 2)."""

    exit_code = 2


class RunFailed(NascoreError):  # noqa: N818 - an event, not a mistake
    """A run started but could not continue, for example on a loss that is not finite (exit code 1)."""


class NotFiniteError(RunFailed):
    """A loss, a weight, an architecture parameter or an output is not finite (exit code 1)."""


class RunStopped(NascoreError):  # noqa: N818 - as above
    """The budget of a run was spent before it found an architecture; it can be resumed (exit code 0)."""

    exit_code = 0


def plain_error(error: NascoreError) -> dict[str, Any]:
    """Return an error as values for JSON, to be raised again in another process."""
    return {"class": type(error).__name__, "problems": [asdict(problem) for problem in error.problems]}


def error_of(plain: Mapping[str, Any]) -> NascoreError:
    """Return the error that :func:`plain_error` returned the values of."""
    classes = (RecipeError, DescriptionError, PluginError, RunFolderError, RunFailed, NotFiniteError)
    kinds = {kind.__name__: kind for kind in classes}
    kind = kinds.get(plain["class"], NascoreError)
    return kind([problem_of(one) for one in plain["problems"]])


def problem_of(plain: Mapping[str, Any]) -> Problem:
    """Return the problem of the values that `attrs.asdict` gives."""
    origin = None if plain["origin"] is None else Origin(**plain["origin"])
    return Problem(**{**plain, "origin": origin})


def out_of_memory_text(error: BaseException) -> str:
    """Return the message for an error that means too little memory; empty for any other error.

    torch raises an exception of its own on an accelerator, and a plain RuntimeError on the CPU.
    """
    text = str(error) if isinstance(error, (RuntimeError, OSError)) else ""
    exhausted = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    if not exhausted and not any(sign in text for sign in _EXHAUSTED):
        return ""
    request = _REQUEST.search(text)
    if request is None:
        return f"there is not enough memory. {SMALLER}"
    size = request[1] or f"{int(request[2]) / 2**30:,.1f} GiB"
    return f"there is not enough memory: {size} more were requested. {SMALLER}"


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return ``Did you mean X?`` for the nearest choice, or an empty text where none is near."""
    # Case is ignored, unless two choices differ only by case.
    exact = {choice: choice for choice in sorted(set(choices))}
    known = {choice.lower(): choice for choice in exact} | exact
    near: Sequence[str] = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    near = near or get_close_matches(word.lower(), sorted(known), n=1, cutoff=0.6)
    return f"Did you mean {known[near[0]]}?" if near else ""


def error_line(error: BaseException) -> str:
    """Return an error in one line; also for errors whose text raises or cannot be encoded."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # noqa: BLE001 - a plugin's own __str__
        text = "its text cannot be read"
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return f"{type(error).__name__}: {text[:LONGEST]}".rstrip(": ")


def cause(error: OSError) -> str:
    """Return the cause of an `OSError` without the path, which the caller's message names already."""
    if error.errno in _CAUSES:
        return _CAUSES[error.errno]
    return error.strerror or str(error) or type(error).__name__


def mark(error: BaseException, folder: Path) -> None:
    """Add a note to an exception that names the run that it ended; a first note stays."""
    if run_of(error) is None:
        error.add_note(f"{_NOTE if os.access(folder, os.F_OK) else _GONE}{folder}")


def mark_whole(error: BaseException, folder: Path) -> None:
    """Replace an exception's note of the single run with one that names the comparison it ended."""
    notes: list[str] = getattr(error, "__notes__", [])
    notes[:] = [note for note in notes if not note.startswith((_NOTE, _GONE))]
    mark(error, folder)


def run_of(error: BaseException) -> Path | None:
    """Return the folder of the run that an exception ended; None if it ended no run.

    The folder may be gone: somebody may have removed it during the run.
    """
    for note in getattr(error, "__notes__", ()):
        for start in (_NOTE, _GONE):
            if note.startswith(start):
                return Path(note.removeprefix(start))
    return None


def further_notes(error: BaseException) -> list[str]:
    """Return the notes of an exception that do not name its run."""
    return [note for note in getattr(error, "__notes__", ()) if not note.startswith((_NOTE, _GONE))]
