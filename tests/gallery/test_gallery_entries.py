"""Each architecture of a run drawn, exported and evaluated by its id."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from attrs import evolve
from command_line import cli, done
from gallery_samples import GROW, write_run
from tiny import CLOSED

from nascore.description import dump, load
from nascore.files import CHECKSUMS
from nascore.gallery import Gallery
from nascore.verbs.draw import draw
from nascore.verbs.export import export
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


@pytest.mark.parametrize(
    "words",
    [
        ("draw",),
        pytest.param(("export", "--to", "network"), marks=pytest.mark.needs("nascore-spaces")),
        ("evaluate",),
    ],
)
def test_an_id_that_there_is_not_names_the_nearest(words, written):
    result = cli(words[0], written, *words[1:], "--entry", 9)
    assert (result.exit_code, result.stdout) == (5, "")
    assert f"has no architecture 9. Nearest: 3, 4, 5. See nascore gallery {written}." in result.stderr
    assert cli(words[0], written, *words[1:], "--entry", 0).exit_code == 2


def test_few_ids_are_all_named(grown):
    assert "It has 1, 2, 3." in cli("draw", grown, "--entry", 4).stderr


def test_each_is_drawn(written, grown):
    for number in (1, 3):
        assert load(CLOSED.replace("4", str(4 * number))) == draw(written, entry=number).description
        assert f"{4 * number} channels" in done("draw", written, "--entry", number)
    for entry in load_run(grown).gallery:
        assert f"{entry.costs['macs']:,} MACs on images of 8x8" in done("draw", grown, "--entry", entry.id)
    assert draw(load_run(grown), entry=2).description == draw(grown, entry=2).description
    (written / "architectures/0003.yaml").unlink()
    result = cli("draw", written, "--entry", 3)
    assert (result.exit_code, "architectures/0003.yaml cannot be read" in result.stderr) == (5, True)


@pytest.mark.needs("nascore-darts")
def test_each_is_exported(tiny_run, tmp_path):
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    one = load_run(run).gallery.best
    (run / CHECKSUMS).unlink()
    # The best of the run is another one now: the id decides.
    text = export("DARTS_V1", "genotype")
    gallery = Gallery((one, evolve(one, id=2, description="architectures/0002.yaml")))
    (run / "gallery.json").write_text(gallery.to_json(), encoding="utf-8")
    second = draw("DARTS_V1").description
    (run / "architectures/0002.yaml").write_text(dump(second), encoding="utf-8")
    assert done("export", run, "--entry", 2, "--to", "genotype").strip() == text.strip()
    assert done("export", run, "--entry", 1, "--to", "genotype") == done("export", run, "--to", "genotype")
    assert done("export", run, "--to", "genotype").strip() != text.strip()


@pytest.mark.needs("nascore-darts")
def test_what_a_notation_cannot_say_is_named_as_a_description(written, grown):
    whole, one = (cli("export", grown, *more, "--to", "genotype") for more in ((), ("--entry", 2)))
    assert (whole.exit_code, one.exit_code) == (3, 3)
    said = "genotype cannot express this architecture. Its description is in"
    assert f"{said} {grown / 'best/architecture.yaml'}." in whole.stderr
    assert f"{said} {grown / 'architectures/0002.yaml'}." in one.stderr
    file = written / "architectures/0003.yaml"
    assert "A description in YAML can express every" in cli("export", file, "--to", "genotype").stderr


def test_each_is_evaluated(grown, tmp_path):
    gallery = load_run(grown).gallery
    other = next(entry for entry in gallery if entry.id != gallery.best.id)
    out = tmp_path / "final"
    words = ("--set", "training.epochs=1", "--set", "training.channels=2", "--set", "training.cells=1")
    done("evaluate", grown, "--entry", other.id, "--out", out, *words)
    assert load_run(out).best == draw(grown, entry=other.id).description
    assert load_run(out).best != load_run(grown).best


def test_only_a_run_has_entries(tmp_path):
    file = tmp_path / "net.yaml"
    file.write_text(CLOSED, encoding="utf-8")
    result = cli("draw", file, "--entry", 1)
    assert (result.exit_code, "is a file, and a run is a folder" in result.stderr) == (5, True)
    with pytest.raises(Exception, match="entry: an entry selects an architecture of a run") as caught:
        draw(load(CLOSED), entry=1)
    assert caught.value.exit_code == 3
