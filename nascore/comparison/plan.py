"""The plan of a comparison: its searches and evaluations, each of which is a run.

An evaluation trains the architecture that a search of the plan found, or one that is given.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from nascore.errors import RunFolderError
from nascore.run import (
    ARCHITECTURE,
    COMPARISON,
    COMPARISON_SCHEMA,
    JOB_SCHEMA,
    JOBS,
    RECIPE,
    RECIPES,
    checked,
    object_of,
)
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from nascore.recipe import Recipe

SEARCH, EVALUATE = "search", "evaluate"

MOST_LETTERS: Final = 24
"""Largest length of a value in the name of a folder; the plan has the whole value."""

_OPTIONAL: Final = ("recipe", "architecture", "key")

_UNFIT: Final = re.compile(r"[^A-Za-z0-9._+-]+")
"""Characters that a name of a folder should not have."""


@frozen(kw_only=True)
class Member:
    """One search of a comparison, or one evaluation of a given architecture, before it runs.

    Attributes:
        choice: The component of each compared slot, and the value of each compared setting that it has:
            ``{"updater": "xnas", "updater.eta": "0.1"}``.
        recipe: The complete recipe.
        evaluation: The recipe for evaluating the architecture that a search finds; None: no evaluation.
    """

    choice: Mapping[str, str]
    recipe: Recipe
    evaluation: Recipe | None = None

    def recipe_of(self, job: Planned) -> Recipe:
        """Return the recipe of its first job, or of the evaluation after it.

        Args:
            job: One of the two.
        """
        if job.of is None:
            return self.recipe
        assert self.evaluation is not None
        return self.evaluation

    @property
    def seed(self) -> int:
        """The seed of its recipe."""
        return int(self.recipe.run.seed)


@frozen(kw_only=True)
class Planned:
    """A job of a comparison.

    Attributes:
        folder: The folder of its run, relative to the comparison's.
        kind: `search` or `evaluate`.
        choice: The component of each compared slot, and the value of each compared setting.
        seed: The seed of the run.
        of: Folder of the search whose architecture it evaluates; None: that of no search.
        recipe: File of its recipe, relative to the comparison; empty if an earlier version made it.
        architecture: File of the given architecture that it evaluates, relative to the comparison; empty:
            none is given.
        key: Digest of its recipe, of a job that several variants of an ablation may share.
    """

    folder: str
    kind: str
    choice: Mapping[str, str]
    seed: int
    of: str | None = None
    recipe: str = ""
    architecture: str = ""
    key: str = ""

    @property
    def evaluated(self) -> str:
        """The file of the architecture that an evaluation trains, relative to the comparison."""
        return self.architecture or f"{self.of}/{ARCHITECTURE}"


@frozen(kw_only=True)
class Plan:
    """All jobs of a comparison, in their order.

    Attributes:
        slots: The compared slots, and the paths of the compared settings; none if only seeds differ.
        seeds: The seeds of each algorithm.
        jobs: The jobs.
    """

    slots: tuple[str, ...]
    seeds: tuple[int, ...]
    jobs: tuple[Planned, ...]

    def plain(self) -> dict[str, Any]:
        """Return the plan as values for JSON."""
        jobs = [
            {
                "folder": job.folder,
                "kind": job.kind,
                "choice": dict(job.choice),
                "seed": job.seed,
                **({} if job.of is None else {"of": job.of}),
                **{name: text for name in _OPTIONAL if (text := getattr(job, name))},
            }
            for job in self.jobs
        ]
        return {"slots": list(self.slots), "seeds": list(self.seeds), "jobs": jobs}


def choice_words(choice: Mapping[str, str], *, slots: bool = True) -> list[str]:
    """Return a combination in words: ``updater xnas`` for a component, ``updater.eta=0.1`` for a setting.

    Args:
        choice: The combination.
        slots: Whether a component has the name of its slot before it.
    """
    return [
        (f"{path} {text}" if slots else text) if is_slot(path) else f"{path}={text}"
        for path, text in choice.items()
    ]


def folder_words(choice: Mapping[str, str]) -> list[str]:
    """Return the settings of a combination for the name of a folder: ``eta=0.1``."""
    settings = {path: text for path, text in choice.items() if not is_slot(path)}
    last = [path.rpartition(".")[2] for path in settings]
    words = [name if last.count(name) == 1 else path for name, path in zip(last, settings, strict=True)]
    return [
        f"{word}={_UNFIT.sub('-', text)[:MOST_LETTERS].strip('-')}"
        for word, text in zip(words, settings.values(), strict=True)
    ]


def is_slot(path: str) -> bool:
    """Return whether a compared path is a slot, and not a setting."""
    return any(path == slot.name for slot in SLOTS)


def plan_of(members: tuple[Member, ...], names: tuple[str, ...]) -> Plan:
    """Return the plan of a comparison, with each evaluation directly after its search.

    Args:
        members: The searches, in their order.
        names: The name of each search, which must be valid in the name of a folder.
    """
    jobs: list[Planned] = []
    for member, name in zip(members, names, strict=True):
        search = _planned_job(len(jobs) + 1, SEARCH, name, member)
        jobs.append(search)
        if member.evaluation is not None:
            jobs.append(_planned_job(len(jobs) + 1, EVALUATE, f"evaluate-{name}", member, of=search.folder))
    slots = tuple(dict.fromkeys(slot for member in members for slot in member.choice))
    seeds = tuple(dict.fromkeys(member.seed for member in members))
    return Plan(slots=slots, seeds=seeds, jobs=tuple(jobs))


def _planned_job(number: int, kind: str, name: str, member: Member, of: str | None = None) -> Planned:
    return Planned(
        folder=f"{JOBS}/{number:04d}-{name}",
        kind=kind,
        choice=member.choice,
        seed=member.seed,
        of=of,
        recipe=f"{RECIPES}/{number:04d}/{RECIPE}",
    )


def planned_evaluation(number: int, name: str, member: Member, *, architecture: str, key: str) -> Planned:
    """Return the job of an evaluation of a given architecture.

    Args:
        number: The number of the job in the plan, from 1.
        name: Its name, which must be valid in the name of a folder after :func:`folder_name`.
        member: The evaluation.
        architecture: File of the architecture, relative to the comparison.
        key: Digest of its recipe.
    """
    job = _planned_job(number, EVALUATE, folder_name(name), member)
    return evolve(job, architecture=architecture, key=key)


def folder_name(text: str) -> str:
    """Return a text in the form of a folder's name."""
    return "=".join(_UNFIT.sub("-", part).strip("-") for part in text.split("="))


