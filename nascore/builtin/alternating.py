"""The trainer `alternating`: alternates architecture and weights steps, or shares one backward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.api import Problem, RecipeError
from nascore.engine.api import (
    Demand,
    Passes,
    Supervised,
    WeightSettings,
    draw,
    first,
    fixed_draw,
    pull_back,
    single_level,
    unrolled,
)

if TYPE_CHECKING:
    from torch import Tensor

    from nascore.builtin.components import AlternatingSettings
    from nascore.engine.api import Batch, Draw, Estimate, Phase, Search, StepReport


class Alternating(Supervised):
    """Makes one architecture step and one weights step in turn (DARTS's algorithm 1, arXiv 1806.09055).

    With the estimate `single-level` one batch and one backward pass serve both, and `sequence` has no
    meaning.
    """

    def __init__(self, settings: AlternatingSettings) -> None:
        demand = Demand(
            epochs=settings.epochs,
            batch=settings.batch,
            halves=settings.estimate != "single-level",
            augment=settings.augment,
            warm_up=settings.warm_up,
        )
        super().__init__(WeightSettings.of(settings), demand)
        self.settings = settings

    def start(self, phase: Phase) -> None:
        """Begin a phase on an open network."""
        super().start(phase)
        if phase.search is None:
            raise RecipeError("the trainer alternating needs an open description; this one has no choices")
        if self.settings.estimate == "unrolled" and phase.search.updater.granularity == "sample":
            # Sample b of one batch minus sample b of another has no meaning.
            text = "unrolled estimates no gradient per sample, which the updater needs."
            hint = "Set trainer.estimate to 'first'."
            raise RecipeError([Problem(path="trainer.estimate", text=text, hint=hint)])
        self.search: Search = phase.search

    def step(self) -> StepReport:
        """Make one weights step, and the architecture step that goes with it."""
        batch = self.phase.batches["train"].next()
        if self.settings.estimate == "single-level" and self._learns():
            return self._joint(batch)
        if self.settings.sequence == "architecture-first":
            held = self._architecture(batch)
            loss, score = self._weights(batch)
        else:
            loss, score = self._weights(batch)
            held = self._architecture(batch)
        return self.report(loss, score, held)

    def _learns(self) -> bool:
        return self.search.updater.gradient is not None and self.done >= self.phase.warm_up

    def _weights(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        return self.fit(batch, fixed_draw(self.search, self.phase.streams))

    def _architecture(self, train: Batch) -> Tensor | None:
        if self.settings.estimate == "single-level" or not self._learns():
            return None
        held = self.phase.batches["architecture"].next()
        drawn = self._draw(train)
        found = self._estimate(drawn, train, held)
        self._move(drawn, found)
        return found.loss

    def _estimate(self, drawn: Draw, train: Batch, held: Batch) -> Estimate:
        passes = Passes(
            network=self.phase.network,
            streams=self.phase.streams,
            criterion=self.criterion,
            runs=drawn.runs,
            drop_path=self.drop_path,
        )
        if self.settings.estimate == "first":
            return first(passes.loss(held), self.weights, drawn.leaf, self.scale.value)
        return unrolled(passes.loss(train), passes.loss(held), self.weights, drawn.leaf, self.virtual_step())

    def _joint(self, batch: Batch) -> StepReport:
        drawn = self._draw(batch)
        loss, score = self.forward(batch, drawn)
        found = single_level(loss, self.weights, drawn.leaf, self.scale.value)
        if self.scale.accepts({**found.mixture, **found.weights}):
            pulled = pull_back(self.phase, drawn, found.mixture)
            self.descend(found.weights)
            self.search.move(pulled)
        return self.report(loss, score, found.loss)

    def _draw(self, batch: Batch) -> Draw:
        return draw(self.search, self.phase.streams, len(batch[1]))

    def _move(self, drawn: Draw, found: Estimate) -> None:
        # Pulled back before anything moves: theta is changed in place, and the graph of the draw with it.
        if self.scale.accepts(found.mixture):
            self.search.move(pull_back(self.phase, drawn, found.mixture))
