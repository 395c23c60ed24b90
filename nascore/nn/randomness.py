"""Redirects the random numbers of modules from torch's global generators to explicit ones.

A module takes no generator: dropout, noise and initial weights draw from the global one. Code inside
:class:`Redirected` draws the same numbers from the given generators instead, in the current thread only.
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
from nascore.nn.stages import has_hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Generator, Tensor
    from torch._ops import OpOverload

Generators: TypeAlias = "Mapping[str, Generator]"
"""Generators by device type, such as ``cpu``."""

Args: TypeAlias = "tuple[Any, ...]"
Kwargs: TypeAlias = "dict[str, Any]"
SeededCall: TypeAlias = "Callable[[Generator, Args, Kwargs], object]"

_CURRENT: ContextVar[Generators | None] = ContextVar("current", default=None)

_GENERATOR: Final = "generator"

_DROPOUT_ARGUMENTS: Final = ("dropout_p", "dropout")
"""Arguments of fused operations, which draw random numbers only if one of these is not zero."""

_GLOBAL: Final = Lock()
"""Held while the global generator of a GPU is in use, for the few operations that accept no generator."""

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
"""Submodules of ``torch.nn.modules`` whose classes draw no random numbers, except :data:`_RANDOM`."""

_RANDOM: Final = (
    nn.RReLU,
    nn.MultiheadAttention,
    nn.FractionalMaxPool2d,
    nn.FractionalMaxPool3d,
    operations.Noise,
)


@contextmanager
def use_generators(generators: Generators) -> Iterator[None]:
    """Make networks that are called inside, in this thread, draw from these generators."""
    token = _CURRENT.set(generators)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_generators() -> Generators | None:
    """Return the generators of :func:`use_generators` in this thread; None: torch's global ones are used."""
    return _CURRENT.get()


@contextmanager
def redirect_draws(generators: Generators | None) -> Iterator[None]:
    """Make all torch code inside draw from these generators; None: from torch's global ones."""
    if generators is None:
        yield
        return
    with Redirected(generators):
        yield


def draws(module: nn.Module) -> bool:
    """Return whether calling a module may draw random numbers; True for every unknown class."""
    return draws_itself(module) or any(map(has_hooks, module.modules()))


def draws_itself(module: nn.Module) -> bool:
    """Return whether a module may draw random numbers other than in hooks."""
    return not all(_is_deterministic(type(each)) for each in module.modules())


def _is_deterministic(kind: type[nn.Module]) -> bool:
    package, _, name = kind.__module__.rpartition(".")
    known = (package == modules.__name__ and name in _NN) or package == operations.__name__
    return known and kind not in _RANDOM


class Redirected(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Context in which torch draws from explicit generators, in the current thread only.

    The numbers equal those of torch's global generator in the same state. Dropout on a GPU is computed with
    a mask, since torch's fused kernel takes no generator; fused attention and recurrent layers with dropout
    on a GPU use the global generator, whose state is restored afterwards.

    Args:
        generators: By device type; draws on other devices are not redirected.
    """

    def __init__(self, generators: Generators) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._generators = generators

    def __torch_dispatch__(
        self, func: OpOverload, types: object, args: Args = (), kwargs: Kwargs | None = None
    ) -> object:
        """Call an operator of torch, with a generator if it draws random numbers."""
        del types
        named = kwargs or {}
        seeded_call = _seeded_call(func)
        if seeded_call is None:
            return func(*args, **named)
        generator = self._generators.get(_device_type(args, named))
        if generator is None:
            return func(*args, **named)
        return seeded_call(generator, args, named)


@cache
def _seeded_call(func: OpOverload) -> SeededCall | None:
    """Return a function that calls an operator with a generator; None if the operator draws nothing."""
    if torch.Tag.nondeterministic_seeded not in getattr(func, "tags", ()):
        return None
    overload = func if _GENERATOR in _names(func) else _sibling(func)
    if overload is not None:
        return partial(_call_with_generator, overload, _names(overload).index(_GENERATOR))
    if func is torch.ops.aten.native_dropout.default:
        return _dropout
    return partial(_borrow_global_generator, func)


def _call_with_generator(
    func: OpOverload, position: int, generator: Generator, args: Args, named: Kwargs
) -> object:
    if len(args) > position:
        current = args[position]
        args = (*args[:position], generator if current is None else current, *args[position + 1 :])
    elif named.get(_GENERATOR) is None:
        named = {**named, _GENERATOR: generator}
    return func(*args, **named)


def _arguments(func: OpOverload) -> list[Any]:
    return list(func._schema.arguments)  # noqa: SLF001 - torch has no other way to ask


def _names(func: OpOverload) -> list[str]:
    return [argument.name for argument in _arguments(func)]


def _sibling(func: OpOverload) -> OpOverload | None:
    """Return the overload with the same arguments and a generator; None if there is none."""
    expected = [(one.name, str(one.type)) for one in _arguments(func)]
    packet = func.overloadpacket
    for name in packet.overloads():
        other: OpOverload = getattr(packet, name)
        rest = [(one.name, str(one.type)) for one in _arguments(other) if one.name != _GENERATOR]
        if rest == expected and _GENERATOR in _names(other):
            return other
    return None


def _dropout(generator: Generator, args: Args, named: Kwargs) -> tuple[Tensor, Tensor]:
    x, rate, train = (*args, *(named[name] for name in ("input", "p", "train")[len(args) :]))
    if train is False or not x.numel():
        mask = torch.ones_like(x, dtype=torch.bool)
        return x.clone(), mask
    keep = 1 - rate
    mask = torch.empty_like(x, dtype=torch.bool).bernoulli_(keep, generator=generator)
    return x * mask * (1 / keep if keep else 0), mask


def _borrow_global_generator(func: OpOverload, generator: Generator, args: Args, named: Kwargs) -> object:
    bound = {**dict(zip(_names(func), args, strict=False)), **named}
    if not any(bound.get(name) for name in _DROPOUT_ARGUMENTS):
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


def _device_type(args: Sequence[Any], named: Mapping[str, Any]) -> str:
    """Return the type of the device on which an operator computes."""
    for value in (*args, *named.values()):
        if isinstance(value, torch.Tensor):
            return value.device.type
    device = named.get("device")
    return "cpu" if device is None else torch.device(device).type
