"""The protocol of tricks, and the values that the engine gives to them.

A trick changes how weights are trained. It implements the methods that it needs, and declares each of them
with a capability; the engine calls no method that is not declared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Generator, Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

    from nascore.contract.values import DataFacts, WeightSettings


@frozen(kw_only=True, eq=False)
class Training:
    """A training of weights, as tricks see it when it begins.

    Attributes:
        network: The network, in training mode and on its device.
        weights: The trained weights by name, in the order of the network.
        steps: Number of steps of the training, one for each batch.
        steps_per_epoch: Number of steps of an epoch.
        settings: The settings of SGD on the weights.
        facts: The facts of the data set.
    """

    network: Module
    weights: Mapping[str, Tensor]
    steps: int
    steps_per_epoch: int
    settings: WeightSettings
    facts: DataFacts

    @property
    def epochs(self) -> int:
        """Number of epochs; the last one may be incomplete."""
        return -(-self.steps // self.steps_per_epoch)


@frozen(kw_only=True)
class WeightGroup:
    """Weights that the optimizer treats alike.

    Attributes:
        names: The names of the weights.
        weight_decay: Their weight decay.
        lr_scale: Multiplier of the learning rate for them.
    """

    names: tuple[str, ...]
    weight_decay: float
    lr_scale: float = 1.0


class Trick(Protocol):
    """A change of the training of weights. All methods are optional, each is declared as a capability.

    Tricks of a recipe act in its order: each method gets the return value of the trick before. One weights
    step calls them in this order: `transform` on each training image after crop and flip, `examples` on the
    normalised batch, `schedule`, the forward pass, `loss`, the backward pass, `gradients`, clipping, the step
    of the optimizer, and `after_step`. A training begins with `start`, `network`, `parameters` and
    `optimizer`. Validation, test and the saved weights use the network of `evaluated_network`.

    The batches of architecture steps do not pass through `transform` and `examples`, and their loss does not
    pass through `loss`. If one batch serves both steps (estimate `single-level`), or if the architecture step
    looks one weights step ahead (`unrolled`), it uses the training batch as the weights step does.
    """

    def start(self, training: Training) -> None:
        """Begin a training (capability `starts`). Before the run a separate object is started as a rehearsal.

        Raises:
            RecipeError: A setting does not fit the training.
        """
        ...

    def network(self, network: Module) -> None:
        """Change the network in place (capability `network`), without new names or shapes of its tensors."""
        ...

    def parameters(self, groups: Sequence[WeightGroup]) -> Sequence[WeightGroup]:
        """Return other groups of the same weights (capability `parameters`); first there is one group."""
        ...

    def optimizer(self, groups: list[dict[str, Any]]) -> Optimizer:
        """Return an optimizer (capability `optimizer`; at most one trick has it).

        Args:
            groups: Groups of weights as torch takes them: `params`, `lr` and `weight_decay`. The engine sets
                `lr` again before each step.
        """
        ...

    def transform(self, image: Tensor, rng: Generator) -> Tensor:
        """Return a training image [C, H, W], changed (capability `transform`).

        It is of the type of the data set, uint8 or floats from 0 to 1, and not normalised. Code that draws
        from torch's global generator draws from `rng`.
        """
        ...

    def examples(self, images: Tensor, targets: Tensor, rng: Generator) -> tuple[Tensor, Tensor]:
        """Return a training batch, changed (capability `examples`).

        Args:
            images: [B, C, H, W], normalised; they must not be changed in place.
            targets: Classes [B], int64, or probabilities [B, classes] if a trick before mixed them.
            rng: The only source of random numbers, on the CPU.
        """
        ...

    def schedule(self, step: int, lr: float) -> float:
        """Return the learning rate of a step (capability `schedule`). It must depend on the arguments only.

        Args:
            step: Number of the step, from 0.
            lr: The learning rate so far: the cosine of the settings, or that of the trick before.
        """
        ...

    def loss(self, loss: Tensor, logits: Tensor, images: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a training batch, a scalar (capability `loss`).

        Args:
            loss: The loss so far, with the auxiliary head's.
            logits: The network's output [B, classes].
            images: [B, C, H, W], after `examples`.
            targets: Classes [B], or probabilities [B, classes].
        """
        ...

    def gradients(self, gradients: Mapping[str, Tensor], step: int) -> Mapping[str, Tensor] | None:
        """Return the gradient of the weights by name (capability `gradients`).

        None postpones: this step changes no weight. The given tensors must not be changed in place.
        """
        ...

    def after_step(self, network: Module, step: int) -> None:
        """Act after a step that changed the weights (capability `after-step`)."""
        ...

    def evaluated_network(self, network: Module, run: Callable[[Module], None]) -> Module:
        """Return the network that is evaluated instead (capability `evaluates`): another object.

        Args:
            network: The network so far, which must not be changed.
            run: Runs a network over training images, normalised and without tricks, in the mode that it is
                in and without gradients.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the complete state, as tensors and plain values (capability `stateful`)."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load the state of a trick that was started on the same training."""
        ...


@frozen(kw_only=True, eq=False)
class UsedTrick:
    """A trick of a recipe.

    Attributes:
        name: Its name.
        trick: The trick, built for one training.
        declared: The capabilities that it declares for its settings.
    """

    name: str
    trick: Any = field(repr=False)
    declared: frozenset[str]
