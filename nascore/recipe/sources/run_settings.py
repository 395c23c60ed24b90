"""The settings of the run itself: the top-level keys of a recipe.

The run takes part in settling like any other component: its wishes are the defaults of the slots, and parts
can need its capabilities.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - the annotation is read when settings are checked
from typing import TYPE_CHECKING, Final, Literal

from attrs import evolve, frozen

from nascore.component import AUTO, Component, Give
from nascore.config import restated, setting, settings_of
from nascore.contract import WeightSettings
from nascore.errors import Problem
from nascore.shell import command_line
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nascore.component import Choice
    from nascore.errors import Origin
    from nascore.plugin import Registry
    from nascore.recipe.sources.layers import Layer, Stack


EVALUATION_PATH: Final = "evaluate."
"""The prefix of the path of a setting that is meant for the evaluation, not for the search."""

RANKING: Final = "ranking"
"""The group of settings with which a search trains an architecture to rank it."""

TRAINING: Final = "training"
"""The group of settings with which an evaluation trains an architecture."""

GROUPS: Final = (RANKING, TRAINING)
"""The two groups of settings for the training of closed networks."""


@frozen(kw_only=True, slots=False)  # only one of two base classes can have slots
class EffortSettings:
    """The size and length of the training of a closed network."""

    channels: int | None = setting(None, "Width of the first cell; null: that of the architecture.", ge=1)
    cells: int | None = setting(None, "Number of cells; null: that of the architecture.", ge=1)
    epochs: int = setting(600, "Epochs over the training data.", ge=1)
    batch: int = setting(96, "Images in a batch.", ge=1)
    validate_every: int = setting(
        1, "Epochs between two measurements on validation images; 0: only after the last.", ge=0
    )


# The settings of the last base class come first, in recipes too.
@frozen(kw_only=True)
class TrainingSettings(WeightSettings, EffortSettings):
    """How ``evaluate`` trains a closed network.

    The defaults are those of DARTS's evaluation on CIFAR-10 (Liu et al. 2018, arXiv:1806.09055), except for
    the size, which the space of the architecture declares.
    """

    drop_path: float = restated(WeightSettings, "drop_path", 0.2)
    auxiliary: float = restated(WeightSettings, "auxiliary", 0.4)


@frozen(kw_only=True)
class RankingSettings(TrainingSettings):
    """How a search trains an architecture to rank it: briefly, at the size of the search."""

    epochs: int = restated(EffortSettings, "epochs", 20)
    drop_path: float = restated(WeightSettings, "drop_path")
    auxiliary: float = restated(WeightSettings, "auxiliary")


@frozen(kw_only=True)
class ProxySettings:
    """A smaller version of the data set for the search; an evaluation uses the whole data set."""

    fraction: float = setting(1.0, "Share of the training images of each class.", gt=0, le=1)
    size: int | None = setting(None, "Smaller side of the images in pixels; null: as they are.", ge=1)
    classes: int | None = setting(None, "Number of classes, the first ones; null: all.", ge=2)

    @property
    def is_smaller(self) -> bool:
        """Whether the data set is smaller than the whole one."""
        return self != ProxySettings()


@frozen(kw_only=True)
class ExecutionSettings:
    """How networks compute: the results are equal up to rounding, the time is not."""

    name: str = setting(
        AUTO,
        "The execution (nascore list execution); auto: plain for closed networks; for open ones fused on a "
        "CPU, batched on CUDA.",
    )
    recompute: bool = setting(
        default=False,
        help="Whether the features inside of cells are computed again in the backward pass, instead of kept "
        "in memory: less memory, more time.",
    )


@frozen(kw_only=True)
class RunSettings:
    """The settings that belong to no slot."""

    seed: int = setting(0, "Seed of all random numbers of the run.", ge=0)
    threads: int = setting(1, "CPU threads; results depend on their number.", ge=1, le=1024)
    device: Literal["auto", "cpu", "cuda"] = setting("auto", "Where to compute; auto: CUDA if available.")
    precision: Literal["float32", "bf16", "fp16"] = setting(
        "float32", "Number type of training: float32, or mixed precision by autocast."
    )
    channels_last: bool = setting(
        default=False, help="Whether images and features have the memory layout NHWC."
    )
    proxy: ProxySettings = setting(  # noqa: RUF009 - frozen, so sharing it is safe
        ProxySettings(), "The part of the data set in which a search searches."
    )
    execution: ExecutionSettings = setting(  # noqa: RUF009 - frozen, so sharing it is safe
        ExecutionSettings(), "How networks compute."
    )


@frozen(kw_only=True)
class SearchSettings(RunSettings):
    """The settings of a search that belong to no slot."""

    ranking: RankingSettings = setting(  # noqa: RUF009 - frozen, so sharing it is safe
        RankingSettings(), "How the search trains an architecture in order to measure it."
    )


@frozen(kw_only=True)
class WeightsSettings:
    """The weights with which the training of an evaluation begins."""

    file: Path | None = setting(  # noqa: RUF009 - it declares a field
        None, "File with the weights with which training begins; null: new weights.", copied=False
    )
    sha256: str = setting("", "SHA-256 that the file has to have; empty: any. A run records it.")
    head: Literal["loaded", "new", "auto"] = setting(
        "loaded",
        "Whether the classifier is that of the file, or begins with new weights; auto: new if it is for "
        "another number of outputs. A run records which.",
    )


VALIDATION: Final = "validation"
"""The value of `measure` with which an evaluation leaves the test images closed."""


@frozen(kw_only=True)
class EvaluationSettings(RunSettings):
    """The settings of an evaluation that belong to no slot."""

    measure: Literal["test", "validation"] = setting(
        "test", "Images that measure the network; validation: one in five training images, held back."
    )
    weights: WeightsSettings = setting(  # noqa: RUF009 - frozen, so sharing it is safe
        WeightsSettings(), "The weights with which training begins."
    )
    training: TrainingSettings = setting(  # noqa: RUF009 - frozen, so sharing it is safe
        TrainingSettings(), "How evaluate trains an architecture."
    )


def training_group(settings: object) -> str:
    """Return the group of settings with which a run trains closed networks: `ranking` in a search."""
    return RANKING if hasattr(settings, RANKING) else TRAINING


def itself(settings: RunSettings) -> RunSettings:
    """Return the settings unchanged: the engine reads them, so nothing needs to be built."""
    return settings


def _optimizer_fits(settings: RunSettings, recipe: Choice) -> Iterable[Problem]:
    """Yield the combinations that SGD refuses, so that they appear with all other problems of a recipe."""
    del recipe
    group = training_group(settings)
    training: TrainingSettings = getattr(settings, group)
    if training.nesterov and training.momentum == 0:
        text = "Nesterov's momentum needs a momentum above 0."
        hint = f"Set it to 0.9, or set {group}.nesterov to false."
        yield Problem(path=f"{group}.momentum", text=text, hint=hint)


def _in_float32(settings: RunSettings) -> bool:
    return settings.precision == "float32"


_WISHES: Final = {
    "space": "darts",
    "growth": "none",
    "updater": "darts",
    "trainer": "alternating",
    "relaxation": "softmax",
    "task": "classification",
    "dataset": "digits",
    "executor": "serial",
}

_MINI: Final = {
    "channels": None,
    "cells": None,
    "lr": 0.05,
    "nesterov": True,
    "drop_path": 0,
    "auxiliary": 0,
}
"""Settings that all trainings of closed networks share at scale mini."""


_SMALL: Final = {
    RANKING: {"channels": None, "cells": None, "epochs": 10, "batch": 64},
    TRAINING: {"channels": None, "cells": None, "epochs": 40, "batch": 64},
}
"""Sizes and epochs of the trainings of closed networks at scale small."""


def _run(name: str, summary: str, config: type[RunSettings], group: str, **mini: float) -> Component:
    """Return the component of a run.

    Args:
        name: Its name.
        summary: Its summary.
        config: Its settings.
        group: The group of the settings with which it trains closed networks.
        mini: Further settings of its training at scale mini.
    """
    return Component(
        name=name,
        slot=RUN,
        summary=summary,
        config=config,
        build=itself,
        provides=("horizon", Give(capability="full-precision", when=_in_float32)),
        check=_optimizer_fits,
        wishes=_WISHES,
        mini={group: {**_MINI, **mini}},
        small={group: _SMALL[group]},
        paper="Liu et al. 2018, arXiv:1806.09055",
    )


def _check_evaluation(settings: RunSettings, recipe: Choice) -> Iterable[Problem]:
    yield from _optimizer_fits(settings, recipe)
    if settings.proxy.is_smaller:
        text = "an evaluation uses the whole data set; only a search reads this setting."
        yield Problem(path="proxy", text=text, verdict="warned")


SEARCH_RUN: Final = _run("search", "the settings of a search", SearchSettings, RANKING, epochs=10, batch=32)
"""The run of ``nascore search``: trains each architecture briefly, to rank it."""

EVALUATE_RUN: Final = evolve(
    _run(
        "evaluate",
        "the settings of a training from scratch",
        EvaluationSettings,
        TRAINING,
        epochs=12,
        batch=64,
        label_smoothing=0.1,
    ),
    check=_check_evaluation,
)
"""The run of ``nascore evaluate``: trains one architecture fully."""

EVALUATION: Final = "evaluate"
"""The key of a recipe for settings and tricks of an evaluation; they override the top-level ones."""

OF_EVALUATION: Final = tuple(
    name for name, declared in settings_of(EvaluationSettings).items() if not declared.nested
)
"""The settings without a group; the key `evaluate` may hold other values for the evaluation."""


def run_of_group(group: str) -> Component | None:
    """Return the run that reads a top-level group of settings; None where both runs read it."""
    return {RANKING: SEARCH_RUN, TRAINING: EVALUATE_RUN}.get(group)


def watched(run: Component) -> Component:
    """Return a run that wishes for the observer `terminal`, for runs from the command line.

    From Python nothing is printed by default.
    """
    return evolve(run, wishes={**run.wishes, "observer": "terminal"})


DATASET: Final = "dataset"
"""The slot of the data set."""


def preset_data_warnings(layers: Iterable[Layer], stack: Stack) -> Iterator[Problem]:
    """Yield a warning where the data set is not the one that the preset names.

    Args:
        layers: The layers, lowest first.
        stack: Their stack.
    """
    named = [(one.preset, choice) for one in layers if one.preset for choice in one.chosen.get(DATASET, ())]
    used = [choice for choice in stack.chosen.get(DATASET, ()) if choice.component is not None]
    if not named or not used:
        return
    preset, wanted = named[-1]
    component = used[-1].component
    assert component is not None
    if component.name != wanted.name.rpartition(":")[2]:
        text = (
            f"preset {preset} is for {wanted.name}; with {component.name} "
            "its settings reproduce no published result."
        )
        yield Problem(path=DATASET, text=text, origin=used[-1].origin, verdict="warned")


def lacking_data(name: str, origin: Origin, registry: Registry) -> Problem:
    """Return the problem of a preset whose data set is not installed.

    Args:
        name: The data set.
        origin: Where the preset names it.
        registry: The installed components.
    """
    flags = [command_line("--dataset", one) for one in registry.shown(DATASET)]
    return Problem(
        path=DATASET,
        text=f"the preset is for data set {name}, which is not installed.",
        origin=origin,
        hint="Install a plugin that provides it, or write one (nascore new-plugin --help). "
        f"To run the preset on a different data set, add {' or '.join(flags)}.",
        slots=(DATASET,),
        of_plugin=True,
    )
