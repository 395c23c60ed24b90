"""What a policy that grows promises of a parent, of what it opens, and of the child."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import torch

from nascore.contract import GrowingPolicy
from nascore.description import choose, expand
from nascore.nn import inherit
from nascore.testing.grown import computed, gates_of, growths, network, strengths
from nascore.testing.part import PartConformance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from nascore.description import Catalogue, Description, Matrix
    from nascore.testing.grown import Growth

    Kept = Counter[tuple[str, str, str]]

FEW = 2
NAMED = 3
"""So many names are listed of what was lost."""


class GrowingConformance(PartConformance):
    """Checks of opening and closing; they hold of themselves for a policy that grows nothing."""

    def test_grows_if_it_says_so(self) -> None:
        """It makes architectures from others if it declares `shadows`."""
        grows = isinstance(self.made(), GrowingPolicy)
        self.hold(grows or not self.provides("shadows"), "declares shadows, and cannot grow a parent")

    def test_opens_a_choice(self) -> None:
        """What it opens has something to choose and can be built, in one kind of space at least."""
        if not isinstance(self.made(), GrowingPolicy):
            return
        found = list(self._growths())
        self.hold(found, "opens no architecture that it begins with, in any space")
        for one in found:
            self.hold(one.opened.is_open, f"opens {one.where}, and leaves nothing to choose")
            expand(one.opened, self._catalogue())

    def test_offers_no_none(self) -> None:
        """No candidate is `none`, which adds nothing and would take the place of one that does."""
        for one in self._opened():
            offered = {op.name for group in one.opened.groups.values() for op in group.ops}
            self.hold("none" not in offered, f"offers none among the candidates of {one.where}")

    def test_opening_keeps_the_function(self) -> None:
        """What it opens computes what the parent does to the bit, whatever candidates weigh."""
        for one in self._opened():
            changed = self._changed(one.parent, one.opened)
            self.hold(not changed, f"opens {one.where}, and changes what it computes {changed}")

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
            changed = self._changed(one.parent, child)
            self.hold(not changed, f"closes {one.where}, and the child computes something else {changed}")

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
            wanted = self._kept_tensors(one, strengths(one.opened), opened)
            lost = sorted(wanted - self._inherited(child, opened))
            self.hold(not lost, f"closes {one.where}, and forgets what {_listed(lost)} learned")

    def test_keeps_the_strongest(self) -> None:
        """It keeps of each place what its group says: so many of the strongest, none of strength 0."""
        for one in self._opened():
            for seed, most in ((0, None), (1, None), (2, FEW), (0, 0)):
                given = strengths(one.opened, seed=seed, most=most)
                child = self._closed(one, given)
                if not child.is_open:
                    expected, kept = _expected(one.opened, given), _kept(one.opened, child)
                    text = f"keeps {_told(kept)} of {one.where}, where {_told(expected)} is the strongest"
                    self.hold(kept == expected, text)

    def _growths(self) -> Iterator[Growth]:
        part = self.made()
        if isinstance(part, GrowingPolicy):
            yield from growths(part, self._catalogue())

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

    def _changed(self, parent: Description, other: Description) -> str:
        """Return when two networks of equal tensors differ; empty: never."""
        gates = gates_of(self._tensors(parent))
        for training, when in ((True, "in training"), (False, "in evaluation")):
            one, two = (
                computed(each, self._catalogue(), gates, training=training) for each in (parent, other)
            )
            if len(one) != len(two) or not all(map(torch.equal, one, two)):
                return when
        return ""

    def _tensors(self, description: Description) -> dict[str, Tensor]:
        return network(description, self._catalogue()).state_dict()

    def _inherited(self, child: Description, opened: Mapping[str, Tensor]) -> set[str]:
        inherited, _ = inherit(network(child, self._catalogue()), opened)
        return set(inherited)

    def _kept_tensors(
        self, one: Growth, strength: Mapping[str, Matrix], opened: Mapping[str, Tensor]
    ) -> set[str]:
        picks = choose(one.opened, strength)
        layouts = expand(one.opened).layouts
        paths = tuple(
            f"ops.{wire.op_path(layouts[wire.group].ops[column])}."
            for state in expand(one.opened).states
            for wire in state.wires
            if wire.group is not None
            for row, column in picks[wire.group]
            if row == wire.row
        )
        return {name for name in opened if name.startswith(paths)}

    def _catalogue(self) -> Catalogue:
        return self.found().operations()


def _expected(opened: Description, strength: Mapping[str, Matrix]) -> Kept:
    layouts = expand(opened).layouts
    return Counter(
        (layouts[name].rows[row][0], layouts[name].rows[row][2], str(layouts[name].ops[column]))
        for name, picks in choose(opened, strength).items()
        for row, column in picks
    )


def _kept(opened: Description, child: Description) -> Kept:
    """Return graph, source and operation of what the child has on nodes that its parent lacks."""
    shadows = {row[:2] for layout in expand(opened).layouts.values() for row in layout.rows}
    before = {(graph, node.name) for graph, one in opened.graphs().items() for node in one.nodes} - shadows
    return Counter(
        (graph, str(edge.source), str(op))
        for graph, one in child.graphs().items()
        for node in one.nodes
        if (graph, node.name) not in before
        for edge in node.edges
        for op in edge.ops
    )


def _told(kept: Kept) -> str:
    return " and ".join(f"{op} of {source}" for _, source, op in sorted(kept.elements())) or "nothing"


def _listed(names: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    every = list(names)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more
