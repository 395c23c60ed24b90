"""The list of a run's files, and the digest of a document: what was cut off or changed is named."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner

from nascore.cli import main
from nascore.config import parse_document
from nascore.errors import RunFolderError
from nascore.files import (
    CHECKSUMS,
    ChainedWriter,
    check_file,
    checksums_of,
    read_bytes,
    with_digest,
    without_digest,
)
from nascore.run import bytes_of, create, lines_of, read, text_of
from nascore.verbs.runs import best_of, compare, load_run


@pytest.fixture
def run(tiny_run, tmp_path):
    """A copy of a run that is done, to damage."""
    return Path(shutil.copytree(tiny_run, tmp_path / "a run"))


def cli(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def flipped(path, at=-20):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def listed_files(run):
    """Return the files in the list of a run, and in those of its jobs."""
    lists = [checksums_of(run), *(checksums_of(job) for job in sorted((run / "jobs").iterdir()))]
    assert all(one.ended for one in lists)
    assert [one.of_job for one in lists] == [False, True, True]
    return [one.folder / name for one in lists for name in one.files]


def test_every_file_of_a_run_is_listed(run):
    listed = listed_files(run)
    assert {path for path in run.rglob("*") if path.is_file()} - {*listed} == {
        run / "run.log",
        *run.rglob(CHECKSUMS),
    }
    for path in listed:
        check_file(path)


def test_a_file_that_a_job_did_not_write_is_refused(run):
    (run / "jobs/0002-train/other.yaml").write_text("nodes: {}\n", encoding="utf-8")
    with pytest.raises(RunFolderError, match="the run did not write it"):
        text_of(run / "jobs/0002-train/other.yaml")


def test_a_recipe_that_was_cut_off_at_a_line_is_no_recipe(run):
    recipe = run / "recipe.yaml"
    lines = recipe.read_text(encoding="utf-8").splitlines(keepends=True)
    recipe.write_text("".join(lines[:-8]), encoding="utf-8")
    for words in (("evaluate", run), ("search", "--recipe", recipe, "--dry-run"), ("check", recipe)):
        result = cli(*words)
        assert result.exit_code in {3, 5}
        assert f"{recipe}" in result.stderr
        assert "copy it to another folder, delete the first line, and use the copy" in result.stderr


def test_a_recipe_that_was_cut_off_is_no_recipe_elsewhere_either(run, tmp_path):
    lines = (run / "recipe.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    copy = tmp_path / "copy.yaml"
    for count in range(1, len(lines)):
        copy.write_text("".join(lines[:count]), encoding="utf-8")
        result = cli("check", copy)
        assert result.exit_code == 3, lines[:count]
        assert "delete its first line" in result.stderr
    copy.write_text("".join(lines[1:]), encoding="utf-8")
    assert cli("check", copy).exit_code == 0


def test_what_was_edited_without_its_digest_goes_on_elsewhere(run, tmp_path):
    text = without_digest((run / "best/architecture.yaml").read_text(encoding="utf-8"))
    copy = tmp_path / "copy.yaml"
    copy.write_text(text.replace("channels: ", "channels: 1"), encoding="utf-8")
    assert cli("draw", copy).exit_code == 0


@pytest.mark.parametrize(
    "name", ["recipe.yaml", "best/architecture.yaml", "environment.json", "result.json", "gallery.json"]
)
def test_a_flipped_bit_is_named_by_whatever_reads_the_file(run, name):
    flipped(run / name)
    with pytest.raises(RunFolderError, match=name):
        load_run(run)
    result = cli("draw", run)
    assert result.exit_code == 5
    assert str(run / name) in result.stderr


def test_a_flipped_bit_in_an_architecture_of_the_gallery(run):
    flipped(run / "architectures/0001.yaml")
    assert "differs from what the run wrote" in cli("draw", run, "--entry", "1").stderr
    assert "differs from what the run wrote" in cli("draw", run / "architectures/0001.yaml").stderr
    (run.parent / "link.yaml").symlink_to(run / "architectures/0001.yaml")
    assert "differs from what the run wrote" in cli("draw", run.parent / "link.yaml").stderr


def test_a_flipped_bit_in_the_weights(run):
    flipped(run / "best/weights.safetensors")
    with pytest.raises(RunFolderError, match="differs from what the run wrote"):
        bytes_of(run / "best/weights.safetensors")


def test_a_flipped_bit_is_seen_at_every_depth(run):
    listed = listed_files(run)
    assert max(path.relative_to(run).as_posix().count("/") for path in listed) == 2
    for path in listed:
        check_file(path)
        flipped(path, at=0)
        with pytest.raises(OSError, match="damaged"):
            check_file(path)
        flipped(path, at=0)


def test_lines_of_metrics_are_compared_when_the_run_is_over(run):
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "metrics.jsonl").write_text("".join(lines[:-1]), encoding="utf-8")
    with pytest.raises(RunFolderError, match=r"metrics\.jsonl"):
        list(lines_of(run / "metrics.jsonl"))


@pytest.mark.parametrize("keep", [0, 100, 900, -3])
def test_a_list_that_was_cut_off_is_named(run, keep):
    content = (run / CHECKSUMS).read_bytes()
    (run / CHECKSUMS).write_bytes(content[:keep])
    with pytest.raises(RunFolderError, match=CHECKSUMS):
        load_run(run)


def test_a_list_that_was_changed_is_named_with_its_line(run):
    flipped(run / CHECKSUMS, at=300)
    with pytest.raises(
        RunFolderError, match=r"checksums\.jsonl, the list .* is damaged: its line 3 was changed"
    ):
        load_run(run)
    (run / CHECKSUMS).unlink()
    assert load_run(run).result["status"] == "done"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"file": "recipe.yaml"}, "size is missing; sha256 is missing"),
        ({"file": ["recipe.yaml"], "size": -1, "sha256": 3}, "size is -1, not a count"),
    ],
)
def test_a_list_that_somebody_else_wrote_ends_no_command(run, line, said):
    (run / CHECKSUMS).unlink()
    ChainedWriter(run / CHECKSUMS).add([{"list": ""}, line, {"end": True}])
    shown = cli("runs", run.parent)
    assert "its line 2 is not a checksum: " in shown.output
    assert said in " ".join(shown.output.split())
    with pytest.raises(RunFolderError, match="is damaged"):
        read(run)


def test_a_line_that_is_no_object_is_damaged(run):
    body = b'{"list": '
    digest = sha256(body).hexdigest()[:16].encode()
    (run / CHECKSUMS).write_bytes(body + b', "line": "' + digest + b'"}\n')
    with pytest.raises(RunFolderError, match="its line 1 holds no JSON object"):
        read(run)


def test_a_file_that_the_run_did_not_write_is_no_file_of_it(run):
    (run / "architectures/0002.yaml").write_text(
        (run / "best/architecture.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    assert "the run did not write it" in cli("draw", run / "architectures/0002.yaml").stderr
    (run / "mine.yaml").write_text(
        (run / "best/architecture.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    assert cli("draw", run / "mine.yaml").exit_code == 0


def test_a_link_out_of_the_run_is_not_followed(run, tmp_path):
    (run / "gallery.json").rename(tmp_path / "gallery.json")
    (run / "gallery.json").symlink_to(tmp_path / "gallery.json")
    with pytest.raises(RunFolderError, match="it is outside"):
        load_run(run)


def test_a_run_can_be_moved_and_linked(run):
    run.rename(run.parent / "moved")
    (run.parent / "linked").symlink_to(run.parent / "moved")
    assert load_run(run.parent / "linked").best == best_of(run.parent / "moved")


def started(path):
    folder = create("x", out=path)
    folder.document("recipe.yaml", "nascore: 1\n")
    return folder


def test_a_run_under_way_reads_what_it_has_written(tmp_path):
    folder = started(tmp_path / "x")
    for number in range(3):
        folder.text("gallery.json", f"{number}")
        assert text_of(folder / "gallery.json") == f"{number}"
        folder.metric({"epoch": number})
        assert len(list(lines_of(folder / "metrics.jsonl"))) == number + 1
    (folder / "gallery.json").write_text("4", encoding="utf-8")
    with pytest.raises(RunFolderError, match="differs from what the run wrote"):
        text_of(folder / "gallery.json")


def test_what_a_run_wrote_before_is_not_what_it_left(tmp_path):
    folder = create("x", out=tmp_path / "run")
    for text in ("first", "last"):
        folder.text("gallery.json", text)
        check_file(folder / "gallery.json")
    (folder / "gallery.json").write_text("first", encoding="utf-8")
    check_file(folder / "gallery.json")  # a kill may have come between the line and the file
    folder.finish({"kind": "search", "status": "failed"})
    with pytest.raises(OSError, match="differs from what the run wrote"):
        check_file(folder / "gallery.json")
    (folder / "gallery.json").write_text("last", encoding="utf-8")
    check_file(folder / "gallery.json")


@pytest.mark.parametrize("interrupted", ["announce", "placed"])
def test_an_interrupt_at_any_moment_leaves_a_file_that_can_be_read(tmp_path, monkeypatch, interrupted):
    folder = started(tmp_path / "x")
    folder.text("environment.json", "old")

    def stop(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(folder.checksums), interrupted, stop)
        with pytest.raises(KeyboardInterrupt):
            folder.text("environment.json", "new")
    there = "old" if interrupted == "announce" else "new"
    assert text_of(folder / "environment.json") == there
    folder.finish({"kind": "search", "status": "interrupted"})
    assert text_of(folder / "environment.json") == there
    assert checksums_of(folder.path).ended


def test_a_disk_that_is_full_for_a_moment_does_not_break_the_list(tmp_path, monkeypatch):
    folder = started(tmp_path / "x")
    folder.text("a.json", "old")
    with monkeypatch.context() as patched:
        patched.setattr("nascore.files.checksums.os.fsync", full)
        with pytest.raises(RunFolderError, match="the disk is full"):
            folder.text("a.json", "new")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        with pytest.raises(RunFolderError, match="the disk is full"):
            folder.text("a.json", "newer")
    folder.text("b.json", "b")
    folder.finish({"kind": "search", "status": "done"})
    assert [text_of(folder / name) for name in ("a.json", "b.json")] == ["old", "b"]
    assert read_bytes(folder / "result.json")


def full(*_args):
    raise OSError(28, "No space left on device")


def test_a_run_of_an_earlier_version_is_read_unchecked(run):
    (run / CHECKSUMS).unlink()
    file = run / "result.json"
    file.write_text(json.dumps({**read(run).result, "steps": 1}), encoding="utf-8")
    assert read(run).result["steps"] == 1


def test_the_digest_of_a_document():
    text = "nascore: 1\nseed: 3\n"
    whole = with_digest(text)
    assert without_digest(whole) == text
    assert parse_document(whole, where="a").problems == []
    assert (
        parse_document(whole.replace("\n", "\r\n"), where="a").problems != []
    )  # who reads a file mends these
    for end in range(10, len(whole)):
        [problem] = parse_document(whole[:end], where="a").problems
        assert "damaged" in problem.text
    for bit in range(8 * len(whole)):
        changed = bytearray(whole.encode())
        changed[bit // 8] ^= 1 << bit % 8
        document = parse_document(changed.decode("latin-1"), where="a")
        plain = without_digest(changed.decode("latin-1"))
        assert document.problems or plain.endswith(text) or "nascore: 1" not in plain.splitlines()


def test_the_program_of_a_run_refuses_other_weights(run):
    file = run / "best/model.py"
    module = {"__file__": str(file), "__name__": "model_of_a_run"}
    exec(compile(file.read_text(encoding="utf-8"), file, "exec"), module)  # noqa: S102 - as users import it
    assert not module["load"]().training
    flipped(run / "best/weights.safetensors")
    with pytest.raises(ValueError, match="is damaged, or holds other weights"):
        module["load"]()
    assert not module["load"](sha256=None).training


def test_runs_says_which_were_read_unchecked(run):
    assert "unchecked" not in cli("runs", run.parent).stderr
    (run / CHECKSUMS).unlink()
    assert "1 of 1 have no checksums: their files were read unchecked" in cli("runs", run.parent).stderr
    assert [one["checked"] for one in json.loads(cli("runs", run.parent, "--json").stdout)] == [False]


def test_compare_does_not_hold_the_metrics_in_memory(run):
    """They took twelve times their size."""
    (run / CHECKSUMS).unlink()
    file = run / "metrics.jsonl"
    lines = file.read_text(encoding="utf-8")
    file.write_text(lines * (4_000_000 // len(lines)), encoding="utf-8")
    compare(run)
    tracemalloc.start()
    compare(run)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < file.stat().st_size / 2
