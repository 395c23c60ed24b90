"""Several searches in one run: the same as each alone, repeatable, and not stopped by one that fails."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree, rmtree
from statistics import fmean

import pytest
from click.testing import CliRunner
from comparison_runs import SMALL, SMALL_EVALUATION, TINY
from failing_plugins import updater

import nascore
from nascore.cli import main
from nascore.comparison import read_plan
from nascore.contract import Observer
from nascore.engine.evaluate import evaluate
from nascore.errors import Problem, RecipeError, RunFailed, RunFolderError
from nascore.files import CHECKSUMS
from nascore.run import listed, read

GIVEN = {**TINY, "updater": ["uniform", "sgd"], "seeds": [0, 3], "settings": SMALL}
TIMES = {"seconds"}
FAILING = "raise SystemExit('no more')"


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A comparison of two algorithms over two seeds, each found architecture evaluated; to read only."""
    out = tmp_path_factory.mktemp("runs") / "compared"
    settings = {**SMALL, **SMALL_EVALUATION}
    return out, nascore.search_several(**{**GIVEN, "settings": settings}, evaluate=True, out=out)


def timeless(value):
    """A value of JSON without what took how long."""
    if isinstance(value, dict):
        return {key: timeless(one) for key, one in value.items() if key not in TIMES}
    return [timeless(one) for one in value] if isinstance(value, list) else value


def contents(folder):
    """All files of a folder, without times, logs, checksums, and what was typed, which differ."""
    found = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        if file.name == "origins.json":
            continue
        if file.suffix == ".json":
            found[name] = timeless(json.loads(file.read_text(encoding="utf-8")))
        elif file.name == "metrics.jsonl":
            lines = file.read_text(encoding="utf-8").splitlines()
            found[name] = [timeless(json.loads(line)) for line in lines]
        elif file.name == "changes.jsonl":
            lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
            found[name] = [{key: value for key, value in line.items() if key != "time"} for line in lines]
        elif file.name not in {"run.log", CHECKSUMS}:
            found[name] = file.read_bytes()
    return found


def test_each_search_is_the_same_as_alone_bit_for_bit(compared):
    out, _ = compared
    jobs = [job for job in read_plan(out).jobs if job.kind == "search"]
    assert [(job.choice["updater"], job.seed) for job in jobs] == [
        ("uniform", 0),
        ("sgd", 0),
        ("uniform", 3),
        ("sgd", 3),
    ]
    for job in jobs:
        alone = nascore.search(
            **{**TINY, "settings": SMALL | SMALL_EVALUATION}, **job.choice, seed=job.seed, out=job.folder
        )
        assert contents(alone.path) == contents(out / job.folder)
        assert "best/weights.safetensors" in contents(alone.path)


@pytest.mark.parametrize("figure", ["params", "macs"])
def test_costs_are_those_of_the_network_that_was_tested(figure, compared):
    out, found = compared
    jobs = read_plan(out).jobs
    cost = {job.folder: read(out / job.folder).result[figure] for job in jobs}
    for row in found.rows:
        mine = [job for job in jobs if job.of in {sample.name for sample in row.samples}]
        assert row.average(figure) == fmean(cost[job.folder] for job in mine)
        assert all(cost[job.folder] > cost[job.of] for job in mine)


@pytest.mark.parametrize(("kind", "what"), [("search", "search"), ("evaluate", "training")])
def test_steps_and_seconds_are_of_what_is_compared(kind, what, compared):
    out, _ = compared
    runs = [str(out / job.folder) for job in read_plan(out).jobs if job.kind == kind]
    said = CliRunner().invoke(main, ["compare", *runs]).stdout
    assert f"steps, seconds: of a whole {what}" in said


def _results_of_jobs(whole):
    return [value for name, value in whole.items() if name.startswith("jobs/") and name.endswith(".json")]


def test_each_evaluation_is_the_same_as_alone(compared):
    out, _ = compared
    settings = SMALL_EVALUATION
    (first, *_) = (job for job in read_plan(out).jobs if job.kind == "evaluate")
    alone = nascore.evaluate(out / first.of, settings=settings, seed=first.seed, out="alone")
    found, theirs = contents(alone.path), contents(out / first.folder)
    # The second test of this architecture is counted, and told; all else is equal.
    for whole in (found, theirs):
        counts = {whole["result.json"].pop("test_opened"), whole["best/metrics.json"].pop("test_opened")}
        counts |= {json_file.pop("test_opened", None) for json_file in _results_of_jobs(whole)} - {None}
        assert counts == {2 if whole is found else 1}
        whole["jobs/0001-train/result.json"].pop("warnings", None)  # as in that of the run
    assert len(found["result.json"].pop("warnings")) == len(theirs["result.json"].pop("warnings")) + 1
    assert found == theirs
    assert [line["event"] for line in contents(alone.path)["changes.jsonl"]] == ["test split opened"]


