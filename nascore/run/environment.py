"""Records versions, machine and device of a run."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions, version
from typing import Any

from nascore.run.layout import FORMAT

OF_INTEREST = ("attrs", "numpy", "safetensors", "scikit-learn", "torch")


def environment(**more: object) -> dict[str, Any]:
    """Return the versions and the machine of a run, without names of users, hosts or folders.

    Args:
        more: Further entries, such as the device.
    """
    return {
        "format": FORMAT,
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "system": platform.system(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "packages": dict(_versions()),
        **more,
    }


def version_of(distribution: str) -> str:
    """Return the version of a distribution, or "not installed", without importing it."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


@cache  # versions do not change in a process, and reading them takes longer than a short run of a comparison
def _versions() -> dict[str, str]:
    found = {}
    for distribution in distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        plugin = any(entry.group == "nascore" for entry in distribution.entry_points)
        # Python imports the first of two copies on the path.
        if (plugin or name in OF_INTEREST) and name not in found:
            found[name] = distribution.version
    return dict(sorted(found.items()))
