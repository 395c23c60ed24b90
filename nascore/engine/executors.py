"""Builds the executor of a run, and warns of one that has no effect."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from nascore.engine.factory import build_component
from nascore.engine.proposals import searches_in_supernet
from nascore.errors import Problem
from nascore.slots import EXECUTOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.contract import Executor, Job
    from nascore.recipe import Recipe


class ThisProcess:
    """The executor of a recipe that names none: the job of a comparison, which is itself done by one."""

    workers = 1
    in_process = True

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        """Do the job."""
        future: Future[dict[str, Any]] = Future()
        future.set_result(job())
        return future

    def close(self) -> None:
        """Do nothing: no job is under way."""


def build_executor(recipe: Recipe) -> Executor:
    """Return the executor of a recipe, which has begun no job."""
    if EXECUTOR not in recipe.parts:
        return ThisProcess()
    executor: Executor = build_component(recipe, EXECUTOR)
    return executor


def idle_executor(recipe: Recipe) -> Iterator[Problem]:
    """Yield a warning if an executor was chosen for a search whose jobs depend on each other."""
    parts = recipe.parts.get(EXECUTOR, ())
    if searches_in_supernet(recipe):
        for part in parts:
            if part.name != "serial":
                text = (
                    f"{part.name} has no effect: a search in one supernet has two jobs, of which the second "
                    "needs the result of the first, so they are done one after the other in this process."
                )
                hint = (
                    "Several searches (--seeds 0..4) and growth runs (--growth random) have independent jobs."
                )
                yield Problem(path=EXECUTOR, text=text, origin=part.chosen_by, hint=hint, verdict="warned")