def test_two_comparisons_are_equal_but_for_their_times(compared):
    out, _ = compared
    settings = {**SMALL, **SMALL_EVALUATION}
    nascore.search_several(**{**GIVEN, "settings": settings}, evaluate=True, out="again")
    assert contents(Path("again")) == contents(out)
    assert "result.json" in contents(out)


def test_the_table_is_by_test_images_where_all_were_evaluated(compared):
    out, found = compared
    assert found.by == "test"
    assert [row.label for row in found.rows] == ["uniform", "sgd"]
    for row in found.rows:
        assert list(row.shares) == [0, 3]
        assert (row.measured.split, row.measured.guided) == ("test", False)
        # What `uniform` draws no image had a say in.
        assert row.in_search()[1] is (row.label == "sgd")
        for one in row.samples:
            job = next(job for job in read_plan(out).jobs if job.of == one.name)
            assert row.shares[one.seed] == read(out / job.folder).result["test_accuracy"]
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["jobs"] == {"planned": 8, "done": 8, "failed": 0}
    assert result["table"] == nascore.compare(out).plain() == found.plain()


def test_every_search_can_be_read_repeated_and_listed(compared):
    out, _ = compared
    assert [one.status for one in listed(out.parent)] == ["done"]
    assert [one.status for one in listed(out)] == ["done"] * 8
    assert nascore.load_run(out / read_plan(out).jobs[0].folder).gallery
    with pytest.raises(RunFolderError, match="is a comparison of several runs"):
        nascore.load_run(out)


def test_members_may_be_named_one_by_one(compared):
    out, found = compared
    folders = [out / job.folder for job in read_plan(out).jobs if job.kind == "search"]
    again = nascore.compare(*folders)
    assert again.by == "validation"  # which evaluation belongs to which is what the comparison knows
    assert [row.label for row in again.rows] == [row.label for row in found.rows]


