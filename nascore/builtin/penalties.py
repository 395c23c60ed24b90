"""The penalties as components; they load without torch."""

from __future__ import annotations

from typing import Final

from nascore.api import Component, Need
from nascore.builtin.settings import CostSettings, EntropySettings, L1Settings

LEARNER: Final = Need(
    terms=("updater.learns",),
    why="the updater follows no gradient, so that a penalty moves nothing",
    verdict="warned",
)
DISTRIBUTION: Final = Need(
    terms=("relaxation.normalized",),
    why="only a distribution has an entropy",
)
NOT_NEGATIVE: Final = Need(
    terms=("relaxation.normalized", "relaxation.non-negative"),
    ask="a relaxation whose weights are not negative",
    why="with a weight below zero an operation would count as cheaper than none",
)


def _of_mixture(settings: L1Settings) -> bool:
    return settings.target == "mixture"


def _of_code(settings: L1Settings) -> bool:
    return settings.target == "code"


PENALTIES: Final = (
    Component(
        name="l1",
        slot="regularizer",
        summary="Pulls theta, the mixture or the drawn code by its absolute values.",
        config=L1Settings,
        build="nascore.builtin.regularizers:L1",
        needs=(
            Need(
                terms=("not updater.mixture-gradient",),
                ask="an updater that follows the gradient of theta (entropy works for the others)",
                why="an updater that follows the mixture's gradient never sees a penalty on theta",
            ),
            Need(
                terms=("not relaxation.normalized",),
                ask="a relaxation whose weights need not sum to 1",
                why="the L1 norm of a distribution is 1 whatever it is",
                when=_of_mixture,
            ),
            Need(
                terms=("not relaxation.deterministic",),
                ask="a relaxation that draws a code",
                why="without a draw the code is the distribution itself, and their distance is 0",
                when=_of_code,
            ),
            LEARNER,
        ),
    ),
    Component(
        name="entropy",
        slot="regularizer",
        summary="Makes the mixture decided, or keeps it even.",
        config=EntropySettings,
        build="nascore.builtin.regularizers:Entropy",
        needs=(DISTRIBUTION, LEARNER),
    ),
    Component(
        name="cost",
        slot="regularizer",
        summary="Makes architectures cheap, or as costly as a target.",
        config=CostSettings,
        build="nascore.builtin.regularizers:Cost",
        bounds={"target": lambda settings: settings.of},
        needs=(NOT_NEGATIVE, LEARNER),
    ),
)
