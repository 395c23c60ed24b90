"""The command line, called in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from nascore.cli import main

if TYPE_CHECKING:
    from click.testing import Result


def cli(*words: object, **more: Any) -> Result:
    """Run some words; whatever they end with, it is no exception."""
    result = CliRunner().invoke(main, [str(word) for word in words], **more)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def done(*words: object) -> str:
    """Run words that end well, and return what they print."""
    result = cli(*words)
    assert result.exit_code == 0, result.output
    return result.stdout
