"""The settings with several values in a comparison, and those of one of several compared components.

``--set updater.lr=0.1,0.01`` gives a setting two values. ``--set xnas:updater.eta=0.1`` is for the compared
component `xnas` only, and overrides ``--set updater.eta=...`` there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from nascore.config import Node, wrap, write_value
from nascore.config.schema import plain
from nascore.errors import Origin, Problem, did_you_mean
from nascore.files import given_path
from nascore.recipe import Values
from nascore.recipe.sources.names import typed_value
from nascore.recipe.sources.run_settings import EVALUATION_PATH, TRAINING
from nascore.recipe.sources.set_option import NEXT_PATH
from nascore.run import is_file
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nascore.recipe import Request

_BRACKETS: Final = {"[": "]", "{": "}"}
_OF_ALL: Final = ("threads", "device", "executor", "observer")
"""First words of settings in which the rows of a comparison never differ."""


@frozen(kw_only=True)
class AxisValue:
    """One value of a setting in a comparison.

    Attributes:
        text: The value in one form, however it was written: ``0.1``. It names the value in plans and labels.
        given: The value from Python, or the characters as typed.
    """

    text: str
    given: Any


@frozen(kw_only=True)
class SettingAxis:
    """A setting with its values in a comparison.

    Attributes:
        path: The path of the setting: ``updater.lr``.
        values: The values; more than one: each makes a search.
        typed: Whether it comes from the command line.
        slot: The slot of the component that it is for; empty: it is for all.
        name: The name of this component.
    """

    path: str
    values: tuple[AxisValue, ...]
    typed: bool
    slot: str = ""
    name: str = ""

    @property
    def varies(self) -> bool:
        """Whether it has several values."""
        return len(self.values) > 1

    def value_in(self, choice: Mapping[str, str]) -> AxisValue:
        """Return its value in a combination."""
        if not self.varies:
            return self.values[0]
        return next(value for value in self.values if value.text == choice[self.path])

    def add_to(self, request: Request, values: Sequence[AxisValue], *, named: bool = False) -> Request:
        """Return a request with some of its values, in the form in which they were given.

        Args:
            request: The request.
            values: The values.
            named: Whether the path begins with the name of the component.
        """
        path = f"{self.name}:{self.path}" if named and self.name else self.path
        if self.typed:
            text = ",".join(str(value.given) for value in values)
            return evolve(request, sets=[*request.sets, f"{path}={text}"])
        given = [value.given for value in values]
        return evolve(
            request,
            settings={**request.settings, path: given[0] if len(given) == 1 else Values(given)},
        )


def split_values(text: str) -> list[str]:
    """Return the values in a typed text: a comma outside brackets, braces and quotes separates two values.

    The path of a file that exists is one value, and so is a text that seems to hold several settings.
    """
    if "," not in text or NEXT_PATH.search(text) or is_file(given_path(text)):
        return [text]
    values, quote = [""], ""
    closing: list[str] = []
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and (closing or not values[-1].strip()):
            quote = letter
        elif letter in _BRACKETS:
            closing.append(_BRACKETS[letter])
        elif closing and letter == closing[-1]:
            closing.pop()
        elif letter == "," and not closing:
            values.append("")
            continue
        values[-1] += letter
    return [value.strip() for value in values]


def has_axes(request: Request) -> bool:
    """Return whether a setting has several values, or the name of a compared component before its path."""
    return any(":" in path or len(values) != 1 for path, values, _ in _given(request))


def axes_of(
    request: Request, slots: Mapping[str, Sequence[str]]
) -> tuple[Request, tuple[SettingAxis, ...], list[Problem]]:
    """Return a request without the settings of axes, these axes, and their problems.

    A setting that is for all components comes before those that are for one.

    Args:
        request: The request.
        slots: The names of each compared slot.
    """
    given = list(_given(request))
    special = {path.rpartition(":")[2] for path, values, _ in given if ":" in path or len(values) != 1}
    axes: list[SettingAxis] = []
    problems: list[Problem] = []
    for path, values, origin in given:
        name, _, bare = path.rpartition(":")
        if bare not in special:
            continue
        problems += _wrong_path(path, origin)
        problems += _wrong_values(path, values, origin)
        slot = _slot_of(name, bare, slots) if name else ""
        if slot is None:
            problems.append(_not_compared(name, bare, origin, request, slots))
            continue
        if any((axis.path, axis.name) == (bare, name) for axis in axes):
            text = "is given twice."
            problems.append(Problem(path=path, text=text, origin=origin, hint="Give all its values at once."))
        elif name and any(axis.path == bare and axis.slot not in {"", slot} for axis in axes):
            text = "is given for components of two slots."
            problems.append(Problem(path=path, text=text, origin=origin, hint="Give it for one slot."))
        axes.append(
            SettingAxis(path=bare, values=tuple(values), typed=origin.kind == "set", slot=slot, name=name)
        )
    rest = evolve(
        request,
        sets=[text for text in request.sets if _bare(text) not in special],
        settings={path: value for path, value in request.settings.items() if _bare(path) not in special},
    )
    return rest, tuple(sorted(axes, key=lambda axis: bool(axis.name))), problems


def _bare(text: str) -> str:
    """Return the path of a setting without value and name."""
    return text.partition("=")[0].strip().rpartition(":")[2]


def _given(request: Request) -> Iterator[tuple[str, list[AxisValue], Origin]]:
    """Yield the path, the values and the origin of each setting of a request."""
    for text in request.sets:
        path, equals, value = text.partition("=")
        origin = Origin(kind="set", flag="--set", value=text)
        values = split_values(value) if equals and value.strip() else [value]
        yield path.strip(), [AxisValue(text=_text(one, origin), given=one) for one in values], origin
    for path, value in request.settings.items():
        origin = Origin(kind="python", flag=f"settings[{path!r}]")
        several = value.values if isinstance(value, Values) else (value,)
        yield str(path), [AxisValue(text=write_value(plain(one)), given=one) for one in several], origin


def _text(value: str, origin: Origin) -> str:
    node = typed_value(value, origin)
    return write_value(plain(node)) if value else ""


def _slot_of(name: str, path: str, slots: Mapping[str, Sequence[str]]) -> str | None:
    """Return the compared slot with a name, that of the setting first; None if no slot has the name."""
    own = path.partition(".")[0]
    found = [slot for slot, names in slots.items() if name in names]
    return own if own in found else next(iter(found), None)


def _not_compared(
    name: str, path: str, origin: Origin, request: Request, slots: Mapping[str, Sequence[str]]
) -> Problem:
    compared = [one for names in slots.values() for one in names]
    text = f"no compared component is called {name}."
    if any(name == slot.name for slot in SLOTS):
        hint = f"Did you mean {name}.{path}?"
    elif any(name in names for names in request.names.values()) or not compared:
        text = f"{name} is not compared with another component."
        hint = f"Leave out the name: {path}."
    else:
        hint = did_you_mean(name, compared) or f"Compared: {', '.join(compared)}."
    return Problem(path=f"{name}:{path}", text=text, origin=origin, hint=hint)


def _wrong_path(path: str, origin: Origin) -> Iterator[Problem]:
    """Yield the problem of a setting that all searches of a comparison share."""
    bare = path.rpartition(":")[2]
    text = "is the same for all searches of a comparison."
    if bare == "seed":
        hint = "Write --seeds 0,1." if origin.kind == "set" else "Write seeds=[0, 1]."
        yield Problem(
            path=path, text="the seeds of a comparison are not a setting.", origin=origin, hint=hint
        )
    elif bare.startswith(EVALUATION_PATH) or bare.partition(".")[0] == TRAINING:
        own = bare.removeprefix(EVALUATION_PATH)
        hint = f"Give one value, or evaluate a run several times: nascore evaluate RUN --set {own}=VALUE."
        yield Problem(path=path, text=text, origin=origin, hint=hint)
    elif bare.partition(".")[0] in _OF_ALL:
        yield Problem(path=path, text=text, origin=origin, hint="Give one value.")


def _wrong_values(path: str, values: Sequence[AxisValue], origin: Origin) -> Iterator[Problem]:
    if not values:
        yield Problem(path=path, text="has no value.", origin=origin, hint="Give at least one.")
    if len(values) > 1 and not all(value.text for value in values):
        text = "a value is missing between commas."
        yield Problem(path=path, text=text, origin=origin, hint="Leave out a comma, or write null or ''.")
    known = [_comparable(value, origin) for value in values]
    twice = [value.text for place, value in enumerate(values) if value.text and known[place] in known[:place]]
    for text in dict.fromkeys(twice):
        yield Problem(path=path, text=f"{text} is given twice.", origin=origin, hint="Leave it out.")


def _comparable(value: AxisValue, origin: Origin) -> object:
    node: Node = (
        typed_value(value.given, origin) if isinstance(value.given, str) else wrap(value.given, origin)
    )
    found = plain(node)
    return ("bool", found) if isinstance(found, bool) else found
