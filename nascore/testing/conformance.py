"""What all conformance classes share: which component is examined, and how a check fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from attrs import frozen

from nascore.component import load
from nascore.errors import PluginError, did_you_mean, said
from nascore.plugin import discover

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.component import Component
    from nascore.plugin import Registry

CHECK = "test_"
"""How the names of checks begin, so that pytest collects them."""


class NotConformingError(AssertionError):
    """A part does not do what its slot or its declaration promises; the text is a sentence about the part."""


@frozen(kw_only=True)
class Outcome:
    """What one check said of one component.

    Attributes:
        check: Name of the check, without ``test_``.
        promise: The sentence that it proves, from its docstring.
        failure: Why it failed; empty: it passed.
    """

    check: str
    promise: str
    failure: str = ""


class Conformance:
    """The checks of one slot; a subclass that names a component is a plugin's whole first test file.

    A check is a method ``test_...`` whose docstring is the promise that it proves. A check that a component
    cannot meet is overridden with ``pytest.mark.xfail(reason=...)``, never silently.

    Attributes:
        slot: The slot.
        component: Name of the component.
        registry: Where it is found; None: among what is installed.
    """

    slot: ClassVar[str] = ""
    component: ClassVar[str] = ""
    registry: ClassVar[Registry | None] = None

    def __init_subclass__(cls) -> None:
        """Refuse a check that is overridden without a reason."""
        super().__init_subclass__()
        for name, method in vars(cls).items():
            if name.startswith(CHECK) and any(name in vars(base) for base in cls.__mro__[1:]):
                _refuse_silent(cls, name, method)

    @classmethod
    def declared(cls) -> Component:
        """Return the component that is examined.

        Raises:
            PluginError: There is none of this name.
        """
        if cls.registry is None:
            cls.registry = discover()
        found = cls.registry.get(cls.slot, cls.component)
        if found is None:
            known = [one.name for one in cls.registry.components(cls.slot)]
            hint = did_you_mean(cls.component, known)
            raise PluginError(f"no {cls.slot} is called {cls.component}. {hint}".rstrip())
        return found

    @classmethod
    def made(cls, **settings: Any) -> Any:  # noqa: ANN401 - a plugin's class
        """Build the component with these settings, the others at their defaults."""
        component = cls.declared()
        return load(component.build)(component.config(**settings))


def _refuse_silent(cls: type[Conformance], name: str, method: object) -> None:
    marks = getattr(method, "pytestmark", [])
    if not any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks):
        raise TypeError(
            f"{cls.__name__}.{name} overrides a check of the kit: mark it with pytest.mark.xfail(reason=...)"
        )


def checks_of(cls: type[Conformance]) -> tuple[str, ...]:
    """Return the names of the checks of a class, in the order in which they stand, its own last."""
    names = [name for base in reversed(cls.__mro__) for name in vars(base) if name.startswith(CHECK)]
    return tuple(dict.fromkeys(names))


def examined(cls: type[Conformance]) -> Iterator[Outcome]:
    """Run every check of a class, each on a fresh instance; yields what each said.

    Args:
        cls: A class that names its component.
    """
    for name in checks_of(cls):
        promise = (getattr(cls, name).__doc__ or name).strip().splitlines()[0]
        yield Outcome(check=name.removeprefix(CHECK), promise=promise, failure=_failure(cls, name))


def _failure(cls: type[Conformance], name: str) -> str:
    try:
        getattr(cls(), name)()
    except NotConformingError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises is what is to be told
        return f"{cls.component} raised {said(error)}"
    return ""
