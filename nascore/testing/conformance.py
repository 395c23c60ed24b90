"""The base of all conformance classes: the examined component, and how a check fails."""

from __future__ import annotations

from enum import EnumType
from json import dumps
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Union, get_args, get_origin
from unittest import SkipTest

from attrs import evolve, frozen

from nascore.capability import CAPABILITIES
from nascore.component import Give
from nascore.config import SettingsOwner, merge, settings_of, structure, wrap
from nascore.config.schema import plain
from nascore.errors import Origin, PluginError, RecipeError, did_you_mean, error_line
from nascore.plugin import discover
from nascore.plugin.compatibility import wish_faults
from nascore.recipe import SEARCH_RUN, Request
from nascore.recipe.settling.fit import ChoiceView
from nascore.recipe.settling.recipe import flat_settings
from nascore.recipe.settling.request import resolved
from nascore.slots import RUN, SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nascore.component import Component, Wish
    from nascore.config import Declared, Node
    from nascore.errors import Problem
    from nascore.plugin import Registry
    from nascore.recipe.settling.recipe import Part, Recipe


NEAR: Final = 1e-6
"""The distance from an excluded bound at which a fraction is tried; relative to a large bound."""


def extremes(settings: Any, *, largest: float) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - a plugin's class
    """Yield each setting at each of its bounds and choices: a text such as ``lr=0.0``, and the settings.

    Args:
        settings: An instance of a settings class.
        largest: Larger bounds are left out, because they would be slow to try.
    """
    for name, declared in settings_of(type(settings)).items():
        if declared.nested:
            for text, inner in extremes(getattr(settings, name), largest=largest):
                yield f"{name}.{text}", evolve(settings, **{name: inner})
            continue
        for value in _values(declared):
            if not (isinstance(value, (int, float)) and abs(value) > largest):
                yield f"{name}={value}", evolve(settings, **{name: value})


def _values(declared: Declared) -> Iterator[Any]:
    if declared.setting.choices:
        yield from declared.setting.choices
        return
    expected = declared.type
    for arm in get_args(expected) if get_origin(expected) in (Union, UnionType) else (expected,):
        yield from _arm(arm, declared)


def _arm(arm: Any, declared: Declared) -> Iterator[Any]:  # noqa: ANN401 - a type, or what typing makes of one
    if get_origin(arm) is Annotated:
        arm = get_args(arm)[0]
    if arm is bool:
        yield from (False, True)
    elif arm in (None, NoneType):
        yield None
    elif arm in (int, float):
        for kind, limit in declared.setting.bounds:
            yield _at(arm, kind, limit)
    elif get_origin(arm) is Literal:
        yield from get_args(arm)
    elif isinstance(arm, EnumType):
        yield from arm


def _at(arm: type, kind: str, limit: float) -> float:
    if kind in ("ge", "le"):
        return arm(limit)  # type: ignore[no-any-return]  # int or float
    step = 1 if arm is int else NEAR * max(1.0, abs(limit))
    return arm(limit + step if kind == "gt" else limit - step)  # type: ignore[no-any-return]  # the same


class Judge:
    """Asks a component's check whether settings are allowed, in a recipe with this component.

    Args:
        component: The component.
        registry: The registry that has it.
        settings: Settings that count as allowed, whatever the check says: a data set that is not installed
            is no reason to leave a bound untried.
    """

    def __init__(self, component: Component, registry: Registry, settings: Any) -> None:  # noqa: ANN401 - a plugin's class
        self.component = component
        self.registry = registry
        self.recipe: Recipe | None = None
        if component.check is not None:
            name = f"{component.plugin}:{component.name}" if component.plugin else component.name
            request = Request(names={component.slot: [name]}, scale="mini")
            self.recipe = resolved(request, registry)
        self.usual = self._refusals(settings)

    def allows(self, settings: Any) -> bool:  # noqa: ANN401 - the same
        """Return whether the check finds no other problems in these settings than in the usual ones."""
        return self._refusals(settings) <= self.usual

    def _refusals(self, settings: Any) -> set[tuple[str, str]]:  # noqa: ANN401 - the same
        check = self.component.check
        if check is None or self.recipe is None:
            return set()
        seen = ChoiceView(recipe=self._with(self.recipe, settings), registry=self.registry)
        problems: list[Problem] = list(check(settings, seen))
        return {(one.path, one.text) for one in problems if one.verdict == "refused"}

    def _with(self, recipe: Recipe, settings: Any) -> Recipe:  # noqa: ANN401 - the same
        slot = self.component.slot
        parts: tuple[Part, ...] = tuple(
            evolve(part, settings=settings) if part.component is self.component else part
            for part in recipe.parts.get(slot, ())
        )
        return evolve(recipe, parts={**recipe.parts, slot: parts})


