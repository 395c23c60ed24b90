"""The verb ``nascore export``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nascore.cli.habits import VALUES
from nascore.cli.options import entry_option, plugins_option
from nascore.cli.output import Verb, echo
from nascore.errors import PluginError
from nascore.verbs.export import export

if TYPE_CHECKING:
    from nascore.plugin import Selection


@click.command(
    "export",
    cls=Verb,
    examples=("nascore export runs/first --to genotype", "nascore export runs/first --entry 1 --to genotype"),
)
@click.argument("architecture")
@entry_option
@click.option("--to", required=True, metavar="NAME", help="The notation; see nascore list notation.")
@plugins_option
def command(architecture: str, *, entry: int | None, to: str, plugins: Selection) -> None:
    """Write an architecture in a different notation, to stdout.

    ARCHITECTURE is the folder of a run, a description in YAML, or a text or name in a notation that a
    plugin reads.
    """
    try:
        text = export(architecture, to, entry=entry, plugins=plugins)
    except PluginError as error:
        if ("to", to) in VALUES:
            error.add_note(VALUES["to", to])
        raise
    echo(text.rstrip())
