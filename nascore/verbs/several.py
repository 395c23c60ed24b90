"""Searches with several algorithms and seeds, for comparison."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from attrs import Factory, define, evolve, frozen

from nascore.comparison import (
    Comparison,
    Member,
    choice_words,
    compare_runs,
    is_ablation,
    read_ablation,
)
from nascore.config import settings_of
from nascore.errors import Origin, Problem, RecipeError, RunFailed, refusal, run_of
from nascore.files import given_path
from nascore.plugin import Selection
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN
from nascore.recipe.settling.recipe import published_size_layer, with_scaled_sizes
from nascore.recipe.settling.request import resolved, table_of
from nascore.recipe.settling.settle import resolve
from nascore.recipe.sources.names import name_component
from nascore.run import listed, read_result, refuse_taken
from nascore.slots import SLOTS_OF_EVALUATE
from nascore.verbs.arguments import SearchArguments, declares, request_of
from nascore.verbs.dry_run import check_search
from nascore.verbs.grid import EVALUATION, divided, expand_grid, refuse_too_many, settings_given
from nascore.verbs.reporter import FinishedSearches, Reporter
from nascore.verbs.resolution import ResolvedRequest, installed, resolve_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nascore.component import Component
    from nascore.contract import Observer
    from nascore.plugin import Registry
    from nascore.plugin.plugin import Wanted
    from nascore.recipe import Recipe, Request
    from nascore.verbs.dry_run import Checked
    from nascore.verbs.grid import SearchGrid


@frozen(kw_only=True)
class SettingScope:
    """Finds the names of a slot that a setting applies to.

    Attributes:
        slots: The names for each slot that has several.
        registry: The installed plugins.
    """

    slots: Mapping[str, tuple[str, ...]]
    registry: Registry

    def owners(self, path: str) -> tuple[str, ...]:
        """Return the names that a setting applies to; empty outside the compared slots, or if no name has it.

        A setting that no name has stays in every request, so that it is refused with the nearest valid one.

        Args:
            path: Its ``--set`` path, such as ``updater.eta``; a value may follow.
        """
        slot, _, word = re.split(r"[=\s]", path, maxsplit=1)[0].partition(".")
        return tuple(name for name in self.slots.get(slot, ()) if self._has(slot, name, word.split(".")[0]))

    def request_of(self, request: Request, choice: Mapping[str, str]) -> Request:
        """Return a request without the settings that apply only to names outside a combination."""
        return evolve(
            request,
            sets=[text for text in request.sets if self.applies(text, choice)],
            settings={path: value for path, value in request.settings.items() if self.applies(path, choice)},
        )

    def notes(self, request: Request) -> list[str]:
        """Return a note for each setting that does not apply to all names of its slot."""
        found = []
        for path in (*request.sets, *request.settings):
            slot, owners = path.partition(".")[0], self.owners(path)
            if owners and owners != self.slots[slot]:
                others = [name for name in self.slots[slot] if name not in owners]
                found.append(f"{path}: for {', '.join(owners)}; {', '.join(others)} has no such setting")
        return found

    def applies(self, path: str, choice: Mapping[str, str]) -> bool:
        """Return whether a setting applies to the components of a combination."""
        owners = self.owners(path)
        return not owners or choice[path.partition(".")[0]] in owners

    def _has(self, slot: str, name: str, word: str) -> bool:
        named = name_component(slot, name, Origin(kind="flag", flag=f"--{slot}", value=name), self.registry)
        component = named.choice.component
        return component is not None and word in settings_of(component.config)


@frozen(kw_only=True)
class ResolvedSearches:
    """Searches that can run.

    Attributes:
        members: The searches, seed by seed, so that a comparison that is stopped has all combinations.
        registry: The installed plugins.
        notes: The settings that apply to some of them only.
    """

    members: tuple[Member, ...]
    registry: Registry
    notes: tuple[str, ...] = ()

    @property
    def warned(self) -> list[Problem]:
        """The warnings of all searches and evaluations."""
        recipes = [one for member in self.members for one in (member.recipe, member.evaluation)]
        return [problem for recipe in recipes if recipe is not None for problem in recipe.warned]


@frozen(kw_only=True)
class CheckedSearches:
    """The result of a dry run of several searches.

    Attributes:
        members: The searches.
        notes: The settings that apply to some of them only.
        checked: A check for each combination of components, made with the first seed.
    """

    members: tuple[Member, ...]
    notes: tuple[str, ...]
    checked: tuple[tuple[Mapping[str, str], Checked], ...]


@declares(SearchArguments[str | Sequence[str | Path]])
def search_several(
    *,
    seeds: str | Iterable[int] | None = None,
    evaluate: bool = False,
    **arguments: Unpack[SearchArguments[str | Sequence[str | Path]]],
) -> Comparison:
    """Search with several algorithms and seeds, as ``nascore search --updater darts,xnas --seeds 0..4`` does.

    There is a search for each combination of the names of the slots, in its own folder in `out`. Several
    names of a list, such as `regularizer`, are those of every search. Accuracies on different data are not
    compared.

    Args:
        seeds: The seeds of every combination: numbers, or a text such as ``"0..4"``.
        evaluate: Whether each architecture that is found is evaluated: trained from scratch, tested once.
            It reads the settings ``training``; others of its own begin with ``evaluate.``.
        arguments: See :class:`nascore.verbs.arguments.SearchArguments`.

    Raises:
        RecipeError: The request has problems, or parts do not fit; the error has those of all searches.
        RunFailed: No search came to its end, or no evaluation; a RunFolderError: `out` cannot be used.
    """
    request, call = request_of(arguments)
    return search_several_as_requested(request, seeds=seeds, evaluate=evaluate, **call).comparison


def search_several_as_requested(  # noqa: PLR0913 - each by name
    request: Request,
    *,
    seeds: str | Iterable[int] | None,
    evaluate: bool = False,
    out: str | Path | None = None,
    plugins: Wanted = (),
    observers: Sequence[Observer] = (),
    reporter: Reporter | None = None,
) -> FinishedSearches:
    """Run the requested searches, from Python or the command line.

    Args:
        request: The request; a slot that holds one component may have several names.
        seeds: The seeds of every combination; None: that of the request.
        evaluate: Whether each found architecture is evaluated.
        out: Folder of all, new or empty. None: a new one where runs are kept.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        observers: Objects that watch every search.
        reporter: Receives warnings and jobs. None: that of a call from Python.

    Raises:
        RecipeError: The request has problems, or parts do not fit; the error has those of all searches.
        RunFailed: No search came to its end, or no evaluation; a RunFolderError: `out` cannot be used.
    """
    reporter = reporter or Reporter()
    resolved = resolve_searches(request, seeds=seeds, evaluate=evaluate, plugins=plugins, reporter=reporter)
    report_resolved(resolved, reporter)
    from nascore.engine.multi_search import search_several as run

    try:
        path = run(
            resolved.members,
            resolved.registry,
            out=None if out is None else given_path(out),
            observers=observers,
            began=reporter.job_begins,
            ended=reporter.job_ends,
            control=reporter.control,
            plugins=Selection.of(plugins),
        )
    except RunFailed as error:
        if (failed := run_of(error)) is not None:
            finished_searches(failed, resolved.warned, reporter)  # some searches may have results
        raise
    return finished_searches(path, resolved.warned, reporter)


def check_several(  # noqa: PLR0913 - each by name
    request: Request,
    *,
    seeds: str | Iterable[int] | None,
    evaluate: bool = False,
    out: str | Path | None = None,
    plugins: Wanted = (),
    reporter: Reporter | None = None,
) -> CheckedSearches:
    """Return what :func:`search_several_as_requested` would do with the same arguments."""
    reporter = reporter or Reporter()
    resolved = resolve_searches(request, seeds=seeds, evaluate=evaluate, plugins=plugins, reporter=reporter)
    report_resolved(resolved, reporter)
    if out is not None:
        refuse_taken(given_path(out))
    first = {tuple(member.choice.items()): member for member in reversed(resolved.members)}
    choices = dict.fromkeys(tuple(member.choice.items()) for member in resolved.members)
    checked = [
        (
            first[choice].choice,
            check_search(ResolvedRequest(recipe=first[choice].recipe, registry=resolved.registry)),
        )
        for choice in choices
    ]
    return CheckedSearches(members=resolved.members, notes=resolved.notes, checked=tuple(checked))


def report_resolved(resolved: ResolvedSearches, reporter: Reporter) -> None:
    """Report the recipe, the notes and the warnings of searches before they begin."""
    reporter.resolved(resolved.members[0].recipe)
    for note in resolved.notes:
        reporter.warn(note)
    reporter.warn_all(resolved.warned)


def finished_searches(path: Path, warned: Sequence[Problem], reporter: Reporter) -> FinishedSearches:
    """Report the results of searches, whether or not some failed, and return them.

    Args:
        path: The folder of the comparison.
        warned: The warnings that were reported before the searches began.
        reporter: Receives the table and further warnings.
    """
    for record in listed(path):
        reporter.warn_late(record.result or {}, warned)
    found = FinishedSearches(
        path=path,
        comparison=compare_runs([path]),
        result=read_result(path) or {},
        ablation=read_ablation(path) if is_ablation(path) else None,
    )
    reporter.compared(found)
    reporter.warn_failed(found.result)
    return found


def resolve_searches(
    request: Request,
    *,
    seeds: str | Iterable[int] | None,
    evaluate: bool = False,
    plugins: Wanted = (),
    reporter: Reporter | None = None,
) -> ResolvedSearches:
    """Return the searches of a request, each settled and checked as far as possible without training.

    Raises:
        RecipeError: Some searches cannot run; the error has the problems of all.
        PluginError: Plugins are missing or broken, and there is no other problem.
    """
    reporter = reporter or Reporter()
    grid = expand_grid(request, seeds)
    registry = installed(plugins)
    scope = SettingScope(slots=grid.slots, registry=registry)
    refuse_too_many(grid.count(scope.applies))
    run = reporter.run_component(SEARCH_RUN)
    resolver = _Resolver(
        grid=grid,
        scope=scope,
        choices=grid.choices(scope.applies),
        registry=registry,
        runs=(run, reporter.run_component(EVALUATE_RUN) if evaluate else None),
        reporter=reporter,
    )
    if len(resolver.choices) == 1:
        # Its refusal ends with a request that works.
        only = resolver.requests(resolver.choices[0], None)[0]
        resolve_request(only, plugins=plugins, run=run, reporter=reporter)
    numbers = (None,) if grid.seeds is None else grid.seeds
    members = [resolver.member(choice, seed) for seed in numbers for choice in resolver.choices]
    resolver.refuse()
    # The parts are built only where all recipes are sound.
    fit = tuple(resolver.fit(members))
    resolver.refuse()
    return ResolvedSearches(members=fit, registry=registry, notes=tuple(resolver.scope.notes(request)))


def _is_among(problem: Problem, others: Iterable[Problem]) -> bool:
    """Return whether a problem is among others, regardless of the origin of its value."""
    return any(evolve(problem, origin=other.origin) == other for other in others)


@define(kw_only=True)
class _Resolver:
    """Settles searches, and collects the problems of each combination.

    Attributes:
        grid: The compared names and values, and the seeds.
        scope: Finds the names that a setting applies to.
        choices: The combinations of names and values.
        registry: The installed plugins.
        runs: The components of the run itself: of a search, and of an evaluation; None: nothing is evaluated.
        reporter: Writes the command for the combinations that can run.
        refused: The problems of each combination that cannot run.
    """

    grid: SearchGrid
    scope: SettingScope
    choices: list[dict[str, str]]
    registry: Registry
    runs: tuple[Component, Component | None]
    reporter: Reporter
    refused: list[tuple[Mapping[str, str], list[Problem]]] = Factory(list)

    def member(self, choice: Mapping[str, str], seed: int | None) -> Member:
        """Return one settled search; its problems are collected."""
        request, evaluation = self.requests(choice, seed)
        recipe = resolved(request, self.registry, run=self.runs[0])
        if recipe.refused:
            self.add(choice, recipe.problems)
        return Member(choice=choice, recipe=recipe, evaluation=self._evaluation(choice, evaluation, recipe))

    def fit(self, members: Iterable[Member]) -> Iterator[Member]:
        """Yield the searches that can be built, with all warnings, and collect the problems of the others."""
        from nascore.engine.multi_search import check_member

        for member in members:
            checked = check_member(member, self.registry)
            if isinstance(checked, RecipeError):
                self.add(member.choice, checked.problems)
            else:
                yield checked

    def requests(self, choice: Mapping[str, str], seed: int | None) -> tuple[Request, Request]:
        """Return the request of a search, and that of the evaluation after it."""
        whole = self.scope.request_of(self.grid.request_of(choice, seed), choice)
        whole = self.grid.with_values(whole, choice, self.scope.applies)
        return divided(whole) if self.runs[1] is not None else (whole, whole)

    def add(self, choice: Mapping[str, str], problems: Iterable[Problem]) -> None:
        """Collect the problems of a combination; those of another seed that are equal are left out."""
        for known, found in self.refused:
            if known == choice:
                found += [problem for problem in problems if problem not in found]
                return
        self.refused.append((choice, list(problems)))

    def refuse(self) -> None:
        """Raise an error if a combination has problems.

        Raises:
            RecipeError: A combination cannot run.
            PluginError: All problems are faults of plugins.
        """
        if not self.refused:
            return
        every = [
            problem
            for problem in self.refused[0][1]
            if all(_is_among(problem, found) for _, found in self.refused)
        ]
        common = every if len(self.refused) == len(self.choices) else []
        problems = list(common)
        reported: dict[tuple[str, ...], list[Problem]] = {}
        for choice, found in self.refused:
            # A problem of every value of a setting, such as that there is no such setting, is reported once.
            before = reported.setdefault(tuple(choice[slot] for slot in self.grid.slots), [*common])
            others = [problem for problem in found if not _is_among(problem, before)]
            before += others
            if others:
                named = ", ".join(choice_words(choice))
                first = evolve(others[0], text=f"[{named}] {others[0].text}" if named else others[0].text)
                problems += [first, *others[1:]]
        error = refusal(problems)
        rest = self.grid.without([choice for choice, _ in self.refused], self.scope.applies)
        if isinstance(error, RecipeError) and rest is not None:
            # Settings of the evaluation are left out: the request is that of the search.
            request = divided(rest.request)[0] if self.runs[1] is not None else rest.request
            self.reporter.add_rest(error, request, rest.kept)
        raise error

    def _evaluation(self, choice: Mapping[str, str], request: Request, search: Recipe) -> Recipe | None:
        if self.runs[1] is None:
            return None
        if not settings_given(request, f"{EVALUATION}seed"):
            request = evolve(request, run={**request.run, "seed": search.run.seed})
        layers = request.layers(self.registry, slots=table_of(SLOTS_OF_EVALUATE))
        space = next(iter(search.parts.get("space", ())), None)
        declared = {} if space is None else space.component.sizes
        recipe = resolve(
            [published_size_layer(declared, f"space {space and space.name}"), *layers],
            self.registry,
            run=with_scaled_sizes(self.runs[1], declared),
            slots=SLOTS_OF_EVALUATE,
        )
        recipe = evolve(recipe, problems=tuple(recipe.with_origins(recipe.problems)))
        if recipe.refused:
            self.add(choice, recipe.problems)
        return recipe
