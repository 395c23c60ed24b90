"""The checks of a space: that it fits any data, and that what is found in it can be built and counted."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from nascore.config import merge, wrap
from nascore.description import choose, derive, dump, expand, final, fingerprint, load
from nascore.errors import DescriptionError, NascoreError, Origin, error_line
from nascore.nn import compile as compiled
from nascore.nn import costs
from nascore.testing.conformance import NotExaminedError
from nascore.testing.dataset import FACTS, KINDS
from nascore.testing.networks import CLOSE, batch_difference, forwarded, one_step, random_operations
from nascore.testing.part import PartConformance, seeded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from torch import Tensor

    from nascore.config import Node
    from nascore.contract import DataFacts
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


CALLS = 3


class SpaceConformance(SpaceDerived):
    """A space describes the same choices each time, for any data, and every choice of them is a network.

    It is examined at its own settings of the scale ``mini``.
    """

    slot: ClassVar[str] = "space"
    largest: ClassVar[float] = 32

    @classmethod
    def given(cls) -> Node:
        """Return its settings at the scale `mini`, under those that it is examined with."""
        mini = wrap(cls.declared().mini, Origin(kind="scale", who="mini"))
        return merge(mini, super().given())

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Describe, and work the description out."""
        del seed
        description = part.describe(FACTS)
        layouts = expand(description, self.catalogue()).layouts
        masks = {f"choices of {name}": torch.tensor(layout.mask) for name, layout in layouts.items()}
        return {"description": torch.tensor(list(fingerprint(description).encode())), **masks}

    def test_describes_the_same_each_time(self) -> None:
        """It gives the same description on every call, for the same data."""
        part, texts = self.made(), []
        for one in (*(part,) * CALLS, self.made()):
            with seeded():
                texts.append(dump(one.describe(FACTS)))
        self.hold(len(set(texts)) == 1, "describes something else when it is asked again")

    def test_leaves_a_choice(self) -> None:
        """Its description is open: there is something to choose."""
        description = self.made().describe(FACTS)
        self.hold(description.is_open, "leaves nothing to choose")
        for name, layout in expand(description, self.catalogue()).layouts.items():
            self.hold(max(map(sum, layout.mask)) > 1, f"leaves nothing to choose in group {name}")

    def test_fits_the_data(self) -> None:
        """It fits images of other channels and sizes and other numbers of classes, or says why not."""
        part = self.made()
        for kind in KINDS:
            what = f"{kind.channels} x {kind.height} x {kind.width} and {kind.classes} classes"
            try:
                given = forwarded(part.describe(kind), self.catalogue(), kind)
            except NascoreError as error:
                # What a space cannot hold it may refuse; a usual size it may not.
                self.hold(kind != FACTS, f"refuses images of {what}: {error_line(error)}")
            except Exception as error:  # noqa: BLE001 - whatever breaks in the network that it described
                self.hold(holds=False, text=f"breaks with images of {what}: {error_line(error)}")
            else:
                self._gives_logits(given, kind, what)

    def test_its_network_trains(self) -> None:
        """One step of its supernet moves weights, and gives each group a finite gradient that is not zero."""
        description = self.made().describe(FACTS)
        before, after, slopes = one_step(description, self.catalogue(), FACTS)
        self.hold(before != after, "has a network that one step does not move")
        self.hold(abs(after) < float("inf"), f"has a network whose loss after one step is {after}")
        for name, slope in slopes.items():
            useful = torch.isfinite(slope).all() and (slope != 0).any()
            self.hold(useful, f"has a choice group that gets no finite gradient ({name})")

    def test_survives_yaml(self) -> None:
        """Its description written as YAML and read again is the same."""
        description = self.made().describe(FACTS)
        again = load(dump(description), catalogue=self.catalogue())
        same = again == description and fingerprint(again) == fingerprint(description)
        self.hold(same, "describes something that YAML does not bring back")

    def test_excludes_if_it_says_so(self) -> None:
        """Some of its groups never keep an operation if it declares `excludes`, and only then."""
        description = self.made().describe(FACTS)
        excludes = any(group.never for group in description.groups.values())
        declared = self.provides("excludes")
        self.hold(declared or not excludes, "never keeps some operations, and does not declare excludes")
        self.hold(excludes or not declared, "declares excludes, and may keep every operation")

    def _gives_logits(self, given: Tensor, kind: DataFacts, what: str) -> None:
        shape = (len(given), kind.classes)
        text = f"gives logits of shape {tuple(given.shape)} for images of {what}, not {shape}"
        self.hold(tuple(given.shape) == shape, text)
