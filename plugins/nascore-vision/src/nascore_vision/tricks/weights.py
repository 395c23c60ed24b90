"""Tricks of the weights step: optimizers, groups of weights, and gradients."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from attrs import evolve

from nascore.api import Problem, RecipeError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor
    from torch.optim import Optimizer

    from nascore.api import Training, WeightGroup
    from nascore_vision.tricks.settings import AccumulateSettings, LayerDecaySettings, OptimizerSettings


class Named:
    """Brings an optimizer by its name: one of timm, or one of torch if timm is not installed."""

    def __init__(self, settings: OptimizerSettings) -> None:
        self.settings = settings

    def start(self, training: Training) -> None:
        """Begin a training."""
        self.training = training

    def optimizer(self, groups: list[dict[str, Any]]) -> Optimizer:
        """Return the optimizer of the groups.

        Raises:
            RecipeError: No optimizer has this name, or it needs more than gradients.
        """
        options = {} if self.settings.eps is None else {"eps": self.settings.eps}
        return _of_timm(self.settings.algorithm, groups, self.training, options) or _of_torch(
            self.settings.algorithm, groups, self.training, options
        )


def _of_timm(
    name: str, groups: list[dict[str, Any]], training: Training, options: Mapping[str, Any]
) -> Optimizer | None:
    if find_spec("timm") is None:
        return None
    # Imported here, since timm is optional and slow to import.
    from timm.optim import create_optimizer_v2, get_optimizer_info, list_optimizers  # noqa: PLC0415

    if name.rpartition("_")[2] not in list_optimizers():
        raise _unknown(name, list_optimizers())
    if get_optimizer_info(name.rpartition("_")[2]).second_order:
        text = f"{name} needs second derivatives, which nascore does not compute."
        raise RecipeError([Problem(path="trick.optimizer.algorithm", text=text, slots=("trick",))])
    rule = training.settings
    made: Optimizer = create_optimizer_v2(
        groups, name, lr=rule.lr, weight_decay=rule.weight_decay, momentum=rule.momentum, **options
    )
    return made


def _of_torch(
    name: str, groups: list[dict[str, Any]], training: Training, options: Mapping[str, Any]
) -> Optimizer:
    known = {
        one.lower(): getattr(torch.optim, one)
        for one in ("SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop")
    }
    if name not in known:
        raise _unknown(name, known, " The other optimizers come with timm: pip install timm.")
    rule, more = training.settings, dict(options)
    if name in {"sgd", "rmsprop"}:
        more["momentum"] = rule.momentum
    if name == "sgd":
        more["nesterov"] = rule.nesterov
        more.pop("eps", None)
    made: Optimizer = known[name](groups, lr=rule.lr, **more)
    return made


def _unknown(name: str, known: Any, more: str = "") -> RecipeError:  # noqa: ANN401 - names
    hint = f"{did_you_mean(name, known)}{more}".strip()
    text = f"no optimizer is called {name}."
    return RecipeError([Problem(path="trick.optimizer.algorithm", text=text, hint=hint, slots=("trick",))])


class NoDecay:
    """Frees norms and biases, all weights of fewer than two dimensions, from weight decay."""

    def __init__(self, settings: object) -> None:
        del settings

    def start(self, training: Training) -> None:
        """Begin a training."""
        self.free = {name for name, weight in training.weights.items() if weight.dim() < 2}  # noqa: PLR2004 - a matrix

    def parameters(self, groups: Sequence[WeightGroup]) -> list[WeightGroup]:
        """Return two groups for each group: one with its decay, and one without."""
        found = []
        for group in groups:
            decayed = tuple(name for name in group.names if name not in self.free)
            free = tuple(name for name in group.names if name in self.free)
            found += [evolve(group, names=decayed), evolve(group, names=free, weight_decay=0.0)]
        return [group for group in found if group.names]


class LayerDecay:
    """Lowers the learning rate from the classifier to the first layer (Bao et al. 2021, arXiv 2106.08254).

    A layer is a node of the description, such as a cell: the first word of the names of its weights after
    ``ops.``.
    """

    def __init__(self, settings: LayerDecaySettings) -> None:
        self.settings = settings

    def start(self, training: Training) -> None:
        """Begin a training: layers are numbered in the order of the weights."""
        self.layers = list(dict.fromkeys(map(layer_of, training.weights)))

    def parameters(self, groups: Sequence[WeightGroup]) -> list[WeightGroup]:
        """Return a group for each layer of each group; the last layer keeps the learning rate."""
        found = []
        for group in groups:
            for depth, layer in enumerate(reversed(self.layers)):
                names = tuple(name for name in group.names if layer_of(name) == layer)
                scale = group.lr_scale * self.settings.factor**depth
                found += [evolve(group, names=names, lr_scale=scale)] if names else []
        return found


def layer_of(name: str) -> str:
    """Return the layer of a weight: the node of a description, or the module up to its first number."""
    words = name.split(".")
    if words[0] in {"ops", "gates"}:
        return words[1].partition("/")[0]
    numbers = (place for place, word in enumerate(words[:-1]) if word.isdigit())
    return ".".join(words[: next(numbers, 0) + 1])


class Accumulate:
    """Makes one step with the mean gradient of several batches.

    The last step of a training takes the batches that are left.
    """

    def __init__(self, settings: AccumulateSettings) -> None:
        self.settings = settings

    def start(self, training: Training) -> None:
        """Begin a training."""
        self.last = training.steps - 1
        self.total: dict[str, Tensor] = {}
        self.count = 0

    def gradients(self, gradients: Mapping[str, Tensor], step: int) -> Mapping[str, Tensor] | None:
        """Return the mean gradient; None until there are enough batches."""
        if self.settings.batches == 1:
            return gradients
        self.total = {name: self.total.get(name, 0) + slope for name, slope in gradients.items()}
        self.count += 1
        if self.count < self.settings.batches and step < self.last:
            return None
        mean = {name: slope / self.count for name, slope in self.total.items()}
        self.total, self.count = {}, 0
        return mean

    def state_dict(self) -> dict[str, Any]:
        """Return the sum of the gradients so far, and their number."""
        return {"total": dict(self.total), "count": self.count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load a state."""
        self.total, self.count = dict(state["total"]), int(state["count"])


class Centralize:
    """Subtracts from each gradient of a matrix or a kernel its mean over the inputs (arXiv 2004.01461)."""

    def __init__(self, settings: object) -> None:
        del settings

    def gradients(self, gradients: Mapping[str, Tensor], step: int) -> Mapping[str, Tensor]:
        """Return the gradients, whose mean over all dimensions but the first is 0."""
        del step
        return {name: slope if slope.dim() < 2 else _central(slope) for name, slope in gradients.items()}  # noqa: PLR2004 - a matrix


def _central(slope: Tensor) -> Tensor:
    return slope - slope.mean(dim=tuple(range(1, slope.dim())), keepdim=True)