@pytest.mark.parametrize(
    "body", [FAILING, "raise ValueError('no more')", "state.theta['cell'] *= float('nan')"]
)
def test_one_that_fails_is_recorded_and_the_others_go_on(body):
    Path("idea.py").write_text(updater(body), encoding="utf-8")
    given = {**GIVEN, "updater": ["bad", "uniform"], "plugins": ["idea.py"], "out": "run"}
    found = nascore.search_several(**given)
    bad, good = found.rows
    assert (len(bad.samples), len(bad.lost), len(good.samples)) == (0, 2, 2)
    result = json.loads(Path("run/result.json").read_text(encoding="utf-8"))
    assert result["status"] == "done"
    assert result["jobs"] == {"planned": 4, "done": 2, "failed": 2}
    events = [json.loads(line) for line in Path("run/changes.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [event["event"] for event in events] == ["job failed"] * 2
    assert "jobs/0001-tiny-bad_s0 failed" in Path("run/run.log").read_text(encoding="utf-8")
    assert any("jobs/0001-tiny-bad_s0 (bad) does not count" in warning for warning in found.warnings)


def test_the_evaluation_of_a_search_that_failed_is_left_out():
    Path("idea.py").write_text(updater(FAILING), encoding="utf-8")
    given = {**GIVEN, "updater": ["bad", "uniform"], "seeds": [0], "plugins": ["idea.py"], "out": "run"}
    found = nascore.search_several(**{**given, "settings": {**SMALL, **SMALL_EVALUATION}}, evaluate=True)
    assert found.by == "test"
    result = json.loads(Path("run/result.json").read_text(encoding="utf-8"))
    assert result["jobs"] == {"planned": 4, "done": 2, "failed": 2}
    assert not list(Path("run/jobs").glob("*evaluate*bad*"))


@pytest.mark.parametrize("lost", ["0006-evaluate-tiny-uniform_s3", "0004-evaluate-tiny-sgd_s0"])
def test_a_search_whose_evaluation_is_missing_stays_in_its_row(compared, lost):
    out, _ = compared
    copytree(out, "run")
    rmtree(Path("run/jobs") / lost)
    found = nascore.compare("run")
    assert found.by == "test"
    assert sorted(len(row.samples) for row in found.rows) == [1, 2]
    assert any(f"1 job was not started: jobs/{lost}" in warning for warning in found.warnings)
    assert not any("rows differ in more than" in warning for warning in found.warnings)


@pytest.fixture
def no_evaluation(monkeypatch):
    """Each evaluation fails whose seed is among these."""
    seeds = {0, 3}

    def failing(description, recipe, *rest, **named):
        if recipe.run.seed in seeds:
            raise RunFailed([Problem(path="", text="the loss is nan")])
        return evaluate(description, recipe, *rest, **named)

    monkeypatch.setattr("nascore.engine.comparison_jobs.evaluate", failing)
    return seeds


def test_where_all_evaluations_fail_nothing_else_is_compared(no_evaluation):
    given = {**GIVEN, "settings": {**SMALL, **SMALL_EVALUATION}, "evaluate": True}
    with pytest.raises(RunFailed, match=r"(?s)all 4 evaluations failed.*the loss is nan"):
        nascore.search_several(**given, out="run")
    result = json.loads(Path("run/result.json").read_text(encoding="utf-8"))
    assert result["status"] == "failed"
    assert result["jobs"] == {"planned": 8, "done": 4, "failed": 4}
    assert set(result["failures"].values()) == {"the loss is nan"}
    found = nascore.compare("run")
    assert (found.by, found.pairs) == ("test", ())
    assert all(row.failed and row.mean is None and row.in_search() for row in found.rows)
    assert "its evaluation failed: the loss is nan" in "".join(found.warnings)
    text = CliRunner().invoke(main, ["compare", "run"]).stdout
    assert text.count("failed") == 2, text
    assert "test split: never opened" in text
    assert no_evaluation


def test_a_row_without_test_accuracy_takes_no_other_one(no_evaluation):
    no_evaluation.clear()
    words = ["--space", "tiny", "--dataset", "synthetic", "--updater", "uniform,sgd", "--scale", "mini"]
    settings = {**SMALL, **SMALL_EVALUATION}
    sets = [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]
    no_evaluation.add(0)
    line = ["search", *words, *sets, "--seeds", "0..1", "--evaluate", "--out", "run"]
    answer = CliRunner().invoke(main, line)
    assert answer.exit_code == 0, answer.output  # some of what was asked for is there
    assert (
        "failed: 2 of 8 jobs (jobs/0002-evaluate-tiny-uniform_s0 and 1 more): the loss is nan"
        in answer.stderr
    )
    assert [list(row.shares) for row in nascore.compare("run").rows] == [[1], [1]]
    no_evaluation.add(1)
    answer = CliRunner().invoke(main, [*line[:-1], "again", "--json"])
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["by"] == "test"
    assert "failed: 4 of 8 jobs" in answer.stderr


def test_where_all_fail_the_run_failed():
    Path("idea.py").write_text(updater(FAILING), encoding="utf-8")
    given = {**GIVEN, "updater": "bad", "plugins": ["idea.py"], "out": "run"}
    with pytest.raises(RunFailed, match=r"(?s)all 2 jobs failed; the first of them:.*no more") as caught:
        nascore.search_several(**given)
    assert caught.value.__notes__ == [f"The run is kept in {Path.cwd() / 'run'}"]
    assert [one.status for one in listed(Path())] == ["failed"]


def test_a_folder_that_is_taken_is_refused_before_anything_is_made():
    Path("run").mkdir()
    Path("run/mine").write_text("mine", encoding="utf-8")
    with pytest.raises(RunFolderError, match="not empty"):
        nascore.search_several(**GIVEN, out="run")
    assert [path.name for path in Path("run").iterdir()] == ["mine"]


def test_an_interrupt_keeps_what_is_done():
    class Stop(Observer):
        seen = 0

        def run_started(self, _folder, _recipe):
            Stop.seen += 1
            if Stop.seen == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        nascore.search_several(**GIVEN, out="run", observers=[Stop()])
    assert caught.value.__notes__ == [f"The run is kept in {Path.cwd() / 'run'}"]
    result = json.loads(Path("run/result.json").read_text(encoding="utf-8"))
    assert result["status"] == "interrupted"
    assert [row["seeds"] for row in result["table"]["rows"]] == [[0], [0]]
    assert [one.status for one in listed(Path("run"))] == ["done", "done", "interrupted"]


def test_growth_may_be_compared_and_its_images_are_marked():
    settings = {**SMALL, "growth.count": 2}
    given = {**GIVEN, "updater": "sgd", "growth": ["none", "random"], "settings": settings}
    found = nascore.search_several(**given, out="run")
    assert found.paths == ("growth",)
    assert [pair.verdict for pair in found.pairs] == ["not comparable"]
    assert [row.measured.guided for row in found.rows] == [True, False]
    recipes = [Path("run", job.folder, "recipe.yaml") for job in read_plan(Path("run")).jobs]
    assert ["count: 2" in recipe.read_text(encoding="utf-8") for recipe in recipes] == [False, True] * 2


def test_a_single_search_is_a_comparison_of_one():
    found = nascore.search_several(**{**GIVEN, "updater": "uniform", "seeds": None}, out="run")
    assert [list(row.shares) for row in found.rows] == [[0]]


def test_the_recipe_error_has_all_problems_of_all_combinations():
    given = {**GIVEN, "updater": ["uniform", "xsgd"], "relaxation": ["softmax", "nosuch"], "out": "run"}
    with pytest.raises(RecipeError) as caught:
        nascore.search_several(**given)
    text = str(caught.value)
    assert "[updater uniform, relaxation nosuch] no relaxation is called nosuch" in text
    assert "no updater is called xsgd" in text
    assert not Path("run").exists()
