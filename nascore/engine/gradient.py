"""Gradients without gaps, and never of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch

from nascore.errors import Problem, RunFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

NAMED: Final = 3
"""Of how many tensors a message gives the names."""


def gradients(
    scalar: Tensor, *sources: Mapping[str, Tensor], of: str = "the loss"
) -> tuple[dict[str, Tensor], ...]:
    """Return the derivative of a scalar with respect to named tensors, in one backward pass.

    A tensor that the scalar does not depend on gets zeros: whether an operation was run must not decide
    whether momentum and weight decay reach its weights.

    Args:
        scalar: What is differentiated.
        sources: Tensors by name; a result is returned for each mapping.
        of: What the scalar is, for the message; empty: it may be a constant.

    Raises:
        RunFailed: The scalar depends on nothing that requires a gradient, and is no constant on purpose.
    """
    flat = [tensor for source in sources for tensor in source.values()]
    if of and flat and not scalar.requires_grad:
        names = [name for source in sources for name in source]
        text = f"{of} has no gradient, so nothing is learned: {few(names)} would stay as they are."
        raise RunFailed([Problem(path="", text=text, hint=_cause())])
    found: tuple[Tensor | None, ...] = (None,) * len(flat)
    if scalar.requires_grad and flat:
        found = torch.autograd.grad(scalar, flat, allow_unused=True)
    filled = (
        torch.zeros_like(tensor) if slope is None else slope
        for tensor, slope in zip(flat, found, strict=True)
    )
    return tuple({name: next(filled) for name in source} for source in sources)


def few(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _cause() -> str:
    if not torch.is_grad_enabled():
        return "Gradients are switched off: a plugin of this run called set_grad_enabled(False)."
    return (
        "Something detaches it: look for detach(), no_grad() or data in what the plugins of this run bring."
    )
