"""Petridish (Hu et al., NeurIPS 2019: arXiv 1905.13360) for nascore: growth, for any space.

This module is the plugin: it says what there is and imports neither torch nor the parts themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.api import Component, Need, Problem, did_you_mean, hookimpl
from nascore_petridish.settings import GrowthSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.api import Choice

PAPER: Final = "arXiv 1905.13360"


def _candidates(settings: GrowthSettings, choice: Choice) -> Iterable[Problem]:
    known = choice.operations()
    for name in settings.operations:
        path = "growth.operations"
        if name not in known:
            text = f"there is no operation {name!r}."
            yield Problem(path=path, text=text, hint=did_you_mean(name, known), slots=("growth",))
        elif name == "none" or known[name].structural:
            why = "it adds nothing" if name == "none" else "it is part of a network's frame"
            yield Problem(path=path, text=f"{name} is no candidate: {why}.", slots=("growth",))
    if not settings.operations:
        yield Problem(path="growth.operations", text="there is no candidate.", slots=("growth",))
    draws = choice.setting("relaxation.draws")
    if isinstance(draws, int) and draws < settings.keep:
        text = f"{draws} draws cannot rank the {settings.keep} candidates that are kept."
        hint = f"Set relaxation.draws to {settings.keep} or more, or growth.keep to {draws}."
        yield Problem(path="relaxation.draws", text=text, hint=hint, slots=("relaxation", "growth"))


PETRIDISH: Final = Component(
    name="petridish",
    slot="growth",
    summary="Grows architectures: the candidates that help most join a parent that works.",
    config=GrowthSettings,
    build="nascore_petridish.policy:Petridish",
    provides=("shadows",),
    needs=(
        Need(
            terms=("not space.fixed",),
            ask="a space whose architectures may grow",
            why="what it grows is no architecture of a space with a code of its own",
        ),
        Need(
            terms=("not trainer.two-halves",),
            ask="candidates that learn from the images that the weights see (estimate single-level)",
            why="a parent fits its images too well for candidates to look useful on others",
            verdict="warned",
        ),
    ),
    wishes={
        "updater": "sgd",
        "trainer": ("alternating", {"estimate": "single-level"}),
        "relaxation": "linear",
        "regularizer": ("l1", {"weight": 1e-3}),
    },
    mini={"count": 5, "seed_epochs": 5, "child_epochs": 3},
    check=_candidates,
    paper=PAPER,
)


@hookimpl
def nascore_growths() -> Iterable[Component]:
    """Yield the growth ``petridish``."""
    yield PETRIDISH
