"""Builds phases from the components of a run: network, search, batches and number of steps."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from attrs import Factory, define, evolve

from nascore.component import AUTO, load
from nascore.contract import Annealing, Phase
from nascore.description import expand, without_auxiliary
from nascore.engine.batches import Batches
from nascore.engine.device import check_torch_state
from nascore.engine.return_checks import ReturnCheck, describe_value
from nascore.engine.tricks import batch_tricks, build_tricks
from nascore.errors import DescriptionError
from nascore.nn import ArchitectureState, compile, costs, inherit  # noqa: A004 - torch's word for it
from nascore.nn.precision import Precision
from nascore.nn.shapes import check_gradients
from nascore.slots import TRICK

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import torch
    from torch import Generator, Tensor
    from torch.nn import Module

    from nascore.contract import (
        DataFacts,
        Gradients,
        ImageSource,
        Regularizer,
        Relaxation,
        Task,
        Trainer,
        Updater,
        UsedTrick,
    )
    from nascore.description import Catalogue, ChoiceGroup, Description
    from nascore.engine.factory import SearchParts
    from nascore.engine.run_context import RunContext
    from nascore.engine.streams import Streams
    from nascore.nn import Costs, Examples, Network


TRAIN_BATCHES: Final = "train"
"""The name of the batches on which weights are trained."""

LOG_EVERY: Final = 10
"""Number of steps that are queued on a device before their losses are read."""


@define(kw_only=True)
class ArchitectureSearch:
    """The architecture state of an open network, and the components that change it.

    Attributes:
        state: Architecture parameters and live entries, by group.
        relaxation: Maps theta to a mixture.
        updater: Updates theta.
        regularizers: Penalties on theta and mixture, already started.
        progress: Share of the architecture steps of the phase that are done, 0 to 1.
        declared: Capabilities that the relaxation declares for its settings.
        stateful: Indices of the regularizers that declare a state.
        reached: Groups whose mixture received a gradient in an architecture step.
        moves: Number of steps of the updater.
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
        """Return the relaxation at the current progress, on which annealing depends.

        Raises:
            PluginError: Its method `annealed` does not return a relaxation.
        """
        if "anneals" not in self.declared:
            return self.relaxation
        given: object = cast("Annealing", self.relaxation).annealed(self.progress)
        return cast("Relaxation", ReturnCheck(self.relaxation, "annealed", "relaxation").relaxation(given))

    def expected(self) -> dict[str, Tensor]:
        """Return the expected mixture of each group, [E, O], without a graph.

        Raises:
            PluginError: The relaxation returned something else.
        """
        thetas = self.state.theta
        return {name: self.expects(name, thetas[name].detach()).detach() for name in sorted(thetas)}

    def expects(self, name: str, theta: Tensor) -> Tensor:
        """Return the expected mixture of one group, [E, O].

        Raises:
            PluginError: The relaxation returned something else.
        """
        relaxation = self.annealed()
        value = relaxation.expected(theta, self.state.segments(name), self.state.groups[name])
        return ReturnCheck(relaxation, "expected", "relaxation").tensor(value, theta.shape, name)

    def move(self, gradients: Gradients) -> None:
        """Make a step of the updater, which updates theta in place.

        Raises:
            PluginError: The updater returned a value, or replaced theta instead of updating it in place.
        """
        returned, theta = ReturnCheck(self.updater, "step", "updater"), self.state.theta
        before, memory = dict(theta), {name: value.data_ptr() for name, value in theta.items()}
        self.moves += 1
        result: object = self.updater.step(self.state, gradients)  # type: ignore[func-returns-value]
        expected = "None, and theta updated in place: state.theta[name].detach().sub_(change)"
        if result is not None:
            raise returned.wrong(describe_value(result), expected)
        now: Mapping[str, object] = self.state.theta
        for name, value in before.items():
            if now.get(name) is not value:
                raise returned.wrong(f"None and replaces theta of {name} with a new tensor", expected)
            if value.data_ptr() != memory[name]:
                raise returned.wrong(f"None and replaces the data of theta of {name}", expected)
            if not value.requires_grad:
                raise returned.wrong(f"None and switches off requires_grad of theta of {name}", expected)

    def state_dict(self) -> dict[str, Any]:
        """Return the record of the steps so far, as plain values without theta and the states of parts."""
        return {"progress": self.progress, "reached": sorted(self.reached), "moves": self.moves}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        self.progress, self.moves = float(state["progress"]), int(state["moves"])
        self.reached = set(state["reached"])

    def strength(self) -> dict[str, Tensor]:
        """Return the strength of each entry by group [E, O], by which candidates are ranked.

        Raises:
            PluginError: The updater returned something else.
        """
        value = self.updater.strength(self.state, self.expected())
        return ReturnCheck(self.updater, "strength", "updater").groups(value, self.state.theta)


def build_network(context: RunContext, description: Description, streams: Streams) -> Network:
    """Return the network of a description on its device, in training mode, with new weights.

    Raises:
        PluginError: An operation cuts off the gradient, or the execution cannot be imported.
    """
    check_gradients(description, context.catalogue, (context.facts.height, context.facts.width))
    execution = context.recipe.run.execution.name
    if execution == AUTO:
        execution = _fitting_execution(description, context.device)
    with streams.initial():
        network = compile(
            description,
            context.catalogue,
            execution=load(context.executions[execution].build),
            recompute=context.recipe.run.execution.recompute,
        )
    precision = Precision(name=context.recipe.run.precision, channels_last=context.recipe.run.channels_last)
    network.to(context.device)
    precision.place(network)
    network.precision = precision
    return network.train()


