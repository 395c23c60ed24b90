"""Tricks of the weights step: optimizers, groups of weights, and gradients."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import torch
from attrs import evolve
from timm.optim import create_optimizer_v2, get_optimizer_info, list_optimizers

from nascore.api import Problem, RecipeError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import Tensor
    from torch.optim import Optimizer

    from nascore.api import Training, WeightGroup
    from nascore_vision.tricks.settings import AccumulateSettings, LayerDecaySettings, OptimizerSettings


OF_DESCRIPTION: Final = frozenset(("ops", "gates"))
"""The first words of the names of weights in the network of a description."""


LOOKAHEAD: Final = "lookahead_"
"""What precedes the name of an optimizer to average its weights every few steps (arXiv 1907.08610)."""

BY_SETTING: Final = frozenset(
    ("sgd", "sgdw", "sgdc", "sgdp", "csgdw", "csgdc", "csgdp", "bnbsgd", "bnbsgd8bit")
)
"""The optimizers of timm that use Nesterov's momentum unless told otherwise; the setting decides here."""

KRON: Final = frozenset(("kron", "kronw", "kronc"))
"""Optimizers that draw random numbers, by default from torch's global generator."""

ELSEWHERE: Final = {"bitsandbytes": "bitsandbytes", "apex": "apex"}
"""Packages with optimizers that timm only names."""


class Named:
    """Brings an optimizer of timm by its name."""

    def __init__(self, settings: OptimizerSettings) -> None:
        self.settings = settings

    def start(self, training: Training) -> None:
        """Begin a training."""
        self.training = training

    def optimizer(self, groups: list[dict[str, Any]]) -> Optimizer:
        """Return the optimizer of the groups.

        Raises:
            RecipeError: No optimizer has this name, or it needs more than gradients, or a package that is not
                installed.
        """
        name, rule = self.settings.algorithm, self.training.settings
        plain = name.removeprefix(LOOKAHEAD)
        problem = _problem_of(name, plain)
        if problem is not None:
            raise RecipeError([problem])
        options: dict[str, Any] = {} if self.settings.eps is None else {"eps": self.settings.eps}
        if plain in BY_SETTING:
            options["nesterov"] = rule.nesterov
        if plain in KRON:
            options["deterministic"] = True  # its numbers come from its state, which checkpoints hold
        made: Optimizer = create_optimizer_v2(
            groups, name, lr=rule.lr, weight_decay=rule.weight_decay, momentum=rule.momentum, **options
        )
        return made


def _problem_of(name: str, plain: str) -> Problem | None:
    """Return the reason why an optimizer cannot be used; None if it can.

    Args:
        name: The name that was given.
        plain: The name without the prefix of Lookahead.
    """
    known = list_optimizers()
    if plain not in known:
        near = did_you_mean(name, known)
        return _problem(f"no optimizer is called {name}.", near or f"Some of timm's: {', '.join(COMMON)}.")
    info = get_optimizer_info(plain)
    if info.second_order:
        return _problem(f"{name} needs second derivatives, which nascore does not compute.")
    package = info.opt_class.partition(".")[0] if isinstance(info.opt_class, str) else ""
    if package in ELSEWHERE and (find_spec(package) is None or not torch.cuda.is_available()):
        return _problem(f"{name} needs the package {ELSEWHERE[package]} and a GPU.")
    return None


COMMON: Final = ("sgd", "adamw", "nadamw", "lamb", "lion", "rmsproptf", "adan")
"""Optimizers that a message names."""


def _problem(text: str, hint: str = "") -> Problem:
    return Problem(path="trick.optimizer.algorithm", text=text, hint=hint, slots=("trick",))


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

    A layer is a node of the description, such as a cell; in a network of one node, a module of it.
    """

    def __init__(self, settings: LayerDecaySettings) -> None:
        self.settings = settings

    def start(self, training: Training) -> None:
        """Begin a training: layers are numbered in the order of the weights."""
        self.layer = layers_of(training.weights)
        self.layers = list(dict.fromkeys(self.layer.values()))

    def parameters(self, groups: Sequence[WeightGroup]) -> list[WeightGroup]:
        """Return a group for each layer of each group; the last layer keeps the learning rate."""
        found = []
        for group in groups:
            for depth, layer in enumerate(reversed(self.layers)):
                names = tuple(name for name in group.names if self.layer[name] == layer)
                scale = group.lr_scale * self.settings.factor**depth
                found += [evolve(group, names=names, lr_scale=scale)] if names else []
        return found


def layers_of(names: Iterable[str]) -> dict[str, str]:
    """Return the layer of each weight: the node of a description, or the module up to its first number.

    If all nodes are one, as in a network of timm, its modules are the layers.
    """
    words = {name: name.split(".") for name in names}
    nodes = {word[1].partition("/")[0] for word in words.values() if word[0] in OF_DESCRIPTION}
    return {
        name: word[1].partition("/")[0] if len(nodes) > 1 and word[0] in OF_DESCRIPTION else _module(word)
        for name, word in words.items()
    }


def _module(words: Sequence[str]) -> str:
    """Return the module of a weight up to its first number, without the node of a description."""
    inner = words[2:] if words[0] in OF_DESCRIPTION else words
    numbers = (place for place, word in enumerate(inner[:-1]) if word.isdigit())
    return ".".join(inner[: next(numbers, 0) + 1])


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
