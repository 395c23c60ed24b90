"""What a run ends with, on stdout."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nascore.cli.echo import echo, wrapped
from nascore.cli.gallery_said import gallery_table, marks, measured_on
from nascore.cli.verb import table
from nascore.description import draw
from nascore.files import shown_path
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.recipe import Recipe
    from nascore.verbs.runs import Run

MINI = "scale mini: a laptop check, not a paper's setting"


@contextmanager
def scale_said(recipe: Recipe, *, quiet: bool = False) -> Iterator[None]:
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


def echo_found(run: Run) -> None:
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
