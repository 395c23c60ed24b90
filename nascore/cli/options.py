"""The options through which a recipe is asked for; those of the slots follow from the slot table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nascore.recipe import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nascore.component import Slot

F = TypeVar("F", bound="Callable[..., Any]")

RUN_FLAGS = ("seed", "threads", "device")
"""Settings of the run that have a flag of their own."""

plugins_option = click.option(
    "--with",
    "plugins",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A Python file with hooks, used like an installed plugin; repeatable.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

out_option = click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the run, new or empty. Otherwise a new one under NASCORE_RUNS, or runs/.",
)


def recipe_options(slots: Sequence[Slot]) -> Callable[[F], F]:
    """Return the decorator that adds the options of a recipe, and ``--with``.

    Args:
        slots: The slots that can be filled from the command line.
    """

    def add(function: F) -> F:
        for option in reversed([*_files(), *map(_slot, slots), *_values(), plugins_option]):
            function = option(function)
        return function

    return add


def request(slots: Sequence[Slot], given: dict[str, Any]) -> Request:
    """Return what the options of :func:`recipe_options` asked for.

    Args:
        slots: The slots that were given to :func:`recipe_options`.
        given: Values of the options, by name.
    """
    named = {slot.name: given[slot.name] for slot in slots}
    return Request(
        recipe=given["recipe"],
        preset=given["preset"],
        scale=given["scale"],
        names={slot: [names] if isinstance(names, str) else names for slot, names in named.items() if names},
        run={name: given[name] for name in RUN_FLAGS if given[name] is not None},
        sets=given["sets"],
    )


def _files() -> list[Callable[[F], F]]:
    path = click.Path(path_type=Path)
    scales = click.Choice(["mini", "paper"])
    return [
        click.option("--recipe", type=path, metavar="FILE", help="A recipe in YAML."),
        click.option("--preset", metavar="NAME", help="A recipe of a plugin; see nascore list preset."),
        click.option("--scale", type=scales, help="A laptop check, or the papers' values."),
    ]


def _slot(slot: Slot) -> Callable[[F], F]:
    text = f"{slot.summary[0].upper()}{slot.summary[1:]}."
    return click.option(f"--{slot.name}", multiple=slot.many, metavar="NAME", help=text)


def _values() -> list[Callable[[F], F]]:
    sets = "A setting, by its path in nascore show; repeatable."
    devices = click.Choice(["auto", "cpu", "cuda"])
    return [
        click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help=sets),
        click.option("--seed", type=int, metavar="N", help="Decides on all that is random. Default: 0."),
        click.option(
            "--threads", type=int, metavar="N", help="CPU threads, which decide on sums. Default: 1."
        ),
        click.option("--device", type=devices, help="Default: auto, the best there is."),
    ]
