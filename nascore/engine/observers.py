"""Calls observers one by one; their failures neither stop a run nor change it."""

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
    """An observer and how often it failed.

    Attributes:
        name: What the log and the result call it.
        observer: None where it could not be built.
        failures: How often it raised.
    """

    name: str
    observer: Observer | None
    failures: int = 0

    @property
    def muted(self) -> bool:
        """Whether it is told nothing any more."""
        return self.observer is None or self.failures >= PATIENCE


class Observers:
    """The observers of a run.

    Args:
        observers: Who watches: objects.
        log: Where a failure is written.
        parts: Who watches as a component; built here.
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
        """Let every observer go, the muted ones too; what comes after tells nobody."""
        observers, self._guarded = self._guarded, []
        with ExitStack() as ending:
            # Each by itself: Ctrl-C in one must not leave the terminal to another.
            for guarded in reversed(observers):
                if guarded.observer is not None:
                    ending.callback(self._call, guarded, "run_ended", ())

    def counts(self) -> dict[str, dict[str, Any]]:
        """Return by observer how often it failed so far, and whether it is muted."""
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
        # A disk that is full is the run's affair: it will hear of it when it writes itself.
        with suppress(Exception):
            self._log(f"observer {guarded.name} failed in {event}: {error_line(error)}{muted}")


def copied(detail: Any) -> Any:  # noqa: ANN401 - whatever an event tells
    """Return a value that can be changed without changing the run's own."""
    if isinstance(detail, Recipe):
        # Its components are shared, they are not the run's state; its settings may hold lists.
        parts = {
            slot: tuple(evolve(part, settings=deepcopy(part.settings)) for part in parts)
            for slot, parts in detail.parts.items()
        }
        return evolve(detail, parts=parts)
    return deepcopy(detail)


@contextmanager
def untouched() -> Iterator[None]:
    """Put back what a process has once, so that an observer that computes changes nothing.

    Its global random numbers need no care: :class:`~nascore.engine.streams.Streams` takes none from there.
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
        # Paths of the run may be relative.
        if folder is not None and _folder() != folder:
            os.chdir(folder)


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # somebody removed it
        return None
