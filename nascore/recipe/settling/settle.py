"""Settles layers into a recipe: fills every slot once, in order.

What was named stands. An open slot takes the wishes for it: those of the parts that fill the slots before it,
in the order of the wishers, and those of the run at last. Each is judged by the needs between it and what is
known so far, in both directions: the first sound one is taken, else the first that only warns, else the
first. A wish's settings apply whenever its component fills the slot, whoever chose it, so that writing down
what a wish brought changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import Factory, define, evolve, frozen

from nascore.config import Reading, SettingsOwner, merge, mistakes, settings_of, structure, wrap
from nascore.errors import Origin, Problem
from nascore.plugin.guard import guarded, provided
from nascore.plugin.known import absence
from nascore.recipe.settling.fit import fit, leftovers
from nascore.recipe.settling.misfit import asks
from nascore.recipe.settling.needs import worst
from nascore.recipe.settling.recipe import DeclinedWish, Part, Recipe
from nascore.recipe.sources.files import OF_FILES
from nascore.recipe.sources.layers import Layer, stack
from nascore.recipe.sources.plugin_versions import (
    contributor_warnings,
    explained,
    lost_plugin_warnings,
    lost_plugins,
)
from nascore.recipe.sources.run_settings import DATASET, SEARCH_RUN, preset_data_warnings
from nascore.shell import command_line
from nascore.slots import RUN, SLOTS

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
    """A component that could fill a slot: with what a wish sets for it, or as it is.

    Attributes:
        component: The component.
        brought: Who names it.
        wished: The settings that a wish brings.
        by: The name of the wisher; empty without a wish.
    """

    component: Component
    brought: Origin
    wished: Node | None = None
    by: str = ""


@frozen(kw_only=True, eq=False)
class JudgedOption:
    """An option with its settings read, and what the needs say of it.

    Attributes:
        option: The option.
        part: The component with its settings.
        problems: What was wrong with the settings.
        level: 0 sound, 1 warned, 2 refused.
        why: The worst need that it does not meet, in words.
    """

    option: Option
    part: Part
    problems: tuple[Problem, ...]
    level: int = 0
    why: str = ""

    def passed(self) -> DeclinedWish:
        """Note it as a wish that was not taken."""
        return DeclinedWish(slot=self.part.slot, wish=self.part.name, by=self.option.by, why=self.why)


def named_options(choice: SlotChoice, wishes: Sequence[Option]) -> list[Option]:
    """Return a named component with the settings of each wish for it, at last without any."""
    assert choice.component is not None
    wished = [
        Option(component=one.component, brought=choice.origin, wished=one.wished, by=one.by)
        for one in wishes
        if one.component is choice.component
    ]
    return [*wished, Option(component=choice.component, brought=choice.origin)]


def concerns(value: Value, component: Component) -> bool:
    """Say whether settings were given for a component: by its name, or for whatever fills its slot."""
    if value.slot == RUN and value.component is not None:
        # A run that is watched is another object of the same name.
        return component.slot == RUN and value.component.name == component.name
    return value.slot == component.slot and value.component in (None, component)


def paths_of(run: Component, slots: Sequence[Slot], registry: Registry) -> Callable[[str], list[str]]:
    """Return a function that gives the full paths of all settings of a name, in parts and groups."""

    def paths(name: str) -> list[str]:
        components = (one for slot in slots for one in registry.components(slot.name))
        found = [f"{one.prefix}{name}" for one in components if name in settings_of(one.config)]
        groups = (declared for declared in settings_of(run.config).values() if declared.nested)
        found += [f"{group.name}.{name}" for group in groups if name in settings_of(group.type)]
        return list(dict.fromkeys(found))

    return paths


def owners(component: Component, registry: Registry) -> Callable[[str], list[str]]:
    """Return a function that names who else in the slot has a setting."""

    def who_has(name: str) -> list[str]:
        others = (other for other in registry.components(component.slot) if other is not component)
        return [other.name for other in others if name in settings_of(other.config)]

    return who_has


_UNNAMED: Final = Origin(kind="default", what="neither preset nor recipe is given")

DEFAULT_SCALE: Final = Layer(scale=("mini", _UNNAMED))
"""The lowest layer of a request that names neither preset nor recipe nor scale."""


def scale_problems(slot: Slot, stack: Stack, wishes: Sequence[Option], registry: Registry) -> list[Problem]:
    """Refuse the default scale on a data set that was named and that nothing in the recipe wishes.

    The small settings were measured on the default data; on others, nobody knows what they are worth.
    """
    if slot.name != "dataset" or stack.scale is None or stack.scale[1] != _UNNAMED:
        return []
    wished = [option.component for option in wishes]
    default = ", ".join(dict.fromkeys(component.name for component in wished))
    ways = ["--scale mini (a laptop check)", "--scale paper", "--recipe FILE"]
    ways += [command_line("--preset", name) for name in sorted(registry.presets())]
    return [
        Problem(
            path="scale",
            text=f"without a preset, a recipe or a scale only {default or 'the default'} can be used, "
            f"not {choice.component.name}.",
            origin=choice.origin,
            hint=f"Add {' or '.join(ways)}.",
            slots=("dataset",),
        )
        for choice in stack.chosen.get(slot.name, ())
        if choice.component is not None and choice.component not in wished
    ]


def unchosen(slot: Slot, run: Component, registry: Registry) -> Problem:
    """Return the problem of a slot that is empty and must not be.

    Args:
        slot: The slot.
        run: The run, whose wishes are the defaults.
        registry: What is installed.
    """
    wished = list(_wished(slot, run))
    for name in wished:
        full = registry.ambiguous(slot.name, name)
        if full:
            text = f"no {slot.name} is chosen: {len(full)} plugins bring the default {name}."
            return _problem(slot, text, f"Write --{slot.name} {' or '.join(full)}.", of_plugin=True)
    way = f"--{slot.name} NAME: {', '.join(registry.shown(slot.name)) or 'none is installed'}."
    why = _why(slot, wished, registry)
    if why is None:
        return _problem(slot, f"no {slot.name} is chosen.", f"Write {way}")
    text = f"no {slot.name} is chosen, and {why.who}, which brings the default, {why.state}."
    hint = f"{why.cure}, or write {way}" if why.missing else f"{why.cure} Or write {way}"
    return _problem(slot, text, hint, of_plugin=True, missing=why.missing)


def _why(slot: Slot, wished: Iterable[str], registry: Registry) -> Absence | None:
    """Why no default is there; what is installed and not ready comes first."""
    found = [why for why in (absence(slot.name, name, registry) for name in wished) if why is not None]
    return min(found, key=lambda why: bool(why.missing), default=None)


def _problem(slot: Slot, text: str, hint: str, *, of_plugin: bool = False, missing: str = "") -> Problem:
    slots = (slot.name,)
    return Problem(path=slot.name, text=text, hint=hint, slots=slots, missing=missing, of_plugin=of_plugin)


def _wished(slot: Slot, run: Component) -> Iterator[str]:
    wish = run.wishes.get(slot.name, [])
    for item in wish if isinstance(wish, list) else [wish]:
        yield item if isinstance(item, str) else item[0]


FIRST_WISHERS: Final = ("updater", "growth", "space")
"""The slots whose wishes come first, in this order; the other slots follow in theirs, and the run at last."""


def resolve(
    layers: Iterable[Layer],
    registry: Registry,
    *,
    run: Component = SEARCH_RUN,
    slots: Sequence[Slot] = SLOTS,
    explain: bool = True,
) -> Recipe:
    """Settle layers into a recipe and check that its parts fit.

    Args:
        layers: What each source says, lowest first.
        registry: What is installed.
        run: The component of the run itself.
        slots: The slots to settle, in order; what layers say about other slots plays no part.
        explain: Whether misfits are explained, which takes half of the time.

    Returns:
        The recipe with all problems, warnings too; it is not raised here.
    """
    layers = tuple(layers)
    unsure = any(layer.unread for layer in layers)
    settling = _Settling(stack=stack(layers), registry=registry, run=run, slots=tuple(slots), unsure=unsure)
    for layer in layers:
        settling.problems += layer.problems
    settling.problems += _misnamed(settling, lost_plugins(layers, registry))
    settling.settle()
    recipe = Recipe(
        parts={slot: tuple(parts) for slot, parts in settling.known.items()},
        slots=settling.slots,
        scale=settling.stack.scale,
        passed=tuple(settling.passed),
    )
    problems = [*settling.problems, *_elsewhere(layers, run)]
    if not unsure:
        written = any(layer.made_with for layer in layers)
        problems += contributor_warnings(layers, recipe)
        problems += leftovers(recipe, settling.stack)
        problems += preset_data_warnings(layers, settling.stack) if DATASET in recipe.parts else ()
        problems += fit(recipe, registry, explain=explain, written=written)
    return evolve(recipe, problems=tuple(dict.fromkeys(problems)))


def _absent(found: Iterable[Option | DeclinedWish], taken: Collection[Option]) -> Iterator[DeclinedWish]:
    """Yield the wishes for what is not there, up to the one that is taken."""
    for one in found:
        if one in taken:
            return
        if isinstance(one, DeclinedWish):
            yield one


def _elsewhere(layers: Iterable[Layer], run: Component) -> Iterator[Problem]:
    """Yield what is wrong with the settings of another run than this one: nobody else would find it."""
    for value in (value for layer in layers for value in layer.values if value.slot == RUN):
        if value.component is not None and value.component.name != run.name:
            name = value.component.name
            yield from mistakes(value.component.config, value.node, SettingsOwner(owner=name, path=name))


def _misnamed(settling: _Settling, lost: Mapping[str, Lost]) -> list[Problem]:
    """What is wrong with the names that stand: those that a higher layer replaced do not matter."""
    names = {slot.name for slot in settling.slots}
    chosen = [
        choice for slot, choices in settling.stack.chosen.items() if slot in names for choice in choices
    ]
    wrong = [choice.problem for choice in chosen if choice.problem is not None]
    told = [explained(problem, lost) if problem.slots else problem for problem in wrong]
    # Where a missing plugin is named already, the record of plugins has nothing to add.
    return (
        told
        if any(problem.slots and problem.of_plugin for problem in told)
        else [*told, *lost_plugin_warnings(lost)]
    )


@define(kw_only=True, eq=False)
class _Settling:
    """The state of settling one recipe.

    Attributes:
        stack: The layers, laid over each other.
        unsure: Whether a file could not be read: errors about what nobody named may then be false.
        known: What takes part in needs so far: what is settled, and what is named for later slots.
        read: What was named, without the settings of a wish.
    """

    stack: Stack
    registry: Registry
    run: Component
    slots: tuple[Slot, ...]
    unsure: bool
    known: dict[str, list[Part]] = Factory(dict)
    problems: list[Problem] = Factory(list)
    passed: list[DeclinedWish] = Factory(list)
    read: dict[tuple[Component, Origin], JudgedOption] = Factory(dict)

    def settle(self) -> None:
        """Fill every slot."""
        core = self._read(Option(component=self.run, brought=Origin(kind="default", what="the core")))
        self.known[RUN] = [core.part]
        self.problems += core.problems
        for slot in self.slots:
            plain = [named_options(choice, [])[0] for choice in self._chosen(slot)]
            if plain:
                self.known[slot.name] = [self._read(option).part for option in plain]
        for slot in self.slots:
            self._fill(slot)

    def _chosen(self, slot: Slot) -> list[SlotChoice]:
        """What was named for a slot, without what does not exist: that is a problem already."""
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
            best = min(tried, key=lambda one: one.level)
            doubtful = slot.many and not named and best.level > 0
            worse = (
                tried if doubtful else [one for one in tried[: tried.index(best)] if one.level > best.level]
            )
            self.passed += [one.passed() for one in worse if one.option.by]
            if not doubtful:
                taken.append(best.option)
                filled.append(best.part)
                self.problems += best.problems if named or not self.unsure else ()
        if not named:
            self.passed += _absent(found, () if slot.many else taken)
        # A slot whose component does not exist stays unknown: errors about nobody's choice would follow.
        if filled or (slot.many and not self.stack.chosen.get(slot.name)):
            self.known[slot.name] = filled
        elif not named and not self.unsure:
            self.problems.append(unchosen(slot, self.run, self.registry))

    def _groups(self, slot: Slot, wishes: list[Option]) -> list[list[Option]]:
        """Groups of options; each group brings one part."""
        if slot.name in self.stack.chosen:
            return [named_options(choice, wishes) for choice in self._chosen(slot)]
        if slot.many:
            wished = dict.fromkeys(option.component for option in wishes)
            return [[one for one in wishes if one.component is component] for component in wished]
        return [wishes] if wishes else []

    def _wishes(self, slot: Slot) -> Iterator[Option | DeclinedWish]:
        """Yield the wishes for a slot, the first first; what cannot be taken with the reason."""
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
                yield Option(component=component, brought=origin, wished=wrap(settings, origin), by=by)

    def _missing(self, slot: Slot, name: str) -> str:
        """Say why no component is meant by a name."""
        full = self.registry.ambiguous(slot.name, name)
        return f"several plugins bring it: {', '.join(full)}" if full else "it is not installed"

    def _try(self, group: list[Option], slot: Slot, filled: list[Part]) -> list[JudgedOption]:
        """Judge options in order, up to the first sound one."""
        tried: list[JudgedOption] = []
        for option in group:
            tried.append(self._judged(self._read(option), slot, filled))
            if tried[-1].level == 0:
                break
        return tried

    def _judged(self, one: JudgedOption, slot: Slot, filled: list[Part]) -> JudgedOption:
        """Take the worst verdict of the needs in which the part has a say."""
        lack = worst({**self.known, slot.name: [*filled, one.part]}, one.part)
        if lack is None:
            return one
        owner = "it" if lack.part is one.part else lack.part.name
        return evolve(one, level=lack.level, why=f"{owner} needs {asks(lack.need)}")

    def _read(self, option: Option) -> JudgedOption:
        """Read a part's settings; what is named is read once, though it is looked at twice."""
        if option.wished is not None:
            return self._reading(option)
        key = option.component, option.brought
        if key not in self.read:
            self.read[key] = self._reading(option)
        return self.read[key]

    def _reading(self, option: Option) -> JudgedOption:
        """Lay over each other: defaults < wish < below the scale < the scale < above it."""
        component = option.component
        scale = self.stack.scale
        below = [value.node for value in self.stack.below if concerns(value, component)]
        above = [value.node for value in self.stack.above if concerns(value, component)]
        nodes = [*([] if option.wished is None else [option.wished]), *below]
        if scale is not None and scale[0] == "mini":
            nodes.append(wrap(component.mini, Origin(kind="scale", who="mini")))
        whole = wrap({}, option.brought)
        for node in (*nodes, *above):
            whole = merge(whole, node)
        asked = self._asked(component)
        # What is wrong in a file is wrong also where another layer covers it.
        covered = [
            problem for node in (*below, *above) for problem in mistakes(component.config, node, asked)
        ]
        reading, broken = guarded(
            component,
            "settings",
            lambda: structure(component.config, whole, asked),
            lambda: Reading(settings=component.config()),
        )
        provides, wrong = provided(component, reading.settings)
        part = Part(
            component=component,
            settings=reading.settings,
            origins=reading.origins,
            brought=option.brought,
            provides=provides,
            full=bool(self.registry.ambiguous(component.slot, component.name)),
        )
        return JudgedOption(option=option, part=part, problems=(*covered, *reading.problems, *broken, *wrong))

    def _asked(self, component: Component) -> SettingsOwner:
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
