"""The settings and tricks of an evaluation that a search carries in its recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import evolve

from nascore.config import SettingsOwner, mistakes, unwrap
from nascore.errors import Problem, Verdict
from nascore.recipe.sources.layers import Layer
from nascore.recipe.sources.run_settings import (
    DATASET,
    EVALUATE_RUN,
    EVALUATION,
    GROUPS,
    RANKING,
    SEARCH_RUN,
    TRAINING,
)
from nascore.recipe.sources.set_option import dotted_nodes
from nascore.slots import RUN, TASK, TRICK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nascore.component import Component
    from nascore.recipe.settling.recipe import Recipe, Row
    from nascore.recipe.sources.layers import SlotChoice, Value

DATA: Final = (DATASET, TASK)
"""The slots that an evaluation takes from its search."""

TRICKS_PATH: Final = f"{EVALUATION}.{TRICK}"
"""The path of the tricks of an evaluation in the recipe of a search."""


def is_evaluation(run: Component) -> bool:
    """Return whether the component of a run is that of an evaluation."""
    return run.name == EVALUATE_RUN.name


def with_evaluation_layers(layers: Iterable[Layer]) -> Iterator[Layer]:
    """Yield the layers of an evaluation: above each the layer of its key `evaluate`."""
    for layer in layers:
        yield layer
        if layer.evaluation is not None:
            yield layer.evaluation


def evaluation_layers(layers: Iterable[Layer]) -> list[Layer]:
    """Return the parts of the layers of a search that are for the evaluation; empty where there are none."""
    layers = tuple(layers)
    if not any(layer.evaluation or any(map(_is_of_evaluation, layer.values)) for layer in layers):
        return []
    return [
        Layer(
            chosen={**_data(layer), **({} if layer.evaluation is None else layer.evaluation.chosen)},
            values=(
                *(value for value in layer.values if _is_of_evaluation(value) or value.slot in DATA),
                *(() if layer.evaluation is None else layer.evaluation.values),
            ),
            scale=layer.scale,
        )
        for layer in layers
    ]


def carried_rows(evaluation: Recipe, layers: Iterable[Layer]) -> Iterator[Row]:
    """Yield the settings and tricks that a search carries for an evaluation: the given ones.

    Values of the scale are left out, so that the evaluation may be run at another scale. Tricks that are not
    installed are carried too, so that the evaluation asks for them.

    Args:
        evaluation: The recipe of the evaluation.
        layers: Its layers.
    """
    for path, value, origin in evaluation.part(RUN).values():
        if origin.kind not in ("default", "wish", "scale"):
            yield path if path.partition(".")[0] in GROUPS else f"{EVALUATION}.{path}", value, origin
    for part in evaluation.parts.get(TRICK, ()):
        yield TRICKS_PATH, part.label, part.chosen_by
        for path, value, origin in part.values():
            if origin.kind not in ("default", "wish", "scale"):
                yield f"{TRICKS_PATH}.{part.label}.{path}", value, origin
    yield from _unknown_tricks(layers)


def _unknown_tricks(layers: Iterable[Layer]) -> Iterator[Row]:
    named = [layer.chosen[TRICK] for layer in layers if TRICK in layer.chosen]
    unknown = [choice for choice in (named[-1] if named else ()) if choice.component is None]
    for choice in unknown:
        yield TRICKS_PATH, choice.name, choice.origin
        for path, node in dotted_nodes(choice.settings):
            yield f"{TRICKS_PATH}.{choice.name}.{path}", unwrap(node), node.origin


def carried_problems(evaluation: Recipe) -> Iterator[Problem]:
    """Yield the problems of the settings and tricks that a search carries, with their paths in its recipe."""
    for problem in evaluation.problems:
        head = problem.path.partition(".")[0]
        if head in GROUPS:
            yield problem
        elif head not in {*DATA, "scale", ""}:
            # The search runs without the plugin of a trick of its evaluation.
            verdict: Verdict = "warned" if problem.of_plugin else problem.verdict
            yield evolve(problem, path=f"{EVALUATION}.{problem.path}", verdict=verdict)


def _data(layer: Layer) -> dict[str, tuple[SlotChoice, ...]]:
    return {slot: choices for slot, choices in layer.chosen.items() if slot in DATA}


def _is_of_evaluation(value: Value) -> bool:
    return value.slot == RUN and value.component is not None and value.component.name == EVALUATE_RUN.name


def ranking_problems(layers: Iterable[Layer]) -> Iterator[Problem]:
    """Yield the problems of the settings `ranking` in an evaluation, which does not read them."""
    for value in (value for layer in layers for value in layer.values if value.slot == RUN):
        if value.component is None or value.component.name != SEARCH_RUN.name:
            continue
        yield from mistakes(SEARCH_RUN.config, value.node, SettingsOwner(owner="the run"))
        if value.node.origin.kind in ("set", "python"):
            for path, _ in dotted_nodes(value.node):
                hint = f"Did you mean {path.replace(RANKING, TRAINING, 1)}?"
                text = "only a search reads this group of settings."
                yield Problem(path=path, text=text, origin=value.node.origin, hint=hint)
