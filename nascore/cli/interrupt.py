"""Ctrl-C and SIGTERM: once, and the run writes what there is; twice, and the program is gone at once."""

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
    """Inside, the first Ctrl-C raises KeyboardInterrupt, and a second ends the process wherever it is.

    So does SIGTERM, with which clusters and `kill` end a process.
    """
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    # A program in the background ignores Ctrl-C, and a caller may have a handler of its own: leave both.
    main = current_thread() is main_thread()
    ours = {number: former for number, former in usual.items() if main and signal.getsignal(number) is former}
    for number in ours:
        signal.signal(number, _first)
    try:
        yield
    finally:
        for number, former in ours.items():
            signal.signal(number, former)


def _first(number: int, _frame: FrameType | None) -> None:
    # The system's own answer: Python would wait for the end of whatever torch is computing.
    signal.signal(number, signal.SIG_DFL)
    raise KeyboardInterrupt
