"""The fused execution: the mathematics of the plain one in fewer and faster operations.

In a cell every pair of states is joined by the same candidates, so a state is read by as many equal
candidates as there are states after it. Operations without weights are computed once per state. The equal
candidates of several edges are computed side by side, as one operation on more channels, where the features
are so small that launching operations takes the time. The last norm of a candidate and its weight are applied
in the sum over the candidates of an edge.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import torch
from torch import nn

from nascore.nn.execution import Pass, Plain
from nascore.nn.kernels import Kernels, LibraryKernels, TorchKernels
from nascore.nn.operations.simple import Zero
from nascore.nn.stages import EPS, Chain, Source, Staged, has_hooks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.nn.execution import Mixed
    from nascore.nn.program import Link, Step

SIDE_BY_SIDE: Final = 1 << 20
"""Bytes of features up to which equal candidates of several edges are computed as one operation.

Beyond it a processor's caches are left, and one operation after the other is faster.
"""


IMAGE: Final = 4
"""Number of dimensions of features [B, C, H, W]."""


class Fused(Plain):
    """Computes operations that read the same state together.

    The results equal those of :class:`Plain` up to rounding, since sums may be added in another order.

    Args:
        ops: Every operation by path.
        gates: Every gate by path.
    """

    kernels: Kernels = TorchKernels()
    side_by_side: int | None = SIDE_BY_SIDE

    def __init__(self, ops: nn.ModuleDict, gates: nn.ParameterDict) -> None:
        super().__init__(ops, gates)
        self._families: dict[tuple[int, int], tuple[object, ...]] = {}

    @cached_property
    def _chains(self) -> Mapping[str, Chain]:
        """The stages of each operation, found in the first pass, after hooks were added."""
        return {path: Chain(module) for path, module in self._ops.items()}

    @cached_property
    def _called_whole(self) -> frozenset[str]:
        """The paths of the operations that may draw; those that list their stages do so in hooks only."""
        return frozenset(
            path
            for path in self._drawing
            if not isinstance(self._ops[path], Staged) or any(map(has_hooks, self._ops[path].modules()))
        )

    @cached_property
    def _zeros(self) -> frozenset[str]:
        """The paths of the operations that return zeros, which are never run."""
        return frozenset(path for path, module in self._ops.items() if type(module) is Zero)

    def _place(self, value: Tensor) -> Tensor:
        """Return a state [B, C, H, W] in the layout NHWC on a CPU, where most operations are faster in it."""
        if value.device.type != "cpu" or value.dim() != IMAGE:
            return value
        return value.contiguous(memory_format=torch.channels_last)

    def _mix(self, step: Step, value: Tensor, options: Pass) -> Mixed:
        """Return the outputs of the open edges that read a state, by the place to which they lead."""
        links = [link for link in step.readers if link.group is not None and not _drops(link, options)]
        drawn = self._draw(links, value, options)
        sources: dict[bool, Source] = {}
        mixed: dict[tuple[int, int], Tensor] = {}
        for edges in self._families_of(links, options):
            detached = edges[0].detached
            if detached not in sources:
                sources[detached] = Source(value.detach() if detached else value, self.kernels)
            for some in _split(edges, self._most(edges[0], value)):
                total = self._sum(some, sources[detached], drawn, options)
                if total is not None:
                    parts = total.chunk(len(some), 1)
                    mixed.update(
                        ((link.target, link.place), part) for link, part in zip(some, parts, strict=True)
                    )
        return mixed

    def _draw(self, links: Sequence[Link], value: Tensor, options: Pass) -> Mapping[str, Tensor]:
        """Return the outputs of the operations that draw random numbers, in the order of the interface."""
        return {
            branch.path: self._result(branch, value.detach() if link.detached else value, options)
            for link in links
            for branch in link.branches
            if branch.path in self._called_whole and options.weights.runs(link, branch.column)
        }

    def _families_of(self, links: Iterable[Link], options: Pass) -> Iterable[Sequence[Link]]:
        """Return the edges in groups that have the same candidates, of which the same ones are run."""
        families: dict[tuple[object, ...], list[Link]] = {}
        for link in links:
            place = (link.target, link.place)
            if place not in self._families:
                kinds = tuple(self._chains[branch.path].kinds for branch in link.branches)
                self._families[place] = (link.detached, link.group, link.width, link.stride, kinds)
            key = (*self._families[place], options.weights.active(link))
            families.setdefault(key, []).append(link)
        return families.values()

    def _most(self, link: Link, value: Tensor) -> int | None:
        """Return how many edges are computed side by side at most; None: all."""
        if self.side_by_side is None:
            return None
        size = value.element_size() * value.numel() * link.width // (value.shape[1] * link.stride**2)
        return max(1, self.side_by_side // size) if size else 1

    def _sum(
        self, links: Sequence[Link], source: Source, drawn: Mapping[str, Tensor], options: Pass
    ) -> Tensor | None:
        """Return the weighted sums of the candidates of edges side by side; None if all are zero."""
        terms: list[Tensor] = []
        normed: list[bool] = []
        columns: list[int] = []
        for index, branch in enumerate(links[0].branches):
            paths = [link.branches[index].path for link in links]
            if branch.path in self._zeros or not options.weights.runs(links[0], branch.column):
                continue
            if branch.path in drawn:
                term, has_norm = torch.cat([drawn[path] for path in paths], 1), False
            else:
                term, has_norm = source.output([self._chains[path] for path in paths])
            terms.append(term)
            normed.append(has_norm)
            columns.append(branch.column)
        if not terms:
            return None
        weights, alike = options.weights.chosen(links, columns)
        return self.kernels.mixed_sum(terms, weights, normed, EPS, alike=alike)


class Batched(Fused):
    """The fused execution with all equal candidates that read a state as groups of one operation.

    It launches the fewest operations, whose launches take the time on a GPU.
    """

    kernels = LibraryKernels()
    side_by_side = None


def _drops(link: Link, options: Pass) -> bool:
    return bool(options.drop_path) and any(branch.drops for branch in link.branches)


def _split(edges: Sequence[Link], most: int | None) -> Iterator[Sequence[Link]]:
    """Yield the edges in parts of nearly equal length, of at most `most` edges."""
    parts = 1 if most is None else -(-len(edges) // most)
    for index in range(parts):
        yield edges[index * len(edges) // parts : (index + 1) * len(edges) // parts]


EXECUTIONS: Final[Mapping[str, type[Plain]]] = {"plain": Plain, "fused": Fused, "batched": Batched}
"""The executions of the core by name."""
