"""Settles layers into a recipe: fills every slot once, in order.

A named component is never replaced. A slot without one takes the wishes of the parts in earlier slots, in the
order of the wishers, and at last those of the run. Each wished component is checked against the needs of all
parts known so far, in both directions: the first sound one is taken, else the first with a warning, else the
first. The settings of a wish apply whenever its component fills the slot, whoever chose it, so that writing
down a wished component changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import Factory, define, evolve, frozen

from nascore.config import Reading, SettingsOwner, merge, mistakes, settings_of, structure, wrap
from nascore.errors import Origin, Problem
from nascore.plugin.guard import guarded, provided
from nascore.plugin.known import absence
from nascore.recipe.settling.carried import (
    DATA,
    carried_problems,
    carried_rows,
    evaluation_layers,
    is_evaluation,
    ranking_problems,
    with_evaluation_layers,
)
from nascore.recipe.settling.execution import execution_problems
from nascore.recipe.settling.fit import check_fit, unused_values
from nascore.recipe.settling.misfit import need_text, worst_unmet_need
from nascore.recipe.settling.recipe import DeclinedWish, Part, Recipe, with_scaled_sizes
from nascore.recipe.sources.files import OF_FILES
from nascore.recipe.sources.layers import Layer, stack
from nascore.recipe.sources.plugin_versions import (
    contributor_warnings,
    explained,
    lost_plugin_warnings,
    lost_plugins,
)
from nascore.recipe.sources.run_settings import DATASET, EVALUATE_RUN, SEARCH_RUN, preset_data_warnings
from nascore.shell import command_line
from nascore.slots import RUN, SLOTS, TRICK

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from nascore.component import Component
    from nascore.config import Node
    from nascore.plugin import Registry
    from nascore.plugin.known import Absence
    from nascore.recipe.sources.layers import SlotChoice, Stack, Value
    from nascore.recipe.sources.plugin_versions import Lost
    from nascore.slots import Slot


@frozen(kw_only=True, eq=False)
class Option:
    """A component that could fill a slot, with or without the settings of a wish.

    Attributes:
        component: The component.
        chosen_by: Where it was named.
        wished: The settings of the wish.
        by: The name of the wisher; empty without a wish.
    """

    component: Component
    chosen_by: Origin
    wished: Node | None = None
    by: str = ""


@frozen(kw_only=True, eq=False)
class JudgedOption:
    """An option with its settings read, and its severity by the needs.

    Attributes:
        option: The option.
        part: The component with its settings.
        problems: The problems of its settings.
        severity: 0 sound, 1 warned, 2 refused.
        why: The worst unmet need, in words.
    """

    option: Option
    part: Part
    problems: tuple[Problem, ...]
    severity: int = 0
    why: str = ""

    def declined(self) -> DeclinedWish:
        """Return the wish, marked as declined."""
        return DeclinedWish(slot=self.part.slot, wish=self.part.name, by=self.option.by, why=self.why)


def named_options(choice: SlotChoice, wishes: Sequence[Option]) -> list[Option]:
    """Return the options for a named component: with the settings of each wish for it, and without any."""
    assert choice.component is not None
    wished = [
        Option(component=wish.component, chosen_by=choice.origin, wished=wish.wished, by=wish.by)
        for wish in wishes
        if wish.component is choice.component
    ]
    return [*wished, Option(component=choice.component, chosen_by=choice.origin)]


def applies_to(value: Value, component: Component) -> bool:
    """Return whether settings apply to a component: by its name, or as the component of its slot."""
    if value.slot == RUN and value.component is not None:
        # A run with an observer is another object of the same name.
        return component.slot == RUN and value.component.name == component.name
    return value.slot == component.slot and value.component in (None, component)


def paths_of(run: Component, slots: Sequence[Slot], registry: Registry) -> Callable[[str], list[str]]:
    """Return a function from a setting's name to the paths of all settings of that name.

    Settings of slots that hold several components, such as tricks, are left out if others have the name.
    """

    def in_slots(name: str, *, many: bool) -> list[str]:
        components = (one for slot in slots if slot.many is many for one in registry.components(slot.name))
        return [f"{one.prefix}{name}" for one in components if name in settings_of(one.config)]

    def paths(name: str) -> list[str]:
        configs = (run.config, EVALUATE_RUN.config) if run.name == SEARCH_RUN.name else (run.config,)
        groups = [
            declared for config in configs for declared in settings_of(config).values() if declared.nested
        ]
        found = [f"{group.name}.{name}" for group in groups if name in settings_of(group.type)]
        found = [*in_slots(name, many=False), *found] or in_slots(name, many=True)
        return list(dict.fromkeys(found))

    return paths


def owners(component: Component, registry: Registry) -> Callable[[str], list[str]]:
    """Return a function from a setting's name to the other components of the slot that have it."""

    def who_has(name: str) -> list[str]:
        others = (other for other in registry.components(component.slot) if other is not component)
        return [other.name for other in others if name in settings_of(other.config)]

    return who_has


