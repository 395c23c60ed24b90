"""The checks of growth policies."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from itertools import permutations
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Final

import torch

from nascore.contract import DataFacts
from nascore.description import derive, dump, expand, fingerprint, recover_picks
from nascore.errors import DescriptionError
from nascore.gallery import Gallery
from nascore.nn import inherit
from nascore.testing.conformance import NotExaminedError
from nascore.testing.growth_planted import ENOUGH, evaluations_needed
from nascore.testing.growth_samples import FACTS as SAMPLE_FACTS
from nascore.testing.growth_samples import (
    GATES,
    begun,
    computed,
    disguised,
    fixed_space,
    gallery_of,
    grown_line,
    growths,
    network,
    on_nodes,
    proposed,
    strengths,
    waves,
)
from nascore.testing.harness import planted_space, tiny
from nascore.testing.part import OptionalMethods, PartConformance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import Growing, GrowthPolicy, Proposal
    from nascore.description import Catalogue, Description, Matrix, Op
    from nascore.testing.growth_samples import Growth, Kept


FEW = 2
NAMED = 3
"""Number of lost names that a message lists."""


class GrowingConformance(PartConformance):
    """Checks of opening and closing; they do not apply to a policy that grows no architectures."""

    def test_grows_if_it_says_so(self) -> None:
        """It proposes open descriptions, which can be built, exactly if it declares `grows`."""
        first = next(growths(self.made(), self._catalogue()), None)
        declared = self.provides("grows")
        self.hold(first or not declared, "declares grows, but proposes no open description, in any space")
        if first is not None:
            self.hold(declared, f"opens {first.where}, but does not declare grows")
            expand(first.opened, self._catalogue())

    def test_opening_keeps_the_function(self) -> None:
        """An opened architecture gives the same logits as its parent, whatever the candidates weigh."""
        for one in self._opened():
            same = self._same(one.parent, one.opened)
            self.hold(same, f"opens {one.where}, but changes its logits")

    def test_opening_keeps_every_weight(self) -> None:
        """An opened architecture has every tensor of its parent."""
        for one in self._opened():
            parent = network(one.parent, self._catalogue())
            _, left = inherit(network(one.opened, self._catalogue()), parent)
            self.hold(not left, f"opens {one.where}, but loses the tensors {_listed(left)}")

    def test_closes_every_choice(self) -> None:
        """A child has no open choices and can be built, even if every candidate has strength zero."""
        for one in self._opened():
            for most in (None, FEW, 0):
                child = self._closed(one, strengths(one.opened, most=most))
                self.hold(not child.is_open, f"closes {one.where}, but leaves an open choice")
                expand(child, self._catalogue())

    def test_a_child_keeps_the_function(self) -> None:
        """A child starts with logits that are bit-equal to its parent's."""
        for one, child in self._children():
            same = self._same(one.parent, child)
            self.hold(same, f"closes {one.where}, but the child computes something else")

    def test_a_child_inherits_every_weight(self) -> None:
        """A child has every tensor of its parent that the opened architecture has."""
        for one, child in self._children():
            parent, opened = self._tensors(one.parent), self._tensors(one.opened)
            lost = sorted((parent.keys() & opened.keys()) - self._inherited(child, opened))
            self.hold(not lost, f"closes {one.where}, but the child loses the tensors {_listed(lost)}")

    def test_a_child_inherits_what_candidates_learned(self) -> None:
        """A child has every tensor of the candidates that it keeps."""
        for one, child in self._children():
            opened = self._tensors(one.opened)
            paths = tuple(f"ops.{path}." for path in _paths(one.opened, child))
            lost = sorted(
                {name for name in opened if name.startswith(paths)} - self._inherited(child, opened)
            )
            self.hold(not lost, f"closes {one.where}, but loses the trained tensors {_listed(lost)}")

    def _opened(self) -> Iterator[Growth]:
        if not self.provides("grows"):
            raise NotExaminedError("it grows no architectures")
        yield from growths(self.made(), self._catalogue())

    def _children(self) -> Iterator[tuple[Growth, Description]]:
        for one in self._opened():
            child = self._closed(one, strengths(one.opened))
            if not child.is_open:
                yield one, child

    def _closed(self, one: Growth, strength: Mapping[str, Matrix]) -> Description:
        policy: Growing = self.made()
        return policy.close(one.opened, strength)

    def _same(self, parent: Description, other: Description) -> bool:
        """Return whether the networks of two descriptions, with equal tensors, give equal logits."""
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
    """Yield the paths, in the opened network, of candidates that the child has, at every use."""
    plan, after = expand(opened), on_nodes(child)
    # A candidate is the same on a node with another name.
    elsewhere: Kept = sum((after[node] for node in after.keys() - on_nodes(opened).keys()), Counter())
    for state in plan.feature_maps:
        for wire in state.wires:
            if wire.group is not None:
                graph, node, source = plan.layouts[wire.group].rows[wire.row]
                kept = after.get((graph, node), elsewhere)
                yield from (wire.op_path(op) for op in wire.ops if (graph, source, str(op)) in kept)


