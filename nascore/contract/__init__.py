"""What the parts of a search say to each other: one protocol per slot, and the values that they hand over.

Nothing here imports torch, so that a component can be described without it; tensors are named in annotations
only.
"""

from nascore.contract.slots import (
    Dataset,
    GrowingPolicy,
    GrowthPolicy,
    Observer,
    Regularizer,
    Relaxation,
    Space,
    Trainer,
    Updater,
)
from nascore.contract.values import (
    DataFacts,
    Demand,
    EpochReport,
    Gradients,
    Horizon,
    Mixture,
    Sampled,
    StepReport,
)

__all__ = [
    "DataFacts",
    "Dataset",
    "Demand",
    "EpochReport",
    "Gradients",
    "GrowingPolicy",
    "GrowthPolicy",
    "Horizon",
    "Mixture",
    "Observer",
    "Regularizer",
    "Relaxation",
    "Sampled",
    "Space",
    "StepReport",
    "Trainer",
    "Updater",
]
