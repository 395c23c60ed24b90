"""Compiles the kernels when a wheel is built; without a compiler there are none, and the import says so."""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "src/nascore_native"


class Kernels(BuildHookInterface):
    """Puts the compiled kernels into the wheel and names the platform they are for."""

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Compile the kernels into the package; an editable installation finds them there as well."""
        spec = importlib.util.spec_from_file_location(
            "compilation", Path(self.root, PACKAGE, "compilation.py")
        )
        assert spec is not None
        assert spec.loader is not None
        compilation = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(compilation)
        try:
            libraries = compilation.build()
        except compilation.BuildError as error:
            compilation.note_failure(str(error))
            self.app.display_warning(str(error))
            libraries = []
        build_data["artifacts"].append(f"{PACKAGE}/{compilation.FOLDER.name}/*")
        if libraries:
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform}"
