"""The imports for plugins with torch: operations, compiler, costs, and arithmetic on the simplex."""

from nascore.contract import Costs, Examples, GroupCosts
from nascore.nn.architecture import ArchitectureState
from nascore.nn.classification import Classification
from nascore.nn.compiler import compile  # noqa: A004 - what it does to a description
from nascore.nn.costs import costs
from nascore.nn.data import image_moments, labels_of, moments_of_counts, pixel_counts, resized_images
from nascore.nn.descent import Descent
from nascore.nn.mixture_weights import GroupShape
from nascore.nn.model_source import standalone
from nascore.nn.network import Network, inherit
from nascore.nn.operations import (
    Auxiliary,
    BasicBlock,
    FactorizedReduce,
    MobileBlock,
    Noise,
    ResidualBlock,
    Zero,
    avg_pool_3x3,
    classifier,
    conv_3x3,
    conv_7x1_1x7,
    dil_conv_3x3,
    dil_conv_5x5,
    fit,
    imagenet_stem0,
    imagenet_stem1,
    max_pool_3x3,
    nor_conv_1x1,
    nor_conv_3x3,
    norm_classifier,
    project,
    sep_conv_3x3,
    sep_conv_5x5,
    sep_conv_7x7,
    skip_connect,
    stem,
)
from nascore.nn.simplex import eg_step, log_normalise, segment_argmax, segment_softmax, segment_sum

__all__ = [
    "ArchitectureState",
    "Auxiliary",
    "BasicBlock",
    "Classification",
    "Costs",
    "Descent",
    "Examples",
    "FactorizedReduce",
    "GroupCosts",
    "GroupShape",
    "MobileBlock",
    "Network",
    "Noise",
    "ResidualBlock",
    "Zero",
    "avg_pool_3x3",
    "classifier",
    "compile",
    "conv_3x3",
    "conv_7x1_1x7",
    "costs",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "eg_step",
    "fit",
    "image_moments",
    "imagenet_stem0",
    "imagenet_stem1",
    "inherit",
    "labels_of",
    "log_normalise",
    "max_pool_3x3",
    "moments_of_counts",
    "nor_conv_1x1",
    "nor_conv_3x3",
    "norm_classifier",
    "pixel_counts",
    "project",
    "resized_images",
    "segment_argmax",
    "segment_softmax",
    "segment_sum",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
    "skip_connect",
    "standalone",
    "stem",
]
