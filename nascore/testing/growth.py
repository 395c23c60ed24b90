"""What every growth policy promises."""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from nascore.builtin.settings import PlantedSpaceSettings, TinySettings
from nascore.builtin.spaces import Planted, Tiny
from nascore.contract import DataFacts, GrowingPolicy
from nascore.description import dump, expand, fingerprint
from nascore.testing.galleries import chosen, gallery_of
from nascore.testing.growing import GrowingConformance
from nascore.testing.growing_parents import GrowingParents
from nascore.testing.grown import fixed_space, grown_line, growths, strengths
from nascore.testing.optional import OptionalMethods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from nascore.description import Description, Op

FACTS = DataFacts(channels=1, height=8, width=8, classes=3, train=60, test=12, mean=(0.5,), std=(0.25,))


ERRORS = (0.5, 0.3, 0.4)
FIRST = 3
"""So many of the architectures that it begins with grow in a space that is fixed."""


class GrowthConformance(GrowingConformance, GrowingParents, OptionalMethods):
    """The checks of a growth policy, on cells and on chains; of one that grows, also of parents and children.

    Attributes:
        largest: Bounds of settings above it are not tried: they are numbers of architectures.
    """

    slot: ClassVar[str] = "growth"
    optional: ClassVar[tuple[str, ...]] = ("next_parents", "open", "close", "seed_epochs", "child_epochs")
    largest: ClassVar[float] = 100

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Draw the seeds in every space, and grow; returns marks of what was made as numbers."""
        marks = [
            int(fingerprint(one)[:8], 16)
            for name, space in spaces().items()
            for one in part.seeds(space, Random(f"{seed}/{name}"))  # noqa: S311 - nothing secret
        ]
        given = {"seeds": torch.tensor(marks, dtype=torch.int64)}
        if isinstance(part, GrowingPolicy):
            parents = [one.id for one in chosen(part, gallery_of(ERRORS), seed)]
            opened = [_mark(dump(one.opened)) for one in growths(part, self.found().operations())]
            given["parents"] = torch.tensor(parents, dtype=torch.int64)
            given["candidates"] = torch.tensor(opened, dtype=torch.int64)
        return given

    def test_seeds_are_closed(self) -> None:
        """It begins with architectures in which nothing is left to choose, and which can be built."""
        for name, _, seeds in self._begun():
            for one in seeds:
                self.hold(not one.is_open, f"begins with an architecture that is open, in the space {name}")
                expand(one, self.found().operations())

    def test_seeds_are_for_the_same_data(self) -> None:
        """Its architectures take the images and give the classes that the space is for."""
        for name, space, seeds in self._begun():
            for one in seeds:
                self.hold(
                    _same_data(one, space),
                    f"begins with an architecture for other data than the space {name}",
                )

    def test_seeds_are_of_the_space(self) -> None:
        """Every operation in them is one that the space offers, and none that it never keeps."""
        for name, space, seeds in self._begun():
            offered = _operations(space)
            never = {op for group in space.groups.values() for op in group.never}
            for one in seeds:
                used = set() if one.is_open else _operations(one)
                self.hold(
                    not used & never, f"keeps {_names(used & never)}, which the space {name} never keeps"
                )
                self.hold(used <= offered, f"brings {_names(used - offered)} into the space {name}")

    def test_stays_in_a_fixed_space(self) -> None:
        """In a space that is `fixed` all that it makes is of the space, unless it refuses such spaces."""
        if self._refuses_fixed_spaces():
            return
        space, known = fixed_space()
        part = self.made()
        begun = tuple(part.seeds(space, Random("fixed")))  # noqa: S311 - nothing secret
        cure = "which it may not unless it declares the need `not space.fixed`"
        # What is open, or for other data, fails checks of its own.
        closed = [one for one in begun if not one.is_open and _same_data(one, space)]
        outside = [one for one in closed if fingerprint(one) not in known]
        self.hold(not outside, f"begins outside a space that is fixed, {cure}")
        for one in closed[:FIRST] if isinstance(part, GrowingPolicy) else ():
            for growth in grown_line(part, self.found().operations(), "fixed", one):
                for most in (None, 1, 0):
                    child = part.close(growth.opened, strengths(growth.opened, most=most))
                    inside = child.is_open or fingerprint(child) in known
                    self.hold(inside, f"makes children outside a space that is fixed, {cure}")

    def _refuses_fixed_spaces(self) -> bool:
        settings = self.configured()
        return any(
            need.terms == ("not space.fixed",) and need.verdict == "refused" and need.when(settings)
            for need in self.declared().needs
        )

    def test_begins_with_something(self) -> None:
        """It begins with an architecture, unless it provides `supernet` and chooses there."""
        if not self.provides("supernet"):
            for name, _, seeds in self._begun():
                self.hold(seeds, f"begins with nothing in the space {name}")

    def test_seeds_differ(self) -> None:
        """It begins with no architecture twice."""
        for name, _, seeds in self._begun():
            marks = [fingerprint(one) for one in seeds]
            twice = len(marks) - len(set(marks))
            self.hold(not twice, f"begins {twice} times with an architecture again, in the space {name}")

    def _begun(self) -> list[tuple[str, Description, Sequence[Description]]]:
        part = self.made()
        return [
            (name, space, tuple(part.seeds(space, Random(name))))  # noqa: S311 - nothing secret
            for name, space in spaces().items()
        ]


def spaces() -> dict[str, Description]:
    """Return the spaces that growth is tried in, by name."""
    return {
        "tiny": Tiny(TinySettings()).describe(FACTS),
        "planted": Planted(PlantedSpaceSettings()).describe(FACTS),
    }


def _mark(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:4], "little")


def _same_data(one: Description, space: Description) -> bool:
    return (one.in_channels, one.classes) == (space.in_channels, space.classes)


def _operations(description: Description) -> set[Op]:
    return {op for _, _, edge in description.edges() for op in edge.ops}


def _names(ops: set[Op]) -> str:
    return ", ".join(sorted(op.name for op in ops))
