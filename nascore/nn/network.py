"""The network: a supernet for an open description, an ordinary network for a closed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from nascore.nn.chance import lent
from nascore.nn.execution import Pass
from nascore.nn.weighing import weigh

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.nn.execution import Execution
    from nascore.nn.program import Program
    from nascore.nn.weighing import Alive, GroupShape, Mixture


class Network(nn.Module):
    """Runs what a description says; :func:`nascore.nn.compile` makes it.

    Its parameters are called ``ops.PATH.NAME``, with the operation's own name last, and ``gates.PATH``. The
    mixture is no parameter but an argument.

    Args:
        ops: A module for every operation, by path.
        gates: A parameter for every gate, by path.
        shapes: How large each choice group is; empty for a closed network.
        training: What is computed in training.
        inference: What is computed otherwise.
        execution: How.

    Attributes:
        groups: How large each choice group is: K uses, E edges, O operations.
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

    def forward(
        self,
        images: Tensor,
        mixture: Mixture | None = None,
        *,
        alive: Alive | None = None,
        drop_path: float = 0.0,
    ) -> Tensor | tuple[Tensor, ...]:
        """Return logits [B, classes]; in training, where there is an auxiliary head, also the head's.

        Args:
            images: [B, C, H, W], normalised.
            mixture: By choice group [E, O], or [K, B, E, O] per use and sample, where B may be 1. Only and
                always for an open network.
            alive: By group [E, O] bool on the CPU, what has to be run; all of a group that is missing.
            drop_path: Share of the samples for which the output of an operation is dropped, 0 to below 1. It
                falls on operations that are neither structural nor the identity, in training only, and draws
                from torch's global generator. So do operations that draw, outside of a run.

        Raises:
            DescriptionError: The mixture is missing, superfluous or of another shape.
            ValueError: ``drop_path`` is out of range.
        """
        if not 0 <= drop_path < 1:
            raise ValueError(f"drop_path must be at least 0 and below 1, not {drop_path}")
        asked = Pass(
            program=self.programs[self.training],
            weights=weigh(self.groups, mixture, alive, len(images)),
            drop_path=drop_path if self.training else 0.0,
            generators=lent(),
        )
        outputs = self.execution.run(images, asked)
        return tuple(outputs) if len(outputs) > 1 else outputs[0]


def keep_statistics(module: nn.Module, *, keep: bool) -> None:
    """Make every batch norm in a module keep running statistics, or take those of each batch.

    A network that is handed over has to classify an image whatever else is in the batch, so norms outside
    choices keep running statistics, with or without weights. The norms of candidates take the statistics of
    the batch, in evaluation too: theirs change with the mixture from step to step, and an average over the
    steps would belong to no network in particular.

    Args:
        module: An operation; it is changed in place.
        keep: Whether its norms keep running statistics; new ones begin at mean 0 and variance 1.
    """
    for norm in module.modules():
        if isinstance(norm, _BatchNorm) and norm.track_running_stats != keep:
            norm.track_running_stats = keep
            norm.running_mean = torch.zeros(norm.num_features) if keep else None
            norm.running_var = torch.ones(norm.num_features) if keep else None
            norm.num_batches_tracked = torch.tensor(0) if keep else None


def inherit(
    child: nn.Module, parent: nn.Module | Mapping[str, Tensor]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Copy every tensor of the parent, weights and buffers, that the child has under the same name and shape.

    Args:
        child: The network that is changed.
        parent: A network, or its ``state_dict``.

    Returns:
        The names of the tensors that were inherited, and of those of the parent that were left over: the
        child does not have them, or has another shape there.
    """
    given = parent.state_dict() if isinstance(parent, nn.Module) else parent
    own = child.state_dict()
    inherited = tuple(
        name for name, tensor in given.items() if name in own and own[name].shape == tensor.shape
    )
    with torch.no_grad():
        for name in inherited:
            own[name].copy_(given[name])
    taken = set(inherited)
    return inherited, tuple(name for name in given if name not in taken)
