"""The command line: one file a verb, each a thin caller of a function in `nascore.verbs`."""

from __future__ import annotations

from nascore.cli.app import main

__all__ = ["main"]
