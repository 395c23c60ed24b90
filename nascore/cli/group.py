"""The command ``nascore``: finds its verbs, and turns the one error type into texts and exit codes."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

import click

from nascore.component import load
from nascore.errors import NascoreError, PluginError
from nascore.plugin import discover

VERBS = {
    "check": "check",
    "draw": "draw",
    "evaluate": "evaluate",
    "export": "export",
    "list": "listing",
    "plugins": "plugins",
    "runs": "runs",
    "search": "search",
    "show": "show",
}
"""Name of a verb: module of its command. A verb's module is imported when the verb is used."""

INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C ended."""


class Verbs(click.Group):
    """The verbs of the core, and after them those that plugins bring."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all verbs."""
        del ctx
        return sorted({*VERBS, *_foreign()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a verb."""
        del ctx
        if cmd_name not in VERBS:
            return _foreign().get(cmd_name)
        command: click.Command = import_module(f"nascore.cli.{VERBS[cmd_name]}").command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a verb; what it refuses ends with the exit code of the error."""
        try:
            return super().invoke(ctx)
        except NascoreError as error:
            # The problems as they are: each says where it is and what to do.
            click.echo(str(error), err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("interrupted; what the run had written is kept", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="nascore")
def main() -> None:
    """Search neural architectures; every part is a plugin, and parts mix.

    Results go to stdout, progress and problems to stderr. Exit codes: 0 done, 1 the run failed, 2 usage,
    3 the recipe is wrong or does not fit, 4 a plugin is missing, broken or ambiguous, 5 the run folder cannot
    be used, 130 interrupted.
    """


def _foreign() -> dict[str, click.Command]:
    """Return the verbs that plugins bring; one that cannot be loaded harms only itself."""
    found: dict[str, click.Command] = {}
    for declared in discover().commands().values():
        with suppress(PluginError):
            build = load(declared.build)
            found[declared.name] = build if isinstance(build, click.Command) else build()
    return found
