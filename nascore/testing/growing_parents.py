"""What a policy that grows promises of the parents that it chooses, on galleries that are made up."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any, Final

from nascore.gallery import Gallery
from nascore.testing.galleries import chosen, disguised, gallery_of, waves
from nascore.testing.grown import growing
from nascore.testing.part import PartConformance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nascore.contract import GrowingPolicy

ERRORS: Final = (0.4, 0.2, 0.1)
SEEDS: Final = range(6)
WAVES: Final = 200
"""Waves in which a run at the scale `mini` has to end."""

COURSES: Final[Mapping[str, Callable[[float], float]]] = {
    "worse than its parent": lambda error: 1 - 0.9 * (1 - error),
    "as good as its parent": lambda error: error,
    "better than its parent": lambda error: 0.9 * error,
}


class GrowingParents(PartConformance):
    """Checks of the choice of parents; a policy that grows nothing is not examined by them."""

    def test_parents_are_of_the_gallery(self) -> None:
        """It returns entries of the gallery that it is given, as they are."""
        part = growing(self.made())
        for gallery in galleries():
            for seed in SEEDS:
                strange = [one.id for one in chosen(part, gallery, seed) if one not in tuple(gallery)]
                self.hold(not strange, f"chooses parents that are not in the gallery: {strange}")

    def test_parents_follow_from_the_gallery(self) -> None:
        """Gallery, wave and random numbers decide on the parents alone: an interrupted run goes on."""
        used = growing(self.made())
        for gallery in galleries():
            for seed in SEEDS:
                first = self._chosen(gallery, seed)
                again = _ids(used, Gallery.from_json(gallery.to_json()), seed)
                self.hold(again == first, "chooses other parents from the same gallery once it was used")

    def test_reads_no_other_figure(self) -> None:
        """Validation errors, costs and descent decide on the parents, and no other figure of the gallery."""
        growing(self.made())
        for gallery in galleries():
            plain = [self._chosen(gallery, seed) for seed in SEEDS]
            other = [self._chosen(disguised(gallery), seed) for seed in SEEDS]
            text = "chooses other parents where neither errors nor costs differ: it reads another figure"
            self.hold(plain == other, text)

    def test_comes_to_an_end(self) -> None:
        """With its settings at the scale `mini` a run ends, whatever becomes of the children."""
        for course, child_error in COURSES.items():
            ended = waves(growing(self.made(**self._mini())), child_error, most=WAVES) < WAVES
            self.hold(ended, f"goes on after {WAVES} waves of growth, where each child is {course}")

    def _chosen(self, gallery: Gallery, seed: int) -> tuple[int, ...]:
        return _ids(self.made(), gallery, seed)

    def _mini(self) -> dict[str, Any]:
        return {name: value for name, value in self.declared().mini.items() if name not in self.settings}


def _ids(policy: GrowingPolicy, gallery: Gallery, seed: int) -> tuple[int, ...]:
    return tuple(one.id for one in chosen(policy, gallery, seed))


def galleries() -> list[Gallery]:
    """Return galleries of the same architectures, of which each time another is the best."""
    return [gallery_of(errors) for errors in permutations(ERRORS)]
