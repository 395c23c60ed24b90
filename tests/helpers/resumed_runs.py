"""Compares a run that was stopped and resumed with one that nobody stopped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FREE = frozenset({"run.log", "checksums.jsonl", "changes.jsonl"})
"""Files that hold times, or what was done to the run."""

TIMES = frozenset({"seconds"})
"""Keys of figures that are times."""


def differences(whole: Path, resumed: Path) -> list[str]:
    """Return the files, by their path in the run, that are not the same in both runs, times aside."""
    first, second = _contents(whole), _contents(resumed)
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def _contents(run: Path) -> dict[str, Any]:
    files = (path for path in run.rglob("*") if path.is_file() and path.name not in FREE)
    return {path.relative_to(run).as_posix(): _without_times(path) for path in files}


def _without_times(path: Path) -> Any:
    content = path.read_bytes()
    if path.suffix == ".jsonl":
        return [_timeless(json.loads(line)) for line in content.splitlines()]
    return _timeless(json.loads(content)) if path.suffix == ".json" else content


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if name not in TIMES}
    return [_timeless(one) for one in value] if isinstance(value, list) else value
