"""Estimates of the gradient that the mixture gets: pure functions over loss functions.

They know neither networks nor data, so that each can be tried on losses whose gradient is known in closed
form.
"""

from nascore.engine.estimates.first import first
from nascore.engine.estimates.single import single_level
from nascore.engine.estimates.unrolled import VirtualStep, unrolled
from nascore.engine.estimates.values import Estimate, Loss, Tensors

__all__ = ["Estimate", "Loss", "Tensors", "VirtualStep", "first", "single_level", "unrolled"]
