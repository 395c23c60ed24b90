"""Handles Ctrl-C (SIGINT) and SIGTERM while a verb or a job runs."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from nascore.run.control import RunControl

_NOTE: Final = b"\nstopping: the current step is finished and saved; Ctrl-C again stops at once\n"


@contextmanager
def handling_signals(control: RunControl | None = None, *, worker: bool = False) -> Iterator[None]:
    """Stop the body at the first Ctrl-C, and end the process at the second one.

    A run in the middle of a phase finishes its step and saves itself; anything else gets a KeyboardInterrupt
    at once. SIGTERM, which clusters and `kill` send, is handled in the same way.

    Args:
        control: The control of the run. None: the body starts no run.
        worker: Whether the process does a job for another one: it prints nothing, and ignores later signals.
            If a whole group of processes gets a SIGTERM, a worker gets a second one from its executor, which
            must not end it before it is saved. It ends with the process that it works for.
    """
    usual = (signal.default_int_handler, signal.SIG_DFL)
    # A background program ignores Ctrl-C, and a caller may have installed a handler: leave both unchanged.
    main = current_thread() is main_thread()
    replaced = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM)
        if main and ((handler := signal.getsignal(number)) in usual or isinstance(handler, _Interrupt))
    }
    for number in replaced:
        signal.signal(number, _Interrupt(control, worker=worker))
    try:
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


class _Interrupt:
    """The handler of the first signal.

    Args:
        control: The control of the run; None: there is none.
        worker: See :func:`handling_signals`.
    """

    def __init__(self, control: RunControl | None, *, worker: bool) -> None:
        self._control, self._worker = control, worker

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        # With the system's default the second signal ends the process; Python would wait for torch to return.
        signal.signal(number, signal.SIG_IGN if self._worker else signal.SIG_DFL)
        if self._control is None or not self._control.waiting:
            raise KeyboardInterrupt
        self._control.requested = True
        if not self._worker:
            os.write(2, _NOTE)  # a stream may be in the middle of writing