CHECK = "test_"
"""The prefix of the names of checks, by which pytest collects them."""


EXAMPLE: Final = Origin(kind="default", what="the example", who="the component")


class NotConformingError(AssertionError):
    """A part breaks a promise of its slot or its declaration; the text is a sentence about the part."""


class NotExaminedError(SkipTest):
    """A check does not apply to the part; the text is the reason, a clause such as "it draws nothing"."""


@frozen(kw_only=True)
class Outcome:
    """The result of one check of one component.

    Attributes:
        check: Name of the check, without ``test_``.
        promise: The sentence that it proves, from its docstring.
        failure: The reason why it failed; empty if it passed.
        excused: The reason why it is not run, from the component's own test class; empty if it was run.
        unseen: The reason why it does not apply to the part; empty if it does.
    """

    check: str
    promise: str
    failure: str = ""
    excused: str = ""
    unseen: str = ""

    @property
    def looked(self) -> bool:
        """Whether the check was run and applies to the part."""
        return not self.excused and not self.unseen


class Conformance:
    """The checks of one slot. A subclass that names a component is a complete test file.

    A check is a method ``test_...`` whose docstring is the promise that it proves. A check that a component
    cannot meet is overridden with ``pytest.mark.xfail(reason=...)``, never silently.

    Attributes:
        slot: The slot.
        component: Name of the component.
        registry: The registry that has the component; None: all installed plugins.
        settings: Settings to examine the component with, if its defaults cannot work (such as the path of a
            file). They override the component's example, and are read like those of a recipe.
    """

    slot: ClassVar[str] = ""
    component: ClassVar[str] = ""
    registry: ClassVar[Registry | None] = None
    settings: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        """Refuse a check that is overridden without a reason."""
        super().__init_subclass__()
        for name, method in vars(cls).items():
            if name.startswith(CHECK) and any(name in vars(base) for base in cls.__mro__[1:]):
                _refuse_silent(cls, name, method)

    @classmethod
    def found(cls) -> Registry:
        """Return the registry that has the component."""
        if cls.registry is None:
            cls.registry = discover()
        return cls.registry

    @classmethod
    def declared(cls) -> Component:
        """Return the component that is examined.

        Raises:
            PluginError: No component has this name.
        """
        registry = cls.found()
        found = registry.get(cls.slot, cls.component)
        if found is None:
            known = [one.name for one in registry.components(cls.slot)]
            hint = did_you_mean(cls.component, known)
            raise PluginError(f"no {cls.slot} is called {cls.component}. {hint}".rstrip())
        return found

    @classmethod
    def given(cls) -> Node:
        """Return the settings to examine with: the component's example, overridden by those of the class."""
        own = wrap(cls.settings, Origin(kind="python", what="settings", who=cls.__name__))
        return merge(wrap(cls.declared().example, EXAMPLE), own)

    @classmethod
    def configured(cls, **settings: Any) -> Any:  # noqa: ANN401 - a plugin's class
        """Return the settings to examine with, changed to these values.

        Raises:
            RecipeError: The component does not accept the settings of the class.
        """
        return evolve(examined_with(cls.declared(), cls.given()), **settings)

    @classmethod
    def variants(cls, *, largest: float) -> Iterator[tuple[str, Any]]:
        """Yield a label and settings for each declared bound and choice that the component's check allows.

        Args:
            largest: Larger bounds are left out.
        """
        usual = cls.configured()
        judge = Judge(cls.declared(), cls.found(), usual)
        yield from ((text, one) for text, one in extremes(usual, largest=largest) if judge.allows(one))

    @classmethod
    def made(cls, **settings: Any) -> Any:  # noqa: ANN401 - a plugin's class
        """Build the component with the settings to examine with, changed to these values."""
        return cls.declared().builder()(cls.configured(**settings))

    @classmethod
    def typed(cls) -> tuple[str, ...]:
        """Return the settings to examine with, in the form that follows ``--set``."""
        names = cls.given().value
        assert isinstance(names, dict)
        return tuple(
            f"{cls.slot}.{path}={dumps(plain(value))}"
            for path, value in flat_settings(cls.configured())
            if path.partition(".")[0] in names
        )

    @classmethod
    def provides(cls, capability: str) -> bool:
        """Return whether the component declares a capability, with the settings to examine with."""
        return capability in cls.declared().given(cls.configured())

    @classmethod
    def needs(cls, *terms: str) -> bool:
        """Return whether the component declares a need that only these terms can meet."""
        settings = cls.configured()
        return any(
            set(need.terms) <= set(terms) and need.when(settings)
            for need in cls.declared().needs
            if need.terms
        )

    @classmethod
    def hold(cls, holds: object, text: str) -> None:
        """Fail unless a condition holds.

        Args:
            holds: The condition.
            text: The fault, as a phrase that follows the component's name: "moves a masked entry".

        Raises:
            NotConformingError: The condition does not hold.
        """
        if not holds:
            raise NotConformingError(f"{cls.component} {text.rstrip('.')}.")


