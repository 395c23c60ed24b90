"""Growth `sweep`: the space at every point of a grid, from the grid to the gallery."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from command_line import cli, done
from comparison_runs import SMALL
from resumed_runs import differences

import nascore
from nascore.description import load
from nascore.errors import NascoreError, PluginError, RecipeError
from nascore.run import PROPOSED, read

TINY = {"space": "tiny", "updater": "sgd", "dataset": "synthetic", "scale": "mini", "growth": "sweep"}
SETTINGS = {path: value for path, value in SMALL.items() if path not in {"ranking.channels", "ranking.cells"}}
GRID = {"space.cells": [1, 2], "space.channels": [2, 4]}
POINTS = [
    {"space.cells": 1, "space.channels": 2},
    {"space.cells": 1, "space.channels": 4},
    {"space.cells": 2, "space.channels": 2},
    {"space.cells": 2, "space.channels": 4},
]
CLOSED = """
from attrs import evolve, frozen
from nascore.api import Component, Op, derive, expand, hookimpl, setting


@frozen(kw_only=True)
class Settings:
    width: int = setting(2, "Width.", ge=1)
    odd: bool = setting(False, "Whether it cannot be built.")


class Space:
    def __init__(self, settings):
        self.settings = settings

    def describe(self, facts):
        from nascore.api import RecipeError, load

        if self.settings.odd:
            raise RecipeError(f"no network is {self.settings.width} wide and odd.")
        return load(f'''
nascore: 1
channels: {self.settings.width}
in_channels: {facts.channels}
classes: {facts.classes}
network:
  nodes:
    stem: {{from: images, op: stem}}
    l0: {{from: -1, op: conv_3x3}}
    head: {{from: -1, op: classifier, width: classes}}
''')


@hookimpl
def nascore_spaces():
    yield Component(name="shut", slot="space", summary="Closed.", config=Settings, build=Space)
"""


@pytest.fixture
def shut(tmp_path):
    """A plugin with a closed space that has a width."""
    file = tmp_path / "shut.py"
    file.write_text(CLOSED, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep over the sizes of an open space; to read only."""
    out = tmp_path_factory.mktemp("runs") / "swept"
    return nascore.search(**TINY, settings={**SETTINGS, "growth.grid": GRID}, out=out)


def refusal(grid, **more):
    with pytest.raises(RecipeError) as caught:
        nascore.search(**{**TINY, **more}, settings={**SETTINGS, "growth.grid": grid})
    return str(caught.value)


def sizes(description):
    repeats = [node.repeat for node in description.network.nodes if node.repeat is not None]
    return {"space.cells": sum(repeats), "space.channels": description.channels}


def test_an_open_space_is_searched_at_every_point(swept):
    entries = swept.gallery.entries
    assert [dict(entry.values) for entry in entries] == POINTS
    for entry, job in zip(entries, sorted((swept.path / "jobs").iterdir()), strict=True):
        opened = load((job / PROPOSED).read_text(encoding="utf-8"))
        found = load((swept.path / entry.description).read_text(encoding="utf-8"))
        assert opened.is_open
        assert not found.is_open
        assert sizes(opened) == sizes(found) == dict(entry.values)
        assert found.affine
        groups = json.loads((job / "candidates.json").read_text(encoding="utf-8"))["groups"]
        assert groups
        phases = [json.loads(line)["phase"] for line in (job / "metrics.jsonl").read_text().splitlines()]
        assert phases == ["search", "train"]


def test_the_points_differ_in_what_they_learned(swept):
    paths = sorted((swept.path / "jobs").glob("*/candidates.json"))
    learned = {path.read_text(encoding="utf-8") for path in paths}
    assert len(learned) == len(POINTS)


def test_job_and_gallery_name_the_values(swept):
    lines = (swept.path / "jobs/0002-grow/job.yaml").read_text(encoding="utf-8").splitlines()
    assert 'values: {"space.cells": 1, "space.channels": 4}' in lines
    table = done("gallery", swept.path).splitlines()
    assert table[0].split()[:4] == ["ID", "CELLS", "CHANNELS", "ACCURACY"]
    assert [line.split()[:3] for line in table[1:5]] == [
        ["1", "1", "2"],
        ["2", "1", "4"],
        ["3", "2", "2"],
        ["4", "2", "4"],
    ]
    assert [
        entry["values"] for entry in json.loads(done("gallery", swept.path, "--json"))["entries"]
    ] == POINTS
    rows = done("gallery", swept.path, "--csv").splitlines()
    assert rows[0].endswith("description,space.cells,space.channels")
    assert rows[2].endswith("architectures/0002.yaml,1,4")


