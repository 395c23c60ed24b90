"""What a relaxation may do beside its mixture: change in the course of a search, and say what stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from nascore.component import load
from nascore.engine.derive import Selecting
from nascore.engine.phase import Annealing
from nascore.engine.returned import Returned
from nascore.errors import PluginError, said
from nascore.testing.choices import alike, scattered, unlike
from nascore.testing.conformance import NotConformingError
from nascore.testing.mixing import mixtures, states
from nascore.testing.part import PartConformance
from nascore.testing.random_state import seeded

if TYPE_CHECKING:
    from collections.abc import Iterator

COURSE = (0.0, 0.5, 1.0)
"""Shares of the architecture steps that are over."""


class RelaxationOptional(PartConformance):
    """Checks of the methods that a relaxation need not have."""

    def test_anneals_into_a_relaxation(self) -> None:
        """What it gives as itself at any time of a search is a relaxation, with mixtures that are finite."""
        for text, part in self._each():
            if isinstance(part, Annealing):
                for progress in COURSE:
                    self._can_mix(part.annealed(progress), f"annealed({progress:g}){text}")

    def test_selects_if_it_says_so(self) -> None:
        """It says which entries stand with just the settings with which it declares `selects`.

        What it picks is alive, and nothing is picked twice.
        """
        ever = False
        for text, settings in self._settings():
            part: Any = load(self.declared().build)(settings)
            can, declared = isinstance(part, Selecting), "selects" in self.declared().given(settings)
            ever = ever or declared
            self.hold(can or not declared, f"declares selects, and has no `picks`{text}")
            if declared:
                self._picks_well(part, text)
        self.hold(ever or not hasattr(self.made(), "picks"), "has `picks`, and does not declare selects")

    def _settings(self) -> Iterator[tuple[str, Any]]:
        yield "", self.configured()
        for text, settings in self.variants(largest=self.largest):
            yield f" (with {text})", settings

    def _each(self) -> Iterator[tuple[str, Any]]:
        for text, settings in self._settings():
            yield text, load(self.declared().build)(settings)

    def _can_mix(self, part: Any, what: str) -> None:  # noqa: ANN401 - a plugin's class
        relaxes = all(callable(getattr(part, name, None)) for name in ("mixture", "expected"))
        self.hold(relaxes, f"gives {part!r} as {what}, and no relaxation")
        for name, state in states(part, alike(), scattered(alike(), 0)):
            with seeded():
                for kind, weights in mixtures(part, state, name):
                    finite = weights.shape == state.theta[name].shape and bool(torch.isfinite(weights).all())
                    self.hold(finite, f"gives a {kind} mixture of no use as {what}")

    def _picks_well(self, part: Any, text: str) -> None:  # noqa: ANN401 - the same
        dead = {"wide": [(0, 0)], "used": [(0, 3)]}
        for name, state in states(part, unlike(), scattered(unlike(), 2), dead=dead):
            try:
                picks = part.picks(state.theta[name].detach(), state.segments(name))
            except Exception as error:
                raised = f"{self.component} declares selects, and its `picks` raises {said(error)}{text}."
                raise NotConformingError(raised) from error
            try:
                Returned(part, "picks", "relaxation").picks(picks, state.segments(name), name)
            except PluginError as error:
                wrong = error.problems[0].text.rstrip(".")
                raise NotConformingError(f"{self.component}: {wrong}{text}.") from error
            self.hold(picks, f"picks nothing of a group ({name}){text}")
