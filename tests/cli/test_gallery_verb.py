"""`nascore gallery` as it is typed: of runs that are done, killed, failed, or have no gallery."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from attrs import evolve
from command_line import cli, done
from failing_plugins import observer
from gallery_samples import GROW, write_run

from nascore.cli import gallery
from nascore.gallery import Gallery
from nascore.verbs.gallery import assess
from nascore.verbs.runs import load_run


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A run of three architectures; to read only."""
    out = tmp_path_factory.mktemp("gallery") / "run"
    done(*GROW, "--set", "growth.count=3", "--out", out)
    return out


@pytest.fixture
def written(tmp_path):
    return write_run(tmp_path / "run")


def test_the_table_says_all_of_each(written):
    result = cli("gallery", written)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    heads = "ID PARENT WAVE ACCURACY 95 % INTERVAL PARAMETERS MACS FRONT"
    assert lines[0] == heads.split()
    assert lines[1] == ["1", "-", "1", "50.00%", "44.3", "to", "55.7%", "40,000", "7,000,000", "yes"]
    assert lines[4] == ["4", "2", "3", "80.00%", "75.0", "to", "84.2%", "2,560,000", "28,000,000", "best"]
    assert lines[5] == ["5", "4", "3", "75.00%", "69.7", "to", "79.7%", "5,000,000", "35,000,000"]
    assert "of 287 validation images" in result.stdout
    assert "1, 2, 3, 4, from the fewest parameters to the lowest error" in result.stdout
    share = assess(written).hypervolume
    assert f"{share:.4f} of 1, up to error 1 and 5,500,000 parameters" in result.stdout
    assert "|" not in result.stdout  # no plot, for stdout is no terminal
    assert "\x1b" not in result.output


def test_the_front_alone(written):
    lines = done("gallery", written, "--front", "--cost", "macs").splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["1", "2", "3", "4"]
    assert lines[5] == ""
    assert "from the fewest MACs" in "\n".join(lines)


def test_json(written):
    plain = json.loads(done("gallery", written, "--json", "--cost", "macs", "--reference", 0.6, 4e7))
    assert (plain["status"], plain["cost"], plain["best"]) == ("killed", "macs", 4)
    assert plain["front"] == [1, 2, 3, 4]
    assert plain["hypervolume"]["reference"] == {"error": 0.6, "macs": 4e7}
    assert plain["hypervolume"]["share"] == assess(written, cost="macs", reference=(0.6, 4e7)).hypervolume
    assert [entry["parent"] for entry in plain["entries"]] == [None, 1, 1, 2, 4]
    assert len(json.loads(done("gallery", written, "--json", "--front"))["entries"]) == 4


def test_csv(written):
    rows = list(csv.DictReader(StringIO(done("gallery", written, "--csv"))))
    assert [row["parent"] for row in rows] == ["", "1", "1", "2", "4"]
    assert [row["front"] for row in rows] == ["1", "1", "1", "1", "0"]
    assert [row["best"] for row in rows] == ["0", "0", "0", "1", "0"]
    low, high = assess(written).record.gallery[4].interval
    assert [float(rows[3][name]) for name in ("accuracy", "low", "high")] == [0.8, 1 - high, 1 - low]
    assert (rows[3]["count"], rows[3]["guided"]) == ("287", "0")
    assert rows[3]["description"] == "architectures/0004.yaml"


def test_the_best_is_on_no_front_on_which_another_equals_it_for_less(tmp_path):
    """Of equal errors the best has the fewest parameters, and here not the fewest MACs."""
    folder = write_run(tmp_path / "run")
    given = Gallery.from_json((folder / "gallery.json").read_text(encoding="utf-8"))
    costs = {"params": 9_000_000, "macs": 1_000_000}
    rival = evolve(given[4], id=6, costs=costs, description="architectures/0005.yaml")
    (folder / "gallery.json").write_text(given.added(rival).to_json(), encoding="utf-8")
    words = ("gallery", folder, "--cost", "macs")
    rows = {row["id"]: row for row in csv.DictReader(StringIO(done(*words, "--csv")))}
    assert [(rows[one]["front"], rows[one]["best"]) for one in ("4", "6")] == [("0", "1"), ("1", "0")]
    marks = {line.split()[0]: line.split()[-1] for line in done(*words).splitlines()[1:7]}
    assert (marks["4"], marks["6"]) == ("(best)", "yes")
    assert "*" in done(*words, "--plot").split("\n\n")[-1].splitlines()[0]
    assert {row["front"] for row in csv.DictReader(StringIO(done(*words, "--csv", "--front")))} == {"1"}


