"""Reports to the caller of a verb: warnings and jobs before the verb returns, and a request that works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.run import RunControl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from nascore.comparison import Ablation, Comparison, Planned
    from nascore.component import Component
    from nascore.errors import Problem
    from nascore.recipe import Recipe, Request
    from nascore.recipe.advice.nearest_mix import Suggestion, UnfitError

INDENT: Final = "  "


@frozen(kw_only=True)
class FinishedSearches:
    """Several searches whose jobs are over.

    Attributes:
        path: The folder of all.
        comparison: The table of their results.
        ablation: The contributions of tricks, if they are the trainings of an ablation.
        result: The contents of the folder's `result.json`.
    """

    path: Path
    comparison: Comparison
    result: Mapping[str, Any]
    ablation: Ablation | None = None


class Reporter:
    """The reporter of a call from Python: every warning is a line of the logger ``nascore``.

    The command line has a reporter of its own, which prints.

    Attributes:
        control: Decides when the run is saved and when it stops.
    """

    def __init__(self, control: RunControl | None = None) -> None:
        self.control = control or RunControl()

    def run_component(self, run: Component) -> Component:
        """Return the component of a run, with the observers that the caller wishes for."""
        return run

    def resolved(self, recipe: Recipe) -> None:
        """Receive the recipe of the first run, before anything is built for it."""

    def warn(self, text: str) -> None:
        """Receive a warning."""
        from logging import getLogger

        getLogger("nascore").warning("%s", text)

    def job_begins(self, number: int, jobs: int, job: Planned) -> None:
        """Receive the next job of several searches, its number from 1, and the number of all jobs."""

    def job_ends(self, number: int, jobs: int, job: Planned, error: str) -> None:
        """Receive the end of a job in another process: as :meth:`job_begins`, and its error, or nothing."""

    def compared(self, searches: FinishedSearches) -> None:
        """Receive several searches when all jobs are over, also where they failed."""

    def command(self, request: Request) -> str:
        """Return a command that makes a request; empty where the caller typed none."""
        del request
        return ""

    def warn_all(self, problems: Iterable[Problem]) -> None:
        """Report problems that do not keep a run from beginning, each once."""
        for problem in dict.fromkeys(problems):
            self.warn(str(problem))

    def warn_late(self, result: Mapping[str, Any], before: Iterable[Problem]) -> None:
        """Report the warnings of a result that were not reported before the run began."""
        reported = set(map(str, before))
        for text in result.get("warnings", ()):
            if text not in reported:
                self.warn(text)

    def warn_failed(self, result: Mapping[str, Any]) -> None:
        """Report how many jobs of a run failed, a warning for each reason."""
        jobs = result.get("jobs", {})
        planned = jobs.get("planned", jobs.get("done", 0) + jobs.get("failed", 0))
        by_reason: dict[str, list[str]] = {}
        for job, error in result.get("failures", {}).items():
            by_reason.setdefault(str(error).partition("\n")[0], []).append(job)
        for reason, names in by_reason.items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            self.warn(f"failed: {len(names)} of {planned} jobs ({names[0]}{more}): {reason}")

    def add_suggestion(self, error: UnfitError) -> None:
        """End the text of a misfit with the nearest request that works, or else with the parts that fit."""
        found = error.suggestion()
        error.add_note(_fitting_text(error.fitting()) if found is None else self._suggestion_text(found))

    def add_rest(self, error: Exception, rest: Request, kept: Mapping[str, Sequence[str]]) -> None:
        """End the refusal of some combinations with the request for the others.

        Args:
            error: The refusal.
            rest: The request for the others.
            kept: The remaining names of each slot, and values of each setting, that are combined.
        """
        command = self.command(rest)
        names = "; ".join(f"{path}: {', '.join(texts)}" for path, texts in kept.items())
        error.add_note(f"The others work:\n{INDENT}{command}" if command else f"The others work: {names}.")

    def _suggestion_text(self, found: Suggestion) -> str:
        warned = ", with a warning" if found.recipe.warned else ""
        changes = "; ".join(found.changes)
        command = self.command(found.request)
        if not command:
            return f"This works{warned}: {changes}."
        return f"This works{warned} ({changes}):\n{INDENT}{command}"


def _fitting_text(fitting: Mapping[str, Sequence[str]]) -> str:
    rows = [
        f"{INDENT}{slot}: {', '.join(names) or 'nothing that is installed'}"
        for slot, names in fitting.items()
    ]
    return "\n".join(["No two changes make it fit. What no refused need rejects:", *rows])
