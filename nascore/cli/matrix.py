"""The verb ``nascore matrix``."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from nascore.cli.completion import completing
from nascore.cli.options import json_option, plugins_option
from nascore.cli.output import Verb, echo, echo_json, markdown_table, table, wrapped
from nascore.recipe.advice.all_mixes import VERDICTS
from nascore.slots import SLOTS
from nascore.verbs.matrix import matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from nascore.plugin import Selection
    from nascore.recipe.advice.all_mixes import Judgement, Mix, Mixes
    from nascore.verbs.matrix import Matrix

MIXED: Final = tuple(slot for slot in SLOTS if not slot.aside)
"""The slots that have an option: those that are combined, and those that only restrict the combinations."""

LEGEND: Final = (
    "A cell: the best verdict of all combinations with both parts; "
    "if verdicts differ, the numbers sound/warned/refused."
)


def _slots(function: Callable[..., Any]) -> Callable[..., Any]:
    for slot in reversed(MIXED):
        text = "Only combinations with this component; if repeated, with any of those named."
        option = click.option(
            f"--{slot.name}",
            multiple=True,
            metavar="NAME",
            help=text,
            shell_complete=completing(slot.name),
        )
        function = option(function)
    return function


@click.command(
    "matrix",
    cls=Verb,
    examples=(
        "nascore matrix --space darts",
        "nascore matrix --updater darts --relaxation softmax --by regularizer",
        "nascore matrix --space darts --growth none --updater darts --list --verdict refused",
        "nascore matrix --space darts --regularizer none --json",
        "nascore matrix --only builtin --only nascore-darts --markdown",
    ),
)
@_slots
@click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help="A setting for all combinations.")
@click.option(
    "--by",
    type=click.Choice([slot.name for slot in MIXED]),
    default="updater",
    show_default=True,
    help="The slot whose components are the columns of the table.",
)
@click.option("--list", "as_list", is_flag=True, help="List every combination, with the reasons.")
@click.option(
    "--verdict",
    type=click.Choice(VERDICTS),
    help="With --list or --json, only combinations with this verdict.",
)
@json_option
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table in Markdown.")
@plugins_option
def command(  # noqa: PLR0913 - each is a flag
    *,
    sets: tuple[str, ...],
    by: str,
    as_list: bool,
    verdict: str | None,
    as_json: bool,
    as_markdown: bool,
    plugins: Selection,
    **named: tuple[str, ...],
) -> None:
    """Show which installed parts go together: all combinations with their verdicts.

    Sound: all needs are met. Warned: it runs, but a need that matters for the result is not met. Refused: it
    cannot work. A component whose settings change its capabilities is listed once for each of their values.
    """
    if as_list + as_json + as_markdown > 1:
        raise click.UsageError("--list, --json and --markdown: only one of them at a time.")
    if verdict is not None and not (as_list or as_json):
        raise click.UsageError("--verdict is for --list and --json.")
    found = matrix(names=named, sets=sets, plugins=plugins, watch=_with_progress)
    chosen = [mix for mix in found.mixes if verdict in {None, mix.verdict}]
    if as_json:
        echo_json(_plain(found, chosen))
    elif as_list:
        echo(_listed(found, chosen))
    else:
        echo(_table(found, by, markdown_table if as_markdown else partial(table, keys=2)))
        echo(f"\n{LEGEND if as_markdown else wrapped(LEGEND)}")
    if not as_json:
        not_combined = f"Not combined: {'; '.join(found.not_combined)}."
        echo(f"{_total(found)}\n{not_combined if as_markdown else wrapped(not_combined)}")


def _with_progress(found: Mixes) -> Iterator[Mix]:
    """Yield the combinations; in a terminal, with a progress bar on stderr."""
    if not sys.stderr.isatty():
        yield from found
        return
    with click.progressbar(found, length=len(found), label="combinations", file=sys.stderr) as shown:
        yield from shown


def _table(found: Matrix, by: str, written: Callable[..., str]) -> str:
    """Return a table with the components of one slot as columns and those of the other slots as rows."""
    axes = {axis.slot: [one.text for one in axis.fillings] for axis in found.axes}
    if by not in axes:
        raise click.UsageError(f"--by {by}: nothing is named for it, and it is not combined.")
    counts = found.across(by)
    rows = [
        (slot, text, *(_cell(counts[slot, text, column]) for column in axes[by]))
        for slot, texts in axes.items()
        if slot != by
        for text in texts
    ]
    return written(rows, heads=("slot", "filled by", *axes[by]))


def _cell(counts: Mapping[Judgement, int]) -> str:
    there = [verdict for verdict, count in counts.items() if count]
    return there[0] if len(there) == 1 else f"{there[0]} {'/'.join(map(str, counts.values()))}"


def _listed(found: Matrix, chosen: Iterable[Mix]) -> str:
    open_slots = [axis.slot for axis in found.axes if len(axis.fillings) > 1]
    rows = [
        (*(mix.texts[slot] for slot in open_slots), mix.verdict, "; ".join(mix.reasons)) for mix in chosen
    ]
    return table(rows, heads=(*open_slots, "verdict", "why"), prose=True)


def _plain(found: Matrix, chosen: Iterable[Mix]) -> dict[str, Any]:
    return {
        "axes": {axis.slot: [one.text for one in axis.fillings] for axis in found.axes},
        "not_combined": found.not_combined,
        "counts": found.counts,
        "combinations": [
            {**mix.texts, "verdict": mix.verdict, "reasons": mix.reasons, "typed": mix.flags}
            for mix in chosen
        ],
    }


def _total(found: Matrix) -> str:
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in found.counts.items())
    return f"{len(found.mixes):,} combinations: {counts}."