def jobs_of(plan: Plan, members: Sequence[Member]) -> Iterator[tuple[Planned, Member]]:
    """Yield each job of a plan with the member that it belongs to.

    Args:
        plan: The plan.
        members: Its searches, or its evaluations of a given architecture, in order.
    """
    left = iter(members)
    member = None
    for job in plan.jobs:
        if job.of is None:
            member = next(left)
        assert member is not None
        yield job, member


def read_plan(path: Path) -> Plan:
    """Return the plan of a comparison's folder.

    Raises:
        RunFolderError: The file cannot be read, or its jobs contradict each other.
    """
    file = path / COMPARISON
    plain = checked(object_of(file), COMPARISON_SCHEMA, file, COMPARISON_SCHEMA)
    jobs = tuple(_planned(job, f"{file}, job {place}") for place, job in enumerate(plain["jobs"], start=1))
    folders = {job.folder: job.kind for job in jobs}
    if len(folders) < len(jobs) or any(map(partial(_contradicts, folders), jobs)):
        raise RunFolderError(f"{file} cannot be read: its jobs contradict each other.")
    return Plan(slots=tuple(plain["slots"]), seeds=tuple(plain["seeds"]), jobs=jobs)


def _contradicts(kinds: Mapping[str, str], job: Planned) -> bool:
    """Return whether a job evaluates no search, or has both a search and a given architecture."""
    if job.kind == SEARCH or job.architecture:
        return job.of is not None or (job.kind == SEARCH and bool(job.architecture))
    return kinds.get(job.of or "") != SEARCH


def _planned(plain: dict[str, Any], where: str) -> Planned:
    found = checked(plain, JOB_SCHEMA, where, ("folder", "kind", "choice", "seed"))
    return Planned(**{key: value for key, value in found.items() if key in JOB_SCHEMA})
