"""Costs and memory of the networks that a search trains and that `evaluate` makes of them.

Which architecture is found nobody knows, but the cheapest and the costliest of the space are found by its own
rule, with the costs of the candidates as their strengths.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from attrs import evolve, frozen

from nascore.component import MEASURES
from nascore.contract import GrowingPolicy
from nascore.description import choose, derive
from nascore.engine.derive import prepared
from nascore.engine.initial_architectures import open_first
from nascore.engine.memory import MOST_COUNTED
from nascore.engine.results import costs_of
from nascore.errors import Problem
from nascore.nn import costs
from nascore.plugin.guard import call_component
from nascore.recipe.settling.recipe import size_of
from nascore.recipe.sources.run_settings import TrainingSettings
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from nascore.contract import DataFacts
    from nascore.description import Catalogue, Description
    from nascore.engine.factory import SearchParts
    from nascore.recipe import Recipe
    from nascore.recipe.settling.recipe import Part


COSTS: Final = ("params", "macs")
"""Parameters, and multiplications with addition per image."""

NAMED: Final = {"params": "parameters", "macs": "MACs"}

AT_SEARCH: Final = "it holds at the size of the search, and"

SAME: Final = 1.005
"""Up to here a factor is told as none."""


@frozen(kw_only=True)
class Span:
    """What architectures cost, from the least to the most.

    Attributes:
        params: Parameters, the least and the most.
        macs: Multiplications with addition per image, the least and the most.
    """

    params: tuple[int, int]
    macs: tuple[int, int]

    def __str__(self) -> str:
        return f"{_span(self.params)} parameters, {_span(self.macs)} MACs"


@frozen(kw_only=True)
class Handover:
    """What a search hands over.

    Attributes:
        searched: Closed architectures at the size of the search: what growth begins with; else the cheapest
            and the costliest of the space.
        trained: The same as the search trains them.
        evaluated: The same as `evaluate` trains them.
        size: What `evaluate` scales them to; empty: nothing.
    """

    searched: tuple[dict[str, int], ...]
    trained: tuple[dict[str, int], ...]
    evaluated: tuple[dict[str, int], ...]
    size: dict[str, int]


def handover(recipe: Recipe, parts: SearchParts, facts: DataFacts, catalogue: Catalogue) -> Handover:
    """Return what a search hands over, and what `evaluate` makes of it; nothing is built."""
    found = parts.seeds
    if not found or (len(found) > MOST_COUNTED and parts.description.is_open):
        found = extremes(parts.description, facts, catalogue)
    size = size_of(recipe)
    unscaled = TrainingSettings(auxiliary=0.0)
    larger = evolve(unscaled, channels=size.get("channels"), cells=size.get("cells"))

    def counted(training: TrainingSettings) -> tuple[dict[str, int], ...]:
        return tuple(costs_of(prepared(one, training, facts), catalogue, facts) for one in found)

    # What grows is trained at the size of the space: a child inherits the weights of its parent.
    grows = isinstance(parts.growth, GrowingPolicy)
    return Handover(
        searched=counted(unscaled),
        trained=counted(unscaled if grows else recipe.run.training),
        evaluated=counted(larger),
        size=size,
    )


def span(found: Sequence[dict[str, int]]) -> Span:
    """Return the least and the most that architectures cost."""
    params, macs = ([one[cost] for one in found] for cost in COSTS)
    return Span(params=(min(params), max(params)), macs=(min(macs), max(macs)))


def extremes(description: Description, facts: DataFacts, catalogue: Catalogue) -> tuple[Description, ...]:
    """Return the cheapest and the costliest architectures of a space, by parameters and by MACs.

    Args:
        description: The space's, open.
        facts: Give the size of the images.
        catalogue: The operations.
    """
    groups = costs(description, catalogue, (facts.height, facts.width)).groups
    found = []
    for cost in COSTS:
        each = {name: getattr(group, cost).sum(dim=0).double() for name, group in groups.items()}
        most = max((float(one.max()) for one in each.values()), default=0.0)
        # Above zero: of a node that is one segment, an entry of strength zero is not kept.
        for strength in ({name: most - one + 1 for name, one in each.items()}, _above_zero(each)):
            plain = {name: matrix.tolist() for name, matrix in strength.items()}
            found.append(derive(description, choose(description, plain)))
    return tuple(found)


def bound_warnings(
    recipe: Recipe, parts: SearchParts, facts: DataFacts, catalogue: Catalogue
) -> Iterator[Problem]:
    """Yield a warning for every target or limit that does not hold for the network that is handed over.

    Args:
        recipe: A settled recipe.
        parts: The parts of its search.
        facts: What is known of the data.
        catalogue: The operations.
    """
    bounds = [bound for part in _read(recipe) for bound in _bounds(part)]
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
    if isinstance(parts.growth, GrowingPolicy):
        if least > bound:
            yield f"what growth begins with has {_span((least, most))} {NAMED[cost]} already.", ""
    elif least > bound:
        yield f"the cheapest architecture of the space has {least:,} {NAMED[cost]}: none is below that.", ""
    elif most < bound:
        yield f"the costliest architecture of the space has {most:,} {NAMED[cost]}: none is above that.", ""


def _overshot(
    recipe: Recipe, parts: SearchParts, facts: DataFacts, catalogue: Catalogue, cost: str
) -> Iterator[tuple[str, str]]:
    policy, component = parts.growth, recipe.part("growth").component
    if not isinstance(policy, GrowingPolicy):
        return
    seed, opened = open_first(recipe, policy, parts.seeds, catalogue)
    groups = costs(opened, catalogue, (facts.height, facts.width)).groups
    strength = _above_zero({name: getattr(one, cost).sum(dim=0).double() for name, one in groups.items()})
    plain = {name: matrix.tolist() for name, matrix in strength.items()}
    child = call_component(component, "close", partial(policy.close, opened, plain))
    before, after = (costs_of(one, catalogue, facts)[cost] for one in (seed, child))
    if after > before:
        text = f"what is just below it still grows: the first growth adds up to {after - before:,}"
        yield f"{text} {NAMED[cost]}.", ""


def _scaled(recipe: Recipe, known: Handover, cost: str) -> Iterator[tuple[str, str]]:
    training = recipe.run.training
    typed = {name: value for name in MEASURES if (value := getattr(training, name)) is not None}
    if times := _times(known.searched, known.trained, cost):
        text = f"{AT_SEARCH} what is found is trained with {_size(typed)}: {times} {NAMED[cost]}."
        yield text, "Leave these out, or set them to null."
    if times := _times(known.searched, known.evaluated, cost):
        text = f"{AT_SEARCH} evaluate trains with {_size(known.size)}: {times} {NAMED[cost]}."
        same = command_line(*(word for name in known.size for word in ("--set", f"training.{name}=null")))
        yield text, f"To evaluate at the size of the search: nascore evaluate RUN {same}."


def _times(before: Sequence[dict[str, int]], after: Sequence[dict[str, int]], cost: str) -> str:
    """Return how many times as much the same architectures cost; empty: as much."""
    factors = [new[cost] / max(old[cost], 1) for old, new in zip(before, after, strict=True)]
    least, most = min(factors), max(factors)
    if least > 1 / SAME and most < SAME:
        return ""
    spread = f"{least:.3g}" if f"{least:.3g}" == f"{most:.3g}" else f"{least:.3g} to {most:.3g}"
    return f"{spread} times the"


def _read(recipe: Recipe) -> Iterator[Part]:
    """Yield the parts of a recipe whose settings are read."""
    unread = {path for part in recipe.parts.get("growth", ()) for path in part.component.unread}
    for slot, parts in recipe.parts.items():
        if slot not in unread:
            yield from parts


def _bounds(part: Part) -> Iterator[tuple[str, str, int]]:
    """Yield path, cost and value of each bound of a part that somebody wished for."""
    plain = part.component.config()
    for name, of in part.component.bounds.items():
        value = getattr(part.settings, name)
        if value is not None and value != getattr(plain, name):
            yield f"{part.prefix}{name}", of(part.settings), value


def _above_zero(each: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: one + 1 for name, one in each.items()}


def _size(size: dict[str, int]) -> str:
    return ", ".join(f"training.{name}={value}" for name, value in size.items())


def _span(values: tuple[int, int]) -> str:
    return f"{values[0]:,}" if values[0] == values[1] else f"{values[0]:,} to {values[1]:,}"
