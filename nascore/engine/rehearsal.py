"""Tries the first step of each training of a run before the run, on a tiny network and blank images.

Optimizers and schedules are built when a phase begins, the last of them hours after the first. An optimizer
that refuses a setting is found here, before the run.
"""

from __future__ import annotations

from functools import cached_property, partial
from inspect import signature
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

import torch
from attrs import define, evolve
from torch import nn
from torch.optim import Optimizer

from nascore.description import expand
from nascore.engine.device import ambient
from nascore.engine.factory import build_component, build_components, build_task, stateful_places
from nascore.engine.network_checks import collect_problems
from nascore.engine.phase_factory import ArchitectureSearch, build_phase, initial_state, lazy_costs
from nascore.engine.streams import Streams
from nascore.engine.training import supervised
from nascore.engine.tricks import build_trick, evaluated_network
from nascore.errors import NascoreError, OriginKind, PluginError, Problem, RecipeError
from nascore.nn import Examples, compile  # noqa: A004 - what it does to a description
from nascore.plugin.guard import call_component
from nascore.slots import RUN, TRICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from nascore.contract import DataFacts, Phase, Trainer, UsedTrick
    from nascore.description import Catalogue, Description
    from nascore.recipe import Recipe
    from nascore.recipe.settling.recipe import Part

T = TypeVar("T")

MOST_BLANK: Final = 2**40
"""Largest number of blank images in a tensor of torch."""

LAYERS: Final = get_args(OriginKind)
"""Layers of settings, the weakest first."""


def rehearse_training(recipe: Recipe, facts: DataFacts) -> None:
    """Try the first step of the training of a closed network, without tricks and with each trick alone.

    Raises:
        RecipeError: Settings are refused; names each of them.
        PluginError: A trick cannot start, whatever its settings are.
    """

    def begin(settings: Any, tricks: tuple[UsedTrick, ...] = ()) -> None:  # noqa: ANN401 - the run's
        trainer = supervised(evolve(getattr(settings, recipe.training_group), batch=1))
        streams = Streams("rehearsal")
        data = {"train": _blank(facts, 1)}
        task = build_task(recipe)
        network = _TinyNetwork(facts)
        phase = build_phase(network, data, facts, streams, trainer, name="train", task=task, tricks=tricks)
        trainer.start(phase)
        trainer.step()
        if tricks:
            evaluated_network(phase)

    def begin_with(part: Part, settings: object) -> None:
        begin(recipe.run, (build_trick(evolve(part, settings=settings)),))

    with collect_problems() as check:
        check(_try_start, recipe.part(RUN), begin)
        for part in recipe.parts.get(TRICK, ()):
            check(_try_start, part, partial(begin_with, part))


def rehearse_search(
    recipe: Recipe, description: Description, facts: DataFacts, catalogue: Catalogue, images: int
) -> None:
    """Try the start of a search: relaxation, updater, regularizers and trainer.

    Args:
        recipe: A settled recipe.
        description: The open description of the search.
        facts: Facts of the data set.
        catalogue: The operations.
        images: Number of training images.

    Raises:
        RecipeError: Settings are refused; names each of them.
        PluginError: A component cannot start, whatever its settings are.
    """
    rehearsal = _SearchRehearsal(
        recipe=recipe, description=description, facts=facts, catalogue=catalogue, images=images
    )
    _try_start(recipe.part("relaxation"), rehearsal.relaxation)
    if build_component(recipe, "trainer").demand.batch > MOST_BLANK:
        return  # another check refuses this batch
    with collect_problems() as check:
        check(_try_start, recipe.part("updater"), rehearsal.updater)
        check(_try_start, recipe.part("trainer"), rehearsal.trainer)
        for part in recipe.parts.get("regularizer", ()):
            check(_try_start, part, partial(rehearsal.regularizer, part))


