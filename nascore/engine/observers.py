"""Notifies observers of the events of a run; their failures neither stop a run nor change it."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, suppress
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from attrs import define, evolve

from nascore.errors import error_line
from nascore.plugin.guard import attempt
from nascore.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nascore.contract import Observer
    from nascore.recipe.settling.recipe import Part


PATIENCE = 3
"""Failures after which an observer is muted."""


@define(kw_only=True)
class GuardedObserver:
    """An observer and the number of its failures.

    Attributes:
        name: Its name in the log and in the result.
        observer: The observer; None if it could not be built.
        failures: Number of errors that it raised.
    """

    name: str
    observer: Observer | None
    failures: int = 0

    @property
    def muted(self) -> bool:
        """Whether it is disabled, since it could not be built or failed too often."""
        return self.observer is None or self.failures >= PATIENCE


class Observers:
    """The observers of a run.

    Args:
        observers: Observer objects.
        log: Writes a failure to the log.
        parts: Observers of the recipe; built here.
    """

    def __init__(
        self, observers: Iterable[Observer], log: Callable[[str], None], *, parts: Iterable[Part] = ()
    ) -> None:
        self._log = log
        self._guarded: list[GuardedObserver] = []
        for part in parts:
            self._build(part)
        for observer in observers:
            self._add(type(observer).__name__, observer)

    def notify(self, event: str, *details: Any) -> None:  # noqa: ANN401 - each event has its own
        """Call the method `event` of every observer that is not muted, each with copies of its own."""
        for guarded in self._guarded:
            if not guarded.muted:
                self._call(guarded, event, details)

    def end(self) -> None:
        """Call `run_ended` of every observer, the muted ones too; later events notify no observer."""
        observers, self._guarded = self._guarded, []
        with ExitStack() as ending:
            # On a stack: after Ctrl-C in one observer the others still release the terminal.
            for guarded in reversed(observers):
                if guarded.observer is not None:
                    ending.callback(self._call, guarded, "run_ended", ())

    def counts(self) -> dict[str, dict[str, Any]]:
        """Return the number of failures of each observer, and whether it is muted."""
        return {one.name: {"failures": one.failures, "muted": one.muted} for one in self._guarded}

    def _build(self, part: Part) -> None:
        guarded = self._add(part.label, None)

        def build() -> None:
            with untouched():
                guarded.observer = part.component.builder()(deepcopy(part.settings))

        attempt(build, partial(self._failed, guarded, "being built"))

    def _add(self, name: str, observer: Observer | None) -> GuardedObserver:
        same = sum(one.name.partition(" ")[0] == name for one in self._guarded)
        guarded = GuardedObserver(name=f"{name} ({same + 1})" if same else name, observer=observer)
        self._guarded.append(guarded)
        return guarded

    def _call(self, guarded: GuardedObserver, event: str, details: tuple[Any, ...]) -> None:
        def call() -> None:
            with untouched():
                getattr(guarded.observer, event)(*map(copied, details))

        attempt(call, partial(self._failed, guarded, event))

    def _failed(self, guarded: GuardedObserver, event: str, error: BaseException) -> None:
        guarded.failures += 1
        last = guarded.observer is None or guarded.failures == PATIENCE
        muted = "; it is muted" if last else ""
        # A full disk stops the run when the run itself writes, not here.
        with suppress(Exception):
            self._log(f"observer {guarded.name} failed in {event}: {error_line(error)}{muted}")


def copied(detail: Any) -> Any:  # noqa: ANN401 - an argument of any event
    """Return a copy of an event's argument, so that changes to it do not reach the run."""
    if isinstance(detail, Recipe):
        # Components are shared, since they are no state of the run; settings may contain lists.
        parts = {
            slot: tuple(evolve(part, settings=deepcopy(part.settings)) for part in parts)
            for slot, parts in detail.parts.items()
        }
        return evolve(detail, parts=parts)
    return deepcopy(detail)


@contextmanager
def untouched() -> Iterator[None]:
    """Restore the global state of torch and the working directory, so that an observer changes nothing.

    Global random generators are not restored: :class:`~nascore.engine.streams.Streams` does not use them.
    """
    threads, kind = torch.get_num_threads(), torch.get_default_dtype()
    learning, device, folder = torch.is_grad_enabled(), torch.get_default_device(), _folder()
    try:
        yield
    finally:
        torch.set_grad_enabled(learning)
        if torch.get_default_device() != device:
            torch.set_default_device(device)
        if torch.get_default_dtype() != kind:
            torch.set_default_dtype(kind)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        # Paths of the run may be relative to it.
        if folder is not None and _folder() != folder:
            os.chdir(folder)


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # the folder was removed
        return None
