"""What a policy that grows promises of a parent, of what it opens, and of the child."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import torch

from nascore.contract import GrowingPolicy
from nascore.description import expand
from nascore.nn import inherit
from nascore.testing.grown import GATES, computed, growing, growths, network, on_nodes, strengths
from nascore.testing.part import PartConformance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from nascore.description import Catalogue, Description, Matrix
    from nascore.testing.grown import Growth, Kept

FEW = 2
NAMED = 3
"""So many names are listed of what was lost."""


class GrowingConformance(PartConformance):
    """Checks of opening and closing; a policy that grows nothing is not examined by them."""

    def test_grows_if_it_says_so(self) -> None:
        """It makes architectures from others if it declares `shadows`."""
        grows = isinstance(self.made(), GrowingPolicy)
        self.hold(grows or not self.provides("shadows"), "declares shadows, and cannot grow a parent")

    def test_opens_a_choice(self) -> None:
        """What it opens has something to choose and can be built, in one kind of space at least."""
        found = list(self._growths())
        self.hold(found, "opens no architecture that it begins with, in any space")
        for one in found:
            self.hold(one.opened.is_open, f"opens {one.where}, and leaves nothing to choose")
            expand(one.opened, self._catalogue())

    def test_opening_keeps_the_function(self) -> None:
        """What it opens computes what the parent does to the bit, whatever candidates weigh."""
        for one in self._opened():
            same = self._same(one.parent, one.opened)
            self.hold(same, f"opens {one.where}, and changes what it computes")

    def test_opening_keeps_every_weight(self) -> None:
        """Every tensor of the parent has its place in what is opened."""
        for one in self._opened():
            parent = network(one.parent, self._catalogue())
            _, left = inherit(network(one.opened, self._catalogue()), parent)
            self.hold(not left, f"opens {one.where}, and has no place for {_listed(left)}")

    def test_closes_every_choice(self) -> None:
        """A child leaves nothing to choose and can be built, also where no candidate has any strength."""
        for one in self._opened():
            for most in (None, FEW, 0):
                child = self._closed(one, strengths(one.opened, most=most))
                self.hold(not child.is_open, f"closes {one.where}, and leaves a choice")
                expand(child, self._catalogue())

    def test_a_child_keeps_the_function(self) -> None:
        """A child computes at first what its parent does, to the bit."""
        for one, child in self._children():
            same = self._same(one.parent, child)
            self.hold(same, f"closes {one.where}, and the child computes something else")

    def test_a_child_inherits_every_weight(self) -> None:
        """Every tensor of the parent that is in what was opened has its place in the child."""
        for one, child in self._children():
            parent, opened = self._tensors(one.parent), self._tensors(one.opened)
            lost = sorted((parent.keys() & opened.keys()) - self._inherited(child, opened))
            self.hold(not lost, f"closes {one.where}, and the child has no place for {_listed(lost)}")

    def test_a_child_inherits_what_candidates_learned(self) -> None:
        """Every tensor of a candidate that is kept has its place in the child."""
        for one, child in self._children():
            opened = self._tensors(one.opened)
            paths = tuple(f"ops.{path}." for path in _paths(one.opened, child))
            lost = sorted(
                {name for name in opened if name.startswith(paths)} - self._inherited(child, opened)
            )
            self.hold(not lost, f"closes {one.where}, and forgets what {_listed(lost)} learned")

    def _growths(self) -> Iterator[Growth]:
        yield from growths(growing(self.made()), self._catalogue())

    def _opened(self) -> Iterator[Growth]:
        return (one for one in self._growths() if one.opened.is_open)

    def _children(self) -> Iterator[tuple[Growth, Description]]:
        for one in self._opened():
            child = self._closed(one, strengths(one.opened))
            if not child.is_open:
                yield one, child

    def _closed(self, one: Growth, strength: Mapping[str, Matrix]) -> Description:
        policy = self.made()
        assert isinstance(policy, GrowingPolicy)
        return policy.close(one.opened, strength)

    def _same(self, parent: Description, other: Description) -> bool:
        """Say whether networks of two descriptions with equal tensors give the same."""
        one, two = (network(each, self._catalogue()) for each in (parent, other))
        gates = [name for name in one.state_dict() if name.startswith(GATES)]
        given, found = computed(one, gates), computed(two, gates)
        return len(given) == len(found) and all(map(torch.equal, given, found))

    def _tensors(self, description: Description) -> dict[str, Tensor]:
        return network(description, self._catalogue()).state_dict()

    def _inherited(self, child: Description, opened: Mapping[str, Tensor]) -> set[str]:
        inherited, _ = inherit(network(child, self._catalogue()), opened)
        return set(inherited)

    def _catalogue(self) -> Catalogue:
        return self.found().operations()


def _paths(opened: Description, child: Description) -> Iterator[str]:
    """Yield the paths in the parent of candidates that the child has, at every use."""
    plan, after = expand(opened), on_nodes(child)
    # On a node of another name it is the same candidate still.
    elsewhere: Kept = sum((after[node] for node in after.keys() - on_nodes(opened).keys()), Counter())
    for state in plan.states:
        for wire in state.wires:
            if wire.group is not None:
                graph, node, source = plan.layouts[wire.group].rows[wire.row]
                kept = after.get((graph, node), elsewhere)
                yield from (wire.op_path(op) for op in wire.ops if (graph, source, str(op)) in kept)


def _listed(names: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    every = list(names)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more
