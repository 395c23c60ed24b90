"""The command line: one file for each verb, which calls a function of `nascore.verbs`."""

from __future__ import annotations

from nascore.cli.app import main

__all__ = ["main"]
