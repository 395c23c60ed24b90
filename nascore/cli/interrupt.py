"""Ctrl-C: once, and the run writes what there is; twice, and the program is gone at once."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextmanager
def killed_by_the_second() -> Iterator[None]:
    """Inside, the first Ctrl-C raises KeyboardInterrupt, and a second ends the process wherever it is."""
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    # A program in the background ignores Ctrl-C, and a caller may have a handler of its own: leave both.
    if not ours or current_thread() is not main_thread():
        yield
        return
    signal.signal(signal.SIGINT, _first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _first(_number: int, _frame: FrameType | None) -> None:
    # The system's own answer: Python would wait for the end of whatever torch is computing.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise KeyboardInterrupt
