"""The verb ``nascore predict``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from nascore.cli.options import GIVEN, entry_option, json_option, plugins_option
from nascore.cli.output import Verb, echo, echo_json, table
from nascore.files import shown_path
from nascore.verbs.predict import predict_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nascore.plugin import Selection

TOP: Final = 3
"""Number of classes that are printed for an image."""


@click.command(
    "predict",
    cls=Verb,
    examples=(
        "nascore predict runs/first zero.pgm",
        "nascore predict runs/first zero.pgm --top 1",
        "nascore predict runs/first zero.pgm --entry 1 --json",
    ),
)
@click.argument("run", type=GIVEN)
@click.argument("images", nargs=-1, required=True, type=GIVEN, metavar="IMAGE...")
@entry_option
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=TOP,
    show_default=True,
    metavar="N",
    help="Classes printed for an image.",
)
@json_option
@plugins_option
def command(  # noqa: PLR0913 - each is a flag
    run: Path,
    images: tuple[Path, ...],
    *,
    entry: int | None,
    top: int,
    as_json: bool,
    plugins: Selection,
) -> None:
    """Predict images with the network of a finished run.

    Each IMAGE is a file, or a folder whose image files are predicted. They are prepared as the data set of
    the run prepared its own: size, grey or colour, mean and standard deviation.
    """
    found = predict_files(run, images, entry=entry, plugins=plugins)
    if as_json:
        echo_json([{"file": str(shown_path(one.file)), **one.prediction} for one in found])
        return
    rows = [(str(shown_path(one.file)), *_cells(one.prediction, top)) for one in found]
    echo(table(rows))


def _cells(prediction: Mapping[str, Any], top: int) -> list[str]:
    """Return the cells of a row: the most probable classes, or the values of another task."""
    shares = prediction.get("probabilities")
    if not isinstance(shares, dict) or "label" not in prediction:
        return [f"{name} {_value(value)}" for name, value in prediction.items()]
    best = sorted(shares.items(), key=lambda item: -item[1])[:top]
    return [f"{name} {share:.1%}" for name, share in best]


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value(one)}" for name, one in value.items())
    return ", ".join(map(_value, value)) if isinstance(value, (list, tuple)) else str(value)