def _listed(names: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    every = list(names)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more


PARENT_ERRORS: Final = (0.4, 0.2, 0.1)
SEEDS: Final = range(6)
PLANTED_SEEDS: Final = range(3)
WAVES: Final = 200
"""Number of waves within which a run at the scale `mini` has to end."""

COURSES: Final[Mapping[str, Callable[[float], float]]] = {
    "worse than its parent": lambda error: 1 - 0.9 * (1 - error),
    "as good as its parent": lambda error: error,
    "better than its parent": lambda error: 0.9 * error,
}


class LaterWaves(PartConformance):
    """Checks of the waves after the first; they do not apply to a policy that proposes none."""

    def test_parents_are_of_the_gallery(self) -> None:
        """The parents of its proposals are entries of the gallery, unchanged."""
        for gallery, seed, proposals in self._later(self.made):
            parents = [one.parent for one in proposals if one.parent is not None]
            strange = [one.id for one in parents if one not in tuple(gallery)]
            self.hold(not strange, f"chooses parents that are not in the gallery: {strange} (seed {seed})")

    def test_proposals_follow_from_the_gallery(self) -> None:
        """The proposals depend only on gallery, wave and random numbers, so that a run can be continued."""
        used = self.made()
        for gallery, seed, proposals in self._later(lambda: used):
            again = proposed(self.made(), Gallery.from_json(gallery.to_json()), self._operations(), seed)
            same = _marks(again) == _marks(proposals)
            self.hold(same, "proposes other architectures from the same gallery after it was used")

    def test_reads_no_other_figure(self) -> None:
        """The proposals depend only on validation errors, costs and descent of the gallery's entries."""
        for gallery, seed, proposals in self._later(self.made):
            other = proposed(self.made(), disguised(gallery), self._operations(), seed)
            text = "chooses parents by another value of the gallery than errors, costs and descent"
            self.hold(_marks(proposals) == _marks(other), text)

    def test_comes_to_an_end(self) -> None:
        """With its settings at the scale `mini` a run ends, however good the children are."""
        self._later(self.made)
        for course, child_error in COURSES.items():
            made = self.made(**self._mini())
            ended = waves(made, child_error, self._operations(), most=WAVES) < WAVES
            self.hold(ended, f"does not end within {WAVES} waves of growth if each child is {course}")

    def test_later_architectures_are_of_the_space(self) -> None:
        """Closed proposals after the first wave are architectures that the space can derive."""
        space = tiny(SAMPLE_FACTS)
        for _, seed, proposals in self._later(self.made):
            closed = [one.description for one in proposals if not one.description.is_open]
            outside = [one for one in closed if not self.provides("grows") and not _derivable(space, one)]
            text = f"proposes {len(outside)} architectures outside the space tiny (seed {seed})"
            self.hold(not outside, text)

    def test_finds_the_planted_architecture(self) -> None:
        """It finds the useful architecture of a planted search; a random search nearly never does so."""
        self._later(self.made)
        if self.provides("grows"):
            raise NotExaminedError("the planted search is for policies that propose closed descriptions")
        for seed in PLANTED_SEEDS:
            found = evaluations_needed(self.made(), self._operations(), seed)
            text = f"does not find the planted architecture in {ENOUGH} evaluations (seed {seed})"
            self.hold(found, text)

    def _later(self, make: Callable[[], GrowthPolicy]) -> list[tuple[Gallery, int, tuple[Proposal, ...]]]:
        """Return the proposals of a policy, made by a function, for several galleries and seeds.

        Raises:
            NotExaminedError: It proposes nothing after its first wave.
        """
        if self.provides("supernet"):
            raise NotExaminedError("it searches in a supernet")
        operations = self._operations()
        every = [
            (gallery, seed, proposed(make(), gallery, operations, seed))
            for gallery in galleries()
            for seed in SEEDS
        ]
        if not any(proposals for _, _, proposals in every):
            raise NotExaminedError("it proposes nothing after its first wave")
        return every

    def _chosen(self, gallery: Gallery, seed: int) -> tuple[int, ...]:
        proposals = proposed(self.made(), gallery, self._operations(), seed)
        return tuple(one.parent.id for one in proposals if one.parent is not None)

    def _mini(self) -> dict[str, Any]:
        return {name: value for name, value in self.declared().mini.items() if name not in self.settings}

    def _operations(self) -> Catalogue:
        return self.found().operations()


def _derivable(space: Description, architecture: Description) -> bool:
    """Return whether a closed description is an architecture of a space."""
    try:
        picks = recover_picks(space, architecture)
    except DescriptionError:
        return False
    return fingerprint(derive(space, picks)) == fingerprint(architecture)


def _marks(proposals: Sequence[Proposal]) -> list[tuple[int | None, bool, str]]:
    """Return the parents, as ids, and the descriptions of proposals."""
    return [
        (None if one.parent is None else one.parent.id, one.inherits, dump(one.description))
        for one in proposals
    ]


def galleries() -> list[Gallery]:
    """Return galleries of the same architectures, which differ in the best one."""
    return [gallery_of(errors) for errors in permutations(PARENT_ERRORS)]


FACTS = DataFacts(channels=1, height=8, width=8, classes=3, train=60, test=12, mean=(0.5,), std=(0.25,))


ERRORS = (0.5, 0.3, 0.4)
FIRST = 3
"""Number of initial architectures that are grown in a fixed space."""


class GrowthConformance(GrowingConformance, LaterWaves, OptionalMethods):
    """The checks of a growth policy, with cells and chains.

    Attributes:
        largest: Larger bounds of settings, which are numbers of architectures, are not tried.
    """

    slot: ClassVar[str] = "growth"
    largest: ClassVar[float] = 100

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Propose in every space, and grow; return hashes of the resulting architectures."""
        operations = self._catalogue()
        marks = [
            int(fingerprint(one)[:8], 16)
            for name, space in spaces().items()
            for one in begun(part, space, operations, Random(f"{seed}/{name}"))  # noqa: S311 - nothing secret
        ]
        given = {"seeds": torch.tensor(marks, dtype=torch.int64)}
        if not self.provides("supernet"):
            later = [
                _mark(str(mark)) for mark in _marks(proposed(part, gallery_of(ERRORS), operations, seed))
            ]
            given["proposals"] = torch.tensor(later, dtype=torch.int64)
        if self.provides("grows"):
            opened = [_mark(dump(one.opened)) for one in growths(part, operations)]
            given["candidates"] = torch.tensor(opened, dtype=torch.int64)
        return given

    def test_seeds_are_closed(self) -> None:
        """Its initial architectures can be built; they are closed unless it declares `searches`."""
        searches = self.provides("searches")
        for name, _, seeds in self._begun():
            for one in seeds:
                self.hold(
                    searches or not one.is_open,
                    f"has an initial architecture with open choices (space {name})",
                )
                expand(one, self.found().operations())

    def test_seeds_are_for_the_same_data(self) -> None:
        """Its initial architectures have the input channels and classes of the space."""
        for name, space, seeds in self._begun():
            for one in seeds:
                self.hold(
                    _same_data(one, space),
                    f"has an initial architecture for other channels or classes (space {name})",
                )

    def test_seeds_are_of_the_space(self) -> None:
        """Its initial architectures use only operations that the space offers and may keep."""
        for name, space, seeds in self._begun():
            offered = _operations(space)
            never = {op for group in space.groups.values() for op in group.never}
            for one in seeds:
                used = set() if one.is_open else _operations(one)
                self.hold(
                    not used & never, f"keeps {_names(used & never)}, which the space {name} never keeps"
                )
                self.hold(used <= offered, f"uses {_names(used - offered)}, which the space {name} lacks")

    def test_stays_in_a_fixed_space(self) -> None:
        """All its architectures stay in a space that is `fixed`, unless it refuses such spaces."""
        if self._refuses_fixed_spaces():
            return
        space, known = fixed_space()
        part, operations = self.made(), self._catalogue()
        seeds = begun(part, space, operations, Random("fixed"))  # noqa: S311 - nothing secret
        cure = "although it does not declare the need `not space.fixed`"
        # Other checks examine architectures that are open or for other data.
        closed = [one for one in seeds if not one.is_open and _same_data(one, space)]
        outside = [one for one in closed if fingerprint(one) not in known]
        self.hold(not outside, f"has an initial architecture outside a space that is fixed, {cure}")
        for one in closed[:FIRST] if self.provides("grows") else ():
            for growth in grown_line(part, operations, "fixed", space, one):
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
        """It has an initial architecture, unless it provides `supernet`."""
        if not self.provides("supernet"):
            for name, _, seeds in self._begun():
                self.hold(seeds, f"has no initial architecture (space {name})")

    def test_seeds_differ(self) -> None:
        """Its initial architectures differ."""
        for name, _, seeds in self._begun():
            marks = [fingerprint(one) for one in seeds]
            twice = len(marks) - len(set(marks))
            self.hold(not twice, f"has {twice} initial architectures more than once (space {name})")

    def _begun(self) -> list[tuple[str, Description, Sequence[Description]]]:
        part = self.made()
        return [
            (name, space, begun(part, space, self._catalogue(), Random(name)))  # noqa: S311 - nothing secret
            for name, space in spaces().items()
        ]


def spaces() -> dict[str, Description]:
    """Return the spaces in which growth is tried, by name."""
    return {
        "tiny": tiny(FACTS),
        "planted": planted_space(FACTS),
    }


def _mark(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:4], "little")


def _same_data(one: Description, space: Description) -> bool:
    return (one.in_channels, one.classes) == (space.in_channels, space.classes)


def _operations(description: Description) -> set[Op]:
    return {op for _, _, edge in description.edges() for op in edge.ops}


def _names(ops: set[Op]) -> str:
    return ", ".join(sorted(op.name for op in ops))
