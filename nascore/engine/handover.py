"""Costs of the architectures of a search, at its own size, in its training, and as `evaluate` trains them.

The architecture that the search will find is not known. The cheapest and the most expensive architecture of
the space stand in for it; they are derived with the costs of the candidates as strengths.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, cast

from attrs import evolve, frozen

from nascore.component import MEASURES
from nascore.description import choose, derive
from nascore.engine.derive import prepared
from nascore.engine.memory import MOST_COUNTED
from nascore.engine.results import costs_of
from nascore.errors import Problem
from nascore.nn import costs
from nascore.plugin.guard import call_component
from nascore.recipe.settling.recipe import evaluation_size
from nascore.recipe.sources.run_settings import RANKING, TRAINING, TrainingSettings
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from nascore.contract import DataFacts, Growing
    from nascore.description import Catalogue, Description
    from nascore.engine.factory import SearchParts
    from nascore.recipe import Recipe
    from nascore.recipe.settling.recipe import Part


COSTS: Final = ("params", "macs")
"""Parameters, and multiply-accumulates per image."""

NAMED: Final = {"params": "parameters", "macs": "MACs"}

AT_SEARCH: Final = "this bound holds at the size of the search, but"

SAME: Final = 1.005
"""Factors below this value count as equal costs."""


@frozen(kw_only=True)
class Span:
    """The range of the costs of several architectures.

    Attributes:
        params: Smallest and largest number of parameters.
        macs: Smallest and largest number of multiply-accumulates per image.
    """

    params: tuple[int, int]
    macs: tuple[int, int]

    def __str__(self) -> str:
        return f"{_span(self.params)} parameters, {_span(self.macs)} MACs"


@frozen(kw_only=True)
class Handover:
    """The costs of architectures from the search to the evaluation.

    Attributes:
        searched: Costs at the size of the search, of the initial architectures of a growth run, or of the
            cheapest and the most expensive architectures of the space.
        trained: Costs of the same architectures as the search trains them.
        evaluated: Costs of the same architectures as `evaluate` trains them.
        size: The settings to which `evaluate` scales them; empty: it does not scale.
    """

    searched: tuple[dict[str, int], ...]
    trained: tuple[dict[str, int], ...]
    evaluated: tuple[dict[str, int], ...]
    size: dict[str, int]


def handover(
    recipe: Recipe,
    parts: SearchParts,
    facts: DataFacts,
    catalogue: Catalogue,
    whole: DataFacts | None = None,
) -> Handover:
    """Return the costs of architectures at each stage, from search to evaluation; builds no network.

    Args:
        recipe: A settled recipe.
        parts: The components of its search.
        facts: Facts of the data set of the search.
        catalogue: The operations.
        whole: Facts of the data set of the evaluation, if it is another.
    """
    found = parts.seeds
    searched = tuple(one for one in found if one.is_open)[:MOST_COUNTED]
    if searched:
        closed = (one for one in found[:MOST_COUNTED] if not one.is_open)
        found = (*closed, *(each for one in searched for each in extremes(one, facts, catalogue)))
    elif not found or (len(found) > MOST_COUNTED and parts.description.is_open):
        found = extremes(parts.description, facts, catalogue)
    size = evaluation_size(recipe)
    unscaled = TrainingSettings(auxiliary=0.0)
    larger = evolve(unscaled, channels=size.get("channels"), cells=size.get("cells"))

    def counted(training: TrainingSettings, data: DataFacts = facts) -> tuple[dict[str, int], ...]:
        return tuple(costs_of(prepared(one, training, data), catalogue, data) for one in found)

    # A growing architecture is trained at the size of the space, since a child inherits its parent's weights.
    return Handover(
        searched=counted(unscaled),
        trained=counted(unscaled if parts.grows else recipe.training),
        evaluated=counted(larger, whole or facts),
        size=size,
    )


def span(found: Sequence[dict[str, int]]) -> Span:
    """Return the range of the costs of architectures."""
    params, macs = ([one[cost] for one in found] for cost in COSTS)
    return Span(params=(min(params), max(params)), macs=(min(macs), max(macs)))


def extremes(description: Description, facts: DataFacts, catalogue: Catalogue) -> tuple[Description, ...]:
    """Return the cheapest and the most expensive architectures of a space, by parameters and by MACs.

    Args:
        description: The open description of the space.
        facts: Facts of the data set, with the size of the images.
        catalogue: The operations.
    """
    groups = costs(description, catalogue, (facts.height, facts.width)).groups
    found = []
    for cost in COSTS:
        each = {name: getattr(group, cost).sum(dim=0).double() for name, group in groups.items()}
        most = max((float(one.max()) for one in each.values()), default=0.0)
        # Above zero: in a segment that covers a whole node, an entry of strength zero is never kept.
        for strength in ({name: most - one + 1 for name, one in each.items()}, _above_zero(each)):
            plain = {name: matrix.tolist() for name, matrix in strength.items()}
            found.append(derive(description, choose(description, plain)))
    return tuple(found)


def bound_warnings(
    recipe: Recipe, parts: SearchParts, facts: DataFacts, catalogue: Catalogue
) -> Iterator[Problem]:
    """Yield a warning for every target or limit of costs that does not hold for the final network.

    Args:
        recipe: A settled recipe.
        parts: The components of its search.
        facts: Facts of the data set.
        catalogue: The operations.
    """
    bounds = [bound for part in _parts_in_use(recipe) for bound in _bounds(part)]
    if not bounds:
        return
    known = handover(recipe, parts, facts, catalogue)
    origins = {path: origin for path, _value, origin in recipe.rows()}
    for path, cost, bound in bounds:
        for text, hint in (
            *_unreachable(parts, known, cost, bound),
            *_overshot(recipe, parts, facts, catalogue, cost),
            *_scaled(recipe, known, cost),
        ):
            yield Problem(path=path, text=text, origin=origins.get(path), hint=hint, verdict="warned")


def _unreachable(parts: SearchParts, known: Handover, cost: str, bound: int) -> Iterator[tuple[str, str]]:
    least, most = getattr(span(known.searched), cost)
    if parts.grows:
        if least > bound:
            yield f"the initial architectures already have {_span((least, most))} {NAMED[cost]}.", ""
    elif least > bound:
        yield f"the cheapest architecture of the space has {least:,} {NAMED[cost]}, which is more.", ""
    elif most < bound:
        yield f"the most expensive architecture of the space has {most:,} {NAMED[cost]}, which is less.", ""


def _overshot(
    recipe: Recipe, parts: SearchParts, facts: DataFacts, catalogue: Catalogue, cost: str
) -> Iterator[tuple[str, str]]:
    component, proposal = recipe.part("growth").component, parts.opened
    if proposal is None or proposal.parent is None:
        return
    seed, opened = parts.seeds[proposal.parent.id - 1], proposal.description
    policy = cast("Growing", parts.growth)
    groups = costs(opened, catalogue, (facts.height, facts.width)).groups
    strength = _above_zero({name: getattr(one, cost).sum(dim=0).double() for name, one in groups.items()})
    plain = {name: matrix.tolist() for name, matrix in strength.items()}
    child = call_component(component, "close", partial(policy.close, opened, plain))
    before, after = (costs_of(one, catalogue, facts)[cost] for one in (seed, child))
    if after > before:
        added = f"{after - before:,} {NAMED[cost]}"
        yield f"an architecture just below this limit still grows: the first growth adds up to {added}.", ""


def _scaled(recipe: Recipe, known: Handover, cost: str) -> Iterator[tuple[str, str]]:
    training = recipe.training
    typed = {name: value for name in MEASURES if (value := getattr(training, name)) is not None}
    if times := _times(known.searched, known.trained, cost):
        text = (
            f"{AT_SEARCH} the search trains its result with {_size(RANKING, typed)}: {times} {NAMED[cost]}."
        )
        yield text, "Leave these settings out, or set them to null."
    if times := _times(known.searched, known.evaluated, cost):
        text = f"{AT_SEARCH} evaluate trains with {_size(TRAINING, known.size)}: {times} {NAMED[cost]}."
        same = command_line(*(word for name in known.size for word in ("--set", f"training.{name}=null")))
        yield text, f"To evaluate at the size of the search: nascore evaluate RUN {same}."


def _times(before: Sequence[dict[str, int]], after: Sequence[dict[str, int]], cost: str) -> str:
    """Return the factor between the costs of the same architectures in words; empty if they are equal."""
    factors = [new[cost] / max(old[cost], 1) for old, new in zip(before, after, strict=True)]
    least, most = min(factors), max(factors)
    if least > 1 / SAME and most < SAME:
        return ""
    spread = f"{least:.3g}" if f"{least:.3g}" == f"{most:.3g}" else f"{least:.3g} to {most:.3g}"
    return f"{spread} times the"


def _parts_in_use(recipe: Recipe) -> Iterator[Part]:
    """Yield the parts of a recipe whose settings are used."""
    unread = {path for part in recipe.parts.get("growth", ()) for path in part.component.unread}
    for slot, parts in recipe.parts.items():
        if slot not in unread:
            yield from parts


def _bounds(part: Part) -> Iterator[tuple[str, str, int]]:
    """Yield path, cost and value of each bound of a part that differs from its default."""
    plain = part.component.config()
    for name, of in part.component.bounds.items():
        value = getattr(part.settings, name)
        if value is not None and value != getattr(plain, name):
            yield f"{part.prefix}{name}", of(part.settings), value


def _above_zero(each: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: one + 1 for name, one in each.items()}


def _size(group: str, size: dict[str, int]) -> str:
    return ", ".join(f"{group}.{name}={value}" for name, value in size.items())


def _span(values: tuple[int, int]) -> str:
    return f"{values[0]:,}" if values[0] == values[1] else f"{values[0]:,} to {values[1]:,}"
