"""Which parts a setting is for that was typed for an examination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.config import Asked, Node, merge, mistakes, settings_of, wrap
from nascore.errors import Origin, Problem, RecipeError, did_you_mean
from nascore.recipe.typed import typed_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nascore.component import Component


def settings_for(parts: Sequence[Component], sets: Iterable[str]) -> dict[Component, Mapping[str, Node]]:
    """Return by part what was set for it.

    Args:
        parts: The components that are examined.
        sets: Each ``SETTING=VALUE``, for all parts that have the setting, or ``PART.SETTING=VALUE``, where
            ``PART`` is the name of a component or of its slot.

    Raises:
        RecipeError: No part has such a setting, or it cannot have such a value; all problems at once.
    """
    nodes = {part: wrap({}, Origin(layer="set", where="--set")) for part in parts}
    problems: list[Problem] = []
    for text in sets:
        origin = Origin(layer="set", where=f"--set {text}")
        path, equals, value = text.partition("=")
        if not equals or not path.strip() or not value.strip():
            wrong = f"{text!r} is not of the form SETTING=VALUE."
            problems.append(Problem(path=path, text=wrong, origin=origin))
            continue
        takers = {part: words for part in parts if (words := _within(part, path.strip().split(".")))}
        if not takers:
            problems.append(_untaken(path, parts, origin))
        for part, words in takers.items():
            node = typed_value(value, origin)
            for word in reversed(words):
                node = Node(value={word: node}, origin=origin, key=origin)
            problems += mistakes(part.config, node, Asked(owner=part.name, path=part.slot))
            nodes[part] = merge(nodes[part], node)
    if problems:
        raise RecipeError(problems)
    return {part: node.value if isinstance(node.value, dict) else {} for part, node in nodes.items()}


def _within(part: Component, words: list[str]) -> list[str]:
    """Return the words that name a setting inside a part, without the part's own; none: it has no such."""
    declared = settings_of(part.config)
    while words and words[0] not in declared and words[0] in {part.slot, part.name}:
        words = words[1:]
    return words if words and words[0] in declared else []


def _untaken(path: str, parts: Sequence[Component], origin: Origin) -> Problem:
    known = [name for part in parts for name in settings_of(part.config)]
    hint = did_you_mean(path.rpartition(".")[2], known)
    return Problem(path=path, text="no part that is examined has such a setting.", origin=origin, hint=hint)
