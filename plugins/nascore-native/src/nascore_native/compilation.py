"""Compiles the kernels into the folder ``lib`` of the package.

An installation runs this module by its path, so it imports neither torch nor its own package.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).parent / "kernels"
FOLDER: Final = Path(__file__).parent / "lib"
NOTE: Final = "not-built.txt"
COMPILERS: Final = ("c++", "g++", "clang++")

# Without -ffast-math: a gradient that is not a number has to stay one.
FLAGS: Final = (
    "-std=c++17",
    "-O3",
    "-fPIC",
    "-shared",
    "-pthread",
    "-fvisibility=hidden",
    "-ffp-contract=fast",
    "-fno-math-errno",
)

# The names and conditions are those of torch.backends.cpu.get_cpu_capability(), which chooses among them.
X86_TARGETS: Final = {
    "avx512": ("-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mavx2", "-mfma"),
    "avx2": ("-mavx2", "-mfma"),
    "default": (),
}
OTHER_TARGETS: Final[dict[str, tuple[str, ...]]] = {"default": ()}


class BuildError(Exception):
    """The kernels cannot be compiled here."""


def version() -> str:
    """Return a text that changes with the source of the kernels."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def library(target: str) -> Path:
    """Return the path of the library for a target, which need not exist."""
    return FOLDER / f"kernels-{sys.platform}-{platform.machine()}-{target}-{version()}.so"


def compiler() -> list[str]:
    """Return the command of the C++ compiler: $CXX, or the first one on the path."""
    if os.environ.get("CXX"):
        command = shlex.split(os.environ["CXX"])
        if shutil.which(command[0]):
            return command
        raise BuildError(f"no C++ compiler: $CXX is {os.environ['CXX']}, which is not an executable")
    for name in COMPILERS:
        if shutil.which(name):
            return [name]
    raise BuildError(f"no C++ compiler: none of {', '.join(COMPILERS)} is on the PATH, and $CXX is not set")


def build() -> list[Path]:
    """Compile the libraries that are missing, remove old ones, and return the paths of all.

    There is one for each target that the compiler knows.
    """
    command = compiler()
    targets = X86_TARGETS if platform.machine().lower() in {"x86_64", "amd64"} else OTHER_TARGETS
    FOLDER.mkdir(exist_ok=True)
    with ThreadPoolExecutor() as pool:
        errors = dict(
            zip(targets, pool.map(lambda item: _compile(command, *item), targets.items()), strict=True)
        )
    if errors["default"]:
        raise BuildError(f"{shlex.join(command)} cannot compile the kernels:\n{errors['default']}")
    libraries = [library(target) for target, error in errors.items() if not error]
    for path in FOLDER.iterdir():
        if path not in libraries:
            path.unlink(missing_ok=True)
    return libraries


def note_failure(reason: str) -> None:
    """Write why the kernels were not built, for the import to tell."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / NOTE).write_text(reason + "\n", encoding="utf-8")


def _compile(command: list[str], target: str, flags: tuple[str, ...]) -> str:
    """Compile for one target; return the errors of the compiler, empty if it succeeded."""
    path = library(target)
    if path.exists():
        return ""
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as folder:
        output = Path(folder, path.name)
        arguments = [*command, *FLAGS, *flags, str(SOURCES / "library.cpp"), "-o", str(output)]
        result = subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603, a compiler
        if result.returncode != 0:
            return result.stderr or f"exit status {result.returncode}"
        output.replace(path)  # a process that has the old one open keeps it
    return ""


def main() -> int:
    """Compile and print the paths of the libraries."""
    try:
        libraries = build()
    except BuildError as error:
        print(error, file=sys.stderr)  # noqa: T201, the command's output
        return 1
    for path in libraries:
        print(path)  # noqa: T201, the command's output
    return 0


if __name__ == "__main__":
    sys.exit(main())
