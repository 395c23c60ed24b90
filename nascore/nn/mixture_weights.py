"""Checks the mixture of a forward pass, and splits it into one weight per candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

from nascore.errors import DescriptionError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from nascore.nn.program import Link

Mixture: TypeAlias = "Mapping[str, Tensor]"
Alive: TypeAlias = "Mapping[str, Tensor]"

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
        shapes: The shape of each group.
        entries: By group, its weights: scalars in the order [E, O], or tensors [B] in the order [K, E, O].
        shared: By group, whether its K uses have the same weights.
        alive: By group, [E][O]; all candidates of a group that is missing are run.
    """

    shapes: Mapping[str, GroupShape]
    entries: Mapping[str, tuple[Tensor, ...]]
    shared: Mapping[str, bool]
    alive: Mapping[str, list[list[bool]]]

    def runs(self, link: Link, column: int) -> bool:
        """Return whether a candidate of an open edge is run."""
        assert link.group is not None
        alive = self.alive.get(link.group)
        return alive is None or alive[link.row][column]

    def weighted(self, link: Link, column: int, value: Tensor) -> Tensor:
        """Return the output of a candidate times its weight."""
        assert link.group is not None
        shape = self.shapes[link.group]
        replica = 0 if self.shared[link.group] else link.replica
        weight = self.entries[link.group][(replica * shape.rows + link.row) * shape.columns + column]
        # A scalar, or one weight per image, broadcast over all other dimensions.
        return value * (weight.view(-1, *(1,) * (value.dim() - 1)) if weight.dim() else weight)


def weigh(
    shapes: Mapping[str, GroupShape], mixture: Mixture | None, alive: Alive | None, samples: int
) -> Weights:
    """Return the weights of all candidates of a mixture, after checking its groups and shapes.

    Args:
        shapes: The shape of each group; empty for a closed network.
        mixture: By group, [E, O], or [K, B, E, O] where B may be 1.
        alive: By group, [E, O] bool: the candidates to run.
        samples: Number of images in the batch, B.

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
        shapes=shapes,
        entries={name: _entries(tensor) for name, tensor in mixture.items()},
        shared={name: tensor.dim() < PER_SAMPLE for name, tensor in mixture.items()},
        alive={name: tensor.tolist() for name, tensor in alive.items()},
    )


def _entries(mixture: Tensor) -> tuple[Tensor, ...]:
    # Unbind once: the gradient of each indexing would be a full tensor of zeros.
    if mixture.dim() < PER_SAMPLE:
        return mixture.reshape(-1).unbind()
    return mixture.permute(0, 2, 3, 1).reshape(-1, mixture.shape[1]).unbind()


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
