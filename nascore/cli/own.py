"""The verbs of the core, as what can be listed and shown."""

from __future__ import annotations

from importlib import import_module

from nascore.cli.group import VERBS
from nascore.verbs.listing import VERB, Listed

LONGEST = 80
"""Letters of a verb's sentence."""


def own_verbs() -> list[Listed]:
    """Return the verbs that the command line brings itself."""
    commands = {name: import_module(f"nascore.cli.{module}").command for name, module in VERBS.items()}
    return [
        Listed(kind=VERB, name=name, summary=command.get_short_help_str(LONGEST), plugin="nascore")
        for name, command in sorted(commands.items())
    ]
