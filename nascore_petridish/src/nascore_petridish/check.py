"""Which operations can be candidates, and whether as many can be ranked as are kept."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nascore.api import DescriptionError, Op, Problem, did_you_mean
from nascore_petridish.places import candidates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.api import Catalogue, Choice
    from nascore_petridish.settings import GrowthSettings

PATH = "growth.operations"
UNBOUNDED = (
    "does not end in a batch norm without weights: the loss is linear in it, so that it may grow without end."
)


def misfits(settings: GrowthSettings, choice: Choice) -> Iterator[Problem]:
    """Yield what is wrong with the candidates, and with the number of draws that are to rank them."""
    known = choice.operations()
    wrong = [problem for text in settings.operations for problem in _misfit(text, known)]
    yield from wrong
    if not settings.operations:
        yield _problem("there is no candidate.")
    if not wrong:
        offered = candidates(settings.operations, known)
        for text, count in Counter(map(str, offered)).items():
            if count > 1:
                yield _problem(f"{text} is named twice.")
        for op in offered:
            if not _bounded(op, known):
                yield Problem(path=PATH, text=f"{op} {UNBOUNDED}", verdict="warned", slots=("growth",))
    draws = choice.setting("relaxation.draws")
    if isinstance(draws, int) and draws < settings.keep:
        text = f"{draws} draws cannot rank the {settings.keep} candidates that are kept."
        hint = f"Set relaxation.draws to {settings.keep} or more, or growth.keep to {draws}."
        yield Problem(path="relaxation.draws", text=text, hint=hint, slots=("relaxation", "growth"))


def _misfit(text: str, known: Catalogue) -> Iterator[Problem]:
    try:
        name = Op.parse(text).name
    except DescriptionError as error:
        yield _problem(str(error))
        return
    if name not in known:
        yield _problem(f"there is no operation {name!r}.", hint=did_you_mean(name, known))
    elif name == "none":
        yield _problem(f"{name} is no candidate: it adds nothing.")
    elif known[name].structural:
        yield _problem(f"{name} is no candidate: it is part of a network's frame.")


def _bounded(op: Op, known: Catalogue) -> bool:
    """Say whether a norm keeps the size of what a candidate gives, or it has nothing that could grow."""
    ends = {("affine", False), ("pool_norm", True)}
    return known[op.name].identity or not ends.isdisjoint(op.settings)


def _problem(text: str, *, hint: str = "") -> Problem:
    return Problem(path=PATH, text=text, hint=hint, slots=("growth",))
