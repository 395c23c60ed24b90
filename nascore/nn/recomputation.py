"""Recomputes the features inside of cells in the backward pass: only those between cells stay in memory.

Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from itertools import groupby
from typing import TYPE_CHECKING

from attrs import frozen
from torch import is_grad_enabled, nn
from torch.utils.checkpoint import checkpoint

from nascore.nn.execution import Flow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from torch import Generator, Tensor

    from nascore.nn.execution import Arrived, Pass, Plain
    from nascore.nn.program import Program, Step
    from nascore.nn.randomness import Generators

    Holder = dict[str, Tensor | None]
    Sent = tuple[Mapping[int, Arrived], Mapping[int, Tensor]]


class Recomputed:
    """Runs another execution cell by cell, and computes each cell again in the backward pass.

    The second computation has the weights, the buffers and the random numbers of the first one, and changes
    none of them: running statistics are updated once.

    Args:
        execution: Computes the states.
        ops: Every operation by path.
        gates: Every gate by path.
    """

    def __init__(self, execution: Plain, ops: nn.ModuleDict, gates: nn.ParameterDict) -> None:
        self._execution = execution
        self._ops = ops
        self._gates = gates
        self._segments: dict[int, tuple[Segment, ...]] = {}

    def run(self, images: Tensor, options: Pass) -> list[Tensor]:
        """Return the outputs of the program for images [B, C, H, W]."""
        flow = Flow(images=images)
        for segment in self._parts(options.program):
            if segment.is_last or not is_grad_enabled():
                for step in segment.steps:
                    self._execution.advance(step, flow, options)
            else:
                self._advance(segment, flow, options)
        return [flow.outputs[index] for index in options.program.outputs]

    def _parts(self, program: Program) -> tuple[Segment, ...]:
        """Return the segments of a program, which the network keeps."""
        if id(program) not in self._segments:
            self._segments[id(program)] = tuple(self._split(program))
        return self._segments[id(program)]

    def _split(self, program: Program) -> Iterator[Segment]:
        groups = [
            tuple(steps) for _, steps in groupby(program.steps, lambda step: step.cell or str(step.index))
        ]
        cells = [place for place, steps in enumerate(groups) if len(steps) > 1]
        # The backward pass begins with the last cell: its features would be computed again at once.
        last = cells[-1] if cells else len(groups) - 1
        for place, steps in enumerate(groups):
            paths = [branch.path for step in steps for link in step.readers for branch in link.branches]
            modules = [self._gates, *(each for path in paths for each in self._ops[path].modules())]
            yield Segment(
                steps=steps,
                is_last=place >= last,
                weights=tuple(_holders(modules, "_parameters")),
                buffers=tuple(_holders(modules, "_buffers")),
            )

    def _advance(self, segment: Segment, flow: Flow, options: Pass) -> None:
        """Compute the states of a segment, whose features are computed again in the backward pass."""
        taken = {step.index: flow.arriving.pop(step.index, {}) for step in segment.steps}

        def computed(images: Tensor) -> Sent:
            part = Flow(images=images, arriving={index: dict(each) for index, each in taken.items()})
            for step in segment.steps:
                self._execution.advance(step, part, options)
            return part.arriving, part.outputs

        before = Before.of(segment, options.generators)
        arriving, outputs = checkpoint(
            computed,
            flow.images,
            use_reentrant=False,
            preserve_rng_state=options.generators is None,
            context_fn=lambda: (nullcontext(), before.again()),
        )
        flow.outputs.update(outputs)
        for index, terms in arriving.items():
            flow.arriving.setdefault(index, {}).update(terms)


@frozen(kw_only=True)
class Segment:
    """Steps of a program that are computed again together: those of a cell, or one step outside of cells.

    Attributes:
        steps: The steps.
        is_last: Whether it is the last cell, or comes after it.
        weights: The dictionaries in which modules keep their weights.
        buffers: The dictionaries in which modules keep their buffers.
    """

    steps: tuple[Step, ...]
    is_last: bool
    weights: tuple[Holder, ...]
    buffers: tuple[Holder, ...]


@frozen(kw_only=True)
class Before:
    """The values with which a segment is computed first.

    Attributes:
        weights: The weights in each dictionary of a module.
        buffers: Copies of the buffers in each dictionary of a module.
        generators: Each generator, with its state.
    """

    weights: Sequence[tuple[Holder, Holder]]
    buffers: Sequence[tuple[Holder, Holder]]
    generators: Sequence[tuple[Generator, Tensor]]

    @classmethod
    def of(cls, segment: Segment, generators: Generators | None) -> Before:
        """Return the present values of a segment."""
        return cls(
            weights=[(holder, dict(holder)) for holder in segment.weights],
            buffers=[(holder, _copies(holder)) for holder in segment.buffers],
            generators=[(each, each.get_state()) for each in (generators or {}).values()],
        )

    @contextmanager
    def again(self) -> Iterator[None]:
        """Compute with these values inside."""
        present = [(holder, dict(holder)) for holder, _ in (*self.weights, *self.buffers)]
        states = [(each, each.get_state()) for each, _ in self.generators]
        copies = [(holder, _copies(tensors)) for holder, tensors in self.buffers]
        try:
            _set([*self.weights, *copies], self.generators)
            yield
        finally:
            _set(present, states)


def _set(tensors: Iterable[tuple[Holder, Holder]], generators: Iterable[tuple[Generator, Tensor]]) -> None:
    for holder, values in tensors:
        holder.update(values)
    for generator, state in generators:
        generator.set_state(state)


def _copies(tensors: Holder) -> Holder:
    return {name: None if tensor is None else tensor.detach().clone() for name, tensor in tensors.items()}


def _holders(modules: Iterable[nn.Module], kind: str) -> Iterator[Holder]:
    """Yield the dictionaries of modules that hold tensors."""
    return (holder for module in modules if (holder := vars(module)[kind]))