def _fitting_execution(description: Description, device: torch.device) -> str:
    """Return the name of the fastest execution of the core for a network.

    Only an open network has many equal operations on every state. Executions of plugins are never chosen:
    the last digits of results would depend on the installed plugins.
    """
    if not description.is_open:
        return "plain"
    return "fused" if device.type == "cpu" else "batched"


def search_phase(
    context: RunContext,
    parts: SearchParts,
    streams: Streams,
    *,
    data: Mapping[str, ImageSource] | None = None,
    weights: Mapping[str, Tensor] | None = None,
) -> Phase:
    """Build the phase in which weights and architecture parameters are trained together.

    Args:
        context: The run.
        parts: Its components.
        streams: The random numbers.
        data: The images by name of their batches; None: all training images, split as the trainer demands.
        weights: Tensors that the network inherits, by name; all of them must fit.
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
    tricks = build_tricks(context.recipe)
    phase = build_phase(
        network, data, context.facts, streams, parts.trainer, task=context.task, tricks=tricks
    )
    phase.precision = context.recipe.run.precision
    assert_disjoint(network, search.state)
    horizon = evolve(phase, search=search).horizon()
    parts.updater.start(search.state, horizon, streams["updater"])
    check_torch_state(f"the updater {context.recipe.part('updater').label}")
    counts = lazy_costs(parts.description, context.catalogue, context.facts)
    for regularizer in parts.regularizers:
        regularizer.start(search.state, horizon, counts)
        check_torch_state(f"the regularizer {type(regularizer).__name__}")
    names = {slot: ", ".join(part.label for part in filled) for slot, filled in context.recipe.parts.items()}
    return evolve(phase, search=search, names=names)


def inherit_all(network: Network, weights: Mapping[str, Tensor], required: Collection[str]) -> None:
    """Copy inherited tensors into a network, by name.

    Args:
        network: The network, changed in place.
        weights: The tensors, by name.
        required: Names of the tensors that the network must have.

    Raises:
        DescriptionError: The network lacks a required tensor, or has it in another shape.
    """
    _, left = inherit(network, weights)
    lost = sorted(set(left).intersection(required))
    if lost:
        text = f"the network cannot inherit {', '.join(lost)}: it has no such tensor of this shape."
        raise DescriptionError(text)


def lazy_costs(description: Description, catalogue: Catalogue, facts: DataFacts) -> Callable[[], Costs]:
    """Return a function that counts the costs of a description on its first call and caches them."""
    # Without the auxiliary head, as in the figures of a run.
    image = (facts.height, facts.width)
    return cache(lambda: costs(without_auxiliary(description), catalogue, image))


def train_phase(
    context: RunContext, network: Module, examples: ImageSource, streams: Streams, trainer: Trainer
) -> Phase:
    """Build the phase that trains a closed network."""
    phase = build_phase(
        network,
        {"train": examples},
        context.facts,
        streams,
        trainer,
        name="train",
        group=context.recipe.training_group,
        task=context.task,
        tricks=build_tricks(context.recipe),
    )
    phase.precision = context.recipe.run.precision
    return phase


def _search_data(context: RunContext, trainer: Trainer) -> dict[str, ImageSource]:
    if not trainer.demand.halves:
        return {"train": context.train()}
    return dict(zip(("train", "architecture"), context.halves(), strict=True))


def build_phase(  # noqa: PLR0913 - what a phase is made of
    network: Module,
    data: Mapping[str, Examples | ImageSource],
    facts: DataFacts,
    streams: Streams,
    trainer: Trainer,
    *,
    name: str = "search",
    group: str = "trainer",
    task: Task | None = None,
    tricks: tuple[UsedTrick, ...] = (),
) -> Phase:
    """Build a phase without a search, with the batches that the trainer demands.

    Tricks change the batches `train` only.

    Raises:
        RecipeError: A batch is larger than the number of images.
    """
    demand = trainer.demand
    changes = batch_tricks(tricks, streams, facts)
    batches = {
        part: Batches(
            examples,
            facts,
            size=demand.batch,
            order=streams[f"batches/{part}"],
            noise=streams[f"augment/{part}"] if demand.augment else None,
            setting=f"{group}.batch",
            tricks=changes if part == TRAIN_BATCHES else None,
        )
        for part, examples in data.items()
    }
    steps = len(batches[TRAIN_BATCHES])
    return Phase(
        name=name,
        network=network,
        batches=batches,
        steps=demand.epochs * steps,
        steps_per_epoch=steps,
        warm_up=demand.warm_up * steps,
        streams=streams,
        names={TRICK: ", ".join(used.name for used in tricks)} if tricks else {},
        group=group,
        tricks=tricks,
        facts=facts,
        task=task,
        log_every=log_every_on(streams.device),
    )


def log_every_on(device: torch.device) -> int:
    """Return the number of steps between two readings of losses from a device; the CPU has no queue."""
    return 1 if device.type == "cpu" else LOG_EVERY


def initial_state(
    groups: Mapping[str, ChoiceGroup], relaxation: Relaxation, streams: Streams
) -> ArchitectureState:
    """Return the architecture state of a search with the initial theta of its relaxation.

    Raises:
        PluginError: The relaxation has an invalid `segment`, or did not return a tensor in the shape of the
            group.
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
    value = relaxation.initial(group, generator)
    shape = (len(group.rows), len(group.ops))
    return ReturnCheck(relaxation, "initial", "relaxation").tensor(value, shape, name)


def assert_disjoint(network: Module, state: ArchitectureState) -> None:
    """Assert that no architecture parameter is a parameter of the network.

    Otherwise weight decay, clipping and the virtual step of the weights would change it.
    """
    weights = {weight.data_ptr() for weight in network.parameters() if weight.numel()}
    assert not any(theta.data_ptr() in weights for theta in state.theta.values())
