"""Loading one plugin in a fresh process, to see what it drags in."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from nascore.testing.conformance import NotConformingError

if TYPE_CHECKING:
    from nascore.plugin import Plugin

_FOUND: Final = "nascore-imports-torch-at "
_PROGRAM: Final = f"""
import json, sys, traceback
asked = json.loads(sys.argv[1])
sys.path[:] = asked["path"]

class Guard:
    def find_spec(self, name, *_):
        if name == "torch":
            frames = [
                frame for frame in traceback.extract_stack()[:-1]
                if not frame.filename.startswith("<") and "importlib" not in frame.filename
            ]
            # Not sys.stdout: what is printed while plugins are imported is caught.
            place = f"{{frames[-1].filename}}:{{frames[-1].lineno}}"
            print("{_FOUND}" + place, file=sys.__stdout__, flush=True)
            raise SystemExit(3)

sys.meta_path.insert(0, Guard())
from nascore.plugin import Selection, discover
plugins = discover(Selection(files=tuple(asked["files"]), only=tuple(asked["only"]))).plugins
"""


def torch_importer(plugin: Plugin) -> str:
    """Return the place, as ``FILE:LINE``, at which a plugin imports torch while it is loaded; empty: nowhere.

    Args:
        plugin: A plugin that is ready. One that is neither a file nor of a distribution (an object in a
            test) cannot be loaded elsewhere, and is taken to import none.

    Raises:
        NotConformingError: It cannot be loaded alone.
    """
    if not plugin.is_file and not plugin.distribution:
        return ""
    asked = {
        "path": sys.path,
        "files": [plugin.value] if plugin.is_file else [],
        "only": ["nascore"] if plugin.is_file else [plugin.name],
    }
    done = subprocess.run(  # noqa: S603 - our own program, in the same Python
        [sys.executable, "-c", _PROGRAM, json.dumps(asked)],
        capture_output=True,
        check=False,
        encoding="utf-8",
        errors="replace",
    )
    for line in done.stdout.splitlines():
        if line.startswith(_FOUND):
            return line.removeprefix(_FOUND)
    if done.returncode != 0:
        said = (done.stderr.strip() or "nothing").splitlines()[-1]
        raise NotConformingError(f"{plugin.name} cannot be loaded in a process of its own: {said}")
    return ""
