"""Observers, called one by one and guarded: who only watches must not stop a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nascore.contract import Observer

PATIENCE = 3
"""Failures after which an observer is muted."""


class Watch:
    """The observers of a run.

    Args:
        observers: Who watches.
        log: Where a failure is written.
    """

    def __init__(self, observers: Iterable[Observer], log: Callable[[str], None]) -> None:
        self._observers = tuple(observers)
        self._log = log
        self._failures = [0] * len(self._observers)

    def tell(self, event: str, *details: Any) -> None:  # noqa: ANN401 - each event has its own
        """Call the method `event` of every observer that is not muted."""
        for number, observer in enumerate(self._observers):
            if self._failures[number] < PATIENCE:
                try:
                    getattr(observer, event)(*details)
                except Exception as error:  # noqa: BLE001 - whatever a plugin raises
                    self._failed(number, event, error)

    def _failed(self, number: int, event: str, error: Exception) -> None:
        self._failures[number] += 1
        name = type(self._observers[number]).__name__
        muted = "; it is muted" if self._failures[number] == PATIENCE else ""
        self._log(f"observer {name} failed in {event}: {type(error).__name__}: {error}{muted}")
