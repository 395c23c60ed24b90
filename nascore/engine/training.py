"""Trains a closed description with the settings `training` of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import Factory, evolve, frozen

from nascore.contract import Demand
from nascore.engine.loop import run_phase
from nascore.engine.phase_factory import build_network, inherit_all, train_phase
from nascore.engine.results import record_epoch
from nascore.engine.weight_step import Supervised

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor
    from torch.nn import Module

    from nascore.description import Description
    from nascore.engine.run_context import RunContext
    from nascore.engine.streams import Streams
    from nascore.nn import Examples, Network
    from nascore.recipe.sources.run_settings import TrainingSettings


@frozen(kw_only=True)
class TrainedNetwork:
    """A closed network that was trained.

    Attributes:
        network: The network, in training mode.
        steps: How many steps it was trained for.
        streams: The random numbers that it was trained with.
    """

    network: Network
    steps: int
    streams: Streams


@frozen(kw_only=True)
class TrainingStart:
    """How the training of an architecture of a growth run begins.

    Attributes:
        epochs: Passes over the images.
        weights: Tensors that it inherits, by name; none for what growth begins with.
        wanted: Names of those that must find their place.
    """

    epochs: int
    weights: Mapping[str, Tensor] = Factory(dict)
    wanted: frozenset[str] = frozenset()


def supervised(training: TrainingSettings) -> Supervised:
    """Return the stepper for these settings."""
    return Supervised(training, Demand(epochs=training.epochs, batch=training.batch))


def train_network(  # noqa: PLR0913 - each by name
    context: RunContext,
    description: Description,
    examples: Examples,
    *,
    job: int,
    validate: Callable[[Module, Streams], tuple[float, int]] | None = None,
    start: TrainingStart | None = None,
) -> TrainedNetwork:
    """Train a closed description, from scratch or from what it inherits.

    Args:
        context: The run.
        description: The description, in its final form and size.
        examples: The images to train on, on the device.
        job: Number of the job; decides on the random numbers.
        validate: Measures the share right after each epoch, and says of how many images it is.
        start: What it inherits, and for how long it is trained; None: nothing, and as the run says.
    """
    streams = context.streams(job)
    network = build_network(context, description, streams)
    training = context.recipe.run.training
    if start is not None:
        training = evolve(training, epochs=start.epochs)
        inherit_all(network, start.weights, start.wanted)
    trainer = supervised(training)
    phase = train_phase(context, network, examples, streams, trainer)
    steps = run_phase(
        phase,
        trainer,
        context.observers,
        validate=None if validate is None else lambda: validate(network, streams),
        epoch_over=lambda report: record_epoch(context, job, report),
    )
    return TrainedNetwork(network=network, steps=steps, streams=streams)
