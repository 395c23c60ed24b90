"""The trainer ``alternating`` as a component, and its settings; they load without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from attrs import frozen

from nascore.api import Component, Give, Need, Problem, setting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.api import Choice


@frozen(kw_only=True)
class AlternatingSettings:
    """Weights and architecture in turn; the defaults are those of DARTS's search on CIFAR-10."""

    estimate: Literal["first", "unrolled", "single-level"] = setting(
        "first", "How the architecture's gradient is estimated; DARTS's second order is `unrolled`."
    )
    sequence: Literal["architecture-first", "weights-first"] = setting(
        "architecture-first", "Which of the two steps comes first; has no meaning for `single-level`."
    )
    epochs: int = setting(50, "Passes over the images that the weights see.", ge=1)
    batch: int = setting(64, "Images of a batch.", ge=1)
    lr: float = setting(0.025, "First learning rate of SGD on the weights; falls as a cosine.", gt=0)
    lr_min: float = setting(0.001, "Last learning rate.", ge=0)
    momentum: float = setting(0.9, "Momentum of SGD on the weights.", ge=0, lt=1)
    weight_decay: float = setting(3e-4, "L2 penalty on the weights.", ge=0)
    clip: float = setting(5.0, "Largest norm of the gradient of the weights; 0: not clipped.", ge=0)
    warm_up: int = setting(0, "Epochs at the beginning in which only the weights are trained.", ge=0)
    augment: bool = setting(default=True, help="Whether images are cropped and flipped as the data set says.")


def _two_halves(settings: AlternatingSettings) -> bool:
    return settings.estimate != "single-level"


def _unrolled(settings: AlternatingSettings) -> bool:
    return settings.estimate == "unrolled"


def _per_sample(settings: AlternatingSettings) -> bool:
    return settings.estimate != "unrolled"


def _searches(settings: AlternatingSettings, recipe: Choice) -> Iterable[Problem]:
    del recipe
    if settings.warm_up >= settings.epochs:
        whole = "the only epoch is" if settings.epochs == 1 else f"all {settings.epochs} epochs are"
        text = f"{whole} warm-up ({settings.warm_up}): none is left to search in."
        few = f"{settings.epochs - 1} or less" if settings.epochs > 1 else "0"
        yield Problem(
            path="trainer.warm_up",
            text=text,
            hint=f"Set it to {few}, or trainer.epochs to more.",
            slots=("trainer",),
        )


ALTERNATING = Component(
    name="alternating",
    slot="trainer",
    summary="One architecture step and one weights step in turn.",
    config=AlternatingSettings,
    build="nascore.builtin.alternating:Alternating",
    provides=(
        Give(capability="two-halves", when=_two_halves),
        Give(capability="sample-gradients", when=_per_sample),
        Give(capability="unrolled", when=_unrolled),
    ),
    needs=(
        Need(
            terms=("dataset.halves",),
            why="the architecture learns from images that the weights do not see",
            when=_two_halves,
        ),
    ),
    mini={"epochs": 5, "batch": 32, "lr": 0.05, "warm_up": 1},
    check=_searches,
    paper="arXiv 1806.09055",
)
