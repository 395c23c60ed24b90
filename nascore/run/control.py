"""Controls when a run is saved and when it stops: at intervals, on request, or by a budget."""

from __future__ import annotations

import re
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal, get_args

from attrs import Factory, define, frozen

from nascore.errors import Problem, RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator

Unit = Literal["seconds", "steps", "jobs"]
OnNan = Literal["stop", "rewind"]

SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
"""Seconds in each unit of time."""

_DURATION: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([smhd])")
_COUNT: Final = re.compile(r"(\d{1,12})\s*(steps?|jobs?)")

CHECKPOINT_EVERY: Final = 600.0
"""Default number of seconds between two checkpoints."""


class BudgetSpentError(BaseException):
    """The budget of a run is spent; the run is saved and can be resumed.

    Not an `Exception`, since no job failed: code that continues after a failed job must stop now.
    """


@frozen(kw_only=True)
class Budget:
    """The amount of work after which a run is saved and stops.

    Attributes:
        amount: Seconds, steps or jobs.
        unit: The unit of the amount.
        text: The budget as it was typed: ``2h``.
    """

    amount: float
    unit: Unit
    text: str

    @classmethod
    def of(cls, text: str) -> Budget:
        """Return the budget in a text: ``90s``, ``30m``, ``2h``, ``1d``, ``500steps``, ``20jobs``.

        A leading plus sign is allowed and has no effect: a budget always counts from now.

        Raises:
            RecipeError: The text is not a budget.
        """
        bare = text.strip().removeprefix("+").strip().lower()
        if found := _DURATION.fullmatch(bare):
            budget = cls(amount=float(found[1]) * SECONDS[found[2]], unit="seconds", text=bare)
        elif found := _COUNT.fullmatch(bare):
            unit: Unit = "steps" if found[2].startswith("step") else "jobs"
            budget = cls(amount=int(found[1]), unit=unit, text=bare)
        else:
            raise RecipeError([_wrong("budget", text, "2h, 30m, 90s, 500steps or 20jobs")])
        if not budget.amount:
            raise RecipeError([_wrong("budget", text, "more than nothing")])
        return budget


def seconds_of(text: str) -> float:
    """Return the seconds of a duration: ``90s``, ``5m``, ``2h``, ``1d``.

    Raises:
        RecipeError: The text is not a duration.
    """
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        raise RecipeError([_wrong("checkpoint-every", text, "a duration: 90s, 5m or 1h")])
    return float(found[1]) * SECONDS[found[2]]


def _wrong(path: str, text: str, expected: str) -> Problem:
    return Problem(path=path, text=f"{text!r} is not {expected}.", hint="For example 30m.")


@define(kw_only=True)
class RunControl:
    """Decides when a run is saved and when it stops.

    Attributes:
        every: Seconds between two checkpoints of a job; 0: one after each step.
        budget: The budget of the run; None: no limit.
        on_nan: Reaction to a loss that is not finite: `stop` the run, or `rewind` to the last checkpoint and
            halve the learning rate.
        requested: Whether a stop was requested, as by Ctrl-C.
        waiting: Whether a requested stop waits for the end of the current step, or for the first job.
        began: Start of the run in this process, in seconds of the monotonic clock.
        steps: Number of steps since then.
        jobs: Number of jobs finished since then.
    """

    every: float = CHECKPOINT_EVERY
    budget: Budget | None = None
    on_nan: OnNan = "stop"
    requested: bool = False
    waiting: bool = False
    began: float = Factory(monotonic)
    steps: int = 0
    jobs: int = 0

    @contextmanager
    def finishing_steps(self) -> Iterator[None]:
        """In the body, a requested stop waits until the current step is finished and saved."""
        self.waiting = True
        try:
            yield
        finally:
            self.waiting = False

    def spent(self) -> bool:
        """Return whether the budget is spent."""
        if self.budget is None:
            return False
        done = {"seconds": monotonic() - self.began, "steps": self.steps, "jobs": self.jobs}
        return done[self.budget.unit] >= self.budget.amount

    def stop_if_due(self) -> None:
        """Stop if a stop was requested or the budget is spent.

        Raises:
            KeyboardInterrupt: A stop was requested.
            BudgetSpentError: The budget is spent.
        """
        if self.requested:
            raise KeyboardInterrupt
        if self.spent():
            raise BudgetSpentError


def control_of(budget: str | None, checkpoint_every: str | None, on_nan: OnNan | None = None) -> RunControl:
    """Return the control of a run from the texts of a command line.

    Args:
        budget: The budget; None: no limit.
        checkpoint_every: The time between two checkpoints; None: the default.
        on_nan: Reaction to a loss that is not finite; None: `stop`.

    Raises:
        RecipeError: Texts are invalid; the error has all problems.
    """
    control = RunControl(on_nan=on_nan or "stop")
    problems: list[Problem] = []
    if control.on_nan not in get_args(OnNan):
        problems.append(Problem(path="on-nan", text=f"{on_nan!r} is neither stop nor rewind."))
    try:
        control.budget = None if budget is None else Budget.of(budget)
    except RecipeError as error:
        problems += error.problems
    try:
        control.every = control.every if checkpoint_every is None else seconds_of(checkpoint_every)
    except RecipeError as error:
        problems += error.problems
    if problems:
        raise RecipeError(problems)
    return control
