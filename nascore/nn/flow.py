"""Whether an operation lets the gradient through: what it cuts off never learns, and nothing else tells."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import torch

from nascore.description import expand
from nascore.errors import PluginError, Problem
from nascore.nn.chance import draws, redirecting
from nascore.nn.compiler import kind_of
from nascore.nn.measured import measured

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from nascore.description import Catalogue, Description
    from nascore.description.names import Scalar

MOST_KNOWN: Final = 4096
"""Operations that are remembered."""

INPUT: Final = "its input"

_SAMPLES: Final = 2


def check_gradients(description: Description, catalogue: Catalogue, image: tuple[int, int]) -> None:
    """Refuse operations that cut off the gradient, each tried by itself where it stands.

    Operations made of torch's own modules pass it on by construction and are not tried.

    Args:
        description: Open or closed.
        catalogue: The operations that it may name.
        image: Height and width of an image.

    Raises:
        PluginError: The result of an operation depends on its input, or on a weight, that gets no gradient.
    """
    sizes: list[tuple[int, ...]] = []
    found: dict[str, tuple[str, ...]] = {}
    for state in expand(description, catalogue).states:
        size: tuple[int, ...] = image if not state.wires else sizes[state.wires[0].source]
        for wire in state.wires:
            given = sizes[wire.source]
            for op in wire.ops:
                size = measured(op, wire, given, description, catalogue).size
                kind, settings = kind_of(op, description, catalogue)
                shape = (wire.c_in, wire.width, wire.stride)
                cut = cut_off(kind, tuple(settings.items()), shape, given)
                found |= {op.name: cut} if cut else {}
        sizes.append(size)
    if found:
        raise PluginError([_problem(name, cut) for name, cut in found.items()])


def _problem(name: str, cut: tuple[str, ...]) -> Problem:
    text = f"operation {name} gives no gradient to {', '.join(cut)}, though its result depends on it:"
    before = " it and what stands before it learn nothing." if INPUT in cut else " that is never trained."
    hint = (
        "Look for detach(), no_grad() or data in its forward. A weight that is not to be trained has "
        "requires_grad=False."
    )
    return Problem(path="operations", text=text + before, hint=hint, of_plugin=True)


@lru_cache(maxsize=MOST_KNOWN)
def cut_off(
    kind: Callable[..., nn.Module],
    settings: tuple[tuple[str, Scalar], ...],
    shape: tuple[int, int, int],
    size: tuple[int, ...],
) -> tuple[str, ...]:
    """Return what of an operation gets no gradient, though its result in training depends on it.

    Zeros and noise depend on nothing and cut nothing off. Each operation is tried once in a process.

    Args:
        kind: What builds it.
        settings: Its settings.
        shape: Channels in, channels out, stride.
        size: Height and width of its input; empty where it has none.

    Returns:
        :data:`INPUT`, and the names of weights that require a gradient.
    """
    with redirecting({"cpu": _generator(0)}):
        module = kind(*shape, **dict(settings)).train()
    if not draws(module):
        return ()
    x = torch.randn(_SAMPLES, shape[0], *size, generator=_generator(1)).requires_grad_()
    y = _run(module, x)
    if not torch.equal(y, _run(module, x)):
        return ()  # it draws by ways that nobody can repeat: no difference would tell anything
    asked = {INPUT: x, **{name: one for name, one in module.named_parameters() if one.requires_grad}}
    slopes: tuple[Any, ...] = (None,) * len(asked)
    if y.requires_grad:
        slopes = torch.autograd.grad(y.sum(), list(asked.values()), allow_unused=True)
    missing = [name for name, slope in zip(asked, slopes, strict=True) if slope is None]
    return tuple(name for name in missing if _matters(module, x, asked[name], y))


def _matters(module: nn.Module, x: Tensor, one: Tensor, before: Tensor) -> bool:
    """Say whether another value of the input or of a weight gives another result."""
    kept = one.detach().clone()
    with torch.no_grad():
        one += torch.randn(one.shape, generator=_generator(2))
        after = _run(module, x)
        one.copy_(kept)
    return not torch.equal(after, before)


def _run(module: nn.Module, x: Tensor) -> Tensor:
    with redirecting({"cpu": _generator(3)}):
        result: Tensor = module(x * 1)  # not the leaf itself: it may be changed in place
    return result


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
