"""A Python environment like this one in which no plugin is installed; nothing is downloaded for it.

As a script it makes one and prints its interpreter: ``python tests/helpers/alone.py FOLDER``, where there is
nothing yet. With that, ``-m pytest tests`` runs the tests that need no plugin.
"""

from __future__ import annotations

import site
import subprocess
import sys
import sysconfig
from pathlib import Path

LEFT_OUT = ("nascore_", "_editable_impl_nascore_")
"""How everything begins that installing a plugin of this repository put there."""

PROGRAMS = ("ruff",)
"""What ``python -m`` looks for beside the interpreter."""


def make_alone(folder: Path) -> Path:
    """Make the environment, and return its interpreter.

    Args:
        folder: Where; there is nothing yet.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", folder], check=True)
    (there,) = folder.glob("lib/python*/site-packages")
    for packages in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}:
        for item in Path(packages).iterdir() if Path(packages).is_dir() else ():
            if not item.name.startswith(LEFT_OUT) and not (there / item.name).exists():
                (there / item.name).symlink_to(item)
    for program in PROGRAMS:
        (folder / "bin" / program).symlink_to(Path(sysconfig.get_path("scripts")) / program)
    return folder / "bin" / "python"


if __name__ == "__main__":
    print(make_alone(Path(sys.argv[1])))  # noqa: T201 - what the script is for