def test_the_recipe_of_the_run_repeats_it(swept, tmp_path):
    again = nascore.search(recipe=swept.path / "recipe.yaml", out=tmp_path / "again")
    different = differences(swept.path, again.path)
    assert set(different) <= {"origins.json"}


def test_a_stopped_sweep_is_resumed(swept, tmp_path):
    settings = {**SETTINGS, "growth.grid": GRID}
    stopped = nascore.search(**TINY, settings=settings, out=tmp_path / "stopped", budget="2jobs")
    assert 0 < len(stopped.gallery) < len(POINTS)
    nascore.resume(stopped.path, budget="+100jobs")
    assert not differences(swept.path, stopped.path)


@pytest.mark.parametrize("steps", [1, 9, 15, 16])
def test_a_sweep_is_resumed_within_a_point(swept, tmp_path, steps):
    settings = {**SETTINGS, "growth.grid": GRID}
    with suppress(NascoreError):  # no architecture may be found yet
        nascore.search(**TINY, settings=settings, out=tmp_path / "stopped", budget=f"{steps}steps")
    nascore.resume(tmp_path / "stopped", budget="+1000steps")
    assert not differences(swept.path, tmp_path / "stopped")


def test_processes_give_the_same_gallery(swept, tmp_path):
    settings = {**SETTINGS, "growth.grid": GRID}
    apart = nascore.search(**TINY, settings=settings, executor="processes", out=tmp_path / "apart")
    assert apart.gallery == swept.gallery
    assert set(differences(swept.path, apart.path)) <= {"origins.json", "environment.json", "recipe.yaml"}


def test_a_closed_space_is_trained_at_every_point(shut, tmp_path):
    call = {**TINY, "space": "shut", "plugins": [shut]}
    settings = {**SETTINGS, "growth.grid": {"space": {"width": [2, 3]}}}
    run = nascore.search(**call, settings=settings, out=tmp_path / "run")
    assert [dict(entry.values) for entry in run.gallery] == [{"space.width": 2}, {"space.width": 3}]
    assert [one.name for one in sorted((run.path / "jobs").iterdir())] == ["0001-train", "0002-train"]
    first, second = (entry.costs["params"] for entry in run.gallery)
    assert first < second


def test_an_empty_grid_is_one_point(shut, tmp_path):
    call = {**TINY, "space": "shut", "plugins": [shut]}
    run = nascore.search(**call, settings=SETTINGS, out=tmp_path / "run")
    [entry] = run.gallery
    assert entry.values == {}
    log = (run.path / "run.log").read_text(encoding="utf-8")
    assert "sweep: growth.grid is empty: the space is used once, as it is." in log
    assert done("gallery", run.path).split()[:2] == ["ID", "ACCURACY"]


def test_one_closed_architecture_at_several_sizes_is_a_comparison(shut, tmp_path):
    found = nascore.search_several(
        **{**TINY, "space": "shut", "plugins": [shut]},
        settings={**SETTINGS, "ranking.channels": nascore.Values([2, 4])},
        out=tmp_path / "runs",
    )
    assert [row.label for row in found.rows] == ["ranking.channels=2", "ranking.channels=4"]
    assert found.rows[0].average("params") < found.rows[1].average("params")