_UNNAMED: Final = Origin(kind="default", what="neither preset nor recipe is given")

DEFAULT_SCALE: Final = Layer(scale=("mini", _UNNAMED))
"""The lowest layer of a request that names neither preset nor recipe nor scale."""


def scale_problems(slot: Slot, stack: Stack, wishes: Sequence[Option], registry: Registry) -> list[Problem]:
    """Return a problem where the default scale meets a data set that no part wishes for.

    The settings of scale mini were measured on the default data set only.
    """
    if slot.name != "dataset" or stack.scale is None or stack.scale[1] != _UNNAMED:
        return []
    wished = [option.component for option in wishes]
    default = ", ".join(dict.fromkeys(component.name for component in wished))
    options = "--scale mini (a laptop check), --scale small (an hour), --scale paper or --recipe FILE"
    presets = sorted(registry.presets())
    if presets:
        options += f", or a preset of `nascore list preset`, such as {command_line('--preset', presets[0])}"
    return [
        Problem(
            path="scale",
            text="unless you give a preset, a recipe or a scale, only "
            f"{f'data set {default}' if default else 'the default data set'} can be used, "
            f"not {choice.component.name}.",
            origin=choice.origin,
            hint=f"Add {options}.",
            slots=("dataset",),
        )
        for choice in stack.chosen.get(slot.name, ())
        if choice.component is not None and choice.component not in wished
    ]


def no_component_problem(slot: Slot, run: Component, registry: Registry) -> Problem:
    """Return the problem of a slot without a component.

    Args:
        slot: The slot.
        run: The run, whose wishes are the defaults.
        registry: The installed components.
    """
    wished = list(_default_names(slot, run))
    for name in wished:
        ambiguous = registry.ambiguous(slot.name, name)
        if ambiguous:
            text = f"no {slot.name} is chosen: {len(ambiguous)} plugins bring the default {name}."
            return _slot_problem(slot, text, f"Write --{slot.name} {' or '.join(ambiguous)}.", of_plugin=True)
    option = f"--{slot.name} NAME: {', '.join(registry.shown(slot.name)) or 'none is installed'}."
    why = _default_absence(slot, wished, registry)
    if why is None:
        return _slot_problem(slot, f"no {slot.name} is chosen.", f"Write {option}")
    text = f"no {slot.name} is chosen, and {why.who}, which brings the default, {why.state}."
    hint = f"{why.cure}, or write {option}" if why.missing else f"{why.cure} Or write {option}"
    return _slot_problem(slot, text, hint, of_plugin=True, missing=why.missing)


def _default_absence(slot: Slot, wished: Iterable[str], registry: Registry) -> Absence | None:
    """Return why no default is available; an installed plugin that is not ready comes first."""
    found = [
        why for why in (absence(slot.name, name, registry.plugins) for name in wished) if why is not None
    ]
    return min(found, key=lambda why: bool(why.missing), default=None)


