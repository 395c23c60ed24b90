"""Galleries that are written down in a line, and random ones."""

from __future__ import annotations

from hypothesis import strategies as st

from nascore.gallery import Entry, Gallery

ORACLE = ((1, 0.5), (2, 0.3), (3, 0.29), (4, 0.2), (5, 0.25))
"""The pool of algorithms.md, oracle 14: cost and validation error."""


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


def ids(entries) -> list[int]:
    return [entry.id for entry in entries]
