"""Phases, built of a run's parts: network, search, batches and the number of steps."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from attrs import Factory, define, evolve

from nascore.contract import Annealing, Phase
from nascore.description import expand, without_auxiliary
from nascore.engine.batches import Batches
from nascore.engine.device import check_torch_state
from nascore.engine.return_checks import ReturnCheck, describe_value
from nascore.errors import DescriptionError
from nascore.nn import ArchitectureState, compile, costs, inherit  # noqa: A004 - torch's word for it
from nascore.nn.shapes import check_gradients

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from torch import Generator, Tensor
    from torch.nn import Module

    from nascore.contract import DataFacts, Gradients, Regularizer, Relaxation, Trainer, Updater
    from nascore.description import Catalogue, ChoiceGroup, Description
    from nascore.engine.factory import SearchParts
    from nascore.engine.run_context import RunContext
    from nascore.engine.streams import Streams
    from nascore.nn import Costs, Examples, Network


@define(kw_only=True)
class ArchitectureSearch:
    """The choices of an open network, and the parts that make them.

    Attributes:
        state: All that is known of the choices.
        relaxation: How theta becomes a mixture.
        updater: How theta moves.
        regularizers: Penalties on theta and mixture, already started.
        progress: The share of the phase's architecture steps that are done, 0 to 1.
        declared: Capabilities that the relaxation declares with its settings.
        stateful: Which regularizers declare that they have a state, by their place.
        reached: Groups whose mixture got a gradient in some architecture step.
        moves: Steps of the updater.
    """

    state: ArchitectureState
    relaxation: Relaxation
    updater: Updater
    regularizers: tuple[Regularizer, ...] = ()
    progress: float = 0.0
    declared: frozenset[str] = frozenset()
    stateful: frozenset[int] = frozenset()
    reached: set[str] = Factory(set)
    moves: int = 0

    def annealed(self) -> Relaxation:
        """Return the relaxation as it is now: one that anneals depends on the progress.

        Raises:
            PluginError: What it gives as itself, annealed, is no relaxation.
        """
        if "anneals" not in self.declared:
            return self.relaxation
        given: object = cast("Annealing", self.relaxation).annealed(self.progress)
        return cast("Relaxation", ReturnCheck(self.relaxation, "annealed", "relaxation").relaxation(given))

    def expected(self) -> dict[str, Tensor]:
        """Return the deterministic mixture, by group [E, O], without a graph.

        Raises:
            PluginError: The relaxation gives something else.
        """
        thetas = self.state.theta
        return {name: self.expects(name, thetas[name].detach()).detach() for name in sorted(thetas)}

    def expects(self, name: str, theta: Tensor) -> Tensor:
        """Return the deterministic mixture [E, O] of one group.

        Raises:
            PluginError: The relaxation gives something else.
        """
        relaxation = self.annealed()
        given = relaxation.expected(theta, self.state.segments(name), self.state.groups[name])
        return ReturnCheck(relaxation, "expected", "relaxation").tensor(given, theta.shape, name)

    def move(self, gradients: Gradients) -> None:
        """Let the updater make its step.

        Raises:
            PluginError: It returns something, or leaves another theta than the one that it was to move.
        """
        returned, theta = ReturnCheck(self.updater, "step", "updater"), self.state.theta
        before, memory = dict(theta), {name: value.data_ptr() for name, value in theta.items()}
        self.moves += 1
        given: object = self.updater.step(self.state, gradients)  # type: ignore[func-returns-value]
        due = "theta moved in place, as by state.theta[name].detach().sub_(change), and nothing returned"
        if given is not None:
            raise returned.wrong(describe_value(given), due)
        now: Mapping[str, object] = self.state.theta
        for name, value in before.items():
            if now.get(name) is not value:
                raise returned.wrong(f"another tensor in the place of theta of {name}", due)
            if value.data_ptr() != memory[name]:
                raise returned.wrong(f"other data behind theta of {name}", due)
            if not value.requires_grad:
                raise returned.wrong(f"a theta of {name} that requires no gradient", due)

    def strength(self) -> dict[str, Tensor]:
        """Return by group [E, O] what deriving ranks by.

        Raises:
            PluginError: The updater gives something else.
        """
        given = self.updater.strength(self.state, self.expected())
        return ReturnCheck(self.updater, "strength", "updater").groups(given, self.state.theta)


def build_network(context: RunContext, description: Description, streams: Streams) -> Network:
    """Return the network of a description in training mode, with fresh weights from its own stream.

    An open one has many equal operations on every state, and is run fused.

    Raises:
        PluginError: An operation cuts off the gradient.
    """
    check_gradients(description, context.catalogue, (context.facts.height, context.facts.width))
    execution = "fused" if description.is_open else "plain"
    with streams.initial():
        network = compile(description, context.catalogue, execution=execution)
    return network.to(context.device).train()


def search_phase(
    context: RunContext,
    parts: SearchParts,
    streams: Streams,
    *,
    data: Mapping[str, Examples] | None = None,
    weights: Mapping[str, Tensor] | None = None,
) -> Phase:
    """Build the phase in which weights and choices are trained together.

    Args:
        context: The run.
        parts: Its parts.
        streams: The random numbers.
        data: The images, as the trainer demands them; None: all training images.
        weights: What the network inherits; none of it may be left over.
    """
    network = build_network(context, parts.description, streams)
    if weights is not None:
        inherit_all(network, weights, weights)
    search = ArchitectureSearch(
        state=initial_state(expand(parts.description).layouts, parts.relaxation, streams),
        relaxation=parts.relaxation,
        updater=parts.updater,
        regularizers=parts.regularizers,
        declared=parts.declared,
        stateful=parts.stateful,
    )
    data = data or _search_data(context, parts.trainer)
    phase = build_phase(network, data, context.facts, streams, parts.trainer)
    assert_disjoint(network, search.state)
    horizon = evolve(phase, search=search).horizon()
    parts.updater.start(search.state, horizon, streams["updater"])
    check_torch_state(f"the updater {context.recipe.part('updater').label}")
    counted = lazy_costs(parts.description, context.catalogue, context.facts)
    for regularizer in parts.regularizers:
        regularizer.start(search.state, horizon, counted)
        check_torch_state(f"the regularizer {type(regularizer).__name__}")
    names = {slot: ", ".join(part.label for part in filled) for slot, filled in context.recipe.parts.items()}
    return evolve(phase, search=search, names=names)


def inherit_all(network: Network, weights: Mapping[str, Tensor], wanted: Collection[str]) -> None:
    """Let a network inherit another's tensors, by name.

    Args:
        network: Who inherits.
        weights: What is there to inherit.
        wanted: Names of what must find its place.

    Raises:
        DescriptionError: The network has no place for some of it.
    """
    _, left = inherit(network, weights)
    lost = sorted(set(left).intersection(wanted))
    if lost:
        raise DescriptionError(f"the network has no place for {', '.join(lost)}, which it should inherit.")


def lazy_costs(description: Description, catalogue: Catalogue, facts: DataFacts) -> Callable[[], Costs]:
    """Return a function that counts the costs of the candidates, once, when it is first called."""
    # An auxiliary head counts as little as in the figures of a run: not at all.
    image = (facts.height, facts.width)
    return cache(lambda: costs(without_auxiliary(description), catalogue, image))


def train_phase(
    context: RunContext, network: Module, examples: Examples, streams: Streams, trainer: Trainer
) -> Phase:
    """Build the phase in which a closed network is trained."""
    group = context.recipe.typed("training")
    return build_phase(
        network, {"train": examples}, context.facts, streams, trainer, name="train", group=group
    )


def _search_data(context: RunContext, trainer: Trainer) -> dict[str, Examples]:
    if not trainer.demand.halves:
        return {"train": context.train()}
    return dict(zip(("train", "architecture"), context.halves(), strict=True))


def build_phase(  # noqa: PLR0913 - what a phase is made of
    network: Module,
    data: Mapping[str, Examples],
    facts: DataFacts,
    streams: Streams,
    trainer: Trainer,
    *,
    name: str = "search",
    group: str = "trainer",
) -> Phase:
    """Build a phase without choices, with batches of the data as the trainer demands them.

    Raises:
        RecipeError: A batch is larger than the images that it is taken from.
    """
    demand = trainer.demand
    batches = {
        part: Batches(
            examples,
            facts,
            size=demand.batch,
            order=streams[f"batches/{part}"],
            noise=streams[f"augment/{part}"] if demand.augment else None,
            setting=f"{group}.batch",
        )
        for part, examples in data.items()
    }
    steps = len(batches["train"])
    return Phase(
        name=name,
        network=network,
        batches=batches,
        steps=demand.epochs * steps,
        steps_per_epoch=steps,
        warm_up=demand.warm_up * steps,
        streams=streams,
        group=group,
    )


def initial_state(
    groups: Mapping[str, ChoiceGroup], relaxation: Relaxation, streams: Streams
) -> ArchitectureState:
    """Return the choices of a search, with the start values of theta.

    Raises:
        PluginError: The relaxation gives something else than a tensor of the group's shape, or says wrong
            over what entries compete.
    """
    segment: object = getattr(relaxation, "segment", "nothing")
    if segment not in (None, "edge", "node"):
        returned = ReturnCheck(relaxation, "segment", "relaxation")
        raise returned.wrong(repr(segment), "'edge' or 'node' or None")
    if relaxation.segment is not None:
        groups = {name: group.segmented(relaxation.segment) for name, group in groups.items()}
    theta = {name: _initial(relaxation, groups[name], name, streams["theta"]) for name in sorted(groups)}
    return ArchitectureState(
        groups=groups, theta={name: value.to(streams.device) for name, value in theta.items()}
    )


def _initial(relaxation: Relaxation, group: ChoiceGroup, name: str, generator: Generator) -> Tensor:
    given = relaxation.initial(group, generator)
    shape = (len(group.rows), len(group.ops))
    return ReturnCheck(relaxation, "initial", "relaxation").tensor(given, shape, name)


def assert_disjoint(network: Module, state: ArchitectureState) -> None:
    """Assert that no architecture parameter is a parameter of the network.

    Else weight decay, clipping and the virtual step of the weights would move it.
    """
    weights = {weight.data_ptr() for weight in network.parameters() if weight.numel()}
    assert not any(theta.data_ptr() in weights for theta in state.theta.values())
