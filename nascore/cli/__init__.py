"""The command line: one file a verb, each a thin caller of the function of the same name in `nascore.verbs`."""

from __future__ import annotations

from nascore.cli.group import main

__all__ = ["main"]
