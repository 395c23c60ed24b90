"""The core's own parts pass the kit that plugins are held to."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from nascore.testing import (
    RegularizerConformance,
    RelaxationConformance,
    SpaceConformance,
    UpdaterConformance,
)

CHAIN = Path(__file__).parents[1] / "data" / "chain.yaml"


class TestSgd(UpdaterConformance):
    component = "sgd"


class TestUniform(UpdaterConformance):
    component = "uniform"


class TestSoftmax(RelaxationConformance):
    component = "softmax"


class TestSoftmaxOfNode(RelaxationConformance):
    component = "softmax"
    settings: ClassVar = {"segment": "node", "noise": 1e-3}


class TestLinear(RelaxationConformance):
    component = "linear"


class TestOneHot(RelaxationConformance):
    component = "one-hot"


class TestOneHotOfNode(RelaxationConformance):
    component = "one-hot"
    settings: ClassVar = {"segment": "node"}


class TestL1(RegularizerConformance):
    component = "l1"


class TestL1OfMixture(RegularizerConformance):
    component = "l1"
    settings: ClassVar = {"target": "mixture"}


class TestL1OfCode(RegularizerConformance):
    component = "l1"
    settings: ClassVar = {"target": "code"}


class TestEntropy(RegularizerConformance):
    component = "entropy"


class TestEntropyTowardEven(RegularizerConformance):
    component = "entropy"
    settings: ClassVar = {"toward": "even"}


class TestCost(RegularizerConformance):
    component = "cost"


class TestCostOfTarget(RegularizerConformance):
    component = "cost"
    settings: ClassVar = {"of": "params", "target": 500}


class TestTiny(SpaceConformance):
    component = "tiny"


class TestPlanted(SpaceConformance):
    component = "planted"


class TestPlantedCell(SpaceConformance):
    component = "planted"
    settings: ClassVar = {"form": "cell"}


class TestPlantedLikeBenchmark(SpaceConformance):
    component = "planted"
    settings: ClassVar = {"form": "nb201"}


class TestFile(SpaceConformance):
    component = "file"
    settings: ClassVar = {"path": CHAIN}
