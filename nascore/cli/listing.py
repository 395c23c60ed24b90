"""The verb ``nascore list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from nascore.cli.app import own_verbs
from nascore.cli.completion import complete_kind
from nascore.cli.options import json_option, plugins_option
from nascore.cli.output import Verb, echo, echo_json, table
from nascore.verbs.listing import CAPABILITY, KINDS, VERB, capability_listing, listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.plugin import Selection
    from nascore.verbs.listing import ListedCapability


@click.command(
    "list",
    cls=Verb,
    examples=(
        "nascore list",
        "nascore list updater",
        "nascore list operation",
        "nascore list capability",
        "nascore list --json",
    ),
)
@click.argument("kind", metavar="[SLOT]", required=False, shell_complete=complete_kind)
@json_option
@plugins_option
def command(kind: str | None, *, as_json: bool, plugins: Selection) -> None:
    """List the installed parts: components by slot, presets, notations, verbs, executions, operations.

    `nascore list capability` lists the capabilities, which decide whether parts fit, and the parts that
    provide and need each.
    """
    if kind is not None and kind in {CAPABILITY, "capabilities"}:
        _echo_capabilities(capability_listing(plugins=plugins), as_json=as_json)
        return
    found = listing(kind, plugins=plugins, own=own_verbs() if kind == VERB else ())
    if as_json:
        echo_json([attrs.asdict(one) for one in found])
        return
    rows = [(one.kind, one.name, one.plugin, one.summary) for one in found]
    echo(table(rows, heads=("slot", "name", "plugin", "is"), prose=True))
    if kind is None:
        echo(
            f"To list one kind: nascore list {'|'.join((*KINDS, CAPABILITY))}. This list omits operations, "
            "capabilities and nascore's own verbs; select those kinds to see them.",
            err=True,
        )


def _echo_capabilities(found: Sequence[ListedCapability], *, as_json: bool) -> None:
    if as_json:
        echo_json([attrs.asdict(one) for one in found])
        return
    rows = [
        (
            one.slot,
            one.name,
            ", ".join(f"{name}*" if name in one.conditional else name for name in one.provided) or "-",
            ", ".join([*one.needed, *(f"not {name}" for name in one.excluded)]) or "-",
            one.summary,
        )
        for one in found
    ]
    echo(table(rows, heads=("slot", "capability", "provided by", "needed by", "a part that"), prose=True))
    echo(
        "*: with some settings only; not NAME: NAME cannot work with a part that has the capability.",
        err=True,
    )
