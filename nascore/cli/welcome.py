"""``nascore`` alone: what it is, what is there, and what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.cli.echo import echo
from nascore.cli.verb import table
from nascore.cli.version import versions
from nascore.component import SLOTS
from nascore.plugin import discover
from nascore.recipe import SEARCH_RUN
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.plugin import Registry

ALWAYS = {"space": "tiny", "updater": "uniform"}
"""What the core brings itself, for a first search without any plugin."""


def echo_welcome() -> None:
    """Print the welcome; a plugin that does not work is named, and hinders nothing."""
    registry = discover()
    echo(f"nascore {versions()['nascore']}: neural architecture search; every part is a plugin.\n")
    echo("\n".join(_installed(registry)))
    echo("\ntry:")
    echo(table([(f"  {command}", what) for command, what in _tries(registry)], prose=True))


def _installed(registry: Registry) -> Iterable[str]:
    ready = [one for one in registry.plugins if one.status == "ready"]
    yield "plugins: " + ", ".join(f"{one.name} {one.version}".rstrip() for one in ready)
    for slot in SLOTS:
        yield f"{slot.name}: {', '.join(registry.names(slot.name)) or 'none'}"
    for one in registry.plugins:
        if one.status != "ready":
            yield f"{one.name} is {one.status}; see nascore plugins doctor."


def _tries(registry: Registry) -> list[tuple[str, str]]:
    parts = {slot: _first(registry, slot, str(SEARCH_RUN.wishes[slot])) for slot in ALWAYS}
    named = (word for slot, name in parts.items() for word in (f"--{slot}", name))
    search = command_line("nascore", "search", *named)
    return [
        (search, "a first search, on a laptop in about a minute"),
        ("nascore list", "everything that is installed"),
        ("nascore --help", "all verbs"),
    ]


def _first(registry: Registry, slot: str, wished: str) -> str:
    return wished if wished in registry.names(slot) else ALWAYS[slot]
