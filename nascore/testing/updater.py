"""The checks of an updater: that it may stand in any search, whatever the space and the relaxation."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from nascore.testing.choices import alike, masked, scattered, state_of
from nascore.testing.part import same
from nascore.testing.random_state import seeded
from nascore.testing.trial import UPDATES, begun
from nascore.testing.updater_declared import UpdaterDeclared
from nascore.testing.updater_learning import UpdaterLearning
from nascore.testing.updater_moves import UpdaterMoves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

HUGE = 1e6
MIDDLE = 3


class UpdaterConformance(UpdaterMoves, UpdaterDeclared, UpdaterLearning):
    """An updater moves theta as its gradient says, in place, and nothing else; a run of it can be resumed."""

    slot: ClassVar[str] = "updater"

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Run it to its horizon on two groups, and load its own state."""
        groups = alike()
        trial = begun(part, groups, seed=seed)
        trial.steps(scattered(groups, seed), UPDATES)
        part.load_state_dict(part.state_dict())
        return trial.outcome()

    def test_resumes_in_mid_run(self) -> None:
        """It goes on to the bit from what `state_dict` holds, which is plain values and tensors."""
        with seeded():
            first = begun(self.made(), alike(), seed=1)
            first.varied(1, range(MIDDLE))
        saved, choices = first.updater.state_dict(), first.state.state_dict()
        kept = self._bytes(saved)
        with seeded(1):
            first.varied(1, range(MIDDLE, UPDATES))
        self.hold(self._bytes(saved) == kept, "changes with later steps what `state_dict` gave earlier")
        with seeded(2):
            # Another seed, as what `start` drew has to come back too.
            second = begun(self.made(), alike(), seed=9)
            second.state.load_state_dict(choices)
            second.updater.load_state_dict(torch.load(io.BytesIO(kept), weights_only=True))
        with seeded(1):
            second.varied(1, range(MIDDLE, UPDATES))
        one, other = first.outcome(), second.outcome()
        different = [name for name in one if not same(one[name], other[name])]
        self.hold(not different, f"goes on otherwise after its state was restored: {', '.join(different)}")

    def test_its_strength_can_rank(self) -> None:
        """Its strength is finite, not negative, zero for what is out and above zero for what is alive."""
        groups = masked()
        trial = begun(self.made(), groups, state=state_of(groups, dead={"masked": [(1, 1)]}))
        trial.steps(scattered(groups, 2), MIDDLE)
        given = trial.strength()
        self.hold(given.keys() == groups.keys(), "gives no strength for each group, or for others")
        value, alive = given["masked"], trial.state.alive["masked"]
        self.hold(value.shape == alive.shape, f"gives a strength of shape {tuple(value.shape)}, not [E, O]")
        self.hold(torch.isfinite(value).all(), "gives a strength that is not finite")
        self.hold((value >= 0).all(), "gives a negative strength")
        self.hold((value[~alive] == 0).all(), "gives a strength to entries that are masked or dead")
        self.hold((value[alive] > 0).all(), "gives an entry that is alive the strength 0, which means out")
        if not self.needs("relaxation.normalized"):
            signed = {name: -value for name, value in trial.expected().items()}
            sizes = trial.updater.strength(trial.state, signed)["masked"]
            self.hold(
                (sizes >= 0).all(), "ranks weights below zero, which a free relaxation has, by their sign"
            )

    def test_stays_finite(self) -> None:
        """Theta and strength stay finite under gradients that are huge, and under none at all."""
        groups = alike()
        for size in (HUGE, 1 / HUGE, 0.0):
            trial = begun(self.made(), groups)
            trial.steps(scattered(groups, 4, size=size), UPDATES)
            strange = [name for name, value in trial.outcome().items() if not torch.isfinite(value).all()]
            text = f"is no longer finite after gradients of size {size:g}: {', '.join(strange)}"
            self.hold(not strange, text)

    def _bytes(self, saved: Mapping[str, Any]) -> bytes:
        buffer = io.BytesIO()
        torch.save(saved, buffer)
        try:
            torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)
        except Exception as error:  # noqa: BLE001 - pickle has many
            self.hold(holds=False, text=f"has objects in its state that cannot be loaded safely: {error}")
        return buffer.getvalue()
