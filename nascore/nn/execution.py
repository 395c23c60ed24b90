"""How a network is computed: the protocol of executions, and the plain one.

The order of what is drawn at random is part of the interface: state by state, and for each state the edges
that read it in the order of the plan, operation by operation.
"""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Protocol

import torch
from attrs import frozen
from torch import nn

from nascore.nn.chance import draws, redirecting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from nascore.nn.chance import Generators
    from nascore.nn.program import Branch, Link, Program, Step
    from nascore.nn.weighing import Weights

    Ready = Mapping[str, Tensor]  # results of operations, by path


@frozen(kw_only=True)
class Pass:
    """What one pass is asked for.

    Attributes:
        program: The states to compute.
        weights: The weights of all candidates.
        drop_path: Share of the samples for which an operation's output is dropped; 0 outside training.
        generators: What is drawn from, by type of device; None: torch's global generators.
    """

    program: Program
    weights: Weights
    drop_path: float = 0.0
    generators: Generators | None = None


class Execution(Protocol):
    """A way of running a network; made once for a network, whose modules it does not own."""

    def __init__(self, ops: nn.ModuleDict, gates: nn.ParameterDict) -> None: ...

    def run(self, images: Tensor, asked: Pass) -> list[Tensor]:
        """Return the outputs of the program."""
        ...


class Plain:
    """Calls each operation by itself: the way by which all others are judged.

    Args:
        ops: Every operation by path.
        gates: Every gate by path.
    """

    def __init__(self, ops: nn.ModuleDict, gates: nn.ParameterDict) -> None:
        self._ops = ops
        self._gates = gates
        self._drawing = frozenset(path for path, module in ops.items() if draws(module))

    def run(self, images: Tensor, asked: Pass) -> list[Tensor]:
        """Return the outputs of the program.

        A state is followed as soon as it is there; then only edges that pass it on as it is still hold it.
        """
        program = asked.program
        arriving: dict[int, list[Sequence[Tensor]]] = {
            step.index: [()] * step.arity for step in program.steps
        }
        outputs: dict[int, Tensor] = {}
        for step in program.steps:
            value = images if step.join == "input" else join(step, arriving.pop(step.index))
            if step.index in program.outputs:
                outputs[step.index] = value
            ready = self._ahead(step, value, asked)
            for link in step.readers:
                arriving[link.target][link.place] = self._follow(link, value, asked, ready)
        return [outputs[index] for index in program.outputs]

    def _ahead(self, step: Step, value: Tensor, asked: Pass) -> Ready:
        """Return what is computed of a state's readers before each is followed: here nothing."""
        del step, value, asked
        return {}

    def _follow(self, link: Link, value: Tensor, asked: Pass, ready: Ready) -> Sequence[Tensor]:
        if link.detached:
            value = value.detach()
        if not link.branches:
            terms: Sequence[Tensor] = (value,)
        elif link.group is None:
            terms = [self._call(branch, value, asked, ready) for branch in link.branches]
        else:
            terms = (self._mixed(link, value, asked, ready),)
        if link.gate is None:
            return terms
        gate = self._gates[link.gate]
        return [term * gate for term in terms]

    def _mixed(self, link: Link, value: Tensor, asked: Pass, ready: Ready) -> Tensor:
        weights = asked.weights
        terms = [
            weights.weighted(link, branch.column, self._call(branch, value, asked, ready))
            for branch in link.branches
            if weights.runs(link, branch.column)
        ]
        return reduce(add, terms) if terms else nothing(link, value)

    def _call(self, branch: Branch, value: Tensor, asked: Pass, ready: Ready) -> Tensor:
        result = ready[branch.path] if branch.path in ready else self._result(branch, value, asked)
        return drop(result, asked.drop_path, asked.generators) if branch.drops and asked.drop_path else result

    def _result(self, branch: Branch, value: Tensor, asked: Pass) -> Tensor:
        operation = self._ops[branch.path]
        if branch.path not in self._drawing:
            return operation(value)  # type: ignore[no-any-return]
        with redirecting(asked.generators):
            return operation(value)  # type: ignore[no-any-return]


def join(step: Step, arrived: Sequence[Sequence[Tensor]]) -> Tensor:
    """Return the value of a state out of what came along its edges, each in its place.

    A sum adds one after the other. Closed gates come last, and ``x + 0`` is bit-equal to ``x``.
    """
    terms = [term for place in arrived for term in place]
    value = reduce(add, terms) if step.join == "sum" else torch.cat(terms, 1)
    return value - value.detach() if step.shadow else value


def drop(value: Tensor, share: float, generators: Generators | None = None) -> Tensor:
    """Return the value with whole samples zeroed at random, and the others scaled up to keep the mean."""
    keep = 1 - share
    generator = None if generators is None else generators.get(value.device.type)
    mask = value.new_empty(len(value), *(1,) * (value.dim() - 1)).bernoulli_(keep, generator=generator)
    return value / keep * mask


def nothing(link: Link, value: Tensor) -> Tensor:
    """Return what an edge gives of which no candidate is run: zeros of the right shape."""
    sizes = (-(-size // link.stride) for size in value.shape[2:])
    return value.new_zeros(len(value), link.width, *sizes)
