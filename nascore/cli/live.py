"""The live view of ``nascore watch``."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from nascore.builtin.terminal import is_terminal
from nascore.verbs.watch import progress_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from nascore.verbs.watch import Progress

__all__ = ["is_terminal", "show_live"]


def show_live(run: Path, rows: Callable[[Progress], Iterable[tuple[str, str]]], period: float) -> Progress:
    """Show the progress of a run on stderr until the run ends; returns the last one.

    Args:
        run: The folder of the run.
        rows: Returns the name and the text of each figure.
        period: Seconds between two readings of the folder.

    Raises:
        RunFolderError: The folder is not a run, or cannot be read.
    """
    with Live(console=Console(stderr=True), transient=True, auto_refresh=False) as live:
        while True:
            now = progress_of(run)
            live.update(Text("\n".join(f"{name}: {text}" for name, text in rows(now))), refresh=True)
            if now.ended:
                return now
            sleep(period)
