"""These tests are there only where the plugin is installed; its kernels are compiled if they are not yet."""

from __future__ import annotations

import runpy
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir

from filelock import FileLock

collect_ignore_glob: list[str] = []

package = find_spec("nascore_native")
if package is None or package.origin is None:
    collect_ignore_glob = ["test_*.py"]
else:
    # By its path: the import of the package looks for the kernels.
    compilation = runpy.run_path(str(Path(package.origin).with_name("compilation.py")))
    try:
        with FileLock(Path(gettempdir(), "nascore-native.lock")):
            compilation["build"]()
    except compilation["BuildError"] as error:
        compilation["note_failure"](str(error))  # the reason with which the tests are skipped
