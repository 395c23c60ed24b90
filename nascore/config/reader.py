"""Reads a map of nodes into settings and collects all problems.

A wrong value is reported *and* replaced by its default, so that later checks still run and the user sees all
problems at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import Factory, frozen

from nascore.config.document import Node, show, word
from nascore.config.hints import beyond, nearest
from nascore.config.kinds import InvalidValueError
from nascore.config.setting import settings_of
from nascore.errors import Origin, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nascore.config.setting import Declared


@frozen(kw_only=True)
class SettingsOwner:
    """The owner of the settings that are read, for error texts.

    Attributes:
        owner: The name of the component.
        path: The prefix of its settings after ``--set``; empty for the run.
        elsewhere: Returns the other components of the slot with a setting of a name.
        also: Further valid keys beside the settings, for did-you-mean.
        paths: Returns the full paths of all settings of a name.
    """

    owner: str
    path: str = ""
    elsewhere: Callable[[str], Sequence[str]] = lambda _name: ()
    also: Sequence[str] = ()
    paths: Callable[[str], Sequence[str]] = lambda _name: ()

    def at(self, name: str) -> str:
        """Return the path of a setting."""
        return f"{self.path}.{name}" if self.path else name


@frozen(kw_only=True)
class Reading:
    """Settings read from a map of nodes.

    Attributes:
        settings: An instance of the settings class.
        origins: The origin of each given value, by the setting's dotted path.
        problems: All problems.
    """

    settings: Any
    origins: dict[str, Origin] = Factory(dict)
    problems: tuple[Problem, ...] = ()


def structure(config: type, node: Node, owner: SettingsOwner) -> Reading:
    """Return the settings in a map of nodes, as an instance of ``config``.

    Args:
        config: A settings class (attrs, its attributes declared with ``setting``).
        node: A map; a key that the class does not declare is a problem.
        owner: The owner of the settings, for error texts.
    """
    group = _read_group(config, node, owner)
    return Reading(
        settings=_make_settings(config, group), origins=group.origins, problems=tuple(group.problems)
    )


def mistakes(config: type, node: Node, owner: SettingsOwner) -> tuple[Problem, ...]:
    """Return the problems of a map of nodes, without making the settings.

    Args:
        config: A settings class.
        node: A map of all settings or some.
        owner: The owner of the settings, for error texts.
    """
    return tuple(_read_group(config, node, owner).problems)


@frozen(kw_only=True, eq=False)
class _Group:
    """The valid values of a group, nested groups included, with origins and problems."""

    values: dict[str, Any] = Factory(dict)
    origins: dict[str, Origin] = Factory(dict)
    problems: list[Problem] = Factory(list)


def _make_settings(config: type, group: _Group) -> Any:  # noqa: ANN401 - an instance of `config`
    declared = settings_of(config)
    return config(
        **{
            name: _make_settings(declared[name].type, value) if isinstance(value, _Group) else value
            for name, value in group.values.items()
        }
    )


def _read_group(config: type, node: Node, owner: SettingsOwner) -> _Group:
    declared = settings_of(config)
    found = _Group()
    if not isinstance(node.value, dict):
        text = f"{show(node)} is not a group of settings."
        found.problems.append(
            Problem(path=owner.path, text=text, origin=node.origin, hint=_known_hint(declared))
        )
        return found
    for name, item in node.value.items():
        if name in declared:
            _read_setting(declared[name], item, owner, found)
        else:
            found.problems.append(_unknown_setting(name, item, declared, owner))
    return found


def _read_setting(declared: Declared, node: Node, owner: SettingsOwner, found: _Group) -> None:
    """Read one setting, and add it to the values of its group."""
    path, name = owner.at(declared.name), declared.name
    if declared.nested:
        inner = _read_group(declared.type, node, SettingsOwner(owner=path, path=path))
        found.values[name] = inner
        found.origins.update({f"{name}.{key}": origin for key, origin in inner.origins.items()})
        found.problems.extend(inner.problems)
        return
    try:
        found.values[name] = declared.read(node)
    except InvalidValueError as wrong:
        bound = beyond(wrong.declared, wrong.node)
        text = f"{show(wrong.node)} is not {declared.setting.expected(wrong.declared)}{bound}."
        hint = nearest(declared.setting, wrong.declared, wrong.node)
        found.problems.append(Problem(path=path, text=text, origin=wrong.node.origin, hint=hint))
    else:
        found.origins[name] = node.origin


FOREIGN_NAMES = {
    "learning_rate": "lr",
    "batch_size": "batch",
    "num_epochs": "epochs",
    "wd": "weight_decay",
    "width": "channels",
    "layers": "cells",
    "depth": "cells",
}
"""Names of settings in other programs, with their names here."""


def _unknown_setting(name: str, node: Node, declared: dict[str, Declared], owner: SettingsOwner) -> Problem:
    translated = FOREIGN_NAMES.get(name, "")
    near = (
        f"Did you mean {translated}?"
        if translated in declared
        else did_you_mean(name, [*declared, *owner.also])
    )
    others = owner.elsewhere(name)
    paths = owner.paths(name) or owner.paths(translated)
    name_of_owner = "'none'" if owner.owner == "none" else owner.owner  # none alone reads like a word
    text = f"{name_of_owner} has no setting {word(name)}"
    if paths:
        hint = f"Did you mean {' or '.join(paths)}?"
        return Problem(path=owner.at(word(name)), text=f"{text}.", origin=node.key or node.origin, hint=hint)
    if others:
        text += f"; {', '.join(others)} {'has' if len(others) == 1 else 'have'} it"
    known = next((item for key, item in declared.items() if near == f"Did you mean {key}?"), None)
    if near and not others:
        hint = near if known is None else f"{near} ({known.expected})"
    elif others and not declared:
        slot, by_flag = owner.path.partition(".")[0], node.origin.kind == "set"
        hint = f"Write {' or '.join(f'--{slot} {one}' if by_flag else f'{slot}: {one}' for one in others)}."
    else:
        hint = _known_hint(declared)
    return Problem(path=owner.at(word(name)), text=f"{text}.", origin=node.key or node.origin, hint=hint)


def _known_hint(declared: dict[str, Declared]) -> str:
    return f"Known: {', '.join(sorted(declared))}." if declared else "It has no settings."
