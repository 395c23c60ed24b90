"""The verb ``nascore completion``, and the names that a shell completes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from nascore.cli.output import Verb, echo
from nascore.plugin import discover
from nascore.slots import RUN
from nascore.verbs.listing import CAPABILITY, KINDS, items

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nascore.verbs.listing import Listed


LINES = {
    "bash": 'eval "$(_NASCORE_COMPLETE=bash_source nascore)"',
    "zsh": 'eval "$(_NASCORE_COMPLETE=zsh_source nascore)"',
    "fish": "_NASCORE_COMPLETE=fish_source nascore | source",
}
"""Line of each shell's startup file that enables completion of verbs, options and names."""

FILES = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/completions/nascore.fish"}


@click.command(
    "completion",
    cls=Verb,
    examples=("nascore completion bash", "nascore completion zsh", "nascore completion fish"),
)
@click.argument("shell", type=click.Choice(list(LINES)))
def command(shell: str) -> None:
    """Print the line that enables completion of verbs, options and names in a shell.

    Add it to the startup file of the shell; stderr says which file.
    """
    echo(LINES[shell])
    echo(f"add it: nascore completion {shell} >> {FILES[shell]}", err=True)


def completing(*kinds: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return the function that completes names of these kinds.

    Args:
        kinds: Slots, `preset`, `operation` and so on, as ``nascore list`` takes them.
    """

    def complete(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        return _matching(_known(kinds), begun)

    return complete


def complete_anything(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Complete every name that ``nascore show`` accepts."""
    found = _matching(_known(KINDS), begun)
    return [*found, CompletionItem(RUN)] if RUN.startswith(begun) else found


def complete_kind(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Complete the kinds that ``nascore list`` accepts."""
    return [CompletionItem(kind) for kind in (*KINDS, CAPABILITY) if kind.startswith(begun)]


def _known(kinds: Sequence[str]) -> list[Listed]:
    # A broken plugin must not print into the line that the user is typing.
    with suppress(Exception):
        registry = discover()
        return [item for kind in kinds for item in items(registry, kind)]
    return []


def _matching(known: list[Listed], begun: str) -> list[CompletionItem]:
    names = {item.name: item.summary for item in known if item.name.startswith(begun)}
    return [CompletionItem(name, help=summary) for name, summary in sorted(names.items())]