def _refuse_silent(cls: type[Conformance], name: str, method: object) -> None:
    if not _excuse(method):
        raise TypeError(
            f"{cls.__name__}.{name} overrides a check of the kit: mark it with pytest.mark.xfail(reason=...)"
        )


def _excuse(method: object) -> str:
    """Return the reason of the mark ``xfail`` of a method; empty where there is none."""
    for mark in getattr(method, "pytestmark", []):
        if mark.name == "xfail" and mark.kwargs.get("reason"):
            return str(mark.kwargs["reason"])
    return ""


def examined_with(component: Component, given: Node | None = None) -> Any:  # noqa: ANN401 - a plugin's class
    """Return the settings to examine a component with, read like those of a recipe.

    Args:
        component: The component.
        given: Settings that differ from the defaults; None: those of its example.

    Raises:
        RecipeError: The component does not accept these settings.
    """
    node = wrap(component.example, EXAMPLE) if given is None else given
    reading = structure(component.config, node, SettingsOwner(owner=component.name, path=component.slot))
    if reading.problems:
        raise RecipeError(reading.problems)
    return reading.settings


def checks_of(cls: type[Conformance]) -> tuple[str, ...]:
    """Return the names of the checks of a class in the order of definition, those of base classes first."""
    names = [name for base in reversed(cls.__mro__) for name in vars(base) if name.startswith(CHECK)]
    return tuple(dict.fromkeys(names))


def examined(cls: type[Conformance], checks: Iterable[str] | None = None) -> Iterator[Outcome]:
    """Run the checks of a class, each on a new instance, and yield the outcome of each.

    Args:
        cls: A class that names its component.
        checks: Names of checks, as :func:`checks_of` gives them; None: all.
    """
    for name in checks_of(cls) if checks is None else checks:
        method = getattr(cls, name)
        excused = _excuse(method)
        failure, unseen = ("", "") if excused else _failure(cls, name)
        yield Outcome(
            check=name.removeprefix(CHECK),
            promise=(method.__doc__ or name).strip().splitlines()[0],
            failure=failure,
            excused=excused,
            unseen=unseen,
        )


def _failure(cls: type[Conformance], name: str) -> tuple[str, str]:
    """Run a check; return the reason why it failed and the reason why it does not apply, or empty texts."""
    try:
        getattr(cls(), name)()
    except NotExaminedError as error:
        return "", str(error)
    except NotConformingError as error:
        return str(error), ""
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises is what is to be told
        return f"{cls.component} raised {error_line(error).rstrip('.')}.", ""
    return "", ""


