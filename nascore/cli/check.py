"""``nascore check``, and what ``--dry-run`` prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nascore.cli.echo import echo
from nascore.cli.options import plugins_option
from nascore.cli.suggested import Line, suggesting
from nascore.cli.verb import Verb, as_typed, table, warn
from nascore.recipe import Request
from nascore.verbs.checking import check

if TYPE_CHECKING:
    from nascore.plugin import Selection
    from nascore.verbs.checking import Checked


@click.command("check", cls=Verb, examples=("nascore check runs/first/recipe.yaml",))
@click.argument("recipe", type=click.Path(path_type=Path))
@plugins_option
def command(recipe: Path, *, plugins: Selection) -> None:
    """Check a recipe: whether its parts exist and fit, and what a search with it would be."""
    with suggesting(Line(plugins=plugins)):
        checked = check(Request(recipe=recipe, recipe_typed=str(recipe)), plugins=plugins)
    echo_checked(checked)


def echo_checked(checked: Checked) -> None:
    """Print what fills each slot, the settings that are not the default, and what is searched in."""
    warn(checked.recipe.warned)
    rows = [(slot, name, origin.where) for slot, name, origin in checked.parts]
    echo(table(rows, heads=("slot", "filled by", "from"), prose=True))
    for passed in checked.recipe.passed:
        echo(f"  {passed}")
    if checked.changed:
        values = [(path, as_typed(value), origin.where) for path, value, origin in checked.changed]
        echo("\n" + table(values, heads=("setting", "value", "from"), prose=True))
    if checked.supernet is not None:
        echo(f"\nsupernet: {checked.supernet}")
    else:
        echo(f"\nno supernet; architectures to begin with, each trained by itself: {checked.seeds}")
    if checked.remark:
        echo(checked.remark)
    sizes = ", ".join(f"training.{name}={value}" for name, value in checked.size.items())
    echo(f"trained by the search: {checked.trained}")
    echo(f"trained by evaluate ({sizes or 'the same size'}): {checked.evaluated}")
