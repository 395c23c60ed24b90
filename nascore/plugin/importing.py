"""Calling code of a plugin while plugins are found: it must not print into answers or change the process."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from contextlib import contextmanager
from io import StringIO
from operator import eq
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from attrs import Factory, define, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SHOWN: Final = 60
"""Letters of a plugin's output that a remark quotes."""

_UNKNOWN: Final = object()


@define
class Remarks:
    """What a plugin did to the process while its code was called, and what was put back since."""

    texts: list[str] = Factory(list)


@contextmanager
def contained() -> Iterator[Remarks]:
    """Catch what is printed inside, and put back what a process has once and the code inside changes.

    Only what this thread prints is caught.
    """
    remarks = Remarks()
    before = {one.remark: one.read() for one in _settings()}
    outside, sys.stdout = sys.stdout, _Caught(sys.stdout)
    caught = sys.stdout
    try:
        yield remarks
    finally:
        sys.stdout = outside
        text = " ".join(caught.text.getvalue().split())
        if text:
            remarks.texts.append(f"prints {text[:_SHOWN]!r}")
        remarks.texts.extend(one.remark for one in _settings() if _put_back(one, before))


class _Caught(StringIO):
    """A standard output that keeps the text of the thread that made it, and passes on that of others."""

    def __init__(self, outside: TextIO) -> None:
        super().__init__()
        self._outside = outside
        self._thread = threading.get_ident()
        self.text = StringIO()

    def write(self, text: str) -> int:
        inside = threading.get_ident() == self._thread
        return (self.text if inside else self._outside).write(text)

    def fileno(self) -> int:
        return self._outside.fileno()


@frozen(kw_only=True)
class _Setting:
    """Something that a process has once.

    Attributes:
        remark: What a plugin does that changes it.
        read: Returns its value, which can be compared.
        write: Takes a value that `read` returned.
        initial: The value that it has where the library was imported inside; unknown: it is not put back.
        same: Says whether two values are equal.
    """

    remark: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    initial: Any = _UNKNOWN
    same: Callable[[Any, Any], bool] = eq


def _settings() -> Iterator[_Setting]:
    yield _Setting(remark="changes the working folder", read=_folder, write=_enter)
    yield _Setting(remark="seeds Python's random numbers", read=random.getstate, write=random.setstate)
    if threading.current_thread() is threading.main_thread():  # elsewhere Python sets no handler
        yield _Setting(
            remark="takes over Ctrl-C",
            read=lambda: signal.getsignal(signal.SIGINT),
            write=lambda handler: handler is not None and signal.signal(signal.SIGINT, handler),
        )
    torch = sys.modules.get("torch")
    if hasattr(torch, "get_default_device"):  # not while it is being imported
        yield from _of_torch(torch)


def _of_torch(torch: Any) -> Iterator[_Setting]:  # noqa: ANN401 - a module, which the front does not import
    yield _Setting(
        remark="switches gradients off",
        read=torch.is_grad_enabled,
        write=torch.set_grad_enabled,
        initial=True,
    )
    yield _Setting(
        remark="changes torch's default type",
        read=torch.get_default_dtype,
        write=torch.set_default_dtype,
        initial=torch.float32,
    )
    yield _Setting(
        remark="changes torch's default device",
        read=lambda: str(torch.get_default_device()),
        write=lambda device: torch.set_default_device(None if device == "cpu" else device),
        initial="cpu",
    )
    yield _Setting(
        remark="changes torch's number of threads", read=torch.get_num_threads, write=torch.set_num_threads
    )
    yield _Setting(
        remark="seeds torch's random numbers",
        read=lambda: (torch.initial_seed(), torch.get_rng_state()),
        write=lambda state: torch.set_rng_state(state[1]),
        # Other threads may draw meanwhile: what they drew must not come again.
        same=lambda one, other: one[0] == other[0],
    )


def _put_back(setting: _Setting, before: dict[str, Any]) -> bool:
    """Put a setting back; returns whether it had been changed."""
    value = before.get(setting.remark, setting.initial)
    if value is _UNKNOWN or setting.same(setting.read(), value):
        return False
    setting.write(value)
    return True


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # somebody removed it
        return None


def _enter(folder: Path | None) -> None:
    if folder is not None:
        os.chdir(folder)
