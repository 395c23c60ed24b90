"""What Petridish promises beyond its slot: rules of the paper that bind no other growth policy."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nascore.description import choose, expand
from nascore.testing import GrowthConformance
from nascore.testing.growth import SEEDS, galleries
from nascore.testing.growth_samples import on_nodes, strengths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.description import Catalogue, Description, Matrix
    from nascore.testing.growth_samples import Kept


class PetridishConformance(GrowthConformance):
    """The checks of a growth policy, and those of Petridish."""

    component = "petridish"

    def test_offers_no_none(self) -> None:
        """No candidate is `none`, which adds nothing and would take the place of one that does."""
        for one in self._opened():
            offered = {op.name for group in one.opened.groups.values() for op in group.ops}
            self.hold("none" not in offered, f"offers none among the candidates of {one.where}")

    def test_keeps_the_strongest(self) -> None:
        """It keeps of each place what its group says: so many of the strongest, none of strength 0."""
        for one in self._opened():
            for seed, most in ((0, None), (1, None), (2, 2), (0, 0)):
                given = strengths(one.opened, seed=seed, most=most)
                expected = _expected(one.opened, given)
                kept = _kept(one.opened, self._closed(one, given), self._catalogue())
                text = f"keeps {_listed(kept)} of {one.where}, where {_listed(expected)} is the strongest"
                self.hold(kept == expected, text)

    def test_grows_what_has_the_least_error(self) -> None:
        """Validation errors decide on the parents: another best one, other parents."""
        answers = {tuple(self._chosen(gallery, seed) for seed in SEEDS) for gallery in galleries()}
        self.hold(len(answers) > 1, "chooses the same parents whatever their validation error")


def _expected(opened: Description, strength: Mapping[str, Matrix]) -> Kept:
    layouts = expand(opened).layouts
    return Counter(
        (layouts[name].rows[row][0], layouts[name].rows[row][2], str(layouts[name].ops[column]))
        for name, picks in choose(opened, strength).items()
        for row, column in picks
    )


def _kept(opened: Description, child: Description, catalogue: Catalogue) -> Kept:
    """Return graph, source and operation of what the child has more than its parent, apart from the targets.

    A node is of the parent if it was there before; one that came in place of another is so too. Operations of
    the frame, such as the projection of what was kept, are no candidates.
    """
    shadows = {row[:2] for layout in expand(opened).layouts.values() for row in layout.rows}
    before, after = on_nodes(opened, catalogue), on_nodes(child, catalogue)
    old = before.keys() - shadows
    new: Kept = sum((after[node] for node in after.keys() - old), Counter())
    return new - sum((before[node] for node in old - after.keys()), Counter())


def _listed(kept: Kept) -> str:
    return " and ".join(f"{op} of {source}" for _, source, op in sorted(kept.elements())) or "nothing"
