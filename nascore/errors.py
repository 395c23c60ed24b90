"""The exceptions of nascore, and the problems that they carry.

Every mistake that nascore finds becomes a :class:`Problem`: where it is, what is wrong there, where the
value came from and the nearest thing that works. All problems of one kind of input are collected and raised
together as one :class:`NascoreError`, whose class says with which exit code the command line ends.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from attrs import Factory, field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST: Final = 500
"""Letters of an error that are kept: a plugin must not fill a log or a screen."""

SMALLER: Final = (
    "Try a smaller batch (trainer.batch, training.batch), fewer channels or cells (space.channels, "
    "training.channels), or smaller or fewer images."
)
"""What makes a search take less memory."""

_EXHAUSTED: Final = (
    "allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "ALLOC_FAILED",
    "Storage size calculation overflowed",
)
_ASKED: Final = re.compile(r"[Tt]ried to allocate (?:([\d.]+ [KMGT]iB)|(\d+) bytes)")

Verdict = Literal["refused", "warned"]
OriginKind = Literal["default", "wish", "scale", "preset", "recipe", "flag", "set", "python"]
"""What sets values, the weakest first."""


def _words(words: Iterable[str]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


@frozen(kw_only=True)
class Origin:
    """Where a value came from; as text the place to look at: ``base.yaml:3:7``, ``--set trainer.epochs=5``.

    Attributes:
        kind: The layer that set it.
        who: Who set it, where nobody typed it: the part that wishes or declares it, the scale.
        what: The value among those of `who`: ``default``; empty: what the kind says.
        file: The file, or the name of the text, that it stands in.
        line: The line in the file, from 1; 0: not known.
        column: The column in the line, from 1; 0: not known.
        flag: The option (``--updater``), or the argument of a call from Python (``updater``).
        value: The text after the option, or the argument as Python writes it.
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
        """Whether it stands in a recipe or a preset, not in a command or a call."""
        return self.kind in ("preset", "recipe")

    @property
    def in_python(self) -> bool:
        """Whether it is an argument of a call from Python."""
        return self.kind == "python"


@frozen(kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        path: What one would type to reach it: ``updater.lr``, ``cells.normal.nodes.n0``.
        text: What is wrong, and what was expected.
        origin: Where the wrong value came from.
        hint: The nearest thing that works.
        verdict: ``refused`` stops the work, ``warned`` is printed and recorded.
        slots: The slots whose choice could cure it.
        missing: The distribution that would cure it, and is not installed.
        of_plugin: Whether it is a plugin's fault or absence, rather than the recipe's; it is where a
            distribution is missing.
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
            head = f"warned: {head}"
        line = f"{head} {self.hint}".rstrip()
        return line if self.origin is None else f"{line}\n     from {self.origin}"


class NascoreError(Exception):
    """Base of every error that nascore raises on purpose; carries all problems found.

    Args:
        problems: The problems, or the text of the only one.
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
    """Return the error of a recipe's problems: of plugins if none is the recipe's own."""
    found = tuple(problems)
    refused = [problem for problem in found if problem.verdict == "refused"]
    kind = PluginError if refused and all(problem.of_plugin for problem in refused) else RecipeError
    return kind(found)


class RunFolderError(NascoreError):
    """A run folder cannot be used (exit code 5)."""

    exit_code = 5


class RunFailed(NascoreError):  # noqa: N818 - it is what happened, not a kind of mistake
    """A run started and could not go on, for example on a loss that is not finite (exit code 1)."""


def out_of_memory_text(error: BaseException) -> str:
    """Return what to say of an error that means that memory was not enough; empty: it means something else.

    torch has several: an exception of its own on an accelerator, a plain RuntimeError on the CPU.
    """
    text = str(error) if isinstance(error, (RuntimeError, OSError)) else ""
    exhausted = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    if not exhausted and not any(sign in text for sign in _EXHAUSTED):
        return ""
    asked = _ASKED.search(text)
    much = "" if asked is None else f": {asked[1] or f'{int(asked[2]) / 2**30:,.1f} GiB'} more were asked for"
    return f"memory is not enough{much}. {SMALLER}"


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return ``Did you mean X?`` for the nearest choice, or an empty text where none is near."""
    # Capitals are a matter of style, until two choices differ by nothing else.
    exact = {choice: choice for choice in sorted(set(choices))}
    known = {choice.lower(): choice for choice in exact} | exact
    near: Sequence[str] = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    near = near or get_close_matches(word.lower(), sorted(known), n=1, cutoff=0.6)
    return f"Did you mean {known[near[0]]}?" if near else ""


def error_line(error: BaseException) -> str:
    """Return an error in one line; even its own text may raise, or be none that a file can hold."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # noqa: BLE001 - a plugin's own __str__
        text = "its text cannot be read"
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return f"{type(error).__name__}: {text[:LONGEST]}".rstrip(": ")
