"""The searches of a comparison, each a job of one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.errors import RunFolderError
from nascore.run import COMPARISON, COMPARISON_SCHEMA, JOB_SCHEMA, JOBS, checked, object_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nascore.recipe import Recipe

SEARCH, EVALUATE = "search", "evaluate"


@frozen(kw_only=True)
class Member:
    """One search of a comparison, before it is made.

    Attributes:
        choice: What it was given for the compared slots: ``{"updater": "xnas"}``.
        recipe: Its whole recipe.
        evaluation: The recipe by which what it finds is evaluated; None: it is not.
    """

    choice: Mapping[str, str]
    recipe: Recipe
    evaluation: Recipe | None = None

    @property
    def seed(self) -> int:
        """Its seed."""
        return int(self.recipe.run.seed)


@frozen(kw_only=True)
class Planned:
    """A job of a comparison.

    Attributes:
        folder: Of the run that it is, inside the comparison's.
        kind: `search` or `evaluate`.
        choice: What was given for the compared slots.
        seed: Of the run.
        of: Folder of the search whose architecture is evaluated; None for a search.
    """

    folder: str
    kind: str
    choice: Mapping[str, str]
    seed: int
    of: str | None = None


@frozen(kw_only=True)
class Plan:
    """All jobs of a comparison, in their order.

    Attributes:
        slots: The compared slots; none where only seeds differ.
        seeds: The seeds of each algorithm.
        jobs: The jobs.
    """

    slots: tuple[str, ...]
    seeds: tuple[int, ...]
    jobs: tuple[Planned, ...]

    def plain(self) -> dict[str, Any]:
        """Return the plan as JSON has it."""
        jobs = [
            {
                "folder": job.folder,
                "kind": job.kind,
                "choice": dict(job.choice),
                "seed": job.seed,
                **({} if job.of is None else {"of": job.of}),
            }
            for job in self.jobs
        ]
        return {"slots": list(self.slots), "seeds": list(self.seeds), "jobs": jobs}


def plan_of(members: tuple[Member, ...], names: tuple[str, ...]) -> Plan:
    """Return the plan of a comparison: an evaluation comes right after its search.

    Args:
        members: The searches, in their order.
        names: What each is called, without what cannot be in the name of a folder.
    """
    jobs: list[Planned] = []
    for member, name in zip(members, names, strict=True):
        folder = f"{JOBS}/{len(jobs) + 1:04d}-{name}"
        jobs.append(Planned(folder=folder, kind=SEARCH, choice=member.choice, seed=member.seed))
        if member.evaluation is not None:
            after = f"{JOBS}/{len(jobs) + 1:04d}-evaluate-{name}"
            jobs.append(
                Planned(folder=after, kind=EVALUATE, choice=member.choice, seed=member.seed, of=folder)
            )
    slots = tuple(dict.fromkeys(slot for member in members for slot in member.choice))
    seeds = tuple(dict.fromkeys(member.seed for member in members))
    return Plan(slots=slots, seeds=seeds, jobs=tuple(jobs))


def read_plan(path: Path) -> Plan:
    """Return the plan of a comparison's folder.

    Raises:
        RunFolderError: It cannot be read.
    """
    file = path / COMPARISON
    plain = checked(object_of(file), COMPARISON_SCHEMA, file, COMPARISON_SCHEMA)
    jobs = tuple(_planned(job, f"{file}, job {place}") for place, job in enumerate(plain["jobs"], start=1))
    folders = {job.folder: job.kind for job in jobs}
    if len(folders) < len(jobs) or any(job.of and folders.get(job.of) != SEARCH for job in jobs):
        raise RunFolderError(f"{file} cannot be read: its jobs contradict each other.")
    return Plan(slots=tuple(plain["slots"]), seeds=tuple(plain["seeds"]), jobs=jobs)


def _planned(plain: dict[str, Any], where: str) -> Planned:
    found = checked(plain, JOB_SCHEMA, where, ("folder", "kind", "choice", "seed"))
    return Planned(**{key: value for key, value in found.items() if key in JOB_SCHEMA})
