"""Settings of the growth policy, without torch."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from nascore.api import Count, DescriptionError, Op, Problem, did_you_mean, setting
from nascore_petridish.places import candidates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.api import Catalogue, Choice


OPERATIONS = (
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
)
"""The candidates of the authors' code, without `none`; unlike there, pools have a norm."""


@frozen(kw_only=True)
class GrowthSettings:
    """How architectures grow; the defaults are those of the authors' code."""

    search: Literal["cell", "macro"] = setting(
        "cell", "cell: all uses of a cell grow alike; macro: each use, or each layer, grows separately."
    )
    soft: bool = setting(
        default=False,
        help="Whether candidates join through a trainable gate instead of as shadows (the joint variant).",
    )
    keep: int = setting(3, "Candidates that are kept at each place that grows.", ge=1)
    operations: list[str] = setting(  # noqa: RUF009 - it declares a field
        list(OPERATIONS), "Candidate operations, by name or with settings, as in a description."
    )
    count: int = setting(
        1000, "Number of architectures to train, including the initial ones.", ge=1, le=10**6
    )
    depth: int = setting(8, "How many growths an architecture and its ancestors may have.", ge=1)
    limit: Count | None = setting(  # noqa: RUF009 - it declares a field
        83_333_333, "MACs for each image above which an architecture does not grow; null: no limit.", gt=0
    )
    eps: float = setting(
        0.025, "How far above the lower hull of error over cost a parent may lie, relative to the hull.", ge=0
    )
    wave: int = setting(1, "Parents that grow at the same time; all see the gallery as it was before.", ge=1)
    seed_epochs: int = setting(200, "Epochs for the initial architectures.", ge=1)
    child_epochs: int = setting(80, "Epochs for a child, which inherits weights.", ge=1)


PATH = "growth.operations"
UNBOUNDED = (
    "does not end in a batch norm without weights: the loss is linear in its output, which may diverge."
)


def misfits(settings: GrowthSettings, choice: Choice) -> Iterator[Problem]:
    """Yield the problems of the candidates, and of the number of draws that rank them."""
    known = choice.operations()
    wrong = [problem for text in settings.operations for problem in _misfit(text, known)]
    yield from wrong
    if not settings.operations:
        yield _problem("the list of candidates is empty.")
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
        yield _problem(f"{name} cannot be a candidate: it adds nothing.")
    elif known[name].structural:
        yield _problem(f"{name} cannot be a candidate: it is only for the fixed parts of a network.")


def _bounded(op: Op, known: Catalogue) -> bool:
    """Return whether a norm bounds the candidate's output, or the candidate has no weights."""
    ends = {("affine", False), ("pool_norm", True)}
    return known[op.name].identity or not ends.isdisjoint(op.settings)


def _problem(text: str, *, hint: str = "") -> Problem:
    return Problem(path=PATH, text=text, hint=hint, slots=("growth",))
