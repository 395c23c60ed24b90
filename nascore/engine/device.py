"""The device, and the global state of torch: set for a run and restored afterwards.

Gradients, inference mode, autocast and the default device belong to a thread. Everything else here belongs to
the process: the first that needs it sets it, the last puts it back.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any, Final, Literal

import torch
from attrs import Factory, define, frozen

from nascore.errors import PluginError, Problem, RecipeError
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nascore.errors import Origin
    from nascore.recipe import Recipe


ONE_AT_A_TIME: Final = RLock()
"""Held by whoever trains: a second search in another thread waits for the first."""

AUTOCAST: Final = ("cpu", "cuda")
"""Devices on which a run computes, and on which its operations must not be cast."""


@frozen(kw_only=True)
class _Flag:
    """A state of torch that a process has once.

    Attributes:
        needed: Its value while a run computes.
        get: Reads it.
        set: Changes it.
    """

    needed: Any
    get: Callable[[], Any]
    set: Callable[[Any], None]


def _attribute(owner: Any, name: str, needed: Any) -> _Flag:  # noqa: ANN401 - a module of torch, and its flag
    return _Flag(
        needed=needed, get=lambda: getattr(owner, name), set=lambda value: setattr(owner, name, value)
    )


def _matmul_precision() -> str:
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        # Set for each backend by itself; torch then refuses to say, and to change, the precision of all.
        return "highest"


def _detect_anomalies(state: tuple[bool, bool]) -> None:
    enabled, check_nan = state
    torch.autograd.set_detect_anomaly(enabled, check_nan)


_FLAGS: Final = (
    _Flag(needed=torch.float32, get=torch.get_default_dtype, set=torch.set_default_dtype),
    _Flag(needed=0, get=torch.get_deterministic_debug_mode, set=torch.set_deterministic_debug_mode),
    _Flag(needed="highest", get=_matmul_precision, set=torch.set_float32_matmul_precision),
    _Flag(
        needed=(False, True),
        get=lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        set=_detect_anomalies,
    ),
    _attribute(torch.backends.cudnn, "enabled", needed=True),
    _attribute(torch.backends.cudnn, "deterministic", needed=True),
    _attribute(torch.backends.cudnn, "benchmark", needed=False),
)


@define
class _Process:
    """The flags of this process, as they were before nascore needed them.

    Attributes:
        lock: Held while they are changed.
        users: How many need them now.
        before: What was changed, with its value before.
    """

    lock: Lock = Factory(Lock)
    users: int = 0
    before: list[tuple[_Flag, Any]] = Factory(list)

    def take(self) -> None:
        with self.lock:
            self.users += 1
            if self.users > 1:
                return
            for flag in _FLAGS:
                now = flag.get()
                if now != flag.needed:
                    self.before.append((flag, now))
                    flag.set(flag.needed)

    def give_back(self) -> None:
        with self.lock:
            self.users -= 1
            while not self.users and self.before:
                flag, value = self.before.pop()
                flag.set(value)


_PROCESS: Final = _Process()


@contextmanager
def ambient() -> Iterator[None]:
    """Let what is done inside find torch as nascore needs it; put back exactly what was set before.

    Gradients are on, 32-bit floats are the default type and the CPU the default device, inference mode,
    autocast and the search for anomalies are off, convolutions are repeatable, and the deterministic mode is
    as a run decides: off, whatever the caller prefers, so that the same run gives the same numbers.
    """
    with ExitStack() as stack:
        _PROCESS.take()
        stack.callback(_PROCESS.give_back)
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.set_grad_enabled(mode=True))
        for kind in AUTOCAST:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":
            # Only then: it makes every call into torch slower.
            stack.enter_context(torch.device("cpu"))
        yield


def check_torch_state(who: str) -> None:
    """Refuse to go on where somebody left torch otherwise than a run needs it.

    Args:
        who: Who was called last, for the message.

    Raises:
        PluginError: Gradients are off, for example: all that comes next would learn nothing.
    """
    found = torch_state_changes()
    if found:
        text = f"{who} {' and '.join(found)}, and left it so: nothing could be learned, or not the same."
        hint = "Use torch's context managers inside: with torch.no_grad(): ..."
        raise PluginError([Problem(path="", text=text, hint=hint, of_plugin=True)])


def torch_state_changes() -> list[str]:
    """Return what was switched in this thread since :func:`ambient` set it, each as a predicate of a text."""
    found = [] if torch.is_grad_enabled() else ["switched gradients off"]
    found += ["switched inference mode on"] if torch.is_inference_mode_enabled() else []
    found += [f"switched autocast on for {kind}" for kind in AUTOCAST if torch.is_autocast_enabled(kind)]
    if torch.get_default_dtype() != torch.float32:
        found.append(f"made {torch.get_default_dtype()} the default type")
    if torch.get_default_device().type != "cpu":
        found.append(f"made {torch.get_default_device()} the default device")
    return found


def device_of(name: Literal["auto", "cpu", "cuda"], origin: Origin | None = None) -> torch.device:
    """Return the device; `auto` is CUDA where there is one.

    Args:
        name: What is asked for.
        origin: Who asked.

    Raises:
        RecipeError: CUDA is asked for, and there is none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        text = "this machine, or this build of torch, has no CUDA."
        hint = "Write --device cpu, or auto for the best there is."
        raise RecipeError([Problem(path="device", text=text, origin=origin, hint=hint)])
    kind = ("cuda" if available else "cpu") if name == "auto" else name
    return torch.device(kind)


def device_for(recipe: Recipe) -> torch.device:
    """Return the device that a recipe asks for.

    Raises:
        RecipeError: CUDA is asked for, and there is none; says who asked for it.
    """
    origins = {path: origin for path, _, origin in recipe.part(RUN).values()}
    return device_of(recipe.run.device, origins.get("device"))


@contextmanager
def computing(threads: int) -> Iterator[None]:
    """Compute inside as a run does, with this many threads; put back what was set before.

    One at a time in a process: another thread waits here until the first is through. What a run needs of
    torch is set as in :func:`nascore.engine.device.ambient`.
    """
    with ONE_AT_A_TIME, ambient():
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
