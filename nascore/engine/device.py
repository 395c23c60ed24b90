"""The device of a run, and the global state of torch, which is set for a run and restored afterwards.

Gradients, inference mode, autocast and the default device belong to a thread. All other state here belongs to
the process: the first user sets it, the last user restores it.
"""

from __future__ import annotations

import re
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
"""Lock of training: a second search in another thread waits for the first."""

AUTOCAST: Final = ("cpu", "cuda")
"""Device types of runs, on which autocast must be off."""


@frozen(kw_only=True)
class _Flag:
    """A flag of torch that applies to the whole process.

    Attributes:
        needed: Its value while a run computes.
        get: Reads the flag.
        set: Changes the flag.
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
        # The precision was set per backend; torch then refuses to read and to change the common value.
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
    """The flags of this process with their values before nascore changed them.

    Attributes:
        lock: Held while flags are changed.
        users: Number of runs and checks that need the flags now.
        before: The changed flags, each with its previous value.
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
    """Set the global state of torch to the defaults of nascore, and restore the caller's state at the end.

    Gradients are on, float32 is the default type and the CPU the default device; inference mode, autocast and
    anomaly detection are off; convolutions are reproducible; torch's deterministic mode is off, whatever the
    caller prefers, so that the same run gives the same numbers.
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
            # Only if needed, since this context makes every call of torch slower.
            stack.enter_context(torch.device("cpu"))
        yield


def check_torch_state(who: str) -> None:
    """Refuse to continue if a plugin changed torch's global state.

    Args:
        who: The component that was called last, for the message.

    Raises:
        PluginError: The state differs, for example gradients are off and nothing would be learned.
    """
    found = torch_state_changes()
    if found:
        changes = " and ".join(found)
        text = f"{who} {changes}, and did not restore it: training would learn nothing, or not the same."
        hint = "Use a torch context manager instead: with torch.no_grad(): ..."
        raise PluginError([Problem(path="", text=text, hint=hint, of_plugin=True)])


def torch_state_changes() -> list[str]:
    """Return the changes in this thread to the state that :func:`ambient` set, each as a predicate."""
    found = [] if torch.is_grad_enabled() else ["switched gradients off"]
    found += ["switched inference mode on"] if torch.is_inference_mode_enabled() else []
    found += [f"switched autocast on for {kind}" for kind in AUTOCAST if torch.is_autocast_enabled(kind)]
    if torch.get_default_dtype() != torch.float32:
        found.append(f"made {torch.get_default_dtype()} the default type")
    if torch.get_default_device().type != "cpu":
        found.append(f"made {torch.get_default_device()} the default device")
    return found


def device_of(name: Literal["auto", "cpu", "cuda"], origin: Origin | None = None) -> torch.device:
    """Return the device of this name; `auto` is CUDA if it is available, else the CPU.

    Args:
        name: The requested device.
        origin: The origin of the request, for the message.

    Raises:
        RecipeError: CUDA is requested but not available.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        text = "this machine or this torch build has no CUDA."
        hint = "Write --device cpu, or --device auto for the best available device."
        raise RecipeError([Problem(path="device", text=text, origin=origin, hint=hint)])
    kind = ("cuda" if available else "cpu") if name == "auto" else name
    return torch.device(kind)


def device_for(recipe: Recipe) -> torch.device:
    """Return the device of a recipe.

    Raises:
        RecipeError: CUDA is requested but not available; names the origin of the request.
    """
    origins = {path: origin for path, _, origin in recipe.part(RUN).values()}
    return device_of(recipe.run.device, origins.get("device"))


@contextmanager
def computing(threads: int) -> Iterator[None]:
    """Set torch up for a run with this many threads, and restore the previous state at the end.

    Only one thread of the process is inside at a time; others wait. See :func:`ambient` for the state.
    """
    with ONE_AT_A_TIME, ambient():
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def arithmetic() -> dict[str, str]:
    """Return the instruction set and the BLAS of torch, which decide on the last digits of sums."""
    found = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    version = re.search(r"(?:Math Kernel Library|OpenBLAS) (?:Version )?([\w.]+)", torch.__config__.show())
    names = [one[1] for one in (found, version) if one is not None]
    return {
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
        "blas": " ".join(names) or "unknown",
    }
