"""Counts dispatched operations and waits for the device, on a machine that may have no device.

A CPU has no queue, so a wait cannot be observed there. Instead it is known which tensors an accelerator would
hold: the ones named at the beginning, every tensor computed from these, and every tensor made with an
explicit device. A read of such a tensor's values by Python waits for the device; a host tensor that meets one
is copied to the device.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from attrs import Factory, define, evolve
from torch.multiprocessing.reductions import StorageWeakRef
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]

READS = frozenset(
    {"_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "_unique2", "bincount"}
)
"""Operations that wait for the values of their arguments."""

ALLOCATIONS = frozenset({"empty", "empty_like", "empty_strided", "new_empty", "_unsafe_view"})
"""Operations that compute nothing, though they return no view."""

METHODS = ("tolist", "numpy", "cpu")
"""Methods that wait for the values of a tensor, and dispatch nothing if it lies on the CPU."""

PINNED = "nascore/nn/transfers.py:sent"
"""The function that copies to an accelerator from pinned memory, without waiting."""


@define(kw_only=True)
class Counts:
    """The counts of a piece of work.

    Attributes:
        operations: Dispatched operations, forward and backward, with those of optimizers.
        launches: Those of them that compute: all but views and allocations.
        of_optimizers: Those inside the steps of optimizers.
        reads: Waits for the device, by place: the innermost function of this project, and the operation.
        copies: Copies of host tensors to the device, by place.
    """

    operations: int = 0
    launches: int = 0
    of_optimizers: int = 0
    reads: Counter[str] = Factory(Counter)
    copies: Counter[str] = Factory(Counter)

    def copied(self) -> Counts:
        """Return the counts so far."""
        return evolve(self, reads=Counter(self.reads), copies=Counter(self.copies))

    def since(self, before: Counts) -> Counts:
        """Return the counts after those of `before`."""
        return Counts(
            operations=self.operations - before.operations,
            launches=self.launches - before.launches,
            of_optimizers=self.of_optimizers - before.of_optimizers,
            reads=self.reads - before.reads,
            copies=self.copies - before.copies,
        )

    @property
    def synchronisations(self) -> int:
        """The number of waits for the device."""
        return self.reads.total()


@define
class _Device:
    """The tensors that an accelerator would hold, known by their storages.

    A weak reference keeps the address of a storage from being used again, so an address identifies it.
    """

    storages: dict[int, StorageWeakRef] = Factory(dict)

    def add(self, tensors: Iterable[object]) -> None:
        for tensor in tensors:
            if isinstance(tensor, torch.Tensor):
                reference = StorageWeakRef(tensor.untyped_storage())
                self.storages[reference.cdata] = reference

    def holds(self, value: object) -> bool:
        return isinstance(value, torch.Tensor) and value.untyped_storage()._cdata in self.storages  # noqa: SLF001 - there is no public name


class _Calls(TorchFunctionMode):
    """Follows calls from Python, which may name a device or read a tensor without a dispatched operation."""

    def __init__(self, counts: Counts, device: _Device) -> None:
        super().__init__()
        self.counts, self.device = counts, device
        self.on_device = True

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - any result of torch
        """Run a function or method of torch."""
        kwargs = kwargs or {}
        leaves = list(_leaves((*args, *kwargs.values())))
        # A run names its device by an object; who writes "cpu" means the host.
        named = any(isinstance(leaf, torch.device) for leaf in leaves) or (
            func is torch.Tensor.to and any(map(self.device.holds, leaves[1:]))
        )
        before = self.on_device
        self.on_device = named or any(map(self.device.holds, leaves))
        try:
            if func in _METHODS and self.device.holds(args[0]):
                self.counts.reads[_place(func.__name__)] += 1
                return _copy(args[0]) if func is torch.Tensor.cpu else func(*args, **kwargs)
            result = func(*args, **kwargs)
        finally:
            self.on_device = before
        return self._sent(func, args, result) if named else result

    def _sent(self, func: Callable[..., Any], args: tuple[Any, ...], result: Any) -> Any:  # noqa: ANN401 - the same
        """Return the result of a call that names a device, as a tensor on the device."""
        is_host = func in _FROM_HOST or (func is torch.Tensor.to and not self.device.holds(args[0]))
        if is_host:
            place = _place(func.__name__)
            if not place.startswith(PINNED):
                self.counts.copies[place] += 1
            result = _copy(result)  # on the CPU it may be the same tensor, which stays on the host
        self.device.add(_leaves([result]))
        return result


_METHODS = frozenset(getattr(torch.Tensor, name) for name in METHODS)
_FROM_HOST = frozenset({torch.tensor, torch.as_tensor})


def _leaves(values: Iterable[object]) -> Iterator[object]:
    """Yield values, and in place of a list or tuple those in it; torch has no calls with deeper ones."""
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from value
        else:
            yield value


def _copy(tensor: Tensor) -> Tensor:
    with _disable_current_modes():
        return tensor.clone()


class _Operations(TorchDispatchMode):
    """Counts operations, and follows which tensors are on the device."""

    def __init__(self, counts: Counts, device: _Device, calls: _Calls) -> None:
        super().__init__()
        self.counts, self.device, self.calls = counts, device, calls
        self.in_optimizer = False

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 - an operation of torch
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - any result of torch
        """Run an operation."""
        kwargs = kwargs or {}
        if func.namespace == "profiler":
            return func(*args, **kwargs)
        self.counts.operations += 1
        self.counts.launches += _computes(func)
        self.counts.of_optimizers += self.in_optimizer
        tensors = [leaf for leaf in _leaves((*args, *kwargs.values())) if isinstance(leaf, torch.Tensor)]
        held = [self.device.holds(tensor) for tensor in tensors]
        name = func.overloadpacket.__name__
        if any(held):
            if name in READS or _is_indexed_by_mask(name, args):
                self.counts.reads[_place(name)] += 1
            elif any(tensor.dim() for tensor, on in zip(tensors, held, strict=True) if not on):
                self.counts.copies[_place(name)] += 1
        result = func(*args, **kwargs)
        if any(held) if tensors else self.calls.on_device:
            self.device.add(_leaves([result]))
        return result


def _computes(func: Any) -> bool:  # noqa: ANN401 - an operation of torch
    """Return whether an operation computes; a view or an allocation launches nothing on an accelerator."""
    schema = func._schema  # noqa: SLF001 - there is no public name
    is_view = any(one.alias_info is not None and not one.alias_info.is_write for one in schema.returns)
    return not is_view and func.overloadpacket.__name__ not in ALLOCATIONS


def _is_indexed_by_mask(name: str, args: tuple[Any, ...]) -> bool:
    """Return whether an operation reads how many entries of a mask are true."""
    if name not in {"index", "index_put", "index_put_", "_index_put_impl_"}:
        return False
    masks = [one for one in args[1] if one is not None and one.dtype in {torch.bool, torch.uint8}]
    if name != "index" and len(args[1]) == 1 and args[2].numel() == 1:
        return False  # torch fills where the mask is true
    return bool(masks)


def _place(name: str) -> str:
    """Return the innermost function of this project on the stack, and the name of an operation."""
    frame = sys._getframe(1)  # noqa: SLF001 - as in traceback, without the text of each line
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and "site-packages" not in path.parts and path != Path(__file__):
            return f"{path.relative_to(ROOT).as_posix()}:{frame.f_code.co_qualname} {name}"
        frame = frame.f_back  # type: ignore[assignment]
    return f"torch {name}"


@contextmanager
def counting(device: Iterable[Tensor] = ()) -> Iterator[Counts]:
    """Count all work inside.

    Args:
        device: The tensors that an accelerator would hold at the beginning.
    """
    counts, held = Counts(), _Device()
    held.add(device)
    calls = _Calls(counts, held)
    operations = _Operations(counts, held, calls)

    def within(inside: bool) -> Callable[..., None]:  # noqa: FBT001 - the only argument
        def note(*_: object) -> None:
            operations.in_optimizer = inside

        return note

    with ExitStack() as stack:
        for register, inside in (
            (register_optimizer_step_pre_hook, True),
            (register_optimizer_step_post_hook, False),
        ):
            stack.callback(register(within(inside)).remove)
        stack.enter_context(operations)
        stack.enter_context(calls)
        yield counts
