"""``nascore show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from nascore.cli.completing import complete_anything
from nascore.cli.echo import echo, inline, wrapped
from nascore.cli.options import json_option, plugins_option
from nascore.cli.own import own_verbs
from nascore.cli.show_page import REST, mixing, page, section
from nascore.cli.verb import Verb, as_typed, echo_json, table
from nascore.verbs.schema import named_schema
from nascore.verbs.showing import recipe_text, show, show_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nascore.plugin import Selection
    from nascore.verbs.showing import Shown, ShownSetting


@click.command(
    "show",
    cls=Verb,
    examples=(
        "nascore show darts",
        "nascore show alternating --yaml",
        "nascore show run",
        "nascore show darts-cifar10",
        "nascore show mbconv",
        "nascore show digits --json",
        "nascore show darts --schema",
        "nascore show darts --markdown",
        "nascore show --all --json",
    ),
)
@click.argument("name", required=False, shell_complete=complete_anything)
@click.option("--all", "everything", is_flag=True, help="Show every component that is installed.")
@json_option
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown; of all, the whole page.")
@click.option("--yaml", "as_yaml", is_flag=True, help="Print a recipe with all its settings, to be edited.")
@click.option("--schema", "as_schema", is_flag=True, help="Print the JSON Schema of its settings.")
@plugins_option
def command(  # noqa: PLR0913 - each is a flag
    name: str | None,
    *,
    everything: bool,
    as_json: bool,
    as_markdown: bool,
    as_yaml: bool,
    as_schema: bool,
    plugins: Selection,
) -> None:
    """Show a component: what it is, needs and gives, every setting of it, and what it mixes with.

    NAME is a component, a preset, an operation, a notation or a verb, as NAME or as PLUGIN:NAME; or `run` for
    the settings that belong to no component.
    """
    if as_json + as_markdown + as_yaml + as_schema > 1:
        raise click.UsageError("--json, --markdown, --yaml and --schema: only one of them at a time.")
    if (name is None) != everything:
        raise click.UsageError("write NAME, or --all.")
    if name is None and (as_yaml or as_schema):
        raise click.UsageError("--yaml and --schema are of one NAME.")
    if name is not None and as_schema:
        echo_json(named_schema(name, plugins=plugins))
    elif name is not None and as_yaml:
        echo(recipe_text(name, plugins=plugins).rstrip())
    else:
        found = show_all(plugins=plugins) if name is None else show(name, plugins=plugins, own=own_verbs())
        _echo(found, as_json=as_json, as_markdown=as_markdown, whole=name is None)


def _echo(found: Sequence[Shown], *, as_json: bool, as_markdown: bool, whole: bool) -> None:
    if as_json:
        echo_json([attrs.asdict(one) for one in found])
    elif as_markdown:
        echo(page(found) if whole else "\n\n".join(map(section, found)))
    else:
        echo("\n\n".join(map(_text, found)))


def _text(shown: Shown) -> str:
    lines = [f"{shown.slot} {shown.name}: {inline(shown.summary)}"]
    facts = {"plugin": shown.plugin, "paper": shown.paper}
    lines += [f"  {name}: {fact}" for name, fact in facts.items() if fact]
    lines += [f"  {fact}" for fact in shown.facts]
    lines += [f"  gives: {one}" for one in shown.provides]
    lines += [f"  needs: {one}" for one in shown.needs]
    lines = [wrapped(line) for line in lines]
    if shown.settings:
        rows = [_row(one) for one in shown.settings]
        lines.append(table(rows, heads=("setting", "default", "mini", "must be", "is"), prose=True))
    if shown.mixes:
        found = [f"  mixes with ({REST}):", *(f"    {line}" for line in mixing(shown.mixes))]
        lines += map(wrapped, found)
    if shown.text:
        lines += ["", shown.text.rstrip()]
    return "\n".join(lines)


def _row(one: ShownSetting) -> tuple[str, ...]:
    mini = "" if one.mini == one.default else as_typed(one.mini)
    return one.path, as_typed(one.default), mini, one.expected, one.help
