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


def misfits(settings: GrowthSettings, choice: Choice) -> Iterator[Problem]:
    """Yield what is wrong with the candidates, and with the number of draws that are to rank them."""
    known = choice.operations()
    wrong = [problem for text in settings.operations for problem in _misfit(text, known)]
    yield from wrong
    if not settings.operations:
        yield _problem("there is no candidate.")
    if not wrong:
        counts = Counter(map(str, candidates(settings.operations, known)))
        for text in (text for text, count in counts.items() if count > 1):
            yield _problem(f"{text} is named twice.")
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


def _problem(text: str, *, hint: str = "") -> Problem:
    return Problem(path=PATH, text=text, hint=hint, slots=("growth",))
