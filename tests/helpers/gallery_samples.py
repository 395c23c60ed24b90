"""Galleries that are written down in a line, and random ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve
from hypothesis import strategies as st
from tiny import CLOSED

from nascore.gallery import Entry, Gallery

if TYPE_CHECKING:
    from pathlib import Path

SMALL = {"dataset.count": 128, "dataset.size": 8, "ranking.channels": 2, "ranking.cells": 1}
SETS = [
    word for path, value in {**SMALL, "ranking.epochs": 1}.items() for word in ("--set", f"{path}={value}")
]
GROW = ("search", "--dataset", "synthetic", "--space", "tiny", "--growth", "random", "--scale", "mini", *SETS)
"""Words that grow small architectures at random, in a second each."""

ORACLE = ((1, 0.5), (2, 0.3), (3, 0.29), (4, 0.2), (5, 0.25))
"""The pool of oracle 14: cost and validation error."""


def pool(*points: tuple[float, float]) -> Gallery:
    """Return the gallery of some costs and errors; ids count from 1."""
    entries = [
        Entry(
            id=number,
            description=f"architectures/{number:04d}.yaml",
            error=error,
            count=287,
            costs={"params": cost, "macs": cost},
        )
        for number, (cost, error) in enumerate(points, 1)
    ]
    return Gallery(tuple(entries))


def pools(*, most: int = 9) -> st.SearchStrategy[Gallery]:
    """Return random pools: few different values, so that there are equals and points in a line."""
    point = st.tuples(st.integers(0, 6), st.integers(0, 8).map(lambda eighths: eighths / 8))
    return st.lists(point, min_size=1, max_size=most).map(lambda points: pool(*points))


def write_run(folder: Path) -> Path:
    """Write the folder of a run that was killed: the pool of oracle 14, with parents."""
    (folder / "architectures").mkdir(parents=True)
    (folder / "recipe.yaml").write_text("nascore: 1\n", encoding="utf-8")
    parents = (None, 1, 1, 2, 4)
    costs = [{"params": 40_000 * one.id**3, "macs": 7_000_000 * one.id} for one in pool(*ORACLE)]
    entries = [
        evolve(one, parent=parent, wave=1 + one.id // 2, costs=cost)
        for one, parent, cost in zip(pool(*ORACLE), parents, costs, strict=True)
    ]
    (folder / "gallery.json").write_text(Gallery(tuple(entries)).to_json(), encoding="utf-8")
    for entry in entries:
        (folder / entry.description).write_text(CLOSED.replace("4", str(4 * entry.id)), encoding="utf-8")
    return folder


def ids(entries) -> list[int]:
    return [entry.id for entry in entries]
