"""The protocols of the slots, and the values that components exchange.

This package does not import torch, so that components can be listed without it; tensors occur in annotations
only.
"""

from nascore.contract.growth import Growing, GrowthPolicy, History, Proposal, Remarking
from nascore.contract.images import ImageSource, StreamedExamples
from nascore.contract.jobs import Executor, Job
from nascore.contract.slots import (
    Annealing,
    Dataset,
    FromFiles,
    Observer,
    Pooling,
    Regularizer,
    Relaxation,
    Selecting,
    SettledRecipe,
    Space,
    Stateful,
    Updater,
)
from nascore.contract.tasks import Meter, Task
from nascore.contract.trainer import Batches, Phase, RepeatedNoise, Search, Streams, Trainer
from nascore.contract.tricks import Training, Trick, UsedTrick, WeightGroup
from nascore.contract.values import (
    Costs,
    DataFacts,
    Demand,
    EpochReport,
    Examples,
    Gradients,
    GroupCosts,
    Horizon,
    Mixture,
    Sampled,
    StepReport,
    WeightSettings,
)
from nascore.gallery import Metric, Score

__all__ = [
    "Annealing",
    "Batches",
    "Costs",
    "DataFacts",
    "Dataset",
    "Demand",
    "EpochReport",
    "Examples",
    "Executor",
    "FromFiles",
    "Gradients",
    "GroupCosts",
    "Growing",
    "GrowthPolicy",
    "History",
    "Horizon",
    "ImageSource",
    "Job",
    "Meter",
    "Metric",
    "Mixture",
    "Observer",
    "Phase",
    "Pooling",
    "Proposal",
    "Regularizer",
    "Relaxation",
    "Remarking",
    "RepeatedNoise",
    "Sampled",
    "Score",
    "Search",
    "Selecting",
    "SettledRecipe",
    "Space",
    "Stateful",
    "StepReport",
    "StreamedExamples",
    "Streams",
    "Task",
    "Trainer",
    "Training",
    "Trick",
    "Updater",
    "UsedTrick",
    "WeightGroup",
    "WeightSettings",
]
