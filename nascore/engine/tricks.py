"""Calls the tricks of a training, in the order of the recipe, and checks their return values."""

from __future__ import annotations

from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any, Final

import torch
from attrs import define, field, frozen
from torch.nn import Module
from torch.optim import SGD, Optimizer

from nascore.contract import Training, UsedTrick, WeightGroup
from nascore.engine.factory import build_component_of
from nascore.engine.forward import logits_for
from nascore.engine.return_checks import ReturnCheck, describe_value
from nascore.nn.randomness import redirect_draws
from nascore.slots import TRICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.contract import DataFacts, Phase, Streams, WeightSettings
    from nascore.recipe import Recipe
    from nascore.recipe.settling.recipe import Part

SUM_CLOSE: Final = 1e-3
"""Largest distance of the sum of a row of target probabilities from 1."""


def build_tricks(recipe: Recipe) -> tuple[UsedTrick, ...]:
    """Build the tricks of a recipe for one training, in the order in which they act.

    Raises:
        PluginError: A trick cannot be built.
    """
    return tuple(map(build_trick, recipe.parts.get(TRICK, ())))


def build_trick(part: Part) -> UsedTrick:
    """Build a trick for one training.

    Raises:
        PluginError: It cannot be built.
    """
    return UsedTrick(name=part.name, trick=build_component_of(part), declared=part.provides)


def batch_tricks(tricks: tuple[UsedTrick, ...], streams: Streams, facts: DataFacts) -> BatchTricks | None:
    """Return what changes the batches of these data; None without tricks."""
    numbers = bool(facts.target_names)
    return (
        BatchTricks(tricks=tricks, streams=streams, classes=facts.classes, numbers=numbers)
        if tricks
        else None
    )


