"""Runs of `--growth random` from the command line, small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from command_line import cli

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

SETS = {
    "dataset.count": 128,
    "dataset.size": 8,
    "ranking.channels": 2,
    "ranking.cells": 1,
    "ranking.epochs": 1,
}
RANDOM = ("search", "--dataset", "synthetic", "--growth", "random", "--scale", "mini")


def sets(**more: object) -> list[str]:
    values = {**SETS, **{path.replace("__", "."): value for path, value in more.items()}}
    return [word for path, value in values.items() for word in ("--set", f"{path}={value}")]


def grown(out: Path, *words: str, space: str = "tiny", **more: object) -> Result:
    return cli(*RANDOM, "--space", space, "--out", out, *words, *sets(**more))
