"""The canonical hash of a description; isomorphic descriptions have equal hashes.

Colour refinement over the states that the network needs: every state's colour takes up those of what it reads
and of what reads it, until no further states can be told apart. Names never enter.
"""

from __future__ import annotations

from collections import defaultdict
from hashlib import blake2b
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from nascore.description.expand import expand
from nascore.description.keys import hashed_values, marks

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from nascore.description.graph import Description
    from nascore.description.plan import FeatureMap, Plan, Wire

_BYTES = 20


def fingerprint(description: Description) -> str:
    """Return the canonical hash of a description, 40 hexadecimal digits.

    Isomorphic descriptions have equal hashes: names, the order of nodes, of the edges of a sum, of operations
    and columns, repeats spelled out, cells untied, widths in other units and nodes that nothing reads do not
    count; nor does a group's rule for deriving. That different networks always differ is not promised, nor
    that equal functions meet.
    """
    plan = expand(description)
    refinement = _Refinement(plan=plan, needed=_needed(plan))
    always = hashed_values(description)
    return _digest(("nascore", 1, always, refinement.stable(), *marks(description)))


@frozen
class _Seen:
    """A wire from the view of its ends: its operation, and the choice that it shares."""

    source: int
    target: int
    label: str
    row: tuple[str, int] | None


@define(kw_only=True)
class _Refinement:
    plan: Plan
    needed: list[int]
    colours: dict[int, str] = field(factory=dict)
    rows: dict[tuple[str, int], str] = field(factory=dict)
    ways_in: dict[int, list[_Seen]] = field(init=False)
    ways_out: dict[int, list[_Seen]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.ways_in, self.ways_out = defaultdict(list), defaultdict(list)
        for index in self.needed:
            state = self.plan.feature_maps[index]
            for position, wire in enumerate(state.wires):
                place = position if state.join == "concat" else -1
                row = None if wire.group is None else (wire.group, wire.row)
                seen = _Seen(wire.source, index, _digest((place, *_label(wire, state))), row)
                self.ways_in[index].append(seen)
                self.ways_out[wire.source].append(seen)
                if row is not None:
                    self.rows[row] = ""

    def stable(self) -> str:
        """Refine until no more states or rows can be told apart, and return the digest of all."""
        for index in self.needed:  # upwards first: each colour then knows all below it
            self.colours[index] = _digest((self._kind(index), self._below(index)))
        told_apart = 0
        while (count := len({*self.colours.values(), *self.rows.values()})) > told_apart:
            told_apart = count
            self._refine()
        return _digest((sorted(self.colours.values()), sorted(self.rows.values())))

    def _refine(self) -> None:
        self.rows = self._row_colours()
        fresh = {
            index: _digest((self.colours[index], self._below(index), self._above(index)))
            for index in self.needed
        }
        self.colours = fresh

    def _kind(self, index: int) -> tuple[Hashable, ...]:
        state = self.plan.feature_maps[index]
        ends = (index == self.plan.output, index == self.plan.auxiliary)
        return (state.join, state.channels, state.reduction, state.shadow, *ends, *state.marks)

    def _below(self, index: int) -> list[str]:
        return sorted(
            _digest((way.label, self.colours[way.source], self._shared(way))) for way in self.ways_in[index]
        )

    def _above(self, index: int) -> list[str]:
        return sorted(
            _digest((way.label, self.colours[way.target], self._shared(way))) for way in self.ways_out[index]
        )

    def _shared(self, way: _Seen) -> str:
        return "" if way.row is None else self.rows[way.row]

    def _row_colours(self) -> dict[tuple[str, int], str]:
        """Colour each row by its uses, then by the other rows of its group."""
        ends: dict[tuple[str, int], list[str]] = defaultdict(list)
        for ways in self.ways_in.values():
            for way in ways:
                if way.row is not None:
                    both = (self.colours[way.source], self.colours[way.target])
                    ends[way.row].append(_digest((self.rows[way.row], way.label, both)))
        own = {row: _digest(sorted(each)) for row, each in ends.items()}
        groups: dict[str, list[str]] = defaultdict(list)
        for (group, _), colour in own.items():
            groups[group].append(colour)
        return {row: _digest((colour, sorted(groups[row[0]]))) for row, colour in own.items()}


def _needed(plan: Plan) -> list[int]:
    """Return the indices of the states that the output or the auxiliary head needs, in order."""
    needed = {plan.output} if plan.auxiliary is None else {plan.output, plan.auxiliary}
    for index in range(len(plan.feature_maps) - 1, -1, -1):
        if index in needed:
            needed |= {wire.source for wire in plan.feature_maps[index].wires}
    return sorted(needed)


def _label(wire: Wire, state: FeatureMap) -> tuple[Hashable, ...]:
    ops: Iterable[str] = (str(op) for op in wire.ops)
    ordered = state.join == "concat" and wire.group is None
    shown = tuple(ops) if ordered else tuple(sorted(ops))
    return (shown, wire.stride, wire.gate, wire.group is not None, *wire.marks)


def _digest(value: object) -> str:
    return blake2b(repr(value).encode(), digest_size=_BYTES).hexdigest()
