"""``nascore plugins``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nascore.cli.options import json_option, plugins_option
from nascore.cli.verb import Verb, echo_json, table
from nascore.plugin import discover

if TYPE_CHECKING:
    from pathlib import Path


@click.group("plugins")
def command() -> None:
    """Plugins: what is installed, and whether it works."""


@command.command("list", cls=Verb, examples=("nascore plugins list", "nascore plugins list --json"))
@json_option
@plugins_option
def list_plugins(*, as_json: bool, plugins: tuple[Path, ...]) -> None:
    """List the plugins with their distribution, version and status."""
    found = discover(plugins).plugins
    heads = ("name", "distribution", "version", "status", "brings", "reason")
    rows = [
        (
            one.name,
            one.distribution,
            one.version,
            one.status,
            len(one.components) + len(one.operations) + len(one.presets) + len(one.commands),
            one.reason,
        )
        for one in found
    ]
    if as_json:
        echo_json([dict(zip(heads, row, strict=True)) for row in rows])
    else:
        click.echo(table(rows, heads=heads))
