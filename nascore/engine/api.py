"""The imports for trainers and data sets: phase, weights step, architecture gradients, and memory."""

from nascore.contract import Batches, Demand, Phase, Search, StepReport, Streams, WeightSettings
from nascore.engine.estimates import Estimate, VirtualStep, first, single_level, unrolled
from nascore.engine.forward import Batch, Criterion, Passes
from nascore.engine.memory import check_images
from nascore.engine.mixture import Draw, draw, fixed_draw, gradients, pull_back
from nascore.engine.weight_step import Supervised, cosine, linear

__all__ = [
    "Batch",
    "Batches",
    "Criterion",
    "Demand",
    "Draw",
    "Estimate",
    "Passes",
    "Phase",
    "Search",
    "StepReport",
    "Streams",
    "Supervised",
    "VirtualStep",
    "WeightSettings",
    "check_images",
    "cosine",
    "draw",
    "first",
    "fixed_draw",
    "gradients",
    "linear",
    "pull_back",
    "single_level",
    "unrolled",
]
