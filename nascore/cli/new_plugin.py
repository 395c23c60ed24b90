"""The verb ``nascore new-plugin``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nascore.cli.options import GIVEN
from nascore.cli.output import Verb, echo
from nascore.scaffold import BLUEPRINTS
from nascore.shell import command_line
from nascore.verbs.plugins import new_plugin

if TYPE_CHECKING:
    from pathlib import Path

_HELP = """Create a working plugin: a small part to change, its settings and its conformance test.

NAME names the distribution, the plugin and its part. Nothing is overwritten and nothing is downloaded. A part
can also be written into one file, as docs/plugins.md in the repository shows; --with FILE uses it at once.
"""


@click.command(
    "new-plugin",
    cls=Verb,
    help=_HELP,
    examples=(
        "nascore new-plugin my-updater --slot updater",
        "nascore new-plugin my-space --slot space --out plugins/my-space",
    ),
)
@click.argument("name")
@click.option(
    "--slot", required=True, type=click.Choice(list(BLUEPRINTS)), help="The slot of the plugin's part."
)
@click.option(
    "--out",
    type=GIVEN,
    metavar="DIR",
    help="Folder of the distribution, new or empty. Default: NAME in this folder.",
)
def command(name: str, *, slot: str, out: Path | None) -> None:
    """Create a plugin from the templates of a slot."""
    made = new_plugin(name, slot, out=out)
    lines = [f"made {made.folder}:", *(f"  {file}" for file in made.files)]
    echo("\n".join(lines))
    following = [
        command_line("pip", "install", "-e", made.folder),
        command_line("nascore", "check-plugin", made.name),
        command_line("pytest", made.folder),
        made.search,
    ]
    echo("\n".join(["\nnext:", *(f"  {one}" for one in following)]))
