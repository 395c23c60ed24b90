"""The imports for trainers and data sets: phase, weights step, gradients, memory, and reading of images."""

from nascore.contract import Batches, Demand, Phase, Search, StepReport, Streams, WeightSettings
from nascore.engine.data_digest import ImageDigest
from nascore.engine.estimates import Estimate, VirtualStep, first, single_level, unrolled
from nascore.engine.forward import Batch, Criterion, Passes
from nascore.engine.memory import available_memory, check_images
from nascore.engine.mixture import Draw, draw, fixed_draw, gradients, pull_back
from nascore.engine.sources import read_in_order, source_of
from nascore.engine.weight_step import Supervised, cosine, linear

__all__ = [
    "Batch",
    "Batches",
    "Criterion",
    "Demand",
    "Draw",
    "Estimate",
    "ImageDigest",
    "Passes",
    "Phase",
    "Search",
    "StepReport",
    "Streams",
    "Supervised",
    "VirtualStep",
    "WeightSettings",
    "available_memory",
    "check_images",
    "cosine",
    "draw",
    "first",
    "fixed_draw",
    "gradients",
    "linear",
    "pull_back",
    "read_in_order",
    "single_level",
    "source_of",
    "unrolled",
]
