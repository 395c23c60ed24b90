"""``nascore --version``: of everything that a result may depend on, without importing any of it."""

from __future__ import annotations

import platform
from importlib.metadata import entry_points

import click

from nascore.cli.echo import echo
from nascore.plugin.discover import GROUP
from nascore.run import version_of

CORE = "nascore"


def versions() -> dict[str, str]:
    """Return the versions of nascore, Python and torch, then those of the plugins by distribution."""
    entries = entry_points(group=GROUP)
    plugins = {entry.dist.name: entry.dist.version for entry in entries if entry.dist is not None}
    plugins.pop(CORE, None)
    core = {CORE: version_of(CORE), "python": platform.python_version(), "torch": version_of("torch")}
    return core | dict(sorted(plugins.items()))


def echo_versions(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    """Print one version a line, and stop."""
    if value and not ctx.resilient_parsing:
        echo("\n".join(f"{name} {number}" for name, number in versions().items()))
        ctx.exit()


version_option = click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=echo_versions,
    help="Show the versions of nascore and its plugins, and exit.",
)
