"""Checks the operation weights of a pass, and splits them into one weight for each candidate."""

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
"""Dimensions of a mixture per use and sample, [K, B, E, O]."""


@frozen(kw_only=True)
class GroupShape:
    """How large a choice group is.

    Attributes:
        replicas: K, how often each row is used.
        rows: E, edges.
        columns: O, operations.
    """

    replicas: int
    rows: int
    columns: int


@frozen(kw_only=True)
class Weights:
    """What every candidate is multiplied by, and which are run at all.

    Attributes:
        shapes: How large each group is.
        entries: By group its weights: scalars in the order [E, O], or [B] in the order [K, E, O].
        shared: By group whether its uses have the same weights.
        alive: By group [E][O]; all of a group that is missing.
    """

    shapes: Mapping[str, GroupShape]
    entries: Mapping[str, tuple[Tensor, ...]]
    shared: Mapping[str, bool]
    alive: Mapping[str, list[list[bool]]]

    def runs(self, link: Link, column: int) -> bool:
        """Return whether a candidate of an open edge is to be run."""
        assert link.group is not None
        alive = self.alive.get(link.group)
        return alive is None or alive[link.row][column]

    def weighted(self, link: Link, column: int, value: Tensor) -> Tensor:
        """Return what a candidate gave, times its weight."""
        assert link.group is not None
        shape = self.shapes[link.group]
        replica = 0 if self.shared[link.group] else link.replica
        weight = self.entries[link.group][(replica * shape.rows + link.row) * shape.columns + column]
        # A scalar, or one weight per image in front of all other dimensions.
        return value * (weight.view(-1, *(1,) * (value.dim() - 1)) if weight.dim() else weight)


def weigh(
    shapes: Mapping[str, GroupShape], mixture: Mixture | None, alive: Alive | None, samples: int
) -> Weights:
    """Check a mixture and cut it up.

    Args:
        shapes: How large each group is; empty for a closed network.
        mixture: By group [E, O], or [K, B, E, O] where B may be 1.
        alive: By group [E, O] bool.
        samples: Number of images.

    Raises:
        DescriptionError: A group is missing, there is one too many, or a shape is wrong.
    """
    mixture, alive = mixture or {}, alive or {}
    problems = [*_strangers(shapes, mixture, "mixture"), *_strangers(shapes, alive, "alive")]
    for name, shape in shapes.items():
        problems += _misshapen(name, shape, mixture.get(name), alive.get(name), samples)
    if problems:
        raise DescriptionError(problems)
    return Weights(
        shapes=shapes,
        entries={name: _entries(tensor) for name, tensor in mixture.items()},
        shared={name: tensor.dim() < PER_SAMPLE for name, tensor in mixture.items()},
        alive={name: tensor.tolist() for name, tensor in alive.items()},
    )


def _entries(mixture: Tensor) -> tuple[Tensor, ...]:
    # Cut once: the gradient of each single index would be a whole tensor of zeros.
    if mixture.dim() < PER_SAMPLE:
        return mixture.reshape(-1).unbind()
    return mixture.permute(0, 2, 3, 1).reshape(-1, mixture.shape[1]).unbind()


def _strangers(shapes: Mapping[str, GroupShape], given: Mapping[str, Tensor], what: str) -> Iterator[Problem]:
    for name in given:
        if name not in shapes:
            text = f"the network has no group {name!r}." if shapes else "the network is closed."
            yield Problem(path=f"{what}.{name}", text=text, hint=did_you_mean(name, shapes))


def _misshapen(
    name: str, shape: GroupShape, mixture: Tensor | None, alive: Tensor | None, samples: int
) -> Iterator[Problem]:
    flat = (shape.rows, shape.columns)
    many = [(shape.replicas, count, *flat) for count in (1, samples)]
    if mixture is None:
        yield Problem(path=f"mixture.{name}", text=f"the network is open: give a mixture of shape {flat}.")
    elif tuple(mixture.shape) not in {flat, *many}:
        text = f"the shape is {tuple(mixture.shape)}, not {flat} or {many[1]}."
        yield Problem(path=f"mixture.{name}", text=text)
    if alive is not None and tuple(alive.shape) != flat:
        yield Problem(path=f"alive.{name}", text=f"the shape is {tuple(alive.shape)}, not {flat}.")
