"""Growth with each updater, as it is typed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

import pytest
from click.testing import CliRunner
from petridish_runs import ANY, SMALL, space_of

from nascore.cli import main
from nascore.run import read


def needing(name):
    """Return the mark of a test that needs a plugin."""
    try:
        distribution(name)
    except PackageNotFoundError:
        return pytest.mark.skip(reason=f"{name} is not installed")
    return ()


UPDATERS = {
    "": ("", "sgd", "linear", ["l1"]),
    "sgd": ("", "sgd", "linear", ["l1"]),
    "uniform": ("", "uniform", "linear", []),
    "darts": ("nascore-darts", "darts", "linear", ["l1"]),
    "xnas": ("nascore-xnas", "xnas", "softmax", []),
    "geonas": ("nascore-geonas", "geonas", "softmax", []),
    "data": ("nascore-data", "data", "egs", ["l1"]),
}
CASES = [
    pytest.param(updater, id=updater or "its own", marks=needing(needs) if needs else ())
    for updater, (needs, *_) in UPDATERS.items()
]


def search(out, *words, count=3):
    settings = {**SMALL, "growth.count": count, "growth.eps": ANY, "space.channels": 2}
    settings.pop("growth.operations")
    sets = [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]
    asked = ["search", "--dataset", "synthetic", "--scale", "mini", "--growth", "petridish", *words]
    result = CliRunner().invoke(main, [*map(str, asked), "--out", str(out), *sets])
    assert result.exit_code == 0, result.output
    return result, read(out)


@pytest.mark.parametrize("updater", CASES)
def test_growth_with(updater, tmp_path):
    words = ("--updater", updater) if updater else ()
    _, name, relaxation, penalties = UPDATERS[updater]
    result, record = search(tmp_path / "run", "--space", "tiny", *words)
    lines = result.stdout.splitlines()
    assert lines[1].split()[:3] == ["ID", "PARENT", "WAVE"]
    assert [line.split()[:3] for line in lines[2:5]] == [["1", "-", "1"], ["2", "1", "2"], ["3", "2", "3"]]
    recipe = (tmp_path / "run" / "recipe.yaml").read_text()
    assert f"updater:\n  name: {name}\n" in recipe
    assert f"relaxation:\n  name: {relaxation}\n" in recipe
    assert "estimate: single-level" in recipe
    assert [kind for kind in ("l1", "entropy") if f"  {kind}:\n" in recipe] == penalties
    assert record.status == "done"
    assert record.result["jobs"] == {"done": 3, "failed": 0}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--updater", "xnas"), id="the headline", marks=needing("nascore-xnas")),
        pytest.param(("--set", "growth.search=macro"), id="macro"),
    ],
)
def test_growth_in_the_space_of_darts(words, tmp_path):
    needs = needing("nascore-darts")
    if needs:
        pytest.skip("nascore-darts is not installed")
    _, record = search(tmp_path / "run", "--space", "darts", "--set", "space.cells=3", *words)
    assert [entry.parent for entry in record.gallery] == [None, 1, 2]
    costs = [entry.costs["macs"] for entry in record.gallery]
    assert costs == sorted(costs)


@pytest.mark.parametrize("name", ["cells", "chain"])
def test_growth_of_a_description_by_hand(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = space_of(tmp_path, name)
    settings = {**SMALL, "growth.count": 3}
    sets = [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]
    asked = ["search", "--dataset", "synthetic", "--scale", "mini", "--growth", "petridish", "--space", space]
    result = CliRunner().invoke(main, [*asked, "--out", "run", *[word.replace("'", "") for word in sets]])
    assert result.exit_code == 0, result.output
    assert len(read(tmp_path / "run").gallery) == 3


def test_a_space_of_a_benchmark_is_refused():
    if needing("nascore-nasbench"):
        pytest.skip("nascore-nasbench is not installed")
    words = "search --space nb201 --growth petridish --dataset synthetic --scale mini --dry-run"
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 3
    assert "petridish and nb201 do not fit" in result.output
    assert "has no code in a fixed encoding" in result.output
