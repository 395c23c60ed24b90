"""Random numbers for operations, from generators of their own instead of torch's global ones.

Modules know no generator: dropout, noise and first weights come from the global one. What is called inside
:class:`Redirected` draws the same numbers from generators of its own. Only this thread is concerned.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import torch
from torch import nn
from torch.nn import modules
from torch.utils._python_dispatch import TorchDispatchMode

from nascore.nn import operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Generator, Tensor
    from torch._ops import OpOverload

Generators: TypeAlias = "Mapping[str, Generator]"
"""By type of device, such as ``cpu``."""

Args: TypeAlias = "tuple[Any, ...]"
Named: TypeAlias = "dict[str, Any]"
Drawing: TypeAlias = "Callable[[Generator, Args, Named], object]"

_LENT: ContextVar[Generators | None] = ContextVar("lent", default=None)

_GENERATOR: Final = "generator"

_SHARES: Final = ("dropout_p", "dropout")
"""Arguments of fused operations that draw only where they are not zero."""

_GLOBAL: Final = Lock()
"""Held while torch's global generator of a GPU is moved, for the few operations that take no other."""

_NN: Final = (
    "activation",
    "batchnorm",
    "channelshuffle",
    "container",
    "conv",
    "flatten",
    "instancenorm",
    "linear",
    "normalization",
    "padding",
    "pixelshuffle",
    "pooling",
    "upsampling",
)
"""Modules of ``torch.nn.modules`` with classes that draw nothing, but for those in :data:`_RANDOM`."""

_RANDOM: Final = (
    nn.RReLU,
    nn.MultiheadAttention,
    nn.FractionalMaxPool2d,
    nn.FractionalMaxPool3d,
    operations.Noise,
)


@contextmanager
def lending(generators: Generators) -> Iterator[None]:
    """Let networks that are called inside, in this thread, draw from these generators."""
    token = _LENT.set(generators)
    try:
        yield
    finally:
        _LENT.reset(token)


def lent() -> Generators | None:
    """Return the generators that are lent in this thread; None: draw from torch's global ones."""
    return _LENT.get()


@contextmanager
def redirecting(generators: Generators | None) -> Iterator[None]:
    """Let whatever is called inside draw from these generators; None: from torch's global ones."""
    if generators is None:
        yield
        return
    with Redirected(generators):
        yield


def draws(module: nn.Module) -> bool:
    """Say whether calling a module may draw random numbers: whatever is not known to draw none."""
    return any(not _is_quiet(type(each)) or _is_watched(each) for each in module.modules())


def _is_quiet(kind: type[nn.Module]) -> bool:
    package, _, name = kind.__module__.rpartition(".")
    known = (package == modules.__name__ and name in _NN) or package == operations.__name__
    return known and kind not in _RANDOM


def _is_watched(module: nn.Module) -> bool:
    hooks = ("_forward_hooks", "_forward_pre_hooks")
    return "forward" in vars(module) or any(getattr(module, name) for name in hooks)


class Redirected(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """What is computed inside draws from generators of its own; of this thread only.

    The numbers are those that torch's global generator would give in the same state. Dropout on a GPU is made
    of a mask, since torch's fused form takes no generator; fused attention and recurrent layers with dropout
    on a GPU borrow the global one, and put it back.

    Args:
        generators: By type of device; on other devices nothing is redirected.
    """

    def __init__(self, generators: Generators) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._generators = generators

    def __torch_dispatch__(
        self, func: OpOverload, types: object, args: Args = (), kwargs: Named | None = None
    ) -> object:
        """Call an operation of torch."""
        del types
        named = kwargs or {}
        drawn = _drawing(func)
        if drawn is None:
            return func(*args, **named)
        kind = _device_of(args, named)
        generator = self._generators.get(kind)
        if generator is None:
            return func(*args, **named)
        return drawn(generator, args, named)


@cache
def _drawing(func: OpOverload) -> Drawing | None:
    """Return what calls an operation with a generator; None where it draws nothing."""
    if torch.Tag.nondeterministic_seeded not in getattr(func, "tags", ()):
        return None
    taking = func if _GENERATOR in _names(func) else _sibling(func)
    if taking is not None:
        return partial(_given, taking, _names(taking).index(_GENERATOR))
    return _dropout if func is torch.ops.aten.native_dropout.default else partial(_borrowing, func)


def _given(taking: OpOverload, place: int, generator: Generator, args: Args, named: Named) -> object:
    if len(args) > place:
        args = (*args[:place], generator if args[place] is None else args[place], *args[place + 1 :])
    elif named.get(_GENERATOR) is None:
        named = {**named, _GENERATOR: generator}
    return taking(*args, **named)


def _arguments(func: OpOverload) -> list[Any]:
    return list(func._schema.arguments)  # noqa: SLF001 - torch has no other way to ask


def _names(func: OpOverload) -> list[str]:
    return [argument.name for argument in _arguments(func)]


def _sibling(func: OpOverload) -> OpOverload | None:
    """Return the overload that takes a generator and otherwise the same arguments; None: there is none."""
    wanted = [(one.name, str(one.type)) for one in _arguments(func)]
    packet = func.overloadpacket
    for name in packet.overloads():
        other: OpOverload = getattr(packet, name)
        rest = [(one.name, str(one.type)) for one in _arguments(other) if one.name != _GENERATOR]
        if rest == wanted and _GENERATOR in _names(other):
            return other
    return None


def _dropout(generator: Generator, args: Args, named: Named) -> tuple[Tensor, Tensor]:
    x, share, train = (*args, *(named[name] for name in ("input", "p", "train")[len(args) :]))
    if train is False or not x.numel():
        mask = torch.ones_like(x, dtype=torch.bool)
        return x.clone(), mask
    keep = 1 - share
    mask = torch.empty_like(x, dtype=torch.bool).bernoulli_(keep, generator=generator)
    return x * mask * (1 / keep if keep else 0), mask


def _borrowing(func: OpOverload, generator: Generator, args: Args, named: Named) -> object:
    bound = {**dict(zip(_names(func), args, strict=False)), **named}
    if not any(bound.get(name) for name in _SHARES):
        return func(*args, **named)
    device = generator.device
    with _GLOBAL:
        before = _state(device)
        _set_state(device, generator.get_state())
        try:
            return func(*args, **named)
        finally:
            generator.set_state(_state(device))
            _set_state(device, before)


def _state(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_state(device: torch.device, state: Tensor) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)


def _device_of(args: Sequence[Any], named: Mapping[str, Any]) -> str:
    """Return the type of device on which an operation computes."""
    for value in (*args, *named.values()):
        if isinstance(value, torch.Tensor):
            return value.device.type
    device = named.get("device")
    return "cpu" if device is None else torch.device(device).type
