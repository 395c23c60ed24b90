"""The gallery of a run under way: as long to write as it is, not as its square, and never behind."""

from __future__ import annotations

import json
import shutil

import pytest
from command_line import cli
from gallery_samples import pool

from nascore.errors import RunFolderError
from nascore.gallery import Gallery
from nascore.run import GalleryFile, create, read, read_gallery
from nascore.run.gallery_file import AT_ONCE
from nascore.run.layout import GALLERY, GALLERY_LINES

MANY = pool(*((n % 13 + 1, n % 11 / 11) for n in range(120)))


@pytest.fixture
def folder(tmp_path):
    return create("x", out=tmp_path / "x")


def grown(folder, count, fail=()):
    file = GalleryFile(folder)
    gallery = Gallery()
    for entry in MANY.entries[:count]:
        gallery = gallery.added(entry)
        file.added(gallery, entry)
        if entry.id in fail:
            gallery = gallery.failed(entry.id)
            file.failed(gallery, entry.id)
    return file, gallery


@pytest.mark.parametrize("count", [1, AT_ONCE, AT_ONCE + 1, 40, 120])
def test_at_any_moment_all_is_read_back(folder, count):
    file, gallery = grown(folder, count, fail=(3, 20, 39))
    assert read_gallery(folder.path) == gallery
    file.end()
    assert read_gallery(folder.path) == gallery
    assert Gallery.from_json((folder / GALLERY).read_text(encoding="utf-8")) == gallery
    assert not (folder / GALLERY_LINES).exists()


def test_a_line_that_a_kill_cut_off_is_left_out(folder):
    grown(folder, 18)
    content = (folder / GALLERY_LINES).read_bytes()
    (folder / GALLERY_LINES).write_bytes(content[:-3])
    assert len(read_gallery(folder.path)) == 17


def test_a_reader_says_that_the_last_line_was_cut_off(folder):
    grown(folder, 18)
    folder.text("recipe.yaml", "nascore: 1\n")
    folder.close()
    assert not read(folder.path).gallery_cut
    (folder / GALLERY_LINES).write_bytes((folder / GALLERY_LINES).read_bytes()[:-3])
    assert read(folder.path).gallery_cut
    found = cli("gallery", folder.path)
    assert found.stderr.endswith(
        "the table shows the 17 architectures so far. The last line of gallery.jsonl was cut off, so the "
        "last event is missing.\n"
    )
    assert json.loads(cli("gallery", folder.path, "--json").stdout)["gallery_cut"] is True


def test_a_changed_line_is_named(folder):
    grown(folder, 18)
    content = (folder / GALLERY_LINES).read_bytes()
    (folder / GALLERY_LINES).write_bytes(content.replace(b'"count": 287', b'"count": 288', 1))
    with pytest.raises(RunFolderError, match=r"gallery\.jsonl is damaged: its line 1 was changed"):
        read_gallery(folder.path)


def test_an_older_gallery_beside_the_lines_is_named(folder, tmp_path):
    grown(folder, AT_ONCE)
    old = shutil.copy(folder / GALLERY, tmp_path / "old.json")
    grown(create("y", out=tmp_path / "y"), 60)
    shutil.copy(old, tmp_path / "y" / GALLERY)
    (tmp_path / "y/checksums.jsonl").unlink()
    lines = (tmp_path / "y" / GALLERY_LINES).read_bytes().splitlines(keepends=True)
    assert len(read_gallery(tmp_path / "y")) == 60  # the lines alone are enough
    (tmp_path / "y" / GALLERY_LINES).write_bytes(b"".join(lines[5:]))
    with pytest.raises(RunFolderError):
        read_gallery(tmp_path / "y")


def test_what_is_written_grows_with_the_gallery_and_not_with_its_square(folder, monkeypatch):
    written = []
    right = type(folder).text

    def counted(self, name, text):
        written.append(len(text))
        right(self, name, text)

    monkeypatch.setattr(type(folder), "text", counted)
    _, gallery = grown(folder, 120)
    assert sum(written[AT_ONCE:]) < 8 * len(gallery.to_json())
