"""What is found in a space: the networks that are left when its choices are made."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import torch

from nascore.description import choose, derive, expand, final, fingerprint
from nascore.errors import DescriptionError
from nascore.nn import compile as compiled
from nascore.nn import costs
from nascore.testing.batches import CLOSE, batch_difference, random_operations
from nascore.testing.conformance import NotExaminedError
from nascore.testing.examples import FACTS
from nascore.testing.networks import forwarded
from nascore.testing.part import PartConformance

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nascore.description import Catalogue, Description, Op, Picks
    from nascore.nn import Costs

DRAWS = 2
SIZE = (FACTS.height, FACTS.width)


class SpaceDerived(PartConformance):
    """Checks of architectures that are drawn from the space at random."""

    def catalogue(self) -> Catalogue:
        """Return the operations that descriptions may name."""
        return self.found().operations()

    def test_what_is_found_can_be_built(self) -> None:
        """Whatever is chosen, by the rule of its groups, is a closed network that gives logits."""
        for _description, _picks, found in self._drawn():
            self.hold(not found.is_open, "has choices that are still open when all are made")
            given = forwarded(final(found), self.catalogue(), FACTS)
            shape = (len(given), FACTS.classes)
            text = f"holds a network that gives logits of shape {tuple(given.shape)}, not {shape}"
            self.hold(tuple(given.shape) == shape, text)

    def test_classifies_one_image_at_a_time(self) -> None:
        """What is found gives an image the same logits alone as in a batch, in evaluation mode."""
        without = random_operations(self.made().describe(FACTS), self.catalogue())
        for _description, _picks, found in self._drawn(without):
            difference = batch_difference(found, self.catalogue(), FACTS)
            text = f"holds a network whose logits of an image differ by {difference:.2g} with the batch"
            self.hold(difference <= CLOSE, text)

    def test_costs_add_up(self) -> None:
        """The costs of the choices, added up, are those of the network that they make."""
        whole: Costs | None = None
        compared = False
        for description, picks, found in self._drawn():
            if len(expand(found).states) != len(expand(description).states):
                continue
            compared = True
            whole = whole or costs(description, self.catalogue(), SIZE)
            added = whole.of(picks)
            counted = costs(found, self.catalogue(), SIZE)
            # Counted in the network itself too: costs are measured once for each operation.
            params = self._params(found)
            same = (added.params, added.macs) == (params, counted.macs)
            text = f"holds a network of {params} parameters whose choices add up to {added.params}"
            self.hold(same, text)
        if not compared:
            raise NotExaminedError("nodes go with what is not chosen, so that costs cannot be compared")

    def test_is_fixed_if_it_says_so(self) -> None:
        """If it declares `fixed`, each of its architectures has a text of its own that brings it back."""
        if not self.provides("fixed"):
            return
        texts: dict[str, str] = {}
        for _description, _picks, found in self._drawn():
            trained = final(found)
            text = self._text(trained)
            self.hold(text, "declares fixed, and no notation that is installed names what is found")
            mark = fingerprint(trained)
            self.hold(
                texts.setdefault(text, mark) == mark,
                f"declares fixed, and two of its architectures have the text {text}",
            )

    def _drawn(self, without: Collection[Op] = ()) -> Iterator[tuple[Description, Picks, Description]]:
        """Yield architectures at random; some operations are kept only where there is nothing else."""
        description = self.made().describe(FACTS)
        layouts = expand(description).layouts
        for seed in range(DRAWS):
            random = Random(seed)  # noqa: S311 - nothing secret
            strength = {
                name: [[random.random() - (op in without) for op in layout.ops] for _ in layout.rows]
                for name, layout in layouts.items()
            }
            picks = choose(description, strength)
            yield description, picks, derive(description, picks)

    def _params(self, found: Description) -> int:
        with torch.device("meta"):
            network = compiled(found, self.catalogue())
        return sum(each.numel() for each in network.parameters())

    def _text(self, found: Description) -> str:
        """Return the text of an architecture in a notation that reads it back; empty where none does."""
        return next(filter(None, (self._by(name, found) for name in self.found().translators())), "")

    def _by(self, name: str, found: Description) -> str:
        translator = self.found().translators()[name]
        try:
            text = translator.to_text(found)
            # Depth and width are no part of a notation: its own text is.
            return text if translator.to_text(translator.from_text(text)) == text else ""
        except DescriptionError:
            return ""
