"""Prints the result of a search or an evaluation, or a refusal with a command that works."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import Factory, evolve, frozen

from nascore.cli.gallery import gallery_table, marks, measured_on
from nascore.cli.output import echo, table, wrapped
from nascore.description import draw
from nascore.files import shown_path
from nascore.plugin import Selection
from nascore.shell import command_line
from nascore.slots import SLOTS
from nascore.verbs.resolution import INDENT
from nascore.verbs.resolution import suggesting as explaining
from nascore.verbs.several import PartlyUnfitError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nascore.recipe import Recipe, Request
    from nascore.recipe.advice.nearest_mix import Suggestion
    from nascore.verbs.runs import Run


MINI = "scale mini: a laptop check, not a paper's setting"


@contextmanager
def echo_scale_note(recipe: Recipe, *, quiet: bool = False) -> Iterator[None]:
    """Say at scale mini, in the first and in the last line, what the numbers between are worth.

    Args:
        recipe: What is run.
        quiet: Whether stdout is read by a program: then nothing is said.
    """
    mini = recipe.scale is not None and recipe.scale[0] == "mini" and not quiet
    if mini:
        echo(MINI)
    yield
    if mini:
        echo(MINI)


def echo_result(run: Run) -> None:
    """Print the gallery, the best cell, the run's folder and the next command."""
    echo(_gallery(run))
    echo(wrapped(f"\n{draw(run.best).rstrip()}\n"))
    echo(f"run: {shown_path(run.path)}")
    echo(f"next: {command_line('nascore', 'evaluate', shown_path(run.path))}")


def echo_evaluated(run: Run, training: Any) -> None:  # noqa: ANN401 - settings of the run, by attribute
    """Print the test accuracy, the size that was trained, the run's folder and the next command."""
    result = run.result
    low, high = result["interval"]
    rows = [
        ("test accuracy", f"{result['test_accuracy']:.2%} of {result['test_count']} images"),
        ("95 % interval", f"{low:.1%} to {high:.1%}"),
        ("parameters", f"{result['params']:,.0f}"),
        ("MACs", f"{result['macs']:,.0f} per image"),
        *_sizes(training),
    ]
    echo(table(rows))
    echo(f"\nrun: {shown_path(run.path)}")
    echo(f"next: {command_line('nascore', 'draw', shown_path(run.path))}")


def _sizes(training: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - settings, by attribute
    """Yield what the architecture was scaled to, which makes it another network than that of the search."""
    given = [
        f"training.{name}={value}"
        for name in ("channels", "cells")
        if (value := getattr(training, name)) is not None
    ]
    if given:
        yield "scaled by", ", ".join(given)


def _gallery(run: Run) -> str:
    gallery = run.gallery
    text = gallery_table(gallery.entries, marks(gallery, gallery.front()))
    lines = [text, wrapped(f"accuracy: {measured_on(gallery.entries)}")]
    match run.result:
        case {"jobs": {"done": int(done), "failed": int(failed)}} if failed:
            lines.append(f"{failed} of {done + failed} jobs failed; run.log says why")
    return "\n".join(lines)


@frozen(kw_only=True)
class CommandLine:
    """What a command line says beside its request.

    Attributes:
        verb: The verb that takes the request.
        plugins: Which plugins are wanted.
        out: The folder of the run.
        dry_run: Whether it is only said what would be done.
        seeds: The seeds of several searches.
        sets: Settings of the evaluation, which are not those of the request.
        flags: Flags without a value, beside ``--dry-run``.
    """

    verb: str = "search"
    plugins: Selection = Factory(Selection)
    out: Path | None = None
    dry_run: bool = False
    seeds: str | None = None
    sets: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    def command(self, request: Request) -> str:
        """Return the whole command line of a request, as one types it in a POSIX shell.

        Args:
            request: Made from options of the command line: it has no settings from Python.
        """
        fixed = [("recipe", request.recipe), ("preset", request.preset), ("scale", request.scale)]
        plugins = self.plugins
        for flag, typed in (("with", plugins.files), ("without", plugins.without), ("only", plugins.only)):
            fixed += [(flag, one) for one in typed]
        fixed += [*request.run.items(), ("seeds", self.seeds), ("out", self.out)]
        chosen = [(slot.name, name) for slot in SLOTS for name in request.names.get(slot.name, ())]
        options = [*fixed, *chosen, *(("set", text) for text in (*request.sets, *self.sets))]
        words = [word for flag, one in options if one is not None for word in (f"--{flag}", str(one))]
        flags = [*self.flags, *(["dry-run"] if self.dry_run else [])]
        return command_line("nascore", self.verb, *words, *(f"--{flag}" for flag in flags))


@contextmanager
def suggesting(line: CommandLine) -> Iterator[None]:
    """Let the refusal of a misfit end with a command that works, or else with what fits.

    Args:
        line: What the command line says beside its request.
    """

    def written(found: Suggestion) -> str:
        # A recipe that `check` names without a flag is named by one in a search.
        return line.command(evolve(found.request, recipe_flag="--recipe"))

    try:
        with explaining(written):
            yield
    except PartlyUnfitError as error:
        if error.rest is not None:
            error.add_note(f"The others work:\n{INDENT}{line.command(error.rest)}")
        raise
