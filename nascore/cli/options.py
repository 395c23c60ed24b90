"""The options through which a recipe is asked for; those of the slots follow from the slot table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from nascore.recipe import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nascore.component import Slot

P = ParamSpec("P")
R = TypeVar("R")

plugins_option = click.option(
    "--with",
    "plugins",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A Python file with hooks, used like an installed plugin; may be repeated.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

out_option = click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the run, which must not exist yet; otherwise a new one under runs/.",
)


def recipe_options(slots: Sequence[Slot]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return the decorator that adds the options of a recipe.

    Args:
        slots: The slots that can be filled from the command line.
    """

    def add(function: Callable[P, R]) -> Callable[P, R]:
        for option in reversed([*_from_files(), *map(_slot, slots), *_values(), plugins_option]):
            function = option(function)
        return function

    return add


def request(slots: Iterable[Slot], given: dict[str, Any]) -> Request:
    """Return what the options of :func:`recipe_options` asked for; takes them out of `given`."""
    named = {slot.name: given.pop(slot.name) for slot in slots}
    sets: list[str] = list(given.pop("sets"))
    for name in ("seed", "threads", "device"):
        value = given.pop(name)
        if value is not None:
            sets.append(f"{name}={value}")
    return Request(
        recipe=given.pop("recipe"),
        preset=given.pop("preset"),
        scale=given.pop("scale"),
        names={slot: names for slot, names in named.items() if names},
        sets=tuple(sets),
    )


def _from_files() -> list[Callable[[Any], Any]]:
    path = click.Path(path_type=Path)
    return [
        click.option("--recipe", type=path, metavar="FILE", help="A recipe in YAML."),
        click.option("--preset", metavar="NAME", help="A recipe that a plugin brings; see nascore list preset."),
        click.option("--scale", type=click.Choice(["mini", "paper"]), help="A laptop check, or the papers' values."),
    ]


def _slot(slot: Slot) -> Callable[[Any], Any]:
    return click.option(
        f"--{slot.name}", multiple=slot.many, metavar="NAME", help=f"{slot.summary[0].upper()}{slot.summary[1:]}."
    )


def _values() -> list[Callable[[Any], Any]]:
    return [
        click.option(
            "--set", "sets", multiple=True, metavar="PATH=VALUE", help="A setting, as nascore show names it; repeatable."
        ),
        click.option("--seed", type=int, metavar="N", help="Decides on all that is random. Default: 0."),
        click.option("--threads", type=int, metavar="N", help="Threads of torch; sums differ between counts. Default: 1."),
        click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), help="Default: the best there is."),
    ]