def _slot_problem(slot: Slot, text: str, hint: str, *, of_plugin: bool = False, missing: str = "") -> Problem:
    slots = (slot.name,)
    return Problem(path=slot.name, text=text, hint=hint, slots=slots, missing=missing, of_plugin=of_plugin)


def _default_names(slot: Slot, run: Component) -> Iterator[str]:
    wish = run.wishes.get(slot.name, [])
    for item in wish if isinstance(wish, list) else [wish]:
        yield item if isinstance(item, str) else item[0]


FIRST_WISHERS: Final = ("updater", "growth", "space")
"""The slots whose wishes come first, in this order; then the other slots, and at last the run."""


def resolve(
    layers: Iterable[Layer],
    registry: Registry,
    *,
    run: Component = SEARCH_RUN,
    slots: Sequence[Slot] = SLOTS,
    explain: bool = True,
) -> Recipe:
    """Return the recipe of some layers, with all problems; its parts are checked against each other.

    Args:
        layers: The layers of all sources, lowest first.
        registry: The installed components.
        run: The component of the run itself.
        slots: The slots to fill, in order; choices for other slots are ignored.
        explain: Whether misfits get a text, which takes half of the time.

    Returns:
        The recipe with all problems, warnings too; nothing is raised.
    """
    layers = tuple(with_evaluation_layers(layers) if is_evaluation(run) else layers)
    unsure = any(layer.unread for layer in layers)
    settling = _Settling(stack=stack(layers), registry=registry, run=run, slots=tuple(slots), unsure=unsure)
    settling.settle()
    recipe = Recipe(
        parts={slot: tuple(parts) for slot, parts in settling.known.items()},
        slots=settling.slots,
        scale=settling.stack.scale,
        declined=tuple(settling.declined),
    )
    problems = [problem for layer in layers for problem in layer.problems]
    problems += _name_problems(settling, lost_plugins(layers, registry))
    problems += settling.problems
    if is_evaluation(run):
        problems += ranking_problems(layers)
    elif given := evaluation_layers(layers):
        evaluation = _evaluation(given, recipe, registry)
        recipe = evolve(recipe, evaluation=tuple(carried_rows(evaluation, given)))
        problems += carried_problems(evaluation)
    if not unsure:
        written = any(layer.by_run or layer.made_with for layer in layers)
        problems += contributor_warnings(layers, recipe)
        problems += unused_values(recipe, settling.stack)
        problems += preset_data_warnings(layers, settling.stack) if DATASET in recipe.parts else ()
        problems += check_fit(recipe, registry, explain=explain, written=written)
    return evolve(recipe, problems=tuple(dict.fromkeys(problems)))


def _missing_wishes(
    found: Iterable[Option | DeclinedWish], taken: Collection[Option]
) -> Iterator[DeclinedWish]:
    """Yield the wishes for missing components, up to the option that is taken."""
    for wish in found:
        if wish in taken:
            return
        if isinstance(wish, DeclinedWish):
            yield wish


def _evaluation(layers: Iterable[Layer], search: Recipe, registry: Registry) -> Recipe:
    """Return the recipe of the evaluation after a search, of the layers that are for it."""
    spaces = search.parts.get("space", ())
    run = with_scaled_sizes(EVALUATE_RUN, spaces[0].component.sizes if spaces else {})
    return resolve(layers, registry, run=run, slots=[slot for slot in SLOTS if slot.name in {*DATA, TRICK}])