def test_every_problem_of_a_grid_at_once():
    text = refusal(
        {
            "space.cels": [1, 2],
            "space.channels": [0, "many", 2, 2],
            "space.cells": [],
            "space": {"cells": 3},
            "ranking.lr": [0.1, 0.2],
        }
    )
    for sentence in (
        "growth.grid.space.cels: tiny has no setting cels. Did you mean cells? (a whole number at least 1)",
        "growth.grid.space.channels: 0 is not a whole number at least 1.",
        "growth.grid.space.channels: 'many' is not a whole number at least 1.",
        "growth.grid.space.channels: 2 is given twice. Leave it out.",
        "growth.grid.space.cells: is given twice. Give all its values in one list.",
        "growth.grid.space.cells: the list of values is empty. Give values, or leave it out.",
        "growth.grid.space.cells: 3 is not a list of values. Write [3].",
        "growth.grid.ranking.lr: a grid holds settings of the space only (space.NAME).",
        "Compare searches with these values: nascore search --set ranking.lr=0.1,0.2.",
    ):
        assert sentence in text
    assert text.count("from settings['growth.grid']") == 8


def test_a_grid_that_is_no_map():
    assert "growth.grid: 3 is not a map." in refusal(3)


def test_a_grid_holds_no_files(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("", encoding="utf-8")
    text = refusal({"space.path": ["a.yaml", "b.yaml"]}, space=file)
    assert "growth.grid.space.path: a grid holds no paths of files. Compare several spaces: nascore" in text


def test_too_many_points_are_refused_with_their_number():
    text = refusal({"space.cells": [*range(1, 51)], "space.channels": [*range(1, 51)]})
    assert "growth.grid: the grid has 2,500 points, more than 1,000. Give fewer values." in text


def test_points_that_cannot_be_built_are_refused_together(shut, tmp_path):
    text = refusal(
        {"space.width": [2, 3], "space.odd": [False, True]},
        space="shut",
        plugins=[shut],
        out=tmp_path / "run",
    )
    assert "[space.width=2, space.odd=True] no network is 2 wide and odd." in text
    assert "[space.width=3, space.odd=True] no network is 3 wide and odd." in text
    assert not (tmp_path / "run").exists()


def test_the_command_line_reads_a_grid(tmp_path):
    words = ["search", "--space", "tiny", "--updater", "sgd", "--dataset", "synthetic", "--scale", "mini"]
    words += ["--growth", "sweep", "--set", "growth.grid={space.cells: [1, 2], space.channels: [2]}"]
    assert "supernets, each searched by itself: 2\n" in done(*words, "--dry-run")
    words[-1] = "growth.grid.space.cells=[1, 2, 3]"
    assert "supernets, each searched by itself: 3\n" in done(*words, "--dry-run")
    recipe = tmp_path / "sweep.yaml"
    recipe.write_text(
        "nascore: 1\nscale: mini\nspace: tiny\nupdater: sgd\ngrowth:\n  name: sweep\n  grid:\n"
        "    space.cells: [1, 2]\n    space.chanels: [2]\n",
        encoding="utf-8",
    )
    refused = cli("check", recipe)
    assert refused.exit_code == 3
    assert "growth.grid.space.chanels: tiny has no setting chanels. Did you mean channels?" in refused.stderr
    assert f"{recipe}:" in refused.stderr


SEARCHING = """
from nascore.api import Component, Proposal, hookimpl


class Faulty:
    def __init__(self, settings):
        pass

    def propose(self, space, history, wave, rng):
        return [Proposal(description=space, values={values})] if wave == 1 else []


@hookimpl
def nascore_growths():
    yield Component(name="faulty", slot="growth", summary="Faulty.", build=Faulty, provides={provides})
"""


@pytest.mark.parametrize(
    ("values", "provides", "text"),
    [
        ("{'a': object}", ("searches",), "a map of values for JSON, by path"),
        ("[1]", ("searches",), "a map of values for JSON, by path"),
        ("{}", (), "proposed an open description, but does not declare grows or searches"),
    ],
)
def test_a_policy_with_faults(tmp_path, values, provides, text):
    file = tmp_path / "faulty.py"
    source = SEARCHING.replace("{values}", values).replace("{provides}", repr(provides))
    file.write_text(source, encoding="utf-8")
    with pytest.raises(PluginError, match=text):
        nascore.search(**{**TINY, "growth": "faulty", "plugins": [file]}, settings=SETTINGS)


def test_an_entry_of_an_earlier_version_has_no_values(swept):
    plain = {**swept.gallery.entries[0].plain()}
    del plain["values"]
    assert type(swept.gallery.entries[0]).of(plain).values == {}
    assert read(swept.path).gallery.entries == swept.gallery.entries
