"""The origins and the warnings of a settled recipe as plain values.

A recipe that is written to a file and read again has the file as the origin of every value. With the values
of this module beside it, its messages name the flags and files that were typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from attrs import evolve

from nascore.errors import Origin, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.recipe.settling.recipe import Part, Recipe


def plain_origins(recipe: Recipe) -> dict[str, Any]:
    """Return the origins and the warnings of a recipe as values for JSON."""
    parts = (part for parts in recipe.parts.values() for part in parts)
    return {
        "prefix": recipe.prefix,
        "warnings": [attrs.asdict(problem) for problem in recipe.warned],
        "parts": {
            f"{part.slot} {part.label}": {
                "chosen_by": attrs.asdict(part.chosen_by),
                "origins": {path: attrs.asdict(origin) for path, origin in part.origins.items()},
            }
            for part in parts
        },
    }


def with_plain_origins(recipe: Recipe, plain: Mapping[str, Any]) -> Recipe:
    """Return a recipe that was read from a file, with the origins and the warnings that it had before.

    Args:
        recipe: The recipe.
        plain: The return value of :func:`plain_origins`.
    """
    parts = {
        slot: tuple(_part(part, plain["parts"]) for part in parts) for slot, parts in recipe.parts.items()
    }
    refused = [problem for problem in recipe.problems if problem.verdict != "warned"]
    warned = [_problem(one) for one in plain["warnings"]]
    return evolve(recipe, parts=parts, problems=(*refused, *warned), prefix=plain["prefix"])


def _part(part: Part, plain: Mapping[str, Any]) -> Part:
    known = plain.get(f"{part.slot} {part.label}")
    if known is None:  # an observer of this process
        return part
    origins = {path: Origin(**origin) for path, origin in known["origins"].items()}
    return evolve(part, chosen_by=Origin(**known["chosen_by"]), origins=origins)


def _problem(plain: Mapping[str, Any]) -> Problem:
    origin = None if plain["origin"] is None else Origin(**plain["origin"])
    return Problem(**{**plain, "origin": origin})
