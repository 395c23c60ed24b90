"""Records versions, machine and device of a run."""

from __future__ import annotations

import os
import platform
import re
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions, version
from typing import TYPE_CHECKING, Any, Final

from nascore.run.layout import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OF_INTEREST = ("attrs", "numpy", "safetensors", "scikit-learn", "torch")
"""Distributions whose versions are recorded beside the plugins and the distributions that plugins require."""

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""The name at the beginning of a line `Requires-Dist`."""


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
    found: dict[str, str] = {}
    wanted = set(OF_INTEREST)
    for distribution in distributions():
        metadata = distribution.metadata
        name = _plain(metadata["Name"] or "")
        if name in found:  # Python imports the first of two copies on the path.
            continue
        found[name] = distribution.version
        if any(entry.group == "nascore" for entry in distribution.entry_points):
            wanted |= {name, *_required(metadata.get_all("Requires-Dist") or ())}
    return {name: found[name] for name in sorted(wanted & found.keys())}


def _required(lines: Iterable[str]) -> Iterator[str]:
    """Yield the names of the distributions in lines `Requires-Dist`, without those of extras."""
    for line in lines:
        requirement, _, marker = line.partition(";")
        found = NAME.match(requirement)
        if found and "extra" not in marker:
            yield _plain(found[0])


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
