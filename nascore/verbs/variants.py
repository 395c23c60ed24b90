"""Resolves the variants of an ablation: the recipe with all tricks, and those that differ from it in one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import Factory, define, evolve, frozen

from nascore.comparison import AblationPlan, Base, Member, Variant, VariantMember
from nascore.config import wrap, write_value
from nascore.errors import Origin, Problem, RecipeError, did_you_mean, refusal
from nascore.recipe import EVALUATE_RUN, Layer, resolve
from nascore.recipe.sources.layers import SlotChoice, Value
from nascore.recipe.sources.run_settings import EVALUATION_PATH, VALIDATION
from nascore.slots import RUN, SLOTS_OF_ABLATION, TRICK
from nascore.verbs.evaluate import layers_of_evaluation
from nascore.verbs.grid import MOST_SEARCHES, seeds_of, settings_given, split_names, two_seeds
from nascore.verbs.resolution import installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nascore.description import Description
    from nascore.plugin import Registry
    from nascore.plugin.plugin import Wanted
    from nascore.recipe import Recipe, Request
    from nascore.recipe.settling.recipe import Part
    from nascore.verbs.architecture import Target
    from nascore.verbs.evaluate import EvaluationLayers
    from nascore.verbs.reporter import Reporter

SWITCHES: Final = tuple(
    f"training.{name}" for name in ("drop_path", "auxiliary", "label_smoothing", "clip", "nesterov")
)
"""The settings that are tricks by nature; 0 or false switches them off."""


_ONE_SEED: Final = Problem(
    path="seeds",
    text="with one seed a contribution has no interval.",
    hint="Give several: --seeds 0..4",
    verdict="warned",
)


@frozen(kw_only=True)
class AblationRequest:
    """A request for an ablation.

    Attributes:
        request: The request for the recipe with all tricks.
        switch: Paths of settings that are measured beside the tricks.
        keep: Names of tricks that stay in every variant.
        base: The recipe that each variant differs from.
        seeds: The seeds of each variant; None: that of the recipe.
        test: Whether the test images measure the networks.
    """

    request: Request
    switch: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    base: Base = "full"
    seeds: str | Iterable[int] | None = None
    test: bool = False


@frozen(kw_only=True)
class ResolvedAblation:
    """An ablation that can run.

    Attributes:
        plan: The variants, without jobs.
        members: All trainings, seed by seed, so that an ablation that is stopped has all variants.
        description: The architecture.
        registry: The installed plugins.
    """

    plan: AblationPlan
    members: tuple[VariantMember, ...]
    description: Description
    registry: Registry

    @property
    def warned(self) -> list[Problem]:
        """The warnings of all variants."""
        found = [problem for one in self.members for problem in one.member.recipe.warned]
        return [*found, *([_ONE_SEED] if len(self.plan.seeds) == 1 else [])]


def resolve_ablation(
    target: Target, asked: AblationRequest, *, entry: int | None, plugins: Wanted, reporter: Reporter
) -> ResolvedAblation:
    """Return the variants of an ablation, each settled and checked as far as possible without training.

    Raises:
        RecipeError: The request has problems, or variants cannot run; the error has those of all variants.
        PluginError: Plugins are missing or broken, and there is no other problem.
        RunFolderError: The named run cannot be used.
    """
    registry, request = installed(plugins), asked.request
    tricks = request.names.get(TRICK)
    if tricks is not None:
        request = evolve(request, names={**request.names, TRICK: split_names(tricks)})
    run = reporter.run_component(EVALUATE_RUN)
    found = layers_of_evaluation(target, request, registry, entry=entry, run=run)
    resolver = _Resolver(asked=evolve(asked, request=request), found=found, registry=registry)
    return resolver.resolved(target)


@frozen(kw_only=True)
class _Draft:
    """A variant before it is settled.

    Attributes:
        name: Its name.
        switch: The trick or setting in which it differs from the base; empty for the base.
        on: The measured tricks and settings that are on.
    """

    name: str
    switch: str
    on: frozenset[str]


def _drafts(items: Sequence[str], base: Base) -> list[_Draft]:
    """Return the variants, the base first."""
    every: frozenset[str] = frozenset(items)
    if base == "full":
        others = [_Draft(name=f"without {item}", switch=item, on=every - {item}) for item in items]
        return [_Draft(name="full", switch="", on=every), *others]
    others = [_Draft(name=f"only {item}", switch=item, on=frozenset({item})) for item in items]
    return [_Draft(name="bare", switch="", on=frozenset()), *others]


@define(kw_only=True)
class _Resolver:
    """Settles the variants of an ablation, and collects their problems.

    Attributes:
        asked: The request.
        found: The architecture, and the layers of the recipe with all tricks.
        registry: The installed plugins.
        refused: The problems of each variant that cannot run, by its name.
    """

    asked: AblationRequest
    found: EvaluationLayers
    registry: Registry
    refused: dict[str, list[Problem]] = Factory(dict)

    def resolved(self, target: Target) -> ResolvedAblation:
        """Return the ablation.

        Raises:
            RecipeError: It cannot run.
        """
        seeds, problems = self._seeds()
        full = self._settled()
        problems += self._faults(full)
        if full.refused or problems:
            raise refusal([*full.problems, *problems])
        drafts = _drafts(self._items(full), self.asked.base)
        numbers = seeds or (int(full.run.seed),)
        if len(drafts) * len(numbers) > MOST_SEARCHES:
            count = f"{len(drafts)} variants and {len(numbers)} seeds make {len(drafts) * len(numbers):,}"
            text = f"{count} trainings, more than {MOST_SEARCHES:,}."
            raise RecipeError([Problem(path="seeds", text=text, hint="Give fewer seeds.")])
        members = [self._member(draft, full, seed) for seed in numbers for draft in drafts]
        self._refuse(drafts)
        members = self._built(members, drafts)
        self._refuse(drafts)
        choices = {one.variant: one.member.choice for one in members}
        variants = [
            Variant(name=draft.name, switch=draft.switch, choice=choices[draft.name], jobs={})
            for draft in drafts
        ]
        plan = AblationPlan(
            base=self.asked.base,
            target=str(target) if isinstance(target, (str, Path)) else type(target).__name__,
            split=_split(self.asked),
            seeds=numbers,
            variants=tuple(variants),
        )
        return ResolvedAblation(
            plan=plan,
            members=tuple(members),
            description=self.found.description,
            registry=self.registry,
        )

    def _seeds(self) -> tuple[tuple[int, ...], list[Problem]]:
        if self.asked.seeds is None:
            return (), []
        numbers, wrong = seeds_of(self.asked.seeds, self.asked.request)
        return numbers, [*wrong, *two_seeds(self.asked.request)]

    def _settled(self, *layers: Layer) -> Recipe:
        measure = _run_layer({"measure": _split(self.asked)}, Origin(kind="default", what="an ablation"))
        return resolve(
            [*self.found.layers, measure, *layers],
            self.registry,
            run=self.found.run,
            slots=SLOTS_OF_ABLATION,
        )

    def _faults(self, full: Recipe) -> list[Problem]:
        """Return the problems of the request beside those of the recipe with all tricks."""
        request, tricks = self.asked.request, [part.label for part in full.parts.get(TRICK, ())]
        typed = [origin for path in _MEASURE for origin in settings_given(request, path)]
        problems = [
            Problem(
                path="measure",
                text="an ablation chooses the images itself: validation images, so that the test images "
                "stay unseen.",
                origin=origin,
                hint=f"Leave it out, or measure on the test images with {_typed(request, 'test')}.",
            )
            for origin in typed
        ]
        for name in self.asked.keep:
            if name not in tricks:
                hint = did_you_mean(name, tricks) or f"The tricks are: {', '.join(tricks) or 'none'}."
                text = f"{name} is no trick of the recipe."
                problems.append(
                    Problem(path="keep", text=text, origin=request.origin("keep", name), hint=hint)
                )
        problems += [problem for path in self.asked.switch for problem in self._switch_faults(path, full)]
        if not full.refused and not problems and not self._items(full):
            text = "nothing is measured: the recipe has no trick"
            text += " beside those that are kept." if tricks else "."
            hint = f"Name tricks ({_typed(request, 'trick', 'cutout,ema')}; see nascore list trick), "
            hint += f"or settings ({_typed(request, 'switch', 'training.label_smoothing')})."
            problems.append(Problem(path=TRICK, text=text, hint=hint))
        return problems

    def _switch_faults(self, path: str, full: Recipe) -> list[Problem]:
        origin = self.asked.request.origin("switch", path)
        if path not in SWITCHES:
            text = f"{path} is no setting that can be switched off."
            if path in {part.label for part in full.parts.get(TRICK, ())}:
                text, hint = f"{path} is a trick of the recipe: it is measured anyway.", "Leave it out."
            elif f"training.{path}" in SWITCHES:
                hint = f"Did you mean training.{path}?"
            else:
                hint = did_you_mean(path, SWITCHES) or f"The settings are: {', '.join(SWITCHES)}."
            return [Problem(path="switch", text=text, origin=origin, hint=hint)]
        if not full.refused and not _value_at(full, path):
            text = f"it is {write_value(_value_at(full, path))} in this recipe, so it cannot be switched off."
            hint = f"Switch it on: --set {path}={_EXAMPLES[path]}"
            return [Problem(path=path, text=text, origin=origin, hint=hint)]
        return []

    def _items(self, full: Recipe) -> list[str]:
        """Return the tricks and settings that are measured."""
        tricks = [part.label for part in full.parts.get(TRICK, ()) if part.label not in self.asked.keep]
        return [*tricks, *dict.fromkeys(self.asked.switch)]

    def _member(self, draft: _Draft, full: Recipe, seed: int) -> VariantMember:
        """Return one settled training; its problems are collected."""
        measured = self._items(full)
        tricks = [
            part for part in full.parts.get(TRICK, ()) if part.label not in measured or part.label in draft.on
        ]
        off = [path for path in dict.fromkeys(self.asked.switch) if path not in draft.on]
        origin = Origin(kind="default", what=f"the variant {draft.name!r}")
        layers = [Layer(chosen={TRICK: tuple(map(_choice, tricks))}), _run_layer(_off(full, off), origin)]
        if self.asked.seeds is not None:
            layers.append(_run_layer({"seed": seed}, Origin(kind="flag", flag="--seeds", value=str(seed))))
        recipe = self._settled(*layers)
        if recipe.refused:
            self._add(draft.name, recipe.problems)
        choice = {TRICK: "+".join(part.label for part in tricks) or "none"}
        choice |= {path: write_value(_value_at(recipe, path)) for path in dict.fromkeys(self.asked.switch)}
        return VariantMember(variant=draft.name, member=Member(choice=choice, recipe=recipe))

    def _built(self, members: Sequence[VariantMember], drafts: Sequence[_Draft]) -> list[VariantMember]:
        """Return the trainings with all warnings; variants that cannot be built are collected."""
        from nascore.engine.ablation_run import check_variant

        found = list(members)
        for place in range(len(drafts)):  # the first seed of each variant: another seed changes nothing
            one = found[place]
            checked = check_variant(one.member.recipe, self.found.description, self.registry)
            if isinstance(checked, RecipeError):
                self._add(one.variant, checked.problems)
            else:
                found[place] = evolve(one, member=evolve(one.member, recipe=checked))
        return found

    def _add(self, variant: str, problems: Iterable[Problem]) -> None:
        known = self.refused.setdefault(variant, [])
        known += [problem for problem in problems if problem not in known]

    def _refuse(self, drafts: Sequence[_Draft]) -> None:
        """Raise an error if a variant has problems: those of all variants once, and those of each.

        Raises:
            RecipeError: A variant cannot run.
            PluginError: All problems are faults of plugins.
        """
        if not self.refused:
            return
        every = list(self.refused.values())
        common = [problem for problem in every[0] if all(problem in found for found in every)]
        if len(self.refused) < len(drafts):
            common = []
        problems = list(common)
        for name, found in self.refused.items():
            others = [problem for problem in found if problem not in common]
            if others:
                problems += [evolve(others[0], text=f"[{name}] {others[0].text}"), *others[1:]]
        needed = [
            draft.switch for draft in drafts if draft.name in self.refused and draft.switch not in SWITCHES
        ]
        if self.asked.base == "full" and needed and not common:
            text = "a trick can stay in every variant, and is not measured then."
            hint = f"Add {_typed(self.asked.request, 'keep', needed[0])}."
            problems.append(Problem(path="keep", text=text, hint=hint))
        raise refusal(problems)


_MEASURE: Final = ("measure", f"{EVALUATION_PATH}measure")

_EXAMPLES: Final = {
    "training.drop_path": "0.2",
    "training.auxiliary": "0.4",
    "training.label_smoothing": "0.1",
    "training.clip": "5",
    "training.nesterov": "true",
}
"""A value by which each setting is on."""


def _typed(request: Request, name: str, value: str = "") -> str:
    """Return an option as it is typed, or an argument as it is passed from Python; empty: a flag."""
    if request.from_python:
        return f"{name}={value or True!r}"
    return f"--{name} {value}".rstrip()


def _split(asked: AblationRequest) -> str:
    return "test" if asked.test else VALIDATION


def _run_layer(values: Mapping[str, Any], origin: Origin) -> Layer:
    """Return a layer with settings of the run."""
    return Layer(values=(Value(slot=RUN, component=None, node=wrap(dict(values), origin)),))


def _off(full: Recipe, paths: Iterable[str]) -> dict[str, Any]:
    """Return the settings of these paths, switched off."""
    off = {path.partition(".")[2]: type(_value_at(full, path))(0) for path in paths}
    return {"training": off} if off else {}


def _value_at(recipe: Recipe, path: str) -> Any:  # noqa: ANN401 - a number or a flag
    return getattr(recipe.training, path.partition(".")[2])


def _choice(part: Part) -> SlotChoice:
    return SlotChoice(component=part.component, origin=part.chosen_by, name=part.label)
