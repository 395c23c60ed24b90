"""The modules of the catalogue's operations, each built as ``build(c_in, c_out, stride, **settings)``.

No operation modifies its input, since other operations read the same state. With stride ``s``, an input of
height ``h`` has an output of height ``ceil(h / s)``, also for odd ``h``, so all operations of a node agree.
"""

from nascore.nn.operations.convolutions import (
    BasicBlock,
    MobileBlock,
    ResidualBlock,
    conv_3x3,
    conv_7x1_1x7,
    dil_conv_3x3,
    dil_conv_5x5,
    nor_conv_1x1,
    nor_conv_3x3,
    sep_conv_3x3,
    sep_conv_5x5,
    sep_conv_7x7,
)
from nascore.nn.operations.frame import (
    Auxiliary,
    classifier,
    fit,
    imagenet_stem0,
    imagenet_stem1,
    norm_classifier,
    project,
    stem,
)
from nascore.nn.operations.simple import (
    FactorizedReduce,
    Noise,
    Zero,
    avg_pool_3x3,
    max_pool_3x3,
    skip_connect,
)

__all__ = [
    "Auxiliary",
    "BasicBlock",
    "FactorizedReduce",
    "MobileBlock",
    "Noise",
    "ResidualBlock",
    "Zero",
    "avg_pool_3x3",
    "classifier",
    "conv_3x3",
    "conv_7x1_1x7",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "fit",
    "imagenet_stem0",
    "imagenet_stem1",
    "max_pool_3x3",
    "nor_conv_1x1",
    "nor_conv_3x3",
    "norm_classifier",
    "project",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
    "skip_connect",
    "stem",
]
