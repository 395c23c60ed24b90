"""The verbs that plugins bring, and what is said of a verb that there is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nascore.cli.mistyped import answered_command
from nascore.component import load
from nascore.errors import NascoreError, PluginError, Problem, did_you_mean, said
from nascore.plugin.known import absence
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nascore.component import Command
    from nascore.plugin import Registry


def built(declared: Command) -> click.Command:
    """Return the command of a declared verb, imported now.

    Raises:
        PluginError: The plugin's code raises, or gives no command.
    """
    try:
        build = load(declared.build)
        found = build if isinstance(build, click.Command) else build()
    except NascoreError as error:
        raise _broken(declared, str(error)) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _broken(declared, said(error)) from error
    if not isinstance(found, click.Command):
        raise _broken(declared, f"it is no click command but {type(found).__name__}")
    return found


def missing(args: Sequence[str], registry: Registry, verbs: Iterable[str], ctx: click.Context) -> Exception:
    """Return the error of a verb that cannot be used.

    Args:
        args: What was typed: the verb, and what came after it.
        registry: What is installed.
        verbs: The verbs that there are.
        ctx: Of the command line, for its usage.
    """
    name = args[0]
    full = registry.commands().ambiguous(name)
    if full:
        text, hint = (
            f"{len(full)} plugins bring a verb {name}.",
            f"Write {' or '.join(command_line('nascore', one) for one in full)}.",
        )
        return PluginError([Problem(path="", text=text, hint=hint, of_plugin=True)])
    why = absence("verb", name, registry)
    if why is None:
        near = answered_command(name, args[1:]) or did_you_mean(name, verbs) or "See nascore --help."
        return click.UsageError(f"No such command {name!r}. {near}", ctx=ctx)
    text = f"no verb is called {name}; {why}"
    return PluginError([Problem(path="", text=text, hint=why.cure, missing=why.missing, of_plugin=True)])


def _broken(declared: Command, why: str) -> PluginError:
    text = f"the verb {declared.name} of the plugin {declared.plugin} cannot be used: {why}."
    return PluginError([Problem(path="", text=text, hint="See nascore plugins doctor.", of_plugin=True)])
