"""The checks of a space: that it fits any data, and that what is found in it can be built and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch

from nascore.config import merge, wrap
from nascore.description import dump, expand, fingerprint, load
from nascore.errors import NascoreError, Origin, said
from nascore.testing.examples import FACTS, KINDS
from nascore.testing.networks import forwarded, one_step
from nascore.testing.random_state import seeded
from nascore.testing.space_derived import SpaceDerived

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.config import Node
    from nascore.contract import DataFacts

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
        mini = wrap(cls.declared().mini, Origin(layer="scale", where="scale mini"))
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
                self.hold(kind != FACTS, f"refuses images of {what}: {said(error)}")
            except Exception as error:  # noqa: BLE001 - whatever breaks in the network that it described
                self.hold(holds=False, text=f"breaks with images of {what}: {said(error)}")
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
