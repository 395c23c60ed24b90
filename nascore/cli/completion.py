"""``nascore completion``."""

from __future__ import annotations

import click

from nascore.cli.echo import echo
from nascore.cli.verb import Verb

LINES = {
    "bash": 'eval "$(_NASCORE_COMPLETE=bash_source nascore)"',
    "zsh": 'eval "$(_NASCORE_COMPLETE=zsh_source nascore)"',
    "fish": "_NASCORE_COMPLETE=fish_source nascore | source",
}
"""By shell: what makes it complete verbs, options and the names of what is installed."""

FILES = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/completions/nascore.fish"}


@click.command(
    "completion",
    cls=Verb,
    examples=("nascore completion bash", "nascore completion zsh", "nascore completion fish"),
)
@click.argument("shell", type=click.Choice(list(LINES)))
def command(shell: str) -> None:
    """Print the line that makes a shell complete verbs, options and names.

    Add it to the file that the shell reads when it starts; which one that is, stderr says.
    """
    echo(LINES[shell])
    echo(f"add it: nascore completion {shell} >> {FILES[shell]}", err=True)
