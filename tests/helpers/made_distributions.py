"""What each distribution of this repository brings, as `nascore/plugin/distributions.json` has it.

As a script it writes the file anew: ``python tests/helpers/made_distributions.py``, or ``make pages``.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from nascore.plugin import discover
from nascore.verbs.plugins import brought

ROOT = Path(__file__).parents[2]
FILE = ROOT / "nascore/plugin/distributions.json"
PROJECTS = ("nascore_*/pyproject.toml", "plugins/*/pyproject.toml")


def projects() -> set[str]:
    """Return the names of the distributions with plugins that stand in this repository."""
    files = [path for pattern in PROJECTS for path in ROOT.glob(pattern)]
    metadata = [tomllib.loads(path.read_text(encoding="utf-8"))["project"] for path in files]
    return {one["name"] for one in metadata if "nascore" in one.get("entry-points", {})}


def made() -> dict[str, dict[str, list[str]]]:
    """Return what the installed distributions of this repository bring."""
    names = projects()
    found = {one.distribution: one for one in discover().plugins if one.distribution in names}
    return {
        name: {kind: sorted(those) for kind, those in brought(found[name]).items()} for name in sorted(found)
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(made(), indent=2) + "\n", encoding="utf-8")
