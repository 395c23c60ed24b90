"""The verb ``nascore draw``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nascore.cli.options import entry_option, json_option, plugins_option
from nascore.cli.output import Verb, echo, echo_json, wrapped
from nascore.description import fingerprint
from nascore.verbs.architecture import Size
from nascore.verbs.draw import draw

if TYPE_CHECKING:
    from nascore.plugin import Selection
    from nascore.verbs.draw import Drawing

POSITIVE = click.IntRange(min=1)


@click.command(
    "draw",
    cls=Verb,
    examples=(
        "nascore draw runs/first",
        "nascore draw runs/first --entry 1",
        "nascore draw chain.yaml --dot",
        "nascore draw DARTS_V2 --channels 36 --cells 20 --auxiliary",
        "nascore draw runs/first/best/architecture.yaml --size 8",
    ),
)
@click.argument("architecture")
@entry_option
@click.option("--dot", is_flag=True, help="Print DOT text, for Graphviz.")
@click.option("--channels", type=POSITIVE, metavar="N", help="Scale to this width of the first cell.")
@click.option("--cells", type=POSITIVE, metavar="N", help="Scale to this number of cells.")
@click.option("--classes", type=POSITIVE, metavar="N", help="Scale to this number of classes.")
@click.option("--auxiliary", is_flag=True, help="Add the auxiliary head.")
@click.option(
    "--size", type=POSITIVE, metavar="N", help="Image side in pixels. Default: that of the run, or 32."
)
@plugins_option
@json_option
def command(  # noqa: PLR0913 - each is a flag
    architecture: str,
    *,
    entry: int | None,
    dot: bool,
    channels: int | None,
    cells: int | None,
    classes: int | None,
    auxiliary: bool,
    size: int | None,
    plugins: Selection,
    as_json: bool,
) -> None:
    """Draw an architecture, and count its parameters and MACs.

    ARCHITECTURE is the folder of a run, a description in YAML, or a text or name in a notation that a
    plugin reads.
    """
    scale = Size(channels=channels, cells=cells, classes=classes, auxiliary=auxiliary)
    image = None if size is None else (size, size)
    drawing = draw(architecture, entry=entry, size=scale, image=image, plugins=plugins)
    if as_json:
        echo_json(_plain(drawing))
        return
    echo(drawing.dot if dot else wrapped(f"{drawing.text.rstrip()}\n\n{drawing.counted}"))


def _plain(drawing: Drawing) -> dict[str, Any]:
    """Return an architecture as values for JSON."""
    description, counted = drawing.description, drawing.counted
    return {
        "open": description.is_open,
        "fingerprint": None if description.is_open else fingerprint(description),
        "params": counted.params,
        "macs": counted.macs,
        "image": list(counted.size),
        "text": drawing.text,
        "dot": drawing.dot,
    }
