"""The strict reader: a map of nodes becomes settings, with every problem at once.

A broken value is reported *and* replaced by its default, so that what is checked afterwards still runs and
the user sees all problems in one go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, frozen

from nascore.config.kinds import UnfitError
from nascore.config.node import Node, show
from nascore.config.setting import settings_of
from nascore.errors import Origin, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nascore.config.setting import Declared


@frozen(kw_only=True)
class Asked:
    """Whose settings are read, for error texts.

    Attributes:
        owner: The name of the component.
        path: What is typed before a setting's name after ``--set``; empty for the run.
        elsewhere: Names who else in the slot has a setting.
        also: Further words that may stand where a setting stands (for did-you-mean).
    """

    owner: str
    path: str = ""
    elsewhere: Callable[[str], Sequence[str]] = lambda _name: ()
    also: Sequence[str] = ()

    def at(self, name: str) -> str:
        """The path of a setting."""
        return f"{self.path}.{name}" if self.path else name


@frozen(kw_only=True)
class Reading:
    """What was read.

    Attributes:
        settings: An instance of the settings class.
        origins: Where each value came from, by the setting's dotted path; only what was given.
        problems: Everything that was wrong.
    """

    settings: Any
    origins: dict[str, Origin] = Factory(dict)
    problems: tuple[Problem, ...] = ()


def structure(config: type, node: Node, asked: Asked) -> Reading:
    """Read a map of nodes into an instance of ``config``.

    Args:
        config: A settings class (attrs, its attributes declared with ``setting``).
        node: A map; a key that the class does not declare is a problem.
        asked: Whose settings they are.
    """
    if not isinstance(node.value, dict):
        text = f"{show(node)} is not a group of settings."
        return Reading(settings=config(), problems=(Problem(path=asked.path, text=text, origin=node.origin),))
    declared = settings_of(config)
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    problems: list[Problem] = []
    for name, item in node.value.items():
        if name not in declared:
            problems.append(_unknown(name, item, declared, asked))
            continue
        reading = _read(declared[name], item, asked)
        problems += reading.problems
        if not reading.problems or declared[name].nested:
            values[name] = reading.settings
            origins.update(reading.origins)
    return Reading(settings=config(**values), origins=origins, problems=tuple(problems))


def _read(declared: Declared, node: Node, asked: Asked) -> Reading:
    path = asked.at(declared.name)
    if declared.nested:
        inner = structure(declared.type, node, Asked(owner=path, path=path))
        origins = {f"{declared.name}.{name}": origin for name, origin in inner.origins.items()}
        return Reading(settings=inner.settings, origins=origins, problems=inner.problems)
    try:
        value = declared.read(node)
    except UnfitError as wrong:
        text = f"{show(wrong.node)} is not {declared.setting.expected(wrong.declared)}."
        return Reading(settings=None, problems=(Problem(path=path, text=text, origin=wrong.node.origin),))
    return Reading(settings=value, origins={declared.name: node.origin})


def _unknown(name: str, node: Node, declared: dict[str, Declared], asked: Asked) -> Problem:
    near = did_you_mean(name, [*declared, *asked.also])
    others = asked.elsewhere(name)
    text = f"{asked.owner} has no setting {name}"
    if others:
        text += f"; {', '.join(others)} {'has' if len(others) == 1 else 'have'} it"
    known = next((item for key, item in declared.items() if near == f"Did you mean {key}?"), None)
    if near and not others:
        hint = near if known is None else f"{near} ({known.expected})"
    else:
        hint = f"Known: {', '.join(sorted(declared))}." if declared else "It has no settings."
    return Problem(path=asked.at(name), text=f"{text}.", origin=node.key or node.origin, hint=hint)
