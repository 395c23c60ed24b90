"""Tries the first step of each training of a run on small data before the run.

Optimizers and schedules are made when a phase begins, the last of them hours after the first. What refuses a
setting there is tried here with the settings of the run, on a network of two tensors and a blank image.
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
from nascore.engine.factory import build_component, build_components, stateful_places
from nascore.engine.network_checks import collect_problems
from nascore.engine.phase_factory import ArchitectureSearch, build_phase, initial_state, lazy_costs
from nascore.engine.streams import Streams
from nascore.engine.training import supervised
from nascore.errors import NascoreError, OriginKind, PluginError, Problem, RecipeError
from nascore.nn import Examples, compile  # noqa: A004 - what it does to a description
from nascore.plugin.guard import call_component
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from nascore.contract import DataFacts, Phase, Trainer
    from nascore.description import Catalogue, Description
    from nascore.recipe import Recipe
    from nascore.recipe.settling.recipe import Part

T = TypeVar("T")

MOST_BLANK: Final = 2**40
"""Blank images that torch can count."""

LAYERS: Final = get_args(OriginKind)
"""Who sets a value, the weakest first."""


def rehearse_training(recipe: Recipe, facts: DataFacts) -> None:
    """Begin the training of a closed network, and take its first step.

    Raises:
        RecipeError: Some settings are refused; names each.
    """

    def begin(settings: Any) -> None:  # noqa: ANN401 - the run's
        trainer = supervised(evolve(settings.training, batch=1))
        streams = Streams("rehearsal")
        data = {"train": _blank(facts, 1)}
        trainer.start(build_phase(_Small(facts), data, facts, streams, trainer, name="train"))
        trainer.step()

    _begin(recipe.part(RUN), begin)


def rehearse_search(
    recipe: Recipe, description: Description, facts: DataFacts, catalogue: Catalogue, images: int
) -> None:
    """Begin a search: theta, updater, regularizers and trainer.

    Args:
        recipe: A settled recipe.
        description: What is searched in, open.
        facts: What is known of the data.
        catalogue: The operations.
        images: Images that the weights are fitted to.

    Raises:
        RecipeError: Some settings are refused; names each.
        PluginError: A part cannot begin, whatever its settings are.
    """
    beginning = _Beginning(
        recipe=recipe, description=description, facts=facts, catalogue=catalogue, images=images
    )
    _begin(recipe.part("relaxation"), beginning.relaxation)
    if build_component(recipe, "trainer").demand.batch > MOST_BLANK:
        return  # no such batch can be, which is another check
    with collect_problems() as check:
        check(_begin, recipe.part("updater"), beginning.updater)
        check(_begin, recipe.part("trainer"), beginning.trainer)
        for part in recipe.parts.get("regularizer", ()):
            check(_begin, part, partial(beginning.regularizer, part))


@define(kw_only=True, slots=False)
class _Beginning:
    """A search that begins with other settings of one part; the other parts are as the recipe says.

    Attributes:
        recipe: The recipe.
        description: What is searched in.
        facts: What is known of the data.
        catalogue: The operations.
        images: Images that the weights are fitted to.
    """

    recipe: Recipe
    description: Description
    facts: DataFacts
    catalogue: Catalogue
    images: int

    def relaxation(self, settings: object) -> None:
        """Draw the first theta."""
        relaxation = self.recipe.part("relaxation").component.builder()(settings)
        initial_state(expand(self.description).layouts, relaxation, Streams("rehearsal"))

    def updater(self, settings: object) -> None:
        """Start an updater, and let its optimizers take a step."""
        updater = self.recipe.part("updater").component.builder()(settings)
        phase = self._phase(build_component(self.recipe, "trainer"), updater)
        assert phase.search is not None
        updater.start(phase.search.state, phase.horizon(), phase.streams["updater"])
        _step(updater)

    def regularizer(self, part: Part, settings: object) -> None:
        """Start a regularizer."""
        phase = self._phase(build_component(self.recipe, "trainer"), build_component(self.recipe, "updater"))
        assert phase.search is not None
        counted = lazy_costs(self.description, self.catalogue, self.facts)
        part.component.builder()(settings).start(phase.search.state, phase.horizon(), counted)

    def trainer(self, settings: object) -> None:
        """Start a trainer, and let its optimizers take a step."""
        build = self.recipe.part("trainer").component.builder()
        trainer = build(settings)
        phase = self._phase(trainer, build_component(self.recipe, "updater"))
        try:
            trainer.start(phase)
        except NascoreError:
            raise
        except Exception:  # noqa: BLE001 - it may need more of a network than the small one has
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
        # Whether the images are enough for a batch is another check.
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
        phase = build_phase(_Small(self.facts), data, self.facts, streams, trainer)
        return evolve(phase, search=search)


class _Small(nn.Module):
    """A network of two tensors, called as any other."""

    def __init__(self, facts: DataFacts) -> None:
        super().__init__()
        with Streams("rehearsal").initial():
            self.head = nn.Linear(facts.channels, facts.classes)

    def forward(self, images: Tensor, *_mixture: object, **_how: object) -> Tensor:
        """Return logits [B, classes]."""
        logits: Tensor = self.head(images.mean((2, 3)))
        return logits


def _blank(facts: DataFacts, count: int) -> Examples:
    """Return images of zeros that take the memory of one number."""
    shape = (count, facts.channels, facts.height, facts.width)
    return Examples(
        images=torch.zeros(()).expand(shape), labels=torch.zeros((), dtype=torch.int64).expand(count)
    )


def _step(part: object) -> None:
    """Let the optimizers of a part take a step without a gradient to follow: that is checked only then."""
    for optimizer in vars(part).values() if hasattr(part, "__dict__") else ():
        # Those of torch alone: others, and those that call a closure, may need more than gradients.
        if isinstance(optimizer, Optimizer) and type(optimizer).__module__.startswith("torch.optim"):
            closure = signature(type(optimizer).step).parameters.get("closure")
            if closure is None or closure.default is None:
                for tensor in (one for group in optimizer.param_groups for one in group["params"]):
                    tensor.grad = torch.zeros_like(tensor)
                optimizer.step()


def _begin(part: Part, call: Callable[[Any], object]) -> None:
    """Call what begins with a part's settings.

    Raises:
        RecipeError: It refuses some of the settings; names each by its path.
        PluginError: It raises, whatever the settings are.
    """

    def begin(settings: object) -> object:
        with ambient():
            return call_component(part.component, "start", lambda: call(settings))

    try:
        begin(part.settings)
    except PluginError as error:
        problems = list(_blamed(part, begin))
        if problems:
            raise RecipeError(problems) from error
        raise


def _blamed(part: Part, begin: Callable[[Any], object]) -> Iterator[Problem]:
    """Yield a problem for each setting that is refused beside those of weaker layers, the defaults first."""
    kept = part.component.config()
    if _refused(begin, kept):
        return
    values = sorted(part.values(), key=lambda one: LAYERS.index(one[2].kind))
    for path, value, origin in values:
        default = _value(kept, path.split("."))
        if value == default:
            continue
        tried = _with(kept, path.split("."), value)
        why = _refused(begin, tried)
        if not why:
            kept = tried
            continue
        yield Problem(
            path=f"{part.prefix}{path}",
            text=f"{value!r} is refused: {why}",
            origin=origin,
            hint=f"It works with {default!r}.",
            slots=() if part.slot == RUN else (part.slot,),
        )


def _refused(begin: Callable[[Any], object], settings: object) -> str:
    """Return why settings are refused; empty: they are not."""
    try:
        begin(settings)
    except NascoreError as error:
        return error.problems[0].text
    return ""


def _value(settings: Any, words: Sequence[str]) -> Any:  # noqa: ANN401 - as declared
    for word in words:
        settings = getattr(settings, word)
    return settings


def _with(settings: T, words: Sequence[str], value: object) -> T:
    """Return settings with another value at a path."""
    name, *inner = words
    changed = _with(getattr(settings, name), inner, value) if inner else value
    new: T = evolve(settings, **{name: changed})  # type: ignore[misc]  # settings are attrs classes
    return new
