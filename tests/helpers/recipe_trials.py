"""Mistaken recipes given to ``nascore check``: what its answer lacks."""

from functools import cache
from pathlib import Path

import yaml
from click.testing import CliRunner

from nascore.cli import main
from nascore.plugin import discover
from nascore.recipe import SEARCH_RUN


def faults(mutant, path: Path, *words):
    """Return the exit code for a recipe, and what is wrong with the answer: nothing, if all is well.

    Args:
        mutant: The recipe and its mistakes.
        path: Where to write it.
        words: Further words of the command line.
    """
    path.write_text(mutant.text, encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(path), *words])
    said = result.output.splitlines()
    found = []
    allowed = {3} if mutant.refused else {0, 3}
    allowed |= {4} if _a_default_is_not_there() else set()
    if not mutant.refused and _includes(mutant.value) & _presets_without_data():
        allowed.add(4)
    if result.exit_code not in allowed:
        found.append(f"exit code {result.exit_code}")
    if "Traceback" in result.output or not isinstance(result.exception, SystemExit | None):
        found.append(f"a traceback: {result.exception!r}")
    found += [f"{one} is not named" for one in mutant.refused if not any(map(_naming(one), said))]
    return result.exit_code, [f"{fault}\n{mutant.text}\n{result.output}" for fault in found]


@cache
def _a_default_is_not_there():
    """Whether the core wishes for what is not installed: who does not choose that slot lacks a plugin."""
    registry = discover()
    return any(registry.get(slot, name) is None for slot, name in SEARCH_RUN.wishes.items())


@cache
def _presets_without_data():
    """Return the presets that are made for a data set which is not installed: a plugin is missing."""
    registry = discover()
    named = {name: yaml.safe_load(preset.path.read_text()) for name, preset in registry.presets().items()}
    return {
        name
        for name, value in named.items()
        if "dataset" in value and registry.get("dataset", value["dataset"]) is None
    }


def _includes(value):
    """Return the names that a recipe includes."""
    included = value.get("include", ()) if isinstance(value, dict) else ()
    names = [included] if isinstance(included, str) else included or ()
    return {name.rpartition(":")[2] for name in names if isinstance(name, str)}


def _naming(path):
    # What is below it names it too: `plugins.a` of `plugins: {a: 1}`.
    return lambda line: line.startswith((f"{path}: ", f"{path}."))
