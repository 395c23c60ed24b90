"""``nascore export``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nascore.cli.options import plugins_option
from nascore.cli.verb import Verb
from nascore.verbs.exporting import export

if TYPE_CHECKING:
    from nascore.plugin import Selection


@click.command("export", cls=Verb, examples=("nascore export runs/first --to genotype",))
@click.argument("architecture")
@click.option("--to", required=True, metavar="NAME", help="The notation; see nascore list notation.")
@plugins_option
def command(architecture: str, *, to: str, plugins: Selection) -> None:
    """Write an architecture in another notation, to stdout.

    ARCHITECTURE is the folder of a run, a description in YAML, or a text or name in a notation that a
    plugin reads.
    """
    click.echo(export(architecture, to, plugins=plugins).rstrip())
