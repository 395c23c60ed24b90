"""Checks the mixture of a forward pass, and splits it into one weight per candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import torch
from attrs import Factory, frozen

from nascore.errors import DescriptionError, Problem, did_you_mean
from nascore.nn.transfers import sent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from nascore.nn.program import Link

Mixture: TypeAlias = "Mapping[str, Tensor]"
Alive: TypeAlias = "Mapping[str, Tensor]"
Indices: TypeAlias = "dict[tuple[tuple[int, ...], torch.device], Tensor]"

PER_SAMPLE = 4
"""Number of dimensions of a mixture per use and sample, [K, B, E, O]."""


@frozen(kw_only=True)
class GroupShape:
    """The shape of a choice group.

    Attributes:
        replicas: K, the number of uses of each row.
        rows: E, the number of edges.
        columns: O, the number of operations.
    """

    replicas: int
    rows: int
    columns: int


@frozen(kw_only=True)
class Weights:
    """The weight of every candidate, and which candidates are run.

    Attributes:
        rows: By group, the weights of each row of each use, K tuples of E tensors [O], or [B, O] per image;
            one tuple if all uses have the same weights.
        alike: The groups in which the images differ only in the gradients of their weights.
        alive: By group, [E][O]; all candidates of a group that is missing are run.
        indices: Indices on the devices, by their numbers: each is sent there once.
    """

    rows: Mapping[str, tuple[tuple[Tensor, ...], ...]]
    alike: frozenset[str]
    alive: Mapping[str, list[tuple[bool, ...]]]
    indices: Indices = Factory(dict)

    def active(self, link: Link) -> tuple[bool, ...] | None:
        """Return which candidates of an open edge are run; None: all."""
        assert link.group is not None
        alive = self.alive.get(link.group)
        return None if alive is None else alive[link.row]

    def runs(self, link: Link, column: int) -> bool:
        """Return whether a candidate of an open edge is run."""
        active = self.active(link)
        return active is None or active[column]

    def row(self, link: Link) -> Tensor:
        """Return the weights of the candidates of an open edge, [O] or [B, O]."""
        assert link.group is not None
        uses = self.rows[link.group]
        return uses[link.replica if len(uses) > 1 else 0][link.row]

    def of(self, link: Link) -> tuple[Tensor, ...]:
        """Return the weight of each candidate of an open edge, O scalars or tensors [B]."""
        # Unbind once: the gradient of each indexing would be a full tensor of zeros.
        return self.row(link).unbind(-1)

    def chosen(self, links: Sequence[Link], columns: Sequence[int]) -> tuple[Tensor, bool]:
        """Return the weights of some candidates of n edges of a group, [n, K] or [B, n, K].

        Returns:
            The weights, and whether all images have the same ones, so that only gradients are per image.
        """
        rows = [self.row(link) for link in links]
        weights = rows[0].unsqueeze(-2) if len(rows) == 1 else torch.stack(rows, -2)
        if len(columns) < weights.shape[-1]:
            weights = weights.index_select(-1, self._index(tuple(columns), weights.device))
        return weights, links[0].group in self.alike

    def _index(self, columns: tuple[int, ...], device: torch.device) -> Tensor:
        if (columns, device) not in self.indices:
            self.indices[columns, device] = sent(torch.tensor(columns, device="cpu"), device)
        return self.indices[columns, device]


def weigh(
    shapes: Mapping[str, GroupShape],
    mixture: Mixture | None,
    alive: Alive | None,
    samples: int,
    indices: Indices | None = None,
) -> Weights:
    """Return the weights of all candidates of a mixture, after checking its groups and shapes.

    Args:
        shapes: The shape of each group; empty for a closed network.
        mixture: By group, [E, O], or [K, B, E, O] where B may be 1.
        alive: By group, [E, O] bool: the candidates to run.
        samples: Number of images in the batch, B.
        indices: The indices that were sent in earlier passes; new ones are added.

    Raises:
        DescriptionError: A group is missing or unknown, or a shape is wrong.
    """
    mixture, alive = mixture or {}, alive or {}
    problems = [*_unknown_groups(shapes, mixture, "mixture"), *_unknown_groups(shapes, alive, "alive")]
    for name, shape in shapes.items():
        problems += _shape_problems(name, shape, mixture.get(name), alive.get(name), samples)
    if problems:
        raise DescriptionError(problems)
    return Weights(
        rows={name: _rows(tensor) for name, tensor in mixture.items()},
        alike=frozenset(name for name, tensor in mixture.items() if _are_alike(tensor)),
        alive={name: [tuple(row) for row in tensor.tolist()] for name, tensor in alive.items()},
        indices={} if indices is None else indices,
    )


def _rows(mixture: Tensor) -> tuple[tuple[Tensor, ...], ...]:
    # Unbind once: the gradient of each indexing would be a full tensor of zeros.
    if mixture.dim() < PER_SAMPLE:
        return (mixture.unbind(),)
    if mixture.shape[1] == 1:
        return tuple(use.unbind() for use in mixture.squeeze(1).unbind())
    return tuple(use.unbind(1) for use in mixture.unbind())


def _are_alike(mixture: Tensor) -> bool:
    return mixture.dim() == PER_SAMPLE and mixture.shape[1] > 1 and mixture.stride(1) == 0


def _unknown_groups(
    shapes: Mapping[str, GroupShape], tensors: Mapping[str, Tensor], argument: str
) -> Iterator[Problem]:
    for name in tensors:
        if name not in shapes:
            text = f"the network has no group {name!r}." if shapes else "the network is closed."
            yield Problem(path=f"{argument}.{name}", text=text, hint=did_you_mean(name, shapes))


def _shape_problems(
    name: str, shape: GroupShape, mixture: Tensor | None, alive: Tensor | None, samples: int
) -> Iterator[Problem]:
    flat = (shape.rows, shape.columns)
    many = [(shape.replicas, count, *flat) for count in (1, samples)]
    if mixture is None:
        yield Problem(path=f"mixture.{name}", text=f"the network is open: pass a mixture of shape {flat}.")
    elif tuple(mixture.shape) not in {flat, *many}:
        text = f"the shape is {tuple(mixture.shape)}, not {flat} or {many[1]}."
        yield Problem(path=f"mixture.{name}", text=text)
    if alive is not None and tuple(alive.shape) != flat:
        yield Problem(path=f"alive.{name}", text=f"the shape is {tuple(alive.shape)}, not {flat}.")
