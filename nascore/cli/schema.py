"""The verb ``nascore schema``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from nascore.cli.options import plugins_option
from nascore.cli.output import Verb, echo
from nascore.verbs.show import schema

if TYPE_CHECKING:
    from nascore.plugin import Selection


@click.command("schema", cls=Verb, examples=("nascore schema", "nascore schema --indent 2"))
@click.option(
    "--indent", type=click.IntRange(min=0), metavar="N", help="Spaces for each level; without it, one line."
)
@plugins_option
def command(indent: int | None, *, plugins: Selection) -> None:
    """Print the JSON Schema of a recipe with the installed parts.

    With it, an editor completes keys and underlines mistakes: write it to recipe.schema.json, and begin the
    recipe beside it with `# yaml-language-server: $schema=recipe.schema.json`. The schema does not check
    whether parts fit; `nascore check` does.
    """
    echo(json.dumps(schema(plugins=plugins), indent=indent))
