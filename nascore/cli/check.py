"""The verb ``nascore check``, and the output of ``--dry-run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import click

from nascore.cli.options import GIVEN, json_option, plugins_option
from nascore.cli.output import Verb, echo, echo_json, table, wrapped
from nascore.cli.result import CommandLine, CommandReporter
from nascore.config import write_value
from nascore.errors import PluginError, RecipeError
from nascore.recipe import Request
from nascore.verbs.dry_run import check

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.errors import Problem
    from nascore.plugin import Selection
    from nascore.verbs.dry_run import Checked


@click.command(
    "check",
    cls=Verb,
    examples=("nascore check runs/first/recipe.yaml", "nascore check runs/first/recipe.yaml --json"),
)
@click.argument("recipe", type=GIVEN)
@plugins_option
@json_option
def command(recipe: Path, *, plugins: Selection, as_json: bool) -> None:
    """Check whether the parts of a recipe exist and fit, and print what a search would do."""
    reporter = CommandReporter(line=CommandLine(plugins=plugins))
    try:
        checked = check(Request(recipe=recipe, recipe_flag=""), plugins=plugins, reporter=reporter)
    except (RecipeError, PluginError) as error:
        if as_json:
            echo_json({"problems": [plain_problem(problem) for problem in error.problems]})
        raise
    echo_check(checked, as_json=as_json)


def echo_check(checked: Checked, *, as_json: bool) -> None:
    """Print what a search would do."""
    if as_json:
        echo_json(plain_checked(checked))
    else:
        echo_checked(checked)


def plain_problem(problem: Problem) -> dict[str, Any]:
    """Return a problem for JSON."""
    origin = problem.origin
    where = None if origin is None else str(origin)
    return {"path": problem.path, "text": problem.text, "hint": problem.hint, "from": where}


def plain_checked(checked: Checked) -> dict[str, Any]:
    """Return for JSON the parts, settings, sizes and warnings of a recipe that can run."""
    slots = {slot.name for slot in checked.recipe.slots}
    supernet = checked.supernet
    return {
        "problems": [],
        "parts": [{"slot": slot, "name": name, "from": str(origin)} for slot, name, origin in checked.parts],
        "tricks": checked.tricks,
        "settings": {path: value for path, value, _ in checked.recipe.rows() if path not in slots},
        "changed": {path: str(origin) for path, _, origin in checked.changed},
        "supernet": None if supernet is None else attrs.asdict(supernet),
        "seeds": checked.seeds,
        "searched": checked.searched,
        "trained": attrs.asdict(checked.trained),
        "evaluated": attrs.asdict(checked.evaluated),
        "evaluated_at": dict(checked.size),
        "remark": checked.remark,
        "warnings": [str(problem) for problem in checked.recipe.warned],
        "passed_over": [str(wish) for wish in checked.recipe.declined],
    }


def echo_checked(checked: Checked) -> None:
    """Print the component of each slot, the changed settings, and the searched network."""
    for problem in checked.recipe.warned:
        echo(str(problem), err=True)
    rows = [(slot, name, str(origin)) for slot, name, origin in checked.parts]
    echo(table(rows, heads=("slot", "filled by", "from"), prose=True))
    for wish in checked.recipe.declined:
        echo(wrapped(f"  {wish}"))
    if checked.tricks:
        places = [(place, ", ".join(names)) for place, names in checked.tricks.items()]
        echo("\n" + table(places, heads=("tricks act on", "in this order"), prose=True))
    if checked.changed:
        values = [(path, write_value(value), str(origin)) for path, value, origin in checked.changed]
        echo("\n" + table(values, heads=("setting", "value", "from"), prose=True))
    echo(wrapped(f"\n{checked.beginning}"))
    if checked.remark:
        echo(wrapped(checked.remark))
    sizes = ", ".join(f"training.{name}={value}" for name, value in checked.size.items())
    echo(wrapped(f"trained by the search: {checked.trained}"))
    echo(wrapped(f"trained by evaluate ({sizes or 'the same size'}): {checked.evaluated}"))
