"""``nascore show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from nascore.cli.options import json_option, plugins_option
from nascore.cli.verb import Verb, as_typed, echo_json, table
from nascore.verbs.showing import show

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.verbs.showing import Shown, ShownSetting


@click.command(
    "show",
    cls=Verb,
    examples=(
        "nascore show darts",
        "nascore show alternating",
        "nascore show run",
        "nascore show digits --json",
    ),
)
@click.argument("name")
@json_option
@plugins_option
def command(name: str, *, as_json: bool, plugins: tuple[Path, ...]) -> None:
    """Show a component: what it is, needs and gives, and every setting of it.

    NAME is a component, or `run` for the settings that belong to no component.
    """
    found = show(name, plugins=plugins)
    if as_json:
        echo_json([attrs.asdict(one) for one in found])
        return
    click.echo("\n\n".join(map(_text, found)))


def _text(shown: Shown) -> str:
    lines = [f"{shown.slot} {shown.name}: {shown.summary}"]
    facts = {"plugin": shown.plugin, "paper": shown.paper}
    lines += [f"  {name}: {fact}" for name, fact in facts.items() if fact]
    lines += [f"  gives: {one}" for one in shown.provides]
    lines += [f"  needs: {one}" for one in shown.needs]
    if shown.settings:
        rows = [_row(one) for one in shown.settings]
        lines.append(table(rows, heads=("setting", "default", "mini", "must be", "is")))
    return "\n".join(lines)


def _row(one: ShownSetting) -> tuple[str, ...]:
    mini = "" if one.mini == one.default else as_typed(one.mini)
    return one.path, as_typed(one.default), mini, one.expected, one.help