_SLOTS = (*(slot.name for slot in SLOTS), RUN)


def undocumented(config: type) -> list[str]:
    """Return the paths of the settings, nested ones included, whose description is not a sentence."""
    lacking = []
    for name, declared in settings_of(config).items():
        if declared.nested:
            lacking += [f"{name}.{inner}" for inner in undocumented(declared.type)]
        elif not declared.setting.help.strip().endswith("."):
            lacking.append(name)
    return lacking


def needless(component: Component, registry: Registry) -> Iterator[str]:
    """Yield the faults in a component's needs, as phrases that follow "has"."""
    for need in component.needs:
        if not need.terms or not need.why.strip():
            yield f"a need of {component.slot} {component.name} without a term or without a reason."
        for term in need.terms:
            slot, _, capability = term.removeprefix("not ").partition(".")
            if slot not in _SLOTS:
                text = (
                    f"a need of {component.slot} {component.name} for {term!r}, but no slot is called {slot}."
                )
                yield f"{text} {did_you_mean(slot, _SLOTS)}".rstrip()
            elif not _known(capability, registry):
                yield f"a need of {component.slot} {component.name} for {term!r}: {_strange(capability)}"


def unknown(component: Component, registry: Registry) -> Iterator[str]:
    """Yield the provided capabilities that no part can need, as phrases that follow "has"."""
    for item in component.provides:
        capability = item.capability if isinstance(item, Give) else item
        if not _known(capability, registry):
            owner = f"the {component.slot} {component.name}"
            yield f"{owner} that provides {capability!r}: {_strange(capability)}"


def unwishable(component: Component, registry: Registry) -> Iterator[str]:
    """Yield the faults in a component's wishes, as phrases that follow "has".

    Settings of a wish are checked if the component that it names is installed.
    """
    owner = f"the {component.slot} {component.name}"
    faults = list(wish_faults(component, SLOTS))
    yield from (f"{owner}: {fault}" for fault in faults)
    for slot, wish in () if faults else (*component.wishes.items(), *component.mini_wishes.items()):
        for one in wish if isinstance(wish, list) else [wish]:
            text = f"a wish of {component.slot} {component.name} for {slot}"
            yield from (f"{text} {fault}" for fault in _refused(slot, one, registry))


def unreadable(component: Component, registry: Registry) -> Iterator[str]:
    """Yield the paths in a component's `unread` that are neither a setting nor a slot, after "has"."""
    there = {path for path, _ in flat_settings(SEARCH_RUN.config())}
    for slot in SLOTS:
        for one in registry.components(slot.name):
            there |= {f"{one.prefix}{path}" for path, _ in flat_settings(one.config())}
    for path in component.unread:
        if path not in _SLOTS and not any(one == path or one.startswith(f"{path}.") for one in there):
            near = did_you_mean(path, [*there, *_SLOTS])
            owner = f"{path} in `unread` of {component.slot} {component.name}"
            yield f"{owner}, but no setting or slot has this name. {near}".rstrip()


def _refused(slot: str, wish: Wish, registry: Registry) -> Iterator[str]:
    name, values = (wish, {}) if isinstance(wish, str) else wish
    wished = registry.get(slot, name)
    if wished is None:
        return
    node = wrap(dict(values), Origin(kind="wish", what="wishes"))
    for problem in structure(wished.config, node, SettingsOwner(owner=name)).problems:
        yield f"{name} that is refused: {problem.path}: {problem.text} {problem.hint}".rstrip()


def _known(capability: str, registry: Registry) -> bool:
    owner, dot, _ = capability.partition(".")
    return owner in registry.words() if dot else capability in CAPABILITIES


def _strange(capability: str) -> str:
    near = did_you_mean(capability, CAPABILITIES)
    text = "nascore has no such capability, and a plugin's own capability is named PLUGIN.CAPABILITY."
    return f"{text} {near}".rstrip()
