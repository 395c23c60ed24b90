"""What a bug report has to say of the machine and of what is installed."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nascore.run import version_of

if TYPE_CHECKING:
    from nascore.verbs.plugins import Health

_PREFIX: Final = "NASCORE_"


def facts(health: Health) -> dict[str, Any]:
    """Return what is installed, on what machine and with which settings of the environment.

    Nothing is imported for it. The home folder, which often holds a person's name, is written as ``~``.

    Args:
        health: How the plugins are.
    """
    return {
        "nascore": version_of("nascore"),
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "torch": version_of("torch"),
        "platform": platform.platform(),
        "plugins": [
            {
                "name": one.name,
                "distribution": one.distribution or _anonymous(one.value),
                "version": one.version,
                "status": one.status,
                "cause": _anonymous(one.reason),
            }
            for one in health.plugins
        ],
        "clashes": [f"{one.kind} {one.name}: {', '.join(one.plugins)}" for one in health.clashes],
        "environment": {
            name: _anonymous(value) for name, value in sorted(os.environ.items()) if name.startswith(_PREFIX)
        },
    }


def _anonymous(text: str) -> str:
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text
