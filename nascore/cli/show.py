"""The verb ``nascore show``, and the page of all components in Markdown."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

import attrs
import click

from nascore.cli.app import own_verbs
from nascore.cli.completion import complete_anything
from nascore.cli.options import json_option, plugins_option
from nascore.cli.output import Verb, echo, echo_json, inline, markdown_table, table, wrapped
from nascore.config import write_value
from nascore.slots import SLOTS
from nascore.verbs.show import named_schema, recipe_text, show, show_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.plugin import Selection
    from nascore.verbs.show import Partners, Shown, ShownSetting


REST: Final = "other slots are filled by wishes and defaults"

_HEAD: Final = f"""\
# Components

Reference for the installed components, by slot: summary, source, the capabilities that a component provides
and needs, its settings, and the parts it can be combined with, when all {REST}.
`nascore show NAME` prints this for one component; `nascore matrix` prints all combinations."""


def mixing(found: Sequence[Partners]) -> Iterator[str]:
    """Yield the parts that a component mixes with, by slot: sound ones, then others with the reason."""
    for (slot, beside), of_slot in groupby(found, key=lambda one: (one.slot, one.beside)):
        head = f"{slot} (beside {beside})" if beside else slot
        for number, one in enumerate(of_slot):
            names = ", ".join(one.names)
            if one.verdict == "sound":
                yield f"{head}: {names}"
                continue
            if not number:
                yield f"{head}: no sound partner"
            yield f"  {one.verdict} {names}: {one.why}"


def page(found: Sequence[Shown]) -> str:
    """Return the page of all components, which must be sorted by slot."""
    blocks = [_HEAD]
    summaries = {slot.name: slot.summary for slot in SLOTS}
    for slot, of_slot in groupby(found, key=lambda one: one.slot):
        summary = summaries[slot]
        blocks += [f"## {slot}", f"{summary[0].upper()}{summary[1:]}.", *map(section, of_slot)]
    return "\n\n".join(blocks)


HEADS = ("setting", "default", "small", "mini", "must be", "meaning")
"""The heads of a table of settings."""


def section(shown: Shown) -> str:
    """Return the section of one part in Markdown."""
    blocks = [f"### {shown.name}", inline(shown.summary)]
    facts = {"plugin": shown.plugin, "paper": shown.paper}
    lines = [f"{name}: {fact}" for name, fact in facts.items() if fact]
    lines += [*shown.facts, *(f"provides {one}" for one in shown.provides)]
    lines += [f"needs {one}" for one in shown.needs]
    blocks.append("\n".join(f"- {line}" for line in lines))
    if shown.settings:
        blocks.append(_settings(shown))
    if shown.mixes:
        blocks.append("\n".join([f"Mixes with ({REST}):\n", *map(_item, mixing(shown.mixes))]))
    if shown.text:
        blocks.append(f"```yaml\n{shown.text.rstrip()}\n```")
    return "\n\n".join(blocks)


def _item(line: str) -> str:
    text = line.lstrip()
    return f"{' ' * (len(line) - len(text))}- {text}"


def _settings(shown: Shown) -> str:
    rows = [
        (
            f"`{one.path}`",
            f"`{write_value(one.default)}`",
            _scaled(one.default, one.small),
            _scaled(one.default, one.mini),
            one.expected,
            one.help,
        )
        for one in shown.settings
    ]
    return markdown_table(rows, heads=HEADS)


def _scaled(default: object, value: object) -> str:
    return "" if value == default else f"`{write_value(value)}`"


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
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown; with --all, the whole page.")
@click.option("--yaml", "as_yaml", is_flag=True, help="Print a recipe with all its settings, for editing.")
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
    """Show a component: its needs, capabilities and settings, and the parts that it mixes with.

    NAME is the name of a component, a preset, an operation, a notation, a verb or an execution, or
    PLUGIN:NAME; or `run` for the settings that belong to no component.
    """
    if as_json + as_markdown + as_yaml + as_schema > 1:
        raise click.UsageError("--json, --markdown, --yaml and --schema: only one of them at a time.")
    if (name is None) != everything:
        raise click.UsageError("write either NAME or --all.")
    if name is None and (as_yaml or as_schema):
        raise click.UsageError("--yaml and --schema need a NAME.")
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
    lines += [f"  provides: {one}" for one in shown.provides]
    lines += [f"  needs: {one}" for one in shown.needs]
    lines = [wrapped(line) for line in lines]
    if shown.settings:
        rows = [_row(one) for one in shown.settings]
        lines.append(table(rows, heads=HEADS, prose=True))
    if shown.mixes:
        found = [f"  mixes with ({REST}):", *(f"    {line}" for line in mixing(shown.mixes))]
        lines += map(wrapped, found)
    if shown.text:
        lines += ["", shown.text.rstrip()]
    return "\n".join(lines)


def _row(one: ShownSetting) -> tuple[str, ...]:
    scaled = ["" if value == one.default else write_value(value) for value in (one.small, one.mini)]
    return one.path, write_value(one.default), *scaled, one.expected, one.help