def test_the_plot_marks_the_best_the_front_and_others(written):
    drawn = done("gallery", written, "--plot").split("\n\n")[-1]
    rows, legend = drawn.splitlines()[:-1], drawn.splitlines()[-1]
    text = "".join(row for row in rows if row[6] in "|+")
    assert [text.count(mark) for mark in "*o."] == [1, 3, 1 + sum(row[:6].count(".") for row in rows)]
    assert legend == "accuracy over parameters (log); * best  o front  . others"
    assert "(log)" not in done("gallery", written, "--plot", "--cost", "macs")
    # The best is the highest, and the last is further to the right.
    assert "*" in rows[0]
    assert max(map(len, rows)) <= gallery.UNKNOWN_WIDTH


@pytest.mark.parametrize("across", [60, 90])
def test_a_terminal_gets_a_plot_and_no_line_that_is_too_long(written, across, monkeypatch):
    for module in ("output", "gallery"):
        monkeypatch.setattr(f"nascore.cli.{module}.columns", lambda **_: across)
    said = done("gallery", written)
    assert max(map(len, said.splitlines())) <= across
    assert "* best" in said
    assert ("40,000" in said.split("\n\n")[0]) is (across == 90)
    assert ("40k" in said.split("\n\n")[0]) is (across == 60)
    assert "44.3" in said
    assert "* best" not in done("gallery", written, "--no-plot")


def test_json_and_csv_exclude_each_other(written):
    result = cli("gallery", written, "--json", "--csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "exclude each other" in result.stderr
    assert cli("gallery", written, "--reference", 0, 5).exit_code == 2


def test_a_run_that_is_done(grown):
    result = cli("gallery", grown)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "PARENT" not in result.stdout  # none has one
    assert [line.split()[0] for line in result.stdout.splitlines()[1:4]] == ["1", "2", "3"]
    assert assess(load_run(grown)).record.gallery == load_run(grown).gallery


def test_a_run_killed_in_the_middle_keeps_what_was_done(tmp_path, monkeypatch):
    """Another process, which dies as its fourth job begins: nothing is tidied up."""
    monkeypatch.chdir(tmp_path)
    body = "details[1] == 4 and os._exit(9)"
    Path("idea.py").write_text(observer("job_started", body), encoding="utf-8")
    words = (*GROW, "--set", "growth.count=5", "--with", "idea.py", "--observer", "watcher", "--out", "run")
    died = subprocess.run(
        [sys.executable, "-m", "nascore", *words],
        check=False,
        capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert died.returncode == 9, died.stderr

    result = cli("gallery", "run")
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()[1:4]] == ["1", "2", "3"]
    assert (
        "run is a run that was killed or is still in progress; the table shows the 3 architectures"
        in result.stderr
    )
    plain = json.loads(cli("gallery", "run", "--json").stdout)
    assert plain["status"] == "killed"
    best = assess("run").record.gallery.best
    for entry in assess("run").record.gallery:
        assert f"{entry.costs['params']:,} parameters" in done("draw", "run", "--entry", entry.id)
    assert done("draw", "run") == done("draw", "run", "--entry", best.id)


def test_a_failed_run_says_its_status(written):
    (written / "result.json").write_text('{"kind": "search", "status": "failed"}', encoding="utf-8")
    result = cli("gallery", written)
    assert result.exit_code == 0
    assert "is a run with status failed; the table shows the 5 architectures so far." in result.stderr


def test_a_run_without_a_gallery_says_why(written, tmp_path):
    (written / "gallery.json").unlink()
    for words in (("gallery", written), ("draw", written, "--entry", 1)):
        result = cli(*words)
        assert result.exit_code == 5
        assert (
            "is a run that was killed or is still in progress: its gallery has no architectures"
            in result.stderr
        )
        assert "missing: " in result.stderr
    (written / "result.json").write_text('{"kind": "evaluate", "status": "failed"}', encoding="utf-8")
    result = cli("gallery", written)
    assert result.exit_code == 5
    assert (
        f"is an evaluation: it has one architecture and no gallery. See nascore draw {written}"
        in result.stderr
    )
    assert cli("gallery", tmp_path / "none").exit_code == 5


def test_a_cost_that_there_is_not(written):
    with pytest.raises(Exception, match=r"no cost latency\. Known: params, macs\.") as caught:
        assess(written, cost="latency")
    assert caught.value.exit_code == 5
