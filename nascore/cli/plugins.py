"""The verb ``nascore plugins``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from nascore.cli.app import own_verbs
from nascore.cli.options import json_option, plugins_option
from nascore.cli.output import Verb, echo, echo_json, table
from nascore.errors import PluginError
from nascore.verbs.plugins import brought, doctor, facts, plugins_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from nascore.plugin import Plugin, Selection
    from nascore.verbs.plugins import Clash, Health


_REMEDY: Final = "nascore undoes this change, other programs do not; the plugin's authors have to correct it."


def echo_list(plugins: Sequence[Plugin]) -> None:
    """Print one line for each plugin."""
    heads = ("name", "distribution", "version", "status", "parts")
    rows = [(one.name, one.distribution, one.version, one.status, _number(one)) for one in plugins]
    echo(table(rows, heads=heads, keys=1))
    # A blocked plugin is not a problem, since the user switched it off.
    idle = sum(one.status not in {"ready", "blocked"} for one in plugins)
    if idle:
        echo(f"{idle} of {len(plugins)} plugins not ready; see nascore plugins doctor", err=True)


def echo_plugins(plugins: Sequence[Plugin]) -> None:
    """Print all details of plugins."""
    echo("\n\n".join(map(_shown, plugins)))


def echo_doctor(health: Health) -> None:
    """Print each problem with its cause and its remedy."""
    parts = [_diagnosed(one) for one in health.idle]
    parts += [_remarked(one) for one in health.plugins if one.remarks and one.status == "ready"]
    parts += [_clash(one) for one in health.clashes]
    ready = len(health.plugins) - len(health.idle)
    parts.append(f"{ready} of {len(health.plugins)} plugins ready")
    echo("\n\n".join(parts))
    if not health.well:
        echo("Parts of a plugin that is not ready cannot be used; --without NAME hides it.", err=True)


def echo_report(facts: Mapping[str, Any]) -> None:
    """Print the block for a bug report."""
    single = [(name, value) for name, value in facts.items() if isinstance(value, str)]
    plugins = [
        (f"  {one['name']}", one["distribution"], one["version"], one["status"], one["cause"])
        for one in facts["plugins"]
    ]
    lines = [table(single), "plugins", table(plugins)]
    lines += _block("clashes", facts["clashes"])
    lines += _block("environment", [f"{name}={value}" for name, value in facts["environment"].items()])
    echo("\n".join(lines))


def _block(head: str, lines: Iterable[str]) -> list[str]:
    listed = [f"  {line}" for line in lines]
    return [head, *listed] if listed else [f"{head}: none"]


def _number(plugin: Plugin) -> int:
    return sum(map(len, brought(plugin).values()))


def _head(plugin: Plugin) -> str:
    source = f"{plugin.distribution} {plugin.version}".strip() or plugin.value
    return f"plugin {plugin.name} ({source}): {plugin.status}"


def _diagnosed(plugin: Plugin) -> str:
    return f"{_head(plugin)}\n{_rows({'cause': plugin.reason, 'cure': plugin.cure})}"


def _remarked(plugin: Plugin) -> str:
    return f"{_head(plugin)}\n{_rows({'when imported': _remarks(plugin), 'cure': _REMEDY})}"


def _remarks(plugin: Plugin) -> str:
    return "; ".join(plugin.remarks)


def _shown(plugin: Plugin) -> str:
    facts = {
        "module": plugin.value,
        "cause": plugin.reason,
        "cure": plugin.cure,
        "when imported": _remarks(plugin),
    }
    facts |= {kind: ", ".join(names) for kind, names in brought(plugin).items()}
    return f"{_head(plugin)}\n{_rows(facts)}"


def _clash(clash: Clash) -> str:
    plugins = " and ".join(clash.plugins)
    return f"{clash.kind} {clash.name}: provided by {plugins}\n{_rows({'cure': clash.cure})}"


def _rows(facts: Mapping[str, str]) -> str:
    return table([(f"  {name}", fact) for name, fact in facts.items() if fact], prose=True)


@click.group("plugins")
def command() -> None:
    """Show installed plugins and whether they work."""


@command.command("list", cls=Verb, examples=("nascore plugins list", "nascore plugins list --json"))
@json_option
@plugins_option
def list_plugins(*, as_json: bool, plugins: Selection) -> None:
    """List the plugins with their distribution, version and status.

    The status is ready, blocked (switched off by the user), clash (another plugin has the same name), broken
    (it cannot be loaded) or foreign (it is made for a different version of nascore). Only the parts of ready
    plugins can be used.
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
    """Show a plugin: its source, its status, and its parts.

    NAME is the name of the plugin or of its distribution.
    """
    found = plugins_named(name, plugins)
    if as_json:
        echo_json([_row(one) | {"module": one.value, "traceback": one.trace} for one in found])
    else:
        echo_plugins(found)


@command.command("doctor", cls=Verb, examples=("nascore plugins doctor", "nascore plugins doctor --report"))
@click.option("--report", is_flag=True, help="Print the facts for a bug report.")
@json_option
@plugins_option
@click.pass_context
def examine(ctx: click.Context, *, report: bool, as_json: bool, plugins: Selection) -> None:
    """Explain each plugin that is not ready, and list names that several plugins provide.

    The exit code is 0 if all plugins are ready or switched off, and 4 otherwise.
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
