"""Handles Ctrl-C (SIGINT) and SIGTERM while a verb runs."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextmanager
def handling_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first Ctrl-C in the body, and end the process at the second one.

    SIGTERM, which clusters and `kill` send, is handled in the same way.
    """
    defaults = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    # A background program ignores Ctrl-C, and a caller may have installed a handler: leave both unchanged.
    main = current_thread() is main_thread()
    replaced = {
        number: handler
        for number, handler in defaults.items()
        if main and signal.getsignal(number) is handler
    }
    for number in replaced:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    # With the system's default the second signal ends the process; Python would wait for torch to return.
    signal.signal(number, signal.SIG_DFL)
    raise KeyboardInterrupt
