"""``nascore plugins``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nascore.cli.options import json_option, plugins_option
from nascore.cli.own import own_verbs
from nascore.cli.plugins_said import echo_doctor, echo_list, echo_plugins, echo_report
from nascore.cli.verb import Verb, echo_json
from nascore.errors import PluginError
from nascore.verbs.plugins import brought, doctor, plugins_named
from nascore.verbs.plugins_report import facts

if TYPE_CHECKING:
    from typing import Any

    from nascore.plugin import Plugin, Selection
    from nascore.verbs.plugins import Health


@click.group("plugins")
def command() -> None:
    """Plugins: what is installed, and whether it works."""


@command.command("list", cls=Verb, examples=("nascore plugins list", "nascore plugins list --json"))
@json_option
@plugins_option
def list_plugins(*, as_json: bool, plugins: Selection) -> None:
    """List the plugins with their distribution, version and status.

    Status: ready; blocked, switched off; clash, another has its name; broken, it cannot be loaded; foreign,
    made for another version of nascore. One that is not ready brings nothing.
    """
    found = doctor(plugins).plugins
    if as_json:
        echo_json([_row(one) for one in found])
    else:
        echo_list(found)


@command.command("show", cls=Verb, examples=("nascore plugins show builtin",))
@click.argument("name")
@json_option
@plugins_option
def show_plugin(name: str, *, as_json: bool, plugins: Selection) -> None:
    """Show a plugin: where it comes from, its status, and what it brings.

    NAME is that of the plugin, or of its distribution.
    """
    found = plugins_named(name, plugins)
    if as_json:
        echo_json([_row(one) | {"module": one.value, "traceback": one.trace} for one in found])
    else:
        echo_plugins(found)


@command.command("doctor", cls=Verb, examples=("nascore plugins doctor", "nascore plugins doctor --report"))
@click.option("--report", is_flag=True, help="Print what belongs into a bug report.")
@json_option
@plugins_option
@click.pass_context
def examine(ctx: click.Context, *, report: bool, as_json: bool, plugins: Selection) -> None:
    """Say of every plugin that is not ready why, and what to do; and which names several plugins bring.

    Ends with exit code 0 if all plugins are ready or switched off, else with 4.
    """
    health = doctor(plugins, own_verbs())
    if as_json:
        echo_json(facts(health) if report else _diagnoses(health))
    elif report:
        echo_report(facts(health))
    else:
        echo_doctor(health)
    ctx.exit(0 if health.well else PluginError.exit_code)


def _row(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "status": plugin.status,
        "brings": brought(plugin),
        "reason": plugin.reason,
        "cure": plugin.cure,
        "when_imported": list(plugin.remarks),
    }


def _diagnoses(health: Health) -> dict[str, Any]:
    return {
        "plugins": [_row(one) for one in health.plugins],
        "clashes": [
            {"kind": one.kind, "name": one.name, "plugins": one.plugins, "cure": one.cure}
            for one in health.clashes
        ],
    }
