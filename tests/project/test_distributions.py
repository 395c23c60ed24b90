"""What is built of this repository can be published: a licence in each, and no link that leads nowhere."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [
    path.parent
    for pattern in ("pyproject.toml", "nascore_*/pyproject.toml", "plugins/*/pyproject.toml")
    for path in sorted(ROOT.glob(pattern))
]
BUILD = (
    "import sys; from hatchling import build; build.build_wheel(sys.argv[1]); build.build_sdist(sys.argv[1])"
)
RELATIVE = re.compile(r"\[[^\]]*\]\((?!https?://|#)[^)]*\)")


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def built(request, tmp_path_factory):
    """Folder of a distribution, its wheel and its source distribution."""
    out = tmp_path_factory.mktemp("built")
    subprocess.run([sys.executable, "-c", BUILD, out], check=True, cwd=request.param)
    (wheel,), (source,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return request.param, wheel, source


def metadata(wheel):
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        return message_from_bytes(archive.read(name))


def test_wheel_and_source_hold_the_licence(built):
    folder, wheel, source = built
    text = (ROOT / "LICENSE").read_bytes()
    assert (folder / "LICENSE").read_bytes() == text
    with ZipFile(wheel) as archive:
        assert [archive.read(name) for name in archive.namelist() if name.endswith("/LICENSE")] == [text]
    with tarfile.open(source) as archive:
        (member,) = (one for one in archive.getmembers() if re.fullmatch("[^/]+/LICENSE", one.name))
        assert archive.extractfile(member).read() == text


def test_its_page_on_an_index_has_no_link_into_the_repository(built):
    _, wheel, _ = built
    page = metadata(wheel).get_payload()
    assert len(page) > 500
    assert RELATIVE.findall(page) == []


def test_it_asks_for_no_tools_of_ours(built):
    _, wheel, _ = built
    facts = metadata(wheel)
    assert not {"dev", "test", "tests", "docs"} & set(facts.get_all("Provides-Extra") or ())
    needed = " ".join(facts.get_all("Requires-Dist"))
    assert not re.search("mypy|ruff|pytest", needed)


def test_the_core_brings_the_data_of_its_default_search(built):
    folder, wheel, source = built
    if folder != ROOT:
        pytest.skip("of the core alone")
    assert "scikit-learn" in " ".join(metadata(wheel).get_all("Requires-Dist"))
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"docs/plugins.md", "benchmarks/planted.py", "tests/conftest.py", "hatch_build.py"} <= names
