"""What all conformance classes share: which component is examined, and how a check fails."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any, ClassVar, Final
from unittest import SkipTest

from attrs import evolve, frozen

from nascore.component import load
from nascore.config import Asked, merge, structure, wrap
from nascore.config.schema import plain
from nascore.errors import Origin, PluginError, RecipeError, did_you_mean, said
from nascore.plugin import discover
from nascore.recipe.recipe import flat
from nascore.testing.extremes import extremes
from nascore.testing.legal import Judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nascore.component import Component
    from nascore.config import Node
    from nascore.plugin import Registry

CHECK = "test_"
"""How the names of checks begin, so that pytest collects them."""


EXAMPLE: Final = Origin(layer="default", where="the example of the component")


class NotConformingError(AssertionError):
    """A part does not do what its slot or its declaration promises; the text is a sentence about the part."""


class NotExaminedError(SkipTest):
    """A check finds nothing in the part that it could look at; the text says why, to follow "since"."""


@frozen(kw_only=True)
class Outcome:
    """What one check said of one component.

    Attributes:
        check: Name of the check, without ``test_``.
        promise: The sentence that it proves, from its docstring.
        failure: Why it failed; empty: it passed.
        excused: Why it is not run, where the component's own class says so; empty: it was run.
        unseen: Why there was nothing to look at, to follow "since"; empty: there was.
    """

    check: str
    promise: str
    failure: str = ""
    excused: str = ""
    unseen: str = ""

    @property
    def looked(self) -> bool:
        """Whether the check was run and had something to look at."""
        return not self.excused and not self.unseen


class Conformance:
    """The checks of one slot; a subclass that names a component is a plugin's whole first test file.

    A check is a method ``test_...`` whose docstring is the promise that it proves. A check that a component
    cannot meet is overridden with ``pytest.mark.xfail(reason=...)``, never silently.

    Attributes:
        slot: The slot.
        component: Name of the component.
        registry: Where it is found; None: among what is installed.
        settings: Settings that it is examined with, where its defaults cannot work (a path to a file); over
            the component's own example, and read as a recipe's are.
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
        """Return where the component is looked for."""
        if cls.registry is None:
            cls.registry = discover()
        return cls.registry

    @classmethod
    def declared(cls) -> Component:
        """Return the component that is examined.

        Raises:
            PluginError: There is none of this name.
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
        """Return the settings that it is examined with: the component's example, under those of the class."""
        own = wrap(cls.settings, Origin(layer="python", where=f"settings of {cls.__name__}"))
        return merge(wrap(cls.declared().example, EXAMPLE), own)

    @classmethod
    def configured(cls, **settings: Any) -> Any:  # noqa: ANN401 - a plugin's class
        """Return the component's settings with these values, the others as it is examined.

        Raises:
            RecipeError: The settings of the class are not those of the component; read as a recipe's are.
        """
        return evolve(examined_with(cls.declared(), cls.given()), **settings)

    @classmethod
    def variants(cls, *, largest: float) -> Iterator[tuple[str, Any]]:
        """Yield a text and settings for each declared bound and choice that the component's check allows.

        Args:
            largest: Bounds above it are left out.
        """
        usual = cls.configured()
        judge = Judge(cls.declared(), cls.found(), usual)
        yield from ((text, one) for text, one in extremes(usual, largest=largest) if judge.allows(one))

    @classmethod
    def made(cls, **settings: Any) -> Any:  # noqa: ANN401 - a plugin's class
        """Build the component with these settings, the others at their defaults."""
        return load(cls.declared().build)(cls.configured(**settings))

    @classmethod
    def typed(cls) -> tuple[str, ...]:
        """Return the settings that the component is examined with, as they are typed after ``--set``."""
        names = cls.given().value
        assert isinstance(names, dict)
        return tuple(
            f"{cls.slot}.{path}={dumps(plain(value))}"
            for path, value in flat(cls.configured())
            if path.partition(".")[0] in names
        )

    @classmethod
    def provides(cls, capability: str) -> bool:
        """Say whether the component declares a capability, with the settings that it is examined with."""
        return capability in cls.declared().given(cls.configured())

    @classmethod
    def needs(cls, *terms: str) -> bool:
        """Say whether the component declares a need that holds only with one of these terms."""
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
            holds: Whether it does.
            text: What else happened, to follow the component's name: "moved a masked entry".

        Raises:
            NotConformingError: It does not.
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
    """Return the settings that a component is examined with, read as a recipe's are.

    Args:
        component: The component.
        given: What differs from its defaults; None: what its example says.

    Raises:
        RecipeError: They are no settings of it.
    """
    node = wrap(component.example, EXAMPLE) if given is None else given
    reading = structure(component.config, node, Asked(owner=component.name, path=component.slot))
    if reading.problems:
        raise RecipeError(reading.problems)
    return reading.settings


def checks_of(cls: type[Conformance]) -> tuple[str, ...]:
    """Return the names of the checks of a class, in the order in which they stand, its own last."""
    names = [name for base in reversed(cls.__mro__) for name in vars(base) if name.startswith(CHECK)]
    return tuple(dict.fromkeys(names))


def examined(cls: type[Conformance], checks: Iterable[str] | None = None) -> Iterator[Outcome]:
    """Run the checks of a class, each on a fresh instance; yields what each said.

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
    """Run a check; return why it failed, and why it found nothing to look at, both empty if it passed."""
    try:
        getattr(cls(), name)()
    except NotExaminedError as error:
        return "", str(error)
    except NotConformingError as error:
        return str(error), ""
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises is what is to be told
        return f"{cls.component} raised {said(error).rstrip('.')}.", ""
    return "", ""
