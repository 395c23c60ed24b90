"""The verb ``nascore data``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import attrs
import click

from nascore.cli.completion import completing
from nascore.cli.options import GIVEN, data_options, data_sets, json_option, plugins_option
from nascore.cli.output import Verb, echo, echo_json, table, wrapped
from nascore.recipe import Request
from nascore.slots import DATASET
from nascore.verbs.data import SCALE, describe_data_as_requested

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nascore.contract import DataFacts
    from nascore.engine.data_report import DataReport
    from nascore.plugin import Selection

MIB = 2**20
NAMED = 5
"""Number of sizes and of files that are listed."""


@click.command(
    "data",
    cls=Verb,
    examples=(
        "nascore data digits",
        "nascore data digits --json",
        "nascore data synthetic --set dataset.size=8 --sheet synthetic.png",
    ),
)
@click.argument("name", shell_complete=completing(DATASET))
@click.option(
    "--set", "sets", multiple=True, metavar="PATH=VALUE", help="A setting, such as dataset.size=32."
)
@data_options
@click.option(
    "--sheet", type=GIVEN, metavar="FILE", help="Write the first training images of each class as a PNG file."
)
@json_option
@plugins_option
def command(  # noqa: PLR0913 - each is a flag
    name: str,
    *,
    sets: tuple[str, ...],
    data_root: Path | None,
    download: bool,
    sheet: Path | None,
    as_json: bool,
    plugins: Selection,
) -> None:
    """Read and check a data set; print its classes, sizes and duplicates.

    NAME is a data set of nascore list dataset, or folder:PATH, csv:FILE or npz:FILE with the plugin
    nascore-vision.
    """
    request = Request(
        scale=SCALE, names={DATASET: [name]}, sets=(*sets, *data_sets(data_root, download=download))
    )
    report = describe_data_as_requested(request, sheet=sheet, plugins=plugins)
    if as_json:
        echo_json(plain_report(report))
        return
    for line in _lines(report):
        echo(wrapped(line))
    heads = NUMBERS if report.ranges else ("class", "train", "test")
    echo("\n" + table(_rows(report), heads=heads, prose=True))
    for warning in report.warnings:
        echo(warning, err=True)
    if sheet is not None:
        echo(f"contact sheet: {sheet}", err=True)


def plain_report(report: DataReport) -> dict[str, Any]:
    """Return the report of a data set for JSON."""
    return {
        "name": report.name,
        "facts": attrs.asdict(report.facts),
        "train": list(report.train),
        "test": list(report.test),
        "duplicates": attrs.asdict(report.duplicates),
        "fingerprint": report.fingerprint,
        "bytes": report.bytes,
        "files": report.files,
        "warnings": list(report.warnings),
        **({"ranges": [list(one) for one in report.ranges]} if report.ranges else {}),
    }


def _lines(report: DataReport) -> Iterator[str]:
    facts, twice = report.facts, report.duplicates
    kind = {1: "grey ", 3: "colour "}.get(facts.channels, f"{facts.channels}-channel ")
    yield (
        f"{report.name}: {facts.train:,} training and {facts.test:,} test {kind}images of "
        f"{facts.width}x{facts.height}, {_targets(facts)}"
    )
    yield f"mean {_numbers(facts.mean)}, standard deviation {_numbers(facts.std)} (0 to 1)"
    flip = "mirrored" if facts.flip else "not mirrored"
    yield f"augmentation: cropped with a pad of {facts.crop_pad} pixels, {flip}"
    yield f"in memory: {report.bytes / MIB:,.1f} MiB ({facts.dtype})"
    if report.train:
        small, large = min(report.train), max(report.train)
        yield f"balance: {small:,} to {large:,} training images in a class"
    if report.files is not None:
        yield from _of_files(report)
    yield f"duplicates: {twice.train:,} in train, {twice.test:,} in test, {twice.across:,} of test in train"
    if twice.conflicting:
        yield f"equal images with different labels: {twice.conflicting:,}"


def _of_files(report: DataReport) -> Iterator[str]:
    assert report.files is not None
    sizes, skipped = report.files["sizes"], report.files["skipped"]
    names = [f"{one['width']}x{one['height']} ({one['images']:,})" for one in sizes[:NAMED]]
    more = f" and {len(sizes) - NAMED:,} more" if len(sizes) > NAMED else ""
    yield f"sizes of the files: {', '.join(names)}{more}"
    if skipped:
        more = f" and {len(skipped) - NAMED:,} more" if len(skipped) > NAMED else ""
        yield f"left out: {', '.join(skipped[:NAMED])}{more}"


NUMBERS: Final = ("number", "least", "mean", "deviation", "largest")
"""Heads of the table of a data set whose images have numbers."""


def _targets(facts: DataFacts) -> str:
    count = len(facts.target_names)
    return f"{count} number{'s' * (count != 1)} an image" if count else f"{facts.classes} classes"


def _rows(report: DataReport) -> list[tuple[str, ...]]:
    facts = report.facts
    if report.ranges:
        columns = zip(facts.target_names, report.ranges, facts.target_mean, facts.target_std, strict=True)
        return [
            (name, *(f"{each:.5g}" for each in (low, mean, std, high)))
            for name, (low, high), mean, std in columns
        ]
    return [
        (report.class_name(number), f"{train:,}", f"{test:,}")
        for number, (train, test) in enumerate(zip(report.train, report.test, strict=True))
    ]


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.4f}" for value in values)
