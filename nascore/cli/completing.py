"""What a shell completes: the names of what is installed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from nascore.component import RUN
from nascore.plugin import discover
from nascore.verbs.listing import KINDS, items

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import click

    from nascore.verbs.listing import Listed


def completing(*kinds: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return what completes the names of these kinds.

    Args:
        kinds: Slots, `preset`, `operation` and so on, as ``nascore list`` has them.
    """

    def complete(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        return _matching(_known(kinds), begun)

    return complete


def complete_anything(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Complete whatever ``nascore show`` knows."""
    found = _matching(_known(KINDS), begun)
    return [*found, CompletionItem(RUN)] if RUN.startswith(begun) else found


def complete_kind(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Complete what ``nascore list`` can list."""
    return [CompletionItem(kind) for kind in KINDS if kind.startswith(begun)]


def _known(kinds: Sequence[str]) -> list[Listed]:
    # Whatever is wrong with what is installed: nothing may be printed into the line that is being typed.
    with suppress(Exception):
        registry = discover()
        return [item for kind in kinds for item in items(registry, kind)]
    return []


def _matching(known: list[Listed], begun: str) -> list[CompletionItem]:
    names = {item.name: item.summary for item in known if item.name.startswith(begun)}
    return [CompletionItem(name, help=summary) for name, summary in sorted(names.items())]
