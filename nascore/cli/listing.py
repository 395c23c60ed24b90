"""The verb ``nascore list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from nascore.cli.app import own_verbs
from nascore.cli.completion import complete_kind
from nascore.cli.options import json_option, plugins_option
from nascore.cli.output import Verb, echo, echo_json, table
from nascore.verbs.listing import KINDS, OPERATION, VERB, listing

if TYPE_CHECKING:
    from nascore.plugin import Selection


@click.command(
    "list",
    cls=Verb,
    examples=("nascore list", "nascore list updater", "nascore list operation", "nascore list --json"),
)
@click.argument("kind", metavar="[SLOT]", required=False, shell_complete=complete_kind)
@json_option
@plugins_option
def command(kind: str | None, *, as_json: bool, plugins: Selection) -> None:
    """List the installed parts: components by slot, presets, notations, verbs, operations."""
    found = listing(kind, plugins=plugins, own=own_verbs() if kind == VERB else ())
    if as_json:
        echo_json([attrs.asdict(one) for one in found])
        return
    rows = [(one.kind, one.name, one.plugin, one.summary) for one in found]
    echo(table(rows, heads=("slot", "name", "plugin", "is"), prose=True))
    if kind is None:
        echo(
            f"Select one kind: nascore list {'|'.join(KINDS)}. {OPERATION} is listed only then, and so are "
            "the verbs of the core.",
            err=True,
        )