def _name_problems(settling: _Settling, lost: Mapping[str, Lost]) -> list[Problem]:
    """Return the problems of the names in force; names that a higher layer replaced are ignored."""
    names = {slot.name for slot in settling.slots}
    chosen = [
        choice for slot, choices in settling.stack.chosen.items() if slot in names for choice in choices
    ]
    unexplained = [choice.problem for choice in chosen if choice.problem is not None]
    problems = [explained(problem, lost) if problem.slots else problem for problem in unexplained]
    executions = execution_problems(settling.known[RUN][0], settling.registry, lost)
    problems += executions
    # One problem that names a missing plugin is enough: no warning about the recipe's plugins on top.
    if any(problem.of_plugin and (problem.slots or problem in executions) for problem in problems):
        return problems
    return [*problems, *lost_plugin_warnings(lost)]


@define(kw_only=True, eq=False)
class _Settling:
    """The state of settling one recipe.

    Attributes:
        stack: The layers, laid over each other.
        unsure: Whether a file could not be read: problems of unnamed slots may then be false.
        known: The parts that take part in needs so far: of settled slots, and those named for later slots.
        read: The named options without a wish, once read.
    """

    stack: Stack
    registry: Registry
    run: Component
    slots: tuple[Slot, ...]
    unsure: bool
    known: dict[str, list[Part]] = Factory(dict)
    problems: list[Problem] = Factory(list)
    declined: list[DeclinedWish] = Factory(list)
    read: dict[tuple[Component, Origin], JudgedOption] = Factory(dict)

    def settle(self) -> None:
        """Fill every slot."""
        core = self._read(Option(component=self.run, chosen_by=Origin(kind="default", what="the core")))
        self.known[RUN] = [core.part]
        self.problems += core.problems
        for slot in self.slots:
            plain = [named_options(choice, [])[0] for choice in self._chosen(slot)]
            if plain:
                self.known[slot.name] = [self._read(option).part for option in plain]
        for slot in self.slots:
            self._fill(slot)

    def _chosen(self, slot: Slot) -> list[SlotChoice]:
        """Return the components named for a slot, without unknown names, which are problems already."""
        return [choice for choice in self.stack.chosen.get(slot.name, ()) if choice.component is not None]

    def _fill(self, slot: Slot) -> None:
        found = list(self._wishes(slot))
        wishes = [one for one in found if isinstance(one, Option)]
        self.problems += scale_problems(slot, self.stack, wishes, self.registry)
        named = slot.name in self.stack.chosen
        self.known.pop(slot.name, None)
        filled: list[Part] = []
        taken: list[Option] = []
        for group in self._groups(slot, wishes):
            tried = self._try(group, slot, filled)
            best = min(tried, key=lambda one: one.severity)
            doubtful = slot.many and not named and best.severity > 0
            worse = (
                tried
                if doubtful
                else [one for one in tried[: tried.index(best)] if one.severity > best.severity]
            )
            self.declined += [one.declined() for one in worse if one.option.by]
            if not doubtful:
                taken.append(best.option)
                filled.append(best.part)
                self.problems += best.problems if named or not self.unsure else ()
        if not named:
            self.declined += _missing_wishes(found, () if slot.many else taken)
        # A slot whose component does not exist stays unknown: its needs would bring misleading problems.
        if filled or (slot.many and not self.stack.chosen.get(slot.name)):
            self.known[slot.name] = filled
        elif not named and not self.unsure:
            self.problems.append(no_component_problem(slot, self.run, self.registry))

    def _groups(self, slot: Slot, wishes: list[Option]) -> list[list[Option]]:
        """Return groups of options; each group gives one part."""
        if slot.name in self.stack.chosen:
            return [named_options(choice, wishes) for choice in self._chosen(slot)]
        if slot.many:
            wished = dict.fromkeys(option.component for option in wishes)
            return [[one for one in wishes if one.component is component] for component in wished]
        return [wishes] if wishes else []

    def _wishes(self, slot: Slot) -> Iterator[Option | DeclinedWish]:
        """Yield the wishes for a slot in order; a wish for a missing component is yielded as declined."""
        scale = "" if self.stack.scale is None else self.stack.scale[0]
        others = (one.name for one in self.slots if one.name not in FIRST_WISHERS)
        for owner in (part for name in (*FIRST_WISHERS, *others, RUN) for part in self.known.get(name, ())):
            by = "the core" if owner.slot == RUN else owner.name
            for item in owner.component.wished(slot.name, scale):
                name, settings = (item, {}) if isinstance(item, str) else item
                component = self.registry.get(slot.name, name)
                if component is None:
                    yield DeclinedWish(slot=slot.name, wish=name, by=by, why=self._missing(slot, name))
                    continue
                core = owner.slot == RUN
                origin = Origin(kind="default", what="default") if core else Origin(kind="wish", who=by)
                yield Option(component=component, chosen_by=origin, wished=wrap(settings, origin), by=by)

    def _missing(self, slot: Slot, name: str) -> str:
        """Return why a name stands for no component."""
        ambiguous = self.registry.ambiguous(slot.name, name)
        return f"several plugins bring it: {', '.join(ambiguous)}" if ambiguous else "it is not installed"

    def _try(self, group: list[Option], slot: Slot, filled: list[Part]) -> list[JudgedOption]:
        """Return the options with their severity, in order, up to the first sound one."""
        tried: list[JudgedOption] = []
        for option in group:
            tried.append(self._judged(self._read(option), slot, filled))
            if tried[-1].severity == 0:
                break
        return tried

    def _judged(self, one: JudgedOption, slot: Slot, filled: list[Part]) -> JudgedOption:
        """Return an option with the severity of the worst need that involves its part."""
        lack = worst_unmet_need({**self.known, slot.name: [*filled, one.part]}, one.part)
        if lack is None:
            return one
        owner = "it" if lack.part is one.part else lack.part.name
        return evolve(one, severity=lack.severity, why=f"{owner} needs {need_text(lack.need)}")

    def _read(self, option: Option) -> JudgedOption:
        """Return an option with its settings read; a named option is read only once."""
        if option.wished is not None:
            return self._reading(option)
        key = option.component, option.chosen_by
        if key not in self.read:
            self.read[key] = self._reading(option)
        return self.read[key]

    def _reading(self, option: Option) -> JudgedOption:
        """Read the settings of an option: defaults < wish < below the scale < the scale < above it."""
        component = option.component
        scale = self.stack.scale
        below = [value.node for value in self.stack.below if applies_to(value, component)]
        above = [value.node for value in self.stack.above if applies_to(value, component)]
        nodes = [*([] if option.wished is None else [option.wished]), *below]
        if scale is not None and scale[0] != "paper":
            nodes.append(wrap(component.scaled(scale[0]), Origin(kind="scale", who=scale[0])))
        whole = wrap({}, option.chosen_by)
        for node in (*nodes, *above):
            whole = merge(whole, node)
        owner = self._settings_owner(component)
        # A mistake in a file is reported even where another layer covers it.
        covered = [
            problem for node in (*below, *above) for problem in mistakes(component.config, node, owner)
        ]
        reading, broken = guarded(
            component,
            "settings",
            lambda: structure(component.config, whole, owner),
            lambda: Reading(settings=component.config()),
        )
        provides, wrong = provided(component, reading.settings)
        part = Part(
            component=component,
            settings=reading.settings,
            origins=reading.origins,
            chosen_by=option.chosen_by,
            provides=provides,
            ambiguous=bool(self.registry.ambiguous(component.slot, component.name)),
        )
        return JudgedOption(option=option, part=part, problems=(*covered, *reading.problems, *broken, *wrong))

    def _settings_owner(self, component: Component) -> SettingsOwner:
        if component.slot == RUN:
            also = [*OF_FILES, *(slot.name for slot in (*SLOTS, *self.slots))]
            return SettingsOwner(
                owner="the run", also=also, paths=paths_of(component, self.slots, self.registry)
            )
        return SettingsOwner(
            owner=component.name,
            path=component.prefix.removesuffix("."),
            elsewhere=owners(component, self.registry),
        )