@define(kw_only=True, slots=False)
class _SearchRehearsal:
    """The start of a search with other settings of one component, and the recipe's settings of all others.

    Attributes:
        recipe: The recipe.
        description: The open description of the search.
        facts: Facts of the data set.
        catalogue: The operations.
        images: Number of training images.
    """

    recipe: Recipe
    description: Description
    facts: DataFacts
    catalogue: Catalogue
    images: int

    def relaxation(self, settings: object) -> None:
        """Draw the initial theta."""
        relaxation = self.recipe.part("relaxation").component.builder()(settings)
        initial_state(expand(self.description).layouts, relaxation, Streams("rehearsal"))

    def updater(self, settings: object) -> None:
        """Start the updater, and make a step of its optimizers."""
        updater = self.recipe.part("updater").component.builder()(settings)
        phase = self._phase(build_component(self.recipe, "trainer"), updater)
        assert phase.search is not None
        updater.start(phase.search.state, phase.horizon(), phase.streams["updater"])
        _step(updater)

    def regularizer(self, part: Part, settings: object) -> None:
        """Start a regularizer."""
        phase = self._phase(build_component(self.recipe, "trainer"), build_component(self.recipe, "updater"))
        assert phase.search is not None
        counts = lazy_costs(self.description, self.catalogue, self.facts)
        part.component.builder()(settings).start(phase.search.state, phase.horizon(), counts)

    def trainer(self, settings: object) -> None:
        """Start the trainer, and make a step of its optimizers."""
        build = self.recipe.part("trainer").component.builder()
        trainer = build(settings)
        phase = self._phase(trainer, build_component(self.recipe, "updater"))
        try:
            trainer.start(phase)
        except NascoreError:
            raise
        except Exception:  # noqa: BLE001 - it may need more of a network than the tiny one has
            trainer = build(settings)
            trainer.start(evolve(phase, network=self._network))
        _step(trainer)

    @cached_property
    def _network(self) -> nn.Module:
        with Streams("rehearsal").initial():
            return compile(self.description, self.catalogue, execution="fused").train()

    def _phase(self, trainer: Trainer, updater: Any) -> Phase:  # noqa: ANN401 - a plugin's
        streams = Streams("rehearsal")
        halved, batch = trainer.demand.halves, trainer.demand.batch
        # Another check refuses a batch that is larger than the number of images.
        images = _blank(self.facts, max(batch, self.images // 2 if halved else self.images))
        data = {"train": images, "architecture": images} if halved else {"train": images}
        relaxation = build_component(self.recipe, "relaxation")
        search = ArchitectureSearch(
            state=initial_state(expand(self.description).layouts, relaxation, streams),
            relaxation=relaxation,
            updater=updater,
            regularizers=build_components(self.recipe, "regularizer"),
            declared=self.recipe.part("relaxation").provides,
            stateful=stateful_places(self.recipe),
        )
        task = build_task(self.recipe)
        phase = build_phase(_TinyNetwork(self.facts), data, self.facts, streams, trainer, task=task)
        return evolve(phase, search=search)


class _TinyNetwork(nn.Module):
    """A network of two tensors with the arguments of any other network."""

    def __init__(self, facts: DataFacts) -> None:
        super().__init__()
        with Streams("rehearsal").initial():
            self.head = nn.Linear(facts.channels, facts.classes)

    def forward(self, images: Tensor, *_mixture: object, **_how: object) -> Tensor:
        """Return logits [B, classes]."""
        logits: Tensor = self.head(images.mean((2, 3)))
        return logits


def _blank(facts: DataFacts, count: int) -> Examples:
    """Return images and targets of zeros that occupy the memory of one number each."""
    shape = (count, facts.channels, facts.height, facts.width)
    if facts.target_names:
        labels = torch.zeros(()).expand(count, len(facts.target_names))
    else:
        labels = torch.zeros((), dtype=torch.int64).expand(count)
    return Examples(images=torch.zeros(()).expand(shape), labels=labels)


def _step(part: object) -> None:
    """Make a step of a component's optimizers with zero gradients: torch checks some settings only there."""
    for optimizer in vars(part).values() if hasattr(part, "__dict__") else ():
        # Only torch's own optimizers without a required closure: others may need more than gradients.
        if isinstance(optimizer, Optimizer) and type(optimizer).__module__.startswith("torch.optim"):
            closure = signature(type(optimizer).step).parameters.get("closure")
            if closure is None or closure.default is None:
                for tensor in (one for group in optimizer.param_groups for one in group["params"]):
                    tensor.grad = torch.zeros_like(tensor)
                optimizer.step()


def _try_start(part: Part, call: Callable[[Any], object]) -> None:
    """Call a start function with the settings of a part.

    Raises:
        RecipeError: It refuses settings; names each of them by its path.
        PluginError: It raises an error with the default settings too.
    """

    def begin(settings: object) -> object:
        with ambient():
            return call_component(part.component, "start", lambda: call(settings))

    try:
        begin(part.settings)
    except PluginError as error:
        problems = list(_refused_settings(part, begin))
        if problems:
            raise RecipeError(problems) from error
        raise


def _refused_settings(part: Part, begin: Callable[[Any], object]) -> Iterator[Problem]:
    """Yield a problem for each refused setting; they are added to the defaults from the weakest layer on."""
    accepted = part.component.config()
    if _refusal(begin, accepted):
        return
    values = sorted(part.values(), key=lambda one: LAYERS.index(one[2].kind))
    for path, value, origin in values:
        default = _value(accepted, path.split("."))
        if value == default:
            continue
        candidate = _with(accepted, path.split("."), value)
        why = _refusal(begin, candidate)
        if not why:
            accepted = candidate
            continue
        yield Problem(
            path=f"{part.prefix}{path}",
            text=f"{value!r} is refused: {why}",
            origin=origin,
            hint=f"It works with {default!r}.",
            slots=() if part.slot == RUN else (part.slot,),
        )


def _refusal(begin: Callable[[Any], object], settings: object) -> str:
    """Return why settings are refused; empty if they are accepted."""
    try:
        begin(settings)
    except NascoreError as error:
        return error.problems[0].text
    return ""


def _value(settings: Any, words: Sequence[str]) -> Any:  # noqa: ANN401 - of the declared type
    for word in words:
        settings = getattr(settings, word)
    return settings


def _with(settings: T, words: Sequence[str], value: object) -> T:
    """Return settings with a new value at a path."""
    name, *inner = words
    changed = _with(getattr(settings, name), inner, value) if inner else value
    new: T = evolve(settings, **{name: changed})  # type: ignore[misc]  # settings are attrs classes
    return new