@frozen(kw_only=True, eq=False)
class BatchTricks:
    """The tricks that change training batches.

    Attributes:
        tricks: All tricks of the training.
        streams: The random numbers: a generator for each trick and method.
        classes: Number of classes, or of the numbers of an image.
        numbers: Whether targets are numbers.
    """

    tricks: tuple[UsedTrick, ...]
    streams: Streams
    classes: int
    numbers: bool = False

    def transformed(self, images: Tensor) -> Tensor:
        """Return images [B, C, H, W], not normalised, each changed by `transform` of the tricks."""
        for used in _declaring(self.tricks, "transform"):
            rng = self.streams[f"trick/{used.name}/transform"]
            with redirect_draws({"cpu": rng}):
                found = [_transformed(used, image, rng) for image in images]
            images = torch.stack(found)
        return images

    def changed(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return normalised images [B, C, H, W] and targets, changed by `examples` of the tricks."""
        for used in _declaring(self.tricks, "examples"):
            rng = self.streams[f"trick/{used.name}"]
            with redirect_draws({"cpu": rng}):
                found: object = used.trick.examples(images, targets, rng)
            images, targets = self._checked(used, found, images)
        return images, targets

    def _checked(self, used: UsedTrick, found: object, images: Tensor) -> tuple[Tensor, Tensor]:
        check = _check(used, "examples")
        if not isinstance(found, tuple) or len(found) != 2:  # noqa: PLR2004 - images and targets
            raise check.wrong(describe_value(found), "a pair of images and targets")
        changed, targets = found
        changed = check.tensor(changed, images.shape, "the images")
        if not isinstance(targets, torch.Tensor) or not self._are_targets(targets, len(images)):
            expected = f"classes [{len(images)}] of int64, or probabilities [{len(images)}, {self.classes}]"
            if self.numbers:
                expected = f"finite numbers [{len(images)}, {self.classes}]"
            raise check.wrong(f"{describe_value(targets)} as targets", expected)
        return changed, targets

    def _are_targets(self, targets: Tensor, count: int) -> bool:
        if self.numbers:
            shaped = targets.is_floating_point() and targets.shape == (count, self.classes)
            return shaped and bool(torch.isfinite(targets).all())
        if targets.dtype == torch.int64:
            return targets.shape == (count,)
        if not targets.is_floating_point() or targets.shape != (count, self.classes):
            return False
        return bool(((targets.sum(1) - 1).abs() < SUM_CLOSE).all())


def _transformed(used: UsedTrick, image: Tensor, rng: torch.Generator) -> Tensor:
    found: object = used.trick.transform(image, rng)
    same = isinstance(found, torch.Tensor) and found.dtype == image.dtype and found.shape == image.shape
    if not same:
        raise _check(used, "transform").wrong(describe_value(found), f"{describe_value(image)}, as it got")
    assert isinstance(found, torch.Tensor)
    return found


@define(kw_only=True)
class WeightTricks:
    """The tricks that act in a weights step.

    Attributes:
        tricks: All tricks of the training, in the order in which they act.
        scales: By group of the optimizer, the multiplier of the learning rate.
    """

    tricks: tuple[UsedTrick, ...] = ()
    scales: list[float] = field(factory=list)

    def start(self, phase: Phase, rule: WeightSettings) -> tuple[dict[str, Tensor], Optimizer]:
        """Begin a training; returns the trained weights by name, and their optimizer.

        Raises:
            PluginError: A trick returned something else than its slot requires.
            RecipeError: A trick refuses its settings.
        """
        self.tricks = phase.tricks
        for used in _declaring(self.tricks, "network"):
            _change_network(used, phase.network)
        weights: dict[str, Tensor] = {
            name: value for name, value in phase.network.named_parameters() if value.requires_grad
        }
        if self.tricks:
            assert phase.facts is not None
            training = Training(
                network=phase.network,
                weights=weights,
                steps=phase.steps,
                steps_per_epoch=phase.steps_per_epoch,
                settings=rule,
                facts=phase.facts,
            )
            for used in _declaring(self.tricks, "starts"):
                used.trick.start(training)
        return weights, self._optimizer(weights, rule)

    def _optimizer(self, weights: Mapping[str, Tensor], rule: WeightSettings) -> Optimizer:
        groups: Sequence[WeightGroup] = (WeightGroup(names=tuple(weights), weight_decay=rule.weight_decay),)
        for used in _declaring(self.tricks, "parameters"):
            groups = _checked_groups(used, used.trick.parameters(groups), weights)
        self.scales = [group.lr_scale for group in groups]
        plain = [
            {
                "params": [weights[name] for name in group.names],
                "lr": rule.lr * group.lr_scale,
                "weight_decay": group.weight_decay,
            }
            for group in groups
        ]
        for used in _declaring(self.tricks, "optimizer"):
            found: object = used.trick.optimizer(plain)
            check = _check(used, "optimizer")
            optimizer = check.expect(found, Optimizer, "a torch.optim.Optimizer")
            if len(optimizer.param_groups) != len(plain):
                number = len(optimizer.param_groups)
                raise check.wrong(f"an optimizer of {number} groups", f"one of the {len(plain)} given groups")
            return optimizer
        # All weights in one call: a supernet has hundreds of small ones.
        return SGD(plain, lr=rule.lr, momentum=rule.momentum, nesterov=rule.nesterov, foreach=True)

    def rate(self, step: int, lr: float) -> float:
        """Return the learning rate of a step, which is `lr` without a trick."""
        for used in _declaring(self.tricks, "schedule"):
            found: object = used.trick.schedule(step, lr)
            if not isinstance(found, Real) or not isfinite(found) or found < 0:
                actual = f"{describe_value(found)} for step {step}"
                raise _check(used, "schedule").wrong(actual, "a finite learning rate of at least 0")
            lr = float(found)
        return lr

    def loss(self, loss: Tensor, logits: Tensor, images: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a training batch, a scalar."""
        for used in _declaring(self.tricks, "loss"):
            loss = _check(used, "loss").tensor(used.trick.loss(loss, logits, images, targets), ())
        return loss

    def gradients(self, slope: Mapping[str, Tensor], step: int) -> Mapping[str, Tensor] | None:
        """Return the gradient of the weights by name; None if this step changes no weight."""
        for used in _declaring(self.tricks, "gradients"):
            found: Mapping[str, Tensor] | None = used.trick.gradients(slope, step)
            if found is None:
                return None
            slope = _check(used, "gradients").groups(found, slope)
        return slope

    def after_step(self, network: Module, step: int) -> None:
        """Tell the tricks that a step changed the weights."""
        for used in _declaring(self.tricks, "after-step"):
            used.trick.after_step(network, step)


def evaluated_network(phase: Phase, mixture: Mapping[str, Tensor] | None = None) -> Module:
    """Return the network of a phase to evaluate: the trained one, or the one that its tricks make of it.

    Args:
        phase: The phase, whose trainer was started.
        mixture: For an open network, the expected mixture by group [E, O].

    Raises:
        PluginError: A trick returned something else than a network with the same tensors, or changed the
            trained network.
    """
    network = phase.network
    for used in _declaring(phase.tricks, "evaluates"):
        check = _check(used, "evaluated_network")
        found = check.expect(
            used.trick.evaluated_network(network, _runs(phase, mixture)), Module, "a torch.nn.Module"
        )
        if _shapes(found) != _shapes(network):
            raise check.wrong("a network with other tensors", "a network with the tensors of the given one")
        network = found.train(phase.network.training)
    return network


def _runs(phase: Phase, mixture: Mapping[str, Tensor] | None) -> Callable[[Module], None]:
    """Return a function that runs a network over the training images, without advancing any stream."""

    @torch.no_grad()
    def run(network: Module) -> None:
        with phase.streams.network(phase.streams.noise):
            for images in phase.batches["train"].plain():
                logits_for(network, images, mixture)

    return run


def _change_network(used: UsedTrick, network: Module) -> None:
    before = _shapes(network)
    used.trick.network(network)
    if _shapes(network) != before:
        expected = "a network whose tensors have the same names and shapes"
        raise _check(used, "network").wrong("a network with other tensors", expected)


def _checked_groups(used: UsedTrick, found: object, weights: Mapping[str, Tensor]) -> tuple[WeightGroup, ...]:
    check = _check(used, "parameters")
    groups = check.several(found, WeightGroup, "WeightGroup")
    names = [name for group in groups for name in group.names]
    if sorted(names) != sorted(weights):
        odd = sorted(set(names) ^ set(weights)) or [name for name in weights if names.count(name) > 1]
        raise check.wrong(f"groups that are wrong for {odd[0]}", "groups with each weight exactly once")
    return groups


def _declaring(tricks: Sequence[UsedTrick], capability: str) -> Iterator[UsedTrick]:
    return (used for used in tricks if capability in used.declared)


def _check(used: UsedTrick, method: str) -> ReturnCheck:
    return ReturnCheck(used.trick, method, TRICK)


def _shapes(network: Module) -> dict[str, Any]:
    return {name: value.shape for name, value in network.state_dict().items()}
