"""The network: a supernet for an open description, an ordinary network for a closed one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import nn

from nascore.nn.execution import Pass
from nascore.nn.mixture_weights import weigh
from nascore.nn.precision import Precision
from nascore.nn.randomness import current_generators
from nascore.nn.substitution import Substitution

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from torch import Tensor

    from nascore.nn.execution import Execution
    from nascore.nn.mixture_weights import Alive, GroupShape, Indices, Mixture
    from nascore.nn.program import Program


class Network(nn.Module):
    """The network of a description; :func:`nascore.nn.compile` builds it.

    Its parameters are called ``ops.PATH.NAME``, where NAME is the operation's own parameter name, and
    ``gates.PATH``. The mixture is not a parameter but an argument of the forward pass.

    Args:
        ops: A module for every operation, by path.
        gates: A parameter for every gate, by path.
        shapes: The shape of each choice group; empty for a closed network.
        training: The program of training mode.
        inference: The program of evaluation mode.
        execution: Computes a program.

    Attributes:
        groups: The shape of each choice group: K uses, E edges, O operations.
        precision: How forward passes compute; float32 unless a run sets another one.
    """

    def __init__(  # noqa: PLR0913 - the parts that the compiler made
        self,
        *,
        ops: nn.ModuleDict,
        gates: nn.ParameterDict,
        shapes: Mapping[str, GroupShape],
        training: Program,
        inference: Program,
        execution: Execution,
    ) -> None:
        super().__init__()
        self.ops = ops
        self.gates = gates
        self.groups = dict(shapes)
        self.execution = execution
        self.programs = {True: training, False: inference}
        self.precision = Precision()
        self._indices: Indices = {}

    @cached_property
    def substitution(self) -> Substitution:
        """Calls the network with other weights than its own."""
        return Substitution(self)

    def forward(
        self,
        images: Tensor,
        mixture: Mixture | None = None,
        *,
        alive: Alive | None = None,
        drop_path: float = 0.0,
    ) -> Tensor | tuple[Tensor, ...]:
        """Return logits [B, classes]; in training with an auxiliary head, also the logits of that head.

        Args:
            images: [B, C, H, W], normalised.
            mixture: By choice group, [E, O], or [K, B, E, O] per use and sample, where B may be 1. Required
                for an open network, forbidden for a closed one.
            alive: By group, [E, O] bool on the CPU: the candidates to run; all candidates of a group that is
                missing.
            drop_path: Share of the samples for which the output of an operation is dropped, 0 to below 1. It
                applies in training only, to operations that are neither structural nor the identity. Outside
                of a run, drop path and random operations draw from torch's global generator.

        Raises:
            DescriptionError: The mixture is missing, superfluous or has another shape.
            ValueError: ``drop_path`` is out of range.
        """
        if not 0 <= drop_path < 1:
            raise ValueError(f"drop_path must be at least 0 and below 1, not {drop_path}")
        options = Pass(
            program=self.programs[self.training],
            weights=weigh(self.groups, mixture, alive, len(images), self._indices),
            drop_path=drop_path if self.training else 0.0,
            generators=current_generators(),
        )
        with self.precision.autocast(images.device, training=self.training):
            outputs = self.execution.run(self.precision.images(images), options)
        outputs = [self.precision.logits(each) for each in outputs]
        return tuple(outputs) if len(outputs) > 1 else outputs[0]


def inherit(
    child: nn.Module, parent: nn.Module | Mapping[str, Tensor]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Copy every tensor of the parent, weights and buffers, that the child has under the same name and shape.

    The counter of a norm is copied only with its running statistics: without them it has seen no batch.

    Args:
        child: The network, changed in place.
        parent: A network, or its ``state_dict``.

    Returns:
        The names of the inherited tensors, and the names of those of the parent that were not inherited: the
        child does not have them, or has them in another shape.
    """
    source = parent.state_dict() if isinstance(parent, nn.Module) else parent
    target = child.state_dict()
    fitting = {
        name for name, tensor in source.items() if name in target and target[name].shape == tensor.shape
    }
    inherited = tuple(name for name in source if name in fitting and _has_statistics(name, target, fitting))
    with torch.no_grad():
        for name in inherited:
            target[name].copy_(source[name])
    copied = set(inherited)
    return inherited, tuple(name for name in source if name not in copied)


def _has_statistics(name: str, target: Collection[str], fitting: Collection[str]) -> bool:
    """Return whether the running statistics that a tensor counts fit too; True for any other tensor."""
    norm = name.removesuffix("num_batches_tracked")
    statistics = {f"{norm}running_mean", f"{norm}running_var"}.intersection(target)
    return norm == name or statistics.issubset(fitting)
