"""The wheel with and without a compiler, and what the import then says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns
from zipfile import ZipFile

import pytest

import nascore_native

PROJECT = Path(__file__).parents[1]
BUILD = "import sys; from hatchling import build; build.build_wheel(sys.argv[1])"
USE = """
import warnings, torch, nascore_native
print(nascore_native.AVAILABLE)
print(nascore_native.REASON)
x = torch.ones(2, 3, 4, 4)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for _ in range(2):
        out = nascore_native.mixed_sum([x, x], torch.ones(1, 2), [False, False], 1e-5)
        nascore_native.norm_relu(x, 1e-5)
        nascore_native.pointwise(x, torch.ones(3, 1, 1, 1), groups=3)
        nascore_native.depthwise(x, torch.ones(3, 1, 3, 3), stride=1, padding=1, dilation=1)
print(out.unique().tolist(), [str(each.message) for each in caught if "native" in str(each.message)])
nascore_native.require()
"""


def used(folder: Path) -> tuple[list[str], str]:
    """Lines of output and the last line of errors of a process that uses the package in a folder."""
    command = [sys.executable, "-c", USE]
    result = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False
    )
    return result.stdout.splitlines(), result.stderr.strip().rpartition("\n")[2]


def wheel(folder: Path, **environment: str) -> Path:
    """The wheel of the project in a folder, unpacked beside it."""
    out = folder.parent / "wheels"
    subprocess.run(
        [sys.executable, "-c", BUILD, out], check=True, cwd=folder, env={**os.environ, **environment}
    )
    (path,) = out.glob("*.whl")
    with ZipFile(path) as archive:
        archive.extractall(out / "unpacked")
    return path


def test_without_a_compiler_it_installs_and_says_what_is_missing(tmp_path):
    copytree(PROJECT, tmp_path / "project", ignore=ignore_patterns("lib", "__pycache__"))
    path = wheel(tmp_path / "project", PATH=str(tmp_path), CXX="")
    assert path.name.endswith("-py3-none-any.whl")
    lines, error = used(path.parent / "unpacked")
    assert lines[0] == "False"
    assert "no C++ compiler: none of c++, g++, clang++ is on the PATH" in lines[1]
    assert lines[1].endswith("pip install --force-reinstall --no-deps ./plugins/nascore-native")
    assert lines[2].startswith("[2.0] [")
    assert lines[2].count("The native kernels are not built") == 1
    assert error == f"RuntimeError: {lines[1]}"


def test_a_compiler_that_fails_is_quoted(tmp_path):
    copytree(PROJECT, tmp_path / "project", ignore=ignore_patterns("lib", "__pycache__"))
    (tmp_path / "broken").write_text("#!/bin/sh\necho 'broken: no such flag' >&2\nexit 2\n", encoding="utf-8")
    (tmp_path / "broken").chmod(0o755)
    command = [sys.executable, "src/nascore_native/compilation.py"]
    environment = {**os.environ, "CXX": str(tmp_path / "broken")}
    result = subprocess.run(
        command, cwd=tmp_path / "project", env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "cannot compile the kernels:\nbroken: no such flag" in result.stderr
    environment["CXX"] = "no-such-compiler"
    result = subprocess.run(
        command, cwd=tmp_path / "project", env=environment, capture_output=True, text=True, check=False
    )
    assert "$CXX is no-such-compiler, which is not an executable" in result.stderr


@pytest.mark.skipif(not nascore_native.AVAILABLE, reason=nascore_native.REASON)
def test_with_a_compiler_the_wheel_is_for_the_platform(tmp_path):
    # The libraries that are there are not compiled again.
    copytree(PROJECT, tmp_path / "project", ignore=ignore_patterns("__pycache__"))
    path = wheel(tmp_path / "project")
    assert "-py3-none-" in path.name
    assert not path.name.endswith("-any.whl")
    lines, error = used(path.parent / "unpacked")
    assert lines == ["True", "", "[2.0] []"]
    assert error == ""


@pytest.mark.skipif(not nascore_native.AVAILABLE, reason=nascore_native.REASON)
def test_libraries_of_an_older_source_are_not_loaded(tmp_path):
    copytree(PROJECT / "src", tmp_path / "src")
    source = tmp_path / "src/nascore_native/kernels/norm.h"
    source.write_text(source.read_text(encoding="utf-8") + "\n// newer\n", encoding="utf-8")
    lines, _ = used(tmp_path / "src")
    assert lines[0] == "False"
    assert "compiled from an older source" in lines[1]
