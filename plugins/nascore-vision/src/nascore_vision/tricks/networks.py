"""Tricks that average, recalibrate or regularise networks, and a teacher for them."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.functional import dropout, kl_div, log_softmax

from nascore import load_run
from nascore.api import Problem, RecipeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from nascore.api import Training
    from nascore_vision.tricks.settings import (
        DistillationSettings,
        DropoutSettings,
        EmaSettings,
        SwaSettings,
    )


class Ema:
    """Has an exponential moving average of weights and running statistics evaluated."""

    def __init__(self, settings: EmaSettings) -> None:
        self.settings = settings

    def start(self, training: Training) -> None:
        """Begin a training: the average starts with the initial weights."""
        self.average = _numbers(training.network)
        self.updates = 0

    @property
    def decay(self) -> float:
        """The share of the average that stays in the next update."""
        decay, done = self.settings.decay, self.updates
        return min(decay, (1 + done) / (10 + done)) if self.settings.warm_up else decay

    @torch.no_grad()
    def after_step(self, network: nn.Module, step: int) -> None:
        """Set the average to ``decay * average + (1 - decay) * weights``."""
        del step
        decay = self.decay
        now = network.state_dict()
        for name, mean in self.average.items():
            mean.mul_(decay).add_(now[name], alpha=1 - decay)
        self.updates += 1

    def evaluated_network(self, network: nn.Module, run: Callable[[nn.Module], None]) -> nn.Module:
        """Return a copy of the network with the average."""
        del run
        return _with(network, self.average)

    def state_dict(self) -> dict[str, Any]:
        """Return the average and the number of its updates."""
        return {"average": dict(self.average), "updates": self.updates}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load a state."""
        self.average = {name: value.clone() for name, value in state["average"].items()}
        self.updates = int(state["updates"])


class Swa:
    """Has the mean of the weights of the last epochs evaluated (Izmailov et al. 2018, arXiv 1803.05407).

    The running statistics of its norms are measured again.
    """

    def __init__(self, settings: SwaSettings) -> None:
        self.settings = settings

    def start(self, training: Training) -> None:
        """Begin a training."""
        self.training = training
        self.mean: dict[str, Tensor] = {}
        self.count = 0
        self.begin = self.settings.begin * training.steps

    def schedule(self, step: int, lr: float) -> float:
        """Return the constant learning rate while weights are averaged, if it is set."""
        return lr if self.settings.lr is None or step < self.begin else self.settings.lr

    @torch.no_grad()
    def after_step(self, network: nn.Module, step: int) -> None:
        """Add the weights to the mean at the end of each epoch, from `begin` on."""
        over = (step + 1) % self.training.steps_per_epoch == 0 or step + 1 == self.training.steps
        if not over or step < self.begin:
            return
        self.count += 1
        now = {name: value.detach() for name, value in network.named_parameters()}
        self.mean = {
            name: value.clone() if name not in self.mean else self.mean[name].lerp(value, 1 / self.count)
            for name, value in now.items()
        }

    def evaluated_network(self, network: nn.Module, run: Callable[[nn.Module], None]) -> nn.Module:
        """Return a copy with the mean, and running statistics of it; before the first mean an equal copy."""
        if not self.count:
            return deepcopy(network)
        return recalibrated(_with(network, self.mean), run)

    def state_dict(self) -> dict[str, Any]:
        """Return the mean and the number of its terms."""
        return {"mean": dict(self.mean), "count": self.count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load a state."""
        self.mean, self.count = dict(state["mean"]), int(state["count"])


class Recalibrate:
    """Measures the running statistics of all norms again, over the training images without tricks."""

    def __init__(self, settings: object) -> None:
        del settings

    def evaluated_network(self, network: nn.Module, run: Callable[[nn.Module], None]) -> nn.Module:
        """Return a copy of the network with new running statistics."""
        return recalibrated(deepcopy(network), run)


class Dropout:
    """Drops features before the last linear layer in training."""

    def __init__(self, settings: DropoutSettings) -> None:
        self.settings = settings

    def network(self, network: nn.Module) -> None:
        """Add dropout to the input of the last linear layer, as a hook."""
        linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
        if linear:
            linear[-1].register_forward_pre_hook(self._drop)

    def _drop(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        features, *others = inputs
        return (dropout(features, self.settings.rate, training=module.training), *others)


class Distillation:
    """Adds the divergence from a teacher's distribution to the loss (Hinton et al. 2015, 1503.02531)."""

    def __init__(self, settings: DistillationSettings) -> None:
        self.settings = settings

    def start(self, training: Training) -> None:
        """Load the teacher.

        Raises:
            RecipeError: No teacher is named, or it has other classes.
            RunFolderError: The run cannot be read.
        """
        if self.settings.teacher is None:
            raise _refused("no teacher is named.", "Write --trick distillation:RUN.")
        model = load_run(self.settings.teacher).model()
        device = next(iter(training.weights.values())).device
        self.teacher = model.to(device).requires_grad_(requires_grad=False)
        with torch.no_grad():
            image = torch.zeros(
                (1, training.facts.channels, training.facts.height, training.facts.width), device=device
            )
            classes = self.teacher(image).shape[1]
        if classes != training.facts.classes:
            raise _refused(f"the teacher has {classes} classes, the data {training.facts.classes}.", "")

    def loss(self, loss: Tensor, logits: Tensor, images: Tensor, targets: Tensor) -> Tensor:
        """Return ``(1 - w) * loss + w * T^2 * KL(teacher || network)``, with both at temperature T."""
        del targets
        with torch.no_grad():
            teacher = self.teacher(images)
        return distilled(loss, logits, teacher, self.settings.weight, self.settings.temperature)


def distilled(loss: Tensor, logits: Tensor, teacher: Tensor, weight: float, temperature: float) -> Tensor:
    """Return the loss of a distillation; see :meth:`Distillation.loss`.

    Args:
        loss: The loss on the labels.
        logits: [B, classes], of the network.
        teacher: [B, classes], of the teacher.
        weight: Weight of the divergence, 0 to 1.
        temperature: Temperature of both distributions, above 0.
    """
    ours, theirs = (log_softmax(one / temperature, 1) for one in (logits, teacher))
    divergence = kl_div(ours, theirs, reduction="batchmean", log_target=True)
    return (1 - weight) * loss + weight * temperature**2 * divergence


def _refused(text: str, hint: str) -> RecipeError:
    return RecipeError([Problem(path="trick.distillation.teacher", text=text, hint=hint, slots=("trick",))])


NORMS = nn.modules.batchnorm._BatchNorm  # noqa: SLF001 - torch has no public base of its batch norms


def recalibrated(network: nn.Module, run: Callable[[nn.Module], None]) -> nn.Module:
    """Return the network with running statistics that are means over the batches of `run`.

    Args:
        network: The network, changed in place; its mode stays.
        run: Runs a network over training images.
    """
    training = network.training
    norms = [one for one in network.modules() if isinstance(one, NORMS) and one.track_running_stats]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    run(network)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return network.train(training)


def _numbers(network: nn.Module) -> dict[str, Tensor]:
    """Return copies of the weights and buffers of floats, by name."""
    return {
        name: value.detach().clone()
        for name, value in network.state_dict().items()
        if value.is_floating_point()
    }


def _with(network: nn.Module, numbers: Mapping[str, Tensor]) -> nn.Module:
    """Return a copy of a network with these weights and buffers."""
    network = deepcopy(network)
    network.load_state_dict(dict(numbers), strict=False)
    return network
