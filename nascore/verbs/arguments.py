"""The keyword arguments of a search and an evaluation from Python, declared once for all functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, cleandoc, formatannotation, signature
from typing import (
    TYPE_CHECKING,
    Any,
    ForwardRef,
    Generic,
    Literal,
    TypedDict,
    TypeVar,
    cast,
    get_args,
    get_origin,
)

from nascore.run import control_of
from nascore.slots import SLOTS
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import requested

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.contract import Observer
    from nascore.plugin.plugin import Wanted
    from nascore.recipe import Request
    from nascore.slots import Slot

Function = TypeVar("Function", bound=Callable[..., Any])
Names = TypeVar("Names")
"""The names for a slot that holds one component: one in a search, one or several in a comparison."""


class OfRun(TypedDict, total=False):
    """Settings of the run that are arguments in Python, as they are flags. None: that of the recipe.

    Attributes:
        seed: Seed of all random numbers; 0 without a recipe.
        threads: CPU threads; results depend on their number. 1 without a recipe.
        device: The device; ``"auto"``, without a recipe, is CUDA if available.
        precision: The number type of training; ``"float32"`` without a recipe.
    """

    seed: int | None
    threads: int | None
    device: Literal["auto", "cpu", "cuda"] | None
    precision: Literal["float32", "bf16", "fp16"] | None


class OfRecipe(TypedDict, total=False):
    """The recipe that the other arguments change.

    Attributes:
        recipe: A recipe file.
        preset: The name of a preset.
        scale: ``"mini"``, a laptop check, ``"small"``, an hour on one small device, or ``"paper"``. None:
            that of the recipe, or `mini`.
        settings: Values by their ``--set`` path: ``{"updater.lr": 1e-3}``.
    """

    recipe: str | Path | None
    preset: str | None
    scale: Literal["mini", "small", "paper"] | None
    settings: Mapping[str, Any] | None


class OfCall(TypedDict, total=False):
    """Arguments that are not part of the recipe.

    Attributes:
        out: Folder of the run, new or empty. None: a new one in ``runs``.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.
        observers: More observers, as objects.
        budget: Amount after which the run stops and saves itself: ``"2h"``, ``"500steps"``, ``"20jobs"``.
        checkpoint_every: Time between two checkpoints: ``"5m"``. None: ten minutes.
        on_nan: Reaction to a loss that is not finite: ``"stop"``, or ``"rewind"`` to go back to the last
            checkpoint and halve the learning rate, at most three times. None: stop.
    """

    out: str | Path | None
    plugins: Wanted
    observers: Sequence[Observer]
    budget: str | None
    checkpoint_every: str | None
    on_nan: Literal["stop", "rewind"] | None


class OfData(TypedDict, Generic[Names], total=False):
    """The slots that an evaluation has too.

    Attributes:
        task: What the network learns: `classification`, or a task of a plugin, such as `regression`.
        dataset: The images.
        trick: Changes of the training of weights, by name, in the order in which they act. None: those of the
            recipe, or none.
        observer: The observers, by name, such as `terminal`. None: those of the recipe, or none.
    """

    task: str | None
    dataset: Names | None
    trick: str | Sequence[str] | None
    observer: str | Sequence[str] | None


class OfSlots(TypedDict, Generic[Names], total=False):
    """The slots that only a search has.

    To add a slot, add a line here; a test compares these lines with the table of slots.

    Attributes:
        space: The search space; ``"file:chain.yaml"``, or a path, reads a description.
        growth: The growth policy: `none` for one search in one supernet, or an outer loop.
        updater: The rule that updates the architecture parameters.
        trainer: The order of weight steps and architecture steps.
        relaxation: The map from architecture parameters to a mixture of operations.
        executor: Where the jobs of several searches are done: `serial`, one after the other, or `processes`.
        regularizer: Penalties, by name. None: those of the recipe, or those that other parts wish for.
    """

    space: Names | Path | None
    growth: Names | None
    updater: Names | None
    trainer: Names | None
    relaxation: Names | None
    executor: str | None
    regularizer: str | Sequence[str] | None


class EvaluationArguments(OfData[Names], OfRecipe, OfRun, OfCall, Generic[Names], total=False):
    """The arguments of :func:`nascore.evaluate` other than the target."""


class SearchArguments(OfSlots[Names], EvaluationArguments[Names], Generic[Names], total=False):
    """The arguments of :func:`nascore.search`.

    :func:`nascore.search_several` takes these too, plus some of its own.
    """


_GROUPS: tuple[Any, ...] = (OfSlots, OfData, OfRecipe, OfRun, OfCall)
_EMPTY = {"plugins": (), "observers": ()}
"""The defaults that are not None."""


def request_of(
    arguments: Mapping[str, Any], *, slots: Sequence[Slot] = SLOTS
) -> tuple[Request, dict[str, Any]]:
    """Return the request of a call, and the arguments that are no part of it, with the reporter of the call.

    An argument that none of the classes here has goes with the settings of the run, which refuse it with the
    nearest name.

    Args:
        arguments: The keyword arguments; one that is left out is None.
        slots: The slots that play a part.
    """
    names = {slot.name: arguments.get(slot.name) for slot in slots}
    recipe = {name: arguments.get(name) for name in OfRecipe.__annotations__}
    call = {name: arguments[name] for name in OfCall.__annotations__ if name in arguments}
    run = {name: value for name, value in arguments.items() if name not in {*names, *recipe, *call}}
    control = control_of(*(call.pop(name, None) for name in ("budget", "checkpoint_every", "on_nan")))
    request = requested(names=names, **cast("Any", recipe), **run)
    return request, {**call, "reporter": Reporter(control)}


def declares(arguments: Any) -> Callable[[Function], Function]:  # noqa: ANN401 - a class with its names
    """Return a decorator that shows in the help of a function which keyword arguments there are.

    Args:
        arguments: The class of the keyword arguments, with the type of the names, as it is unpacked.
    """
    (names,), keys = get_args(arguments), get_origin(arguments).__optional_keys__
    shown = {
        name: _shown(annotation, re.sub(r"[a-z_.]+\.", "", formatannotation(names)))
        for group in _GROUPS
        for name, annotation in group.__annotations__.items()
        if name in keys
    }

    def decorate(function: Function) -> Function:
        own = signature(function)
        given = [one for one in own.parameters.values() if one.kind is not Parameter.VAR_KEYWORD]
        named = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=_EMPTY.get(name), annotation=annotation)
            for name, annotation in shown.items()
        ]
        described = cast("Any", function)
        described.__signature__ = own.replace(parameters=[*given, *named])
        groups = [group for group in _GROUPS if shown.keys() & group.__annotations__]
        texts = [cleandoc(group.__doc__).partition("Attributes:\n")[2] for group in groups]
        described.__doc__ = f"{cleandoc(function.__doc__ or '')}\n\nArguments by name:\n" + "\n".join(texts)
        return function

    return decorate


def _shown(annotation: Any, names: str) -> str:  # noqa: ANN401 - as classes of arguments keep them
    text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else formatannotation(annotation)
    return text.replace("Names", names)
