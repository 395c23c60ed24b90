"""Output of ``nascore`` without arguments, and of ``nascore --version``."""

from __future__ import annotations

import platform
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import click

from nascore.cli.output import echo, table
from nascore.plugin import discover
from nascore.plugin.discover import GROUP
from nascore.recipe import SEARCH_RUN
from nascore.run import version_of
from nascore.shell import command_line
from nascore.slots import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.plugin import Registry


CORE = "nascore"


def versions() -> dict[str, str]:
    """Return the versions of nascore, Python and torch, then those of the plugins by distribution."""
    entries = entry_points(group=GROUP)
    plugins = {entry.dist.name: entry.dist.version for entry in entries if entry.dist is not None}
    plugins.pop(CORE, None)
    core = {CORE: version_of(CORE), "python": platform.python_version(), "torch": version_of("torch")}
    return core | dict(sorted(plugins.items()))


def echo_versions(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    """Print one version per line, and exit."""
    if value and not ctx.resilient_parsing:
        echo("\n".join(f"{name} {number}" for name, number in versions().items()))
        ctx.exit()


version_option = click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=echo_versions,
    help="Show the versions of nascore and its plugins, and exit.",
)


ALWAYS = {"space": "tiny", "updater": "uniform"}
"""Components of the core, for a first search without any plugin."""


def echo_welcome() -> None:
    """Print the welcome; plugins that are not ready are named at the end."""
    registry = discover()
    echo(f"nascore {versions()['nascore']}: neural architecture search; every part is a plugin.\n")
    echo("\n".join(_installed(registry)))
    echo("\ntry:")
    echo(table([(f"  {command}", purpose) for command, purpose in _examples(registry)], prose=True))


def _installed(registry: Registry) -> Iterable[str]:
    ready = [one for one in registry.plugins if one.status == "ready"]
    yield "plugins: " + ", ".join(f"{one.name} {one.version}".rstrip() for one in ready)
    for slot in SLOTS:
        yield f"{slot.name}: {', '.join(registry.names(slot.name)) or 'none'}"
    for one in registry.plugins:
        if one.status != "ready":
            yield f"{one.name} is {one.status}; see nascore plugins doctor."


def _examples(registry: Registry) -> list[tuple[str, str]]:
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
