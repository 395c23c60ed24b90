"""The registry of installed plugins, built once for each command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.plugin import discover

if TYPE_CHECKING:
    import click

    from nascore.plugin import Registry


_FOUND: Final = "nascore.registry"


def registry_of(ctx: click.Context) -> Registry:
    """Return the registry of installed plugins, which is built at the first call."""
    found: Registry = ctx.meta.setdefault(_FOUND, None) or discover()
    ctx.meta[_FOUND] = found
    return found
