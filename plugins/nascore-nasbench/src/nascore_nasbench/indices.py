"""Refuses six numbers instead of a string, since tools number operations and edges differently."""

from __future__ import annotations

import re
from itertools import starmap
from typing import TYPE_CHECKING

from nascore.api import DescriptionError, Origin, Problem
from nascore_nasbench.space import EDGES, OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST = 200
_NUMBERS = re.compile(r"[(\[]\s*[0-4](?:\s*,\s*[0-4]){5}\s*,?\s*[)\]]")

_NASLIB = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
_BY_SOURCE = tuple(sorted(EDGES, key=lambda edge: (edge[1], edge[0])))

READINGS = {
    "in the order of the strings": (OPERATIONS, EDGES),
    "with NASLib's operations, edges by their source": (_NASLIB, _BY_SOURCE),
    "with the strings' operations, edges by their source": (OPERATIONS, _BY_SOURCE),
}
"""What the numbers count, as public code has it: the operations, and the edges as (node, source)."""


def looks_like(text: str) -> bool:
    """Return whether a text is six numbers of operations."""
    return len(text) < _LONGEST and _NUMBERS.fullmatch(_bare(text)) is not None


def parse(text: str) -> tuple[str, ...]:
    """Return the operation of each edge, in the order of the strings, if every code base says the same.

    Raises:
        DescriptionError: The numbers are ambiguous: with the networks that they may be.
    """
    numbers = [int(digit) for digit in re.findall(r"\d", text)]
    found = {how: _read(numbers, *lists) for how, lists in READINGS.items()}
    first = next(iter(found.values()))
    if all(one == first for one in found.values()):
        return first
    said = "; ".join(starmap(lambda how, ops: f"{how}: {_string(ops)}", found.items()))
    where = Origin(kind="recipe", file="nb201", line=1, column=1)
    text = f"numbers of operations are ambiguous, since code bases count differently: {said}."
    raise DescriptionError([Problem(path="", text=text, hint="Give the string that is meant.", origin=where)])


def _bare(text: str) -> str:
    return text.strip("\ufeff'\"` \t\r\n,")


def _read(
    numbers: Sequence[int], operations: Sequence[str], edges: Sequence[tuple[int, int]]
) -> tuple[str, ...]:
    by_edge = {edge: operations[number] for edge, number in zip(edges, numbers, strict=True)}
    return tuple(by_edge[edge] for edge in EDGES)


def _string(operations: Sequence[str]) -> str:
    parts: dict[int, str] = {}
    for (node, source), operation in zip(EDGES, operations, strict=True):
        parts[node] = parts.get(node, "|") + f"{operation}~{source}|"
    return "+".join(parts.values())
