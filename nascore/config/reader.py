"""Reads a map of nodes into settings and collects all problems.

A broken value is reported *and* replaced by its default, so that what is checked afterwards still runs and
the user sees all problems in one go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, frozen

from nascore.config.document import Node, show, word
from nascore.config.hints import beyond, nearest
from nascore.config.kinds import UnfitError
from nascore.config.setting import settings_of
from nascore.errors import Origin, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nascore.config.setting import Declared


@frozen(kw_only=True)
class SettingsOwner:
    """Whose settings are read, for error texts.

    Attributes:
        owner: The name of the component.
        path: What is typed before a setting's name after ``--set``; empty for the run.
        elsewhere: Names who else in the slot has a setting.
        also: Further words that may stand where a setting stands (for did-you-mean).
        paths: The full paths of settings of this name, where the name alone says too little.
    """

    owner: str
    path: str = ""
    elsewhere: Callable[[str], Sequence[str]] = lambda _name: ()
    also: Sequence[str] = ()
    paths: Callable[[str], Sequence[str]] = lambda _name: ()

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


def structure(config: type, node: Node, asked: SettingsOwner) -> Reading:
    """Read a map of nodes into an instance of ``config``.

    Args:
        config: A settings class (attrs, its attributes declared with ``setting``).
        node: A map; a key that the class does not declare is a problem.
        asked: Whose settings they are.
    """
    gathered = _gather(config, node, asked)
    return Reading(
        settings=_made(config, gathered), origins=gathered.origins, problems=tuple(gathered.problems)
    )


def mistakes(config: type, node: Node, asked: SettingsOwner) -> tuple[Problem, ...]:
    """Return what is wrong with a map of nodes, as :func:`structure` does, without making the settings.

    Args:
        config: A settings class.
        node: A map that may give only some of them.
        asked: Whose settings they are.
    """
    return tuple(_gather(config, node, asked).problems)


@frozen(kw_only=True, eq=False)
class _Gathered:
    """The values of a group that could be read; a nested group's are gathered in turn."""

    values: dict[str, Any] = Factory(dict)
    origins: dict[str, Origin] = Factory(dict)
    problems: list[Problem] = Factory(list)


def _made(config: type, gathered: _Gathered) -> Any:  # noqa: ANN401 - an instance of `config`
    declared = settings_of(config)
    return config(
        **{
            name: _made(declared[name].type, value) if isinstance(value, _Gathered) else value
            for name, value in gathered.values.items()
        }
    )


def _gather(config: type, node: Node, asked: SettingsOwner) -> _Gathered:
    declared = settings_of(config)
    found = _Gathered()
    if not isinstance(node.value, dict):
        text = f"{show(node)} is not a group of settings."
        found.problems.append(Problem(path=asked.path, text=text, origin=node.origin, hint=_known(declared)))
        return found
    for name, item in node.value.items():
        if name in declared:
            _read(declared[name], item, asked, found)
        else:
            found.problems.append(_unknown(name, item, declared, asked))
    return found


def _read(declared: Declared, node: Node, asked: SettingsOwner, found: _Gathered) -> None:
    """Read one setting, and add it to what was found."""
    path, name = asked.at(declared.name), declared.name
    if declared.nested:
        inner = _gather(declared.type, node, SettingsOwner(owner=path, path=path))
        found.values[name] = inner
        found.origins.update({f"{name}.{key}": origin for key, origin in inner.origins.items()})
        found.problems.extend(inner.problems)
        return
    try:
        found.values[name] = declared.read(node)
    except UnfitError as wrong:
        bound = beyond(wrong.declared, wrong.node)
        text = f"{show(wrong.node)} is not {declared.setting.expected(wrong.declared)}{bound}."
        hint = nearest(declared.setting, wrong.declared, wrong.node)
        found.problems.append(Problem(path=path, text=text, origin=wrong.node.origin, hint=hint))
    else:
        found.origins[name] = node.origin


HABITS = {
    "learning_rate": "lr",
    "batch_size": "batch",
    "num_epochs": "epochs",
    "wd": "weight_decay",
    "width": "channels",
    "layers": "cells",
    "depth": "cells",
}
"""By what other programs call a setting: its name here."""


def _unknown(name: str, node: Node, declared: dict[str, Declared], asked: SettingsOwner) -> Problem:
    habit = HABITS.get(name, "")
    near = f"Did you mean {habit}?" if habit in declared else did_you_mean(name, [*declared, *asked.also])
    others = asked.elsewhere(name)
    paths = asked.paths(name) or asked.paths(habit)
    owner = "'none'" if asked.owner == "none" else asked.owner  # a name, and a word of the sentence
    text = f"{owner} has no setting {word(name)}"
    if paths:
        hint = f"Did you mean {' or '.join(paths)}?"
        return Problem(path=asked.at(word(name)), text=f"{text}.", origin=node.key or node.origin, hint=hint)
    if others:
        text += f"; {', '.join(others)} {'has' if len(others) == 1 else 'have'} it"
    known = next((item for key, item in declared.items() if near == f"Did you mean {key}?"), None)
    if near and not others:
        hint = near if known is None else f"{near} ({known.expected})"
    elif others and not declared:
        slot, by_flag = asked.path.partition(".")[0], node.origin.kind == "set"
        hint = f"Write {' or '.join(f'--{slot} {one}' if by_flag else f'{slot}: {one}' for one in others)}."
    else:
        hint = _known(declared)
    return Problem(path=asked.at(word(name)), text=f"{text}.", origin=node.key or node.origin, hint=hint)


def _known(declared: dict[str, Declared]) -> str:
    return f"Known: {', '.join(sorted(declared))}." if declared else "It has no settings."
