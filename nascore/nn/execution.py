"""Executions, the ways of computing a network: the protocol, and the plain execution.

The order of random draws is part of the interface: state by state, for each state the edges that read it in
the order of the plan, operation by operation, each on features in the memory layout NCHW.
"""

from __future__ import annotations

from functools import cached_property, reduce
from operator import add
from typing import TYPE_CHECKING, Protocol

import torch
from attrs import Factory, define, frozen
from torch import nn

from nascore.nn.randomness import draws, draws_itself, redirect_draws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from nascore.nn.mixture_weights import Weights
    from nascore.nn.program import Branch, Link, Program, Step
    from nascore.nn.randomness import Generators

    Arrived = dict[int, Sequence[Tensor]]
    Mixed = Mapping[tuple[int, int], Tensor]  # outputs of open edges, by target and place


@frozen(kw_only=True)
class Pass:
    """The options of one forward pass.

    Attributes:
        program: The states to compute.
        weights: The weights of all candidates.
        drop_path: Share of the samples for which an operation's output is dropped, 0 to below 1.
        generators: Generators for random draws, by device type; None: torch's global generators.
    """

    program: Program
    weights: Weights
    drop_path: float = 0.0
    generators: Generators | None = None


@define(kw_only=True)
class Flow:
    """The features that are known while a program is computed.

    Attributes:
        images: [B, C, H, W].
        arriving: For each state that is not computed yet, the outputs of its edges by place.
        outputs: The states that are returned, by index.
    """

    images: Tensor
    arriving: dict[int, Arrived] = Factory(dict)
    outputs: dict[int, Tensor] = Factory(dict)


class Execution(Protocol):
    """A way of computing a network. Built once per network; the network owns the modules."""

    def __init__(self, ops: nn.ModuleDict, gates: nn.ParameterDict) -> None: ...

    def run(self, images: Tensor, options: Pass) -> list[Tensor]:
        """Return the outputs of the program for images [B, C, H, W]."""
        ...


class Plain:
    """Calls each operation separately; the reference for all other executions.

    Args:
        ops: Every operation by path.
        gates: Every gate by path.
    """

    def __init__(self, ops: nn.ModuleDict, gates: nn.ParameterDict) -> None:
        self._ops = ops
        self._gates = gates

    @cached_property
    def _drawing(self) -> frozenset[str]:
        """The paths of the operations that may draw, found in the first pass, after hooks were added."""
        return frozenset(path for path, module in self._ops.items() if draws(module))

    @cached_property
    def _drawing_itself(self) -> frozenset[str]:
        """The paths of those of them that may draw other than in hooks."""
        return frozenset(path for path in self._drawing if draws_itself(self._ops[path]))

    def run(self, images: Tensor, options: Pass) -> list[Tensor]:
        """Return the outputs of the program for images [B, C, H, W]."""
        flow = Flow(images=images)
        for step in options.program.steps:
            self.advance(step, flow, options)
        return [flow.outputs[index] for index in options.program.outputs]

    def advance(self, step: Step, flow: Flow, options: Pass) -> None:
        """Compute a state and its outgoing edges.

        The state is then released; only edges without operations keep it alive.
        """
        if step.join == "input":
            value = flow.images
        else:
            arrived = flow.arriving.pop(step.index)
            value = join(step, [arrived[place] for place in range(step.arity)])
        value = self._place(value)
        if step.index in options.program.outputs:
            flow.outputs[step.index] = value
        mixed = self._mix(step, value, options)
        for link in step.readers:
            terms = self._follow(link, value, options, mixed)
            flow.arriving.setdefault(link.target, {})[link.place] = terms

    def _place(self, value: Tensor) -> Tensor:
        """Return a state in the memory layout of this execution: here as it is."""
        return value

    def _mix(self, step: Step, value: Tensor, options: Pass) -> Mixed:
        """Return the outputs of open edges that are computed together: here none."""
        del step, value, options
        return {}

    def _follow(self, link: Link, value: Tensor, options: Pass, mixed: Mixed) -> Sequence[Tensor]:
        if link.detached:
            value = value.detach()
        if not link.branches:
            terms: Sequence[Tensor] = (value,)
        elif link.group is None:
            terms = [self._call(branch, value, options) for branch in link.branches]
        elif (link.target, link.place) in mixed:
            terms = (mixed[link.target, link.place],)
        else:
            terms = (self._mixed(link, value, options),)
        if link.gate is None:
            return terms
        gate = self._gates[link.gate]
        return [term * gate for term in terms]

    def _mixed(self, link: Link, value: Tensor, options: Pass) -> Tensor:
        weights = options.weights
        shares = weights.of(link)
        terms = [
            weigh_output(shares[branch.column], self._call(branch, value, options))
            for branch in link.branches
            if weights.runs(link, branch.column)
        ]
        return reduce(add, terms) if terms else zero_output(link, value)

    def _call(self, branch: Branch, value: Tensor, options: Pass) -> Tensor:
        result = self._result(branch, value, options)
        if not (branch.drops and options.drop_path):
            return result
        return drop_samples(result, options.drop_path, options.generators)

    def _result(self, branch: Branch, value: Tensor, options: Pass) -> Tensor:
        operation = self._ops[branch.path]
        if branch.path not in self._drawing:
            return operation(value)  # type: ignore[no-any-return]
        if branch.path in self._drawing_itself:
            # Random numbers are drawn in the order of memory, so it is the same for all executions.
            value = value.contiguous()
        with redirect_draws(options.generators):
            return operation(value)  # type: ignore[no-any-return]


def join(step: Step, arrived: Sequence[Sequence[Tensor]]) -> Tensor:
    """Return the value of a state: the sum or the concatenation of the outputs of its edges, in order.

    A sum adds the terms from first to last. Closed gates come last, and ``x + 0`` is bit-equal to ``x``.
    """
    terms = [term for place in arrived for term in place]
    value = reduce(add, terms) if step.join == "sum" else torch.cat(terms, 1)
    return value - value.detach() if step.shadow else value


def weigh_output(weight: Tensor, value: Tensor) -> Tensor:
    """Return the output [B, ...] of a candidate times its weight, a scalar or one number per image [B]."""
    return value * (weight.view(-1, *(1,) * (value.dim() - 1)) if weight.dim() else weight)


def drop_samples(value: Tensor, rate: float, generators: Generators | None = None) -> Tensor:
    """Return [B, ...] with whole samples zeroed at random, and the others divided by 1 - rate (drop path)."""
    keep = 1 - rate
    generator = None if generators is None else generators.get(value.device.type)
    mask = value.new_empty(len(value), *(1,) * (value.dim() - 1)).bernoulli_(keep, generator=generator)
    return value / keep * mask


def zero_output(link: Link, value: Tensor) -> Tensor:
    """Return zeros with the output shape of an edge whose candidates are all inactive."""
    sizes = (-(-size // link.stride) for size in value.shape[2:])
    return value.new_zeros(len(value), link.width, *sizes)
