"""The scale of the loss in training with fp16, whose smallest gradients would otherwise become zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from attrs import define

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

INITIAL: Final = 2.0**16
"""First scale, as in torch.amp.GradScaler."""

PATIENCE: Final = 2000
"""Number of steps with finite gradients after which the scale doubles, as in torch.amp.GradScaler."""


@define(kw_only=True)
class LossScale:
    """Scales losses before their backward pass, and halves the scale when a gradient is not finite.

    A step whose gradients are not finite is skipped. The rule and its constants are those of
    torch.amp.GradScaler, which serves optimizers only; an architecture step needs the scale too.

    Attributes:
        value: The factor of losses; 1 if no scale is needed.
        active: Whether gradients may overflow.
        good: Number of consecutive steps with finite gradients.
        skipped: Number of skipped steps.
    """

    value: float = 1.0
    active: bool = False
    good: int = 0
    skipped: int = 0

    @classmethod
    def of(cls, precision: str) -> LossScale:
        """Return the scale for a precision; only `fp16` needs one."""
        return cls(value=INITIAL, active=True) if precision == "fp16" else cls()

    def accepts(self, slopes: Mapping[str, Tensor]) -> bool:
        """Return whether all gradients are finite; adapts the scale."""
        if not self.active:
            return True
        if not bool(torch.stack([slope.isfinite().all() for slope in slopes.values()]).all()):
            self.value, self.good, self.skipped = max(1.0, self.value / 2), 0, self.skipped + 1
            return False
        self.good += 1
        if self.good == PATIENCE:
            self.value, self.good = self.value * 2, 0
        return True

    def state_dict(self) -> dict[str, Any]:
        """Return scale and counters."""
        return {"value": self.value, "good": self.good, "skipped": self.skipped}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load a state."""
        self.value, self.good, self.skipped = float(state["value"]), int(state["good"]), int(state["skipped"])
