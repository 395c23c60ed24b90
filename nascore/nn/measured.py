"""What an operation gives and costs, without its numbers: torch's meta device holds shapes alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import torch
from attrs import frozen
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from nascore.nn.compiler import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch._ops import OpOverload

    from nascore.description import Catalogue, Description, Op, Wire
    from nascore.description.names import Scalar

MOST_KNOWN: Final = 4096
"""Operations that are remembered: a search measures many architectures of the same operations."""

SAMPLES: Final = 2
"""Images that are sent through an operation: batch norm refuses one value per channel."""

FLOPS: Final = 2
"""Floating point operations of a multiply-accumulate."""


@frozen(kw_only=True)
class Measured:
    """What is known of an operation in its place.

    Attributes:
        params: Its parameters.
        macs: Multiply-accumulates per image.
        shape: Of its output, without the images of a batch: [C, H, W], or [C] for logits.
        kept: Numbers per image that its modules give, which the backward pass needs.
    """

    params: int
    macs: int
    shape: tuple[int, ...]
    kept: int

    @property
    def size(self) -> tuple[int, ...]:
        """Height and width of its output; empty for logits."""
        return self.shape[1:]


def measured(  # noqa: PLR0913 - an operation, where it stands, and on how many images
    op: Op,
    wire: Wire,
    size: tuple[int, ...],
    description: Description,
    catalogue: Catalogue,
    *,
    samples: int = SAMPLES,
) -> Measured:
    """Measure an operation in training mode; each distinct one is built once in a process.

    Args:
        op: The operation.
        wire: Where it stands.
        size: Height and width of the state that it reads.
        description: Whose operation it is.
        catalogue: Brings what builds it.
        samples: Images that it is measured on.

    Raises:
        Exception: Whatever the operation raises for an input of this shape.
    """
    # What builds it, not its name: two plugins may bring an operation of the same name.
    kind, settings = kind_of(op, description, catalogue)
    return _measured(kind, tuple(settings.items()), (wire.c_in, wire.width, wire.stride), size, samples)


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts floating point operations with torch's own formulas.

    torch's counter listens to the modules of the whole process while it counts, those of other threads too.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        """Call an operation of torch."""
        del types
        named = kwargs or {}
        formula = flop_registry.get(func.overloadpacket)
        if formula is None:
            with self:
                parts = func.decompose(*args, **named)
            if parts is not NotImplemented:
                return parts
        result = func(*args, **named)
        if formula is not None:
            self.flops += formula(*args, **named, out_val=result)
        return result


@lru_cache(maxsize=MOST_KNOWN)
def _measured(
    kind: Callable[..., nn.Module],
    settings: tuple[tuple[str, Scalar], ...],
    shape: tuple[int, int, int],
    size: tuple[int, ...],
    samples: int,
) -> Measured:
    kept = 0

    def count(_module: nn.Module, _given: object, result: object) -> None:
        nonlocal kept
        kept += result.numel() if isinstance(result, torch.Tensor) else 0

    with torch.device("meta"), torch.no_grad():
        module = kind(*shape, **dict(settings))
        if not isinstance(module, nn.Module):
            raise TypeError(f"it builds {type(module).__name__}, not a torch.nn.Module")
        for each in module.modules():
            if not any(each.children()):
                each.register_forward_hook(count)
        x = torch.empty(samples, shape[0], *size)
        with _Counting() as counter:
            y = module(x)
    if not isinstance(y, torch.Tensor):
        raise TypeError(f"it returns {type(y).__name__}, not a tensor")
    return Measured(
        params=sum(each.numel() for each in module.parameters()),
        macs=counter.flops // (samples * FLOPS),
        shape=tuple(y.shape[1:]),
        kept=kept // samples,
    )
