"""The command ``nascore``: finds its verbs, runs one, and turns errors into exit codes."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Never

import click

from nascore.cli.errors import exiting
from nascore.cli.mistyped import answered_command
from nascore.cli.output import echo, open_streams, registry_of
from nascore.cli.welcome import version_option
from nascore.component import load
from nascore.errors import NascoreError, PluginError, Problem, did_you_mean, error_line
from nascore.plugin.guard import attempt
from nascore.plugin.known import absence
from nascore.plugin.underway import suspects
from nascore.run.signals import handling_signals
from nascore.shell import command_line
from nascore.verbs.listing import VERB, Listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nascore.component import Command
    from nascore.plugin import Registry


def built(declared: Command) -> click.Command:
    """Import and return the command of a plugin's verb.

    Raises:
        PluginError: The plugin's code raises, or returns no command.
    """

    def build() -> object:
        found = load(declared.build)
        return found if isinstance(found, click.Command) else found()

    def refuse(error: BaseException) -> Never:
        raise _broken(
            declared, str(error) if isinstance(error, NascoreError) else error_line(error)
        ) from error

    found = attempt(build, refuse)
    if not isinstance(found, click.Command):
        raise _broken(declared, f"it has type {type(found).__name__}, which is not a click command")
    return found


def missing(args: Sequence[str], registry: Registry, verbs: Iterable[str], ctx: click.Context) -> Exception:
    """Return the error for a verb that does not exist or cannot be used.

    Args:
        args: The typed words: the verb and its arguments.
        registry: The installed plugins.
        verbs: Names of all verbs.
        ctx: Context of the command line, for its usage text.
    """
    name = args[0]
    full = registry.commands().ambiguous(name)
    if full:
        text, hint = (
            f"{len(full)} plugins provide a verb {name}.",
            f"Write {' or '.join(command_line('nascore', word) for word in full)}.",
        )
        return PluginError([Problem(path="", text=text, hint=hint, of_plugin=True)])
    why = absence("verb", name, registry.plugins)
    if why is None:
        near = answered_command(name, args[1:]) or did_you_mean(name, verbs) or "See nascore --help."
        return click.UsageError(f"No such command {name!r}. {near}", ctx=ctx)
    text = f"no verb is called {name}; {why}"
    return PluginError([Problem(path="", text=text, hint=why.cure, missing=why.missing, of_plugin=True)])


def _broken(declared: Command, why: str) -> PluginError:
    text = f"the verb {declared.name} of the plugin {declared.plugin} cannot be used: {why}."
    return PluginError([Problem(path="", text=text, hint="See nascore plugins doctor.", of_plugin=True)])


_BUILT: Final = "nascore.verbs"

GROUPED: Final[dict[str, dict[str, str]]] = {
    "Search and train": {
        "search": "search",
        "evaluate": "evaluate",
        "ablate": "ablate",
        "resume": "resume",
        "replay": "replay",
        "compare": "compare",
    },
    "Look at results": {
        "runs": "runs",
        "watch": "watch",
        "gallery": "gallery",
        "draw": "draw",
        "export": "export",
        "predict": "predict",
    },
    "Look up parts": {"list": "listing", "show": "show", "matrix": "matrix", "data": "data"},
    "Recipes": {"check": "check", "schema": "schema"},
    "Plugins": {"plugins": "plugins", "new-plugin": "new_plugin", "check-plugin": "check_plugin"},
    "Shell": {"completion": "completion"},
}
"""Modules of the verbs by group of the help and by name; a module is imported when its verb is used."""

VERBS: Final = {name: module for verbs in GROUPED.values() for name, module in verbs.items()}

OF_PLUGINS: Final = "From plugins"
LONGEST: Final = 1000
"""Limit on the length of a summary, so large that no first sentence is cut."""


class Verbs(click.Group):
    """The verbs of the core, followed by the verbs of plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all verbs."""
        return sorted({*VERBS, *registry_of(ctx).commands()})

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs in groups, each with its whole first sentence."""
        others = [name for name in self.list_commands(ctx) if name not in VERBS]
        for title, names in {**GROUPED, OF_PLUGINS: others}.items():
            commands = {name: self.get_command(ctx, name) for name in names}
            rows = [
                (name, one.get_short_help_str(LONGEST))
                for name, one in commands.items()
                if one is not None and not one.hidden
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a verb; None if it does not exist, or if its plugin cannot be used."""
        if cmd_name in VERBS:
            command: click.Command = import_module(f"nascore.cli.{VERBS[cmd_name]}").command
            return command
        found = _of_plugin(ctx, cmd_name)
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the typed verb; the error for an unknown verb suggests another or the plugin to install."""
        name = args[0]
        typed = not name.startswith("-") and not ctx.resilient_parsing
        if typed and self.get_command(ctx, name) is None:
            fault = _of_plugin(ctx, name)
            if isinstance(fault, PluginError):
                raise fault
            raise missing(args, registry_of(ctx), self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:  # noqa: ANN401 - click's own
        """Parse the options before the verb; ``--help`` and ``--version`` are handled here."""
        open_streams()
        if "_NASCORE_COMPLETE" not in os.environ:  # word completion in a shell must not print warnings
            for suspect in suspects():
                if suspect.is_new:
                    echo(f"warning: {suspect}", err=True)
                    suspect.mark_warned()
        with exiting(debug=False):
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run a verb; every error ends with a message and an exit code."""
        with handling_signals(), exiting(debug=bool(ctx.params.get("debug"))):
            return super().invoke(ctx)


def _of_plugin(ctx: click.Context, name: str) -> click.Command | PluginError | None:
    """Return a plugin's verb, or the error why it cannot be used; built once per command line."""
    known: dict[str, click.Command | PluginError] = ctx.meta.setdefault(_BUILT, {})
    declared = registry_of(ctx).commands().get(name)
    if declared is not None and name not in known:
        try:
            known[name] = built(declared)
        except PluginError as error:
            known[name] = error
    return known.get(name)


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@version_option
@click.option(
    "--debug",
    is_flag=True,
    envvar="NASCORE_DEBUG",
    show_envvar=True,
    help="Show the traceback of every error.",
)
@click.pass_context
def main(ctx: click.Context, *, debug: bool) -> None:
    """Search for neural architectures with parts from plugins.

    Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 a run or check failed,
    2 usage, 3 the recipe is wrong or does not fit, 4 a plugin is missing, broken or ambiguous, 5 the run
    folder cannot be used, 130 interrupted.
    """
    del debug  # `Verbs.invoke` reads it from the context
    if ctx.invoked_subcommand is None:
        import_module("nascore.cli.welcome").echo_welcome()


LONGEST_SUMMARY = 80
"""Longest summary of a verb, in characters."""


def own_verbs() -> list[Listed]:
    """Return the verbs of the core."""
    commands = {name: import_module(f"nascore.cli.{module}").command for name, module in VERBS.items()}
    return [
        Listed(kind=VERB, name=name, summary=command.get_short_help_str(LONGEST_SUMMARY), plugin="nascore")
        for name, command in sorted(commands.items())
    ]
