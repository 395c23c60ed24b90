"""Trains a closed description with the settings of the run for closed networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from attrs import Factory, evolve, frozen

from nascore.contract import Demand
from nascore.engine.loop import run_phase
from nascore.engine.phase_factory import build_network, inherit_all, train_phase
from nascore.engine.results import record_epoch
from nascore.engine.tricks import evaluated_network
from nascore.engine.weight_step import Supervised

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor
    from torch.nn import Module

    from nascore.contract import ImageSource, Score
    from nascore.description import Description
    from nascore.engine.job_progress import JobProgress
    from nascore.engine.run_context import RunContext
    from nascore.engine.streams import Streams
    from nascore.nn import Network
    from nascore.recipe.sources.run_settings import TrainingSettings


TRAIN: Final = "train"
"""The name of the phase in checkpoints."""


@frozen(kw_only=True)
class TrainedNetwork:
    """A trained closed network.

    Attributes:
        network: The network to evaluate and to save, in training mode: the trained one, or a trick's.
        steps: Number of training steps.
        streams: The random numbers of its training.
    """

    network: Network
    steps: int
    streams: Streams


@frozen(kw_only=True)
class TrainingStart:
    """Inherited weights and epochs of the training of an architecture in a growth run.

    Attributes:
        epochs: Passes over the training images.
        weights: Inherited tensors by name; empty for an initial architecture.
        required: Names of the tensors that the network must have.
    """

    epochs: int
    weights: Mapping[str, Tensor] = Factory(dict)
    required: frozenset[str] = frozenset()


def supervised(training: TrainingSettings) -> Supervised:
    """Return the trainer for these settings."""
    return Supervised(training, Demand(epochs=training.epochs, batch=training.batch))


def train_network(  # noqa: PLR0913 - each by name
    context: RunContext,
    description: Description,
    examples: ImageSource,
    *,
    job: JobProgress,
    validate: Callable[[Module, Streams], tuple[Score, ...]] | None = None,
    start: TrainingStart | None = None,
) -> TrainedNetwork:
    """Train a closed description, from scratch or from inherited weights or those of a file.

    Args:
        context: The run.
        description: The description, in its final form and size.
        examples: The training images.
        job: The job, whose number determines the random numbers.
        validate: Returns the scores on other images; called every `validate_every` epochs.
        start: Inherited weights and epochs; None: the weights and the epochs of the run.
    """
    streams = context.streams(job.number)
    network = build_network(context, description, streams)
    training = context.recipe.training
    if start is not None:
        training = evolve(training, epochs=start.epochs)
        inherit_all(network, start.weights, start.required)
    else:
        inherit_all(network, context.weights, context.weights)
    trainer = supervised(training)
    phase = train_phase(context, network, examples, streams, trainer)
    steps = run_phase(
        phase,
        trainer,
        context.observers,
        validate=None if validate is None else lambda: validate(evaluated_network(phase), streams),
        epoch_over=lambda report: record_epoch(job, report),
        job=job,
        stage=TRAIN,
        validate_every=training.validate_every,
    )
    evaluated = cast("Network", evaluated_network(phase))
    return TrainedNetwork(network=evaluated, steps=steps, streams=streams)
