"""Stores the gallery in `gallery.json`, and in `gallery.jsonl` while the run is in progress.

Rewriting all architectures after each job takes quadratic time. From the 17th event on, `gallery.json` is
rewritten only when the events have grown by a quarter, and at the end; the events in between are appended to
`gallery.jsonl`, which is removed when the run is over.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from attrs import Factory, define

from nascore.errors import RunFolderError, cause
from nascore.files import ChainedWriter, DamagedError, read_chained
from nascore.gallery import Entry, Gallery
from nascore.run.atomic import writing
from nascore.run.layout import GALLERY, GALLERY_LINES, is_there, object_of

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.run.folder import RunFolder

AT_ONCE: Final = 16
"""Number of first events after each of which `gallery.json` is rewritten."""

GROWTH: Final = 1.25
"""Later, `gallery.json` is rewritten when the events exceed this multiple of those that it holds."""


@define
class GalleryFile:
    """Writes the gallery of a run in progress.

    Attributes:
        folder: The run's folder.
        gallery: The current gallery.
    """

    folder: RunFolder
    gallery: Gallery = Factory(Gallery)
    _stored: int = 0
    _lines: ChainedWriter | None = None

    @classmethod
    def reopened(cls, folder: RunFolder) -> GalleryFile:
        """Return the gallery of a resumed run, complete in `gallery.json`.

        Raises:
            RunFolderError: It cannot be read or written.
        """
        found = cls(folder, read_gallery(folder.path))
        if _events(found.gallery):
            found.end()
        return found

    def added(self, gallery: Gallery, entry: Entry) -> None:
        """Write a gallery with one more entry.

        Raises:
            RunFolderError: The file cannot be written.
        """
        self._write(gallery, {"entry": entry.plain()})

    def failed(self, gallery: Gallery, parent: int) -> None:
        """Write a gallery with one more failed child.

        Raises:
            RunFolderError: The file cannot be written.
        """
        self._write(gallery, {"failed": parent})

    def end(self) -> None:
        """Complete `gallery.json`, and remove `gallery.jsonl`.

        Raises:
            RunFolderError: The file cannot be written.
        """
        if self._stored < _events(self.gallery):
            self._rewrite()
        (self.folder / GALLERY_LINES).unlink(missing_ok=True)

    def _write(self, gallery: Gallery, event: dict[str, Any]) -> None:
        number = _events(gallery)
        if number <= _events(self.gallery):
            return  # a resumed run had written it before
        if number > AT_ONCE:
            file = self.folder / GALLERY_LINES
            self._lines = self._lines or ChainedWriter(file)
            with writing(file):
                self._lines.add([{"event": number, **event}])
        self.gallery = gallery
        if number <= AT_ONCE or number > self._stored * GROWTH:
            self._rewrite()

    def _rewrite(self) -> None:
        self.folder.text(GALLERY, self.gallery.to_json())
        self._stored = _events(self.gallery)


def read_gallery(path: Path) -> Gallery:
    """Return the gallery of a run, finished or not; empty if the run has no architecture yet.

    Args:
        path: The run's folder.

    Raises:
        RunFolderError: The file cannot be read, or holds no gallery.
    """
    file = path / GALLERY
    try:
        gallery = Gallery.of(object_of(file)) if is_there(file) else Gallery()
        file = path / GALLERY_LINES
        lines = read_chained(file) if is_there(file) else []
        return _continued(gallery, lines)
    except DamagedError as error:
        raise RunFolderError(f"{file} is damaged: {error.strerror}.") from error
    except OSError as error:
        raise RunFolderError(f"{file} cannot be read: {cause(error)}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunFolderError(f"{file} cannot be read: it is not a valid gallery: {error}.") from error


def is_cut(path: Path) -> bool:
    """Return whether the last line of `gallery.jsonl` is incomplete: the gallery lacks its last event.

    Args:
        path: The folder of a run that no process works on.
    """
    try:
        with (path / GALLERY_LINES).open("rb") as file:
            if not file.seek(0, os.SEEK_END):
                return False
            file.seek(-1, os.SEEK_END)
            return file.read() != b"\n"
    except OSError:
        return False


def _continued(gallery: Gallery, lines: list[dict[str, Any]]) -> Gallery:
    """Return a gallery with the later events of `gallery.jsonl`."""
    count = _events(gallery)
    for line in lines:
        if line["event"] == count + 1:
            failed = "failed" in line
            gallery = gallery.failed(line["failed"]) if failed else gallery.added(Entry.of(line["entry"]))
            count += 1
    if lines and lines[-1]["event"] > count:
        raise ValueError("a line before the last one is missing")
    return gallery


def _events(gallery: Gallery) -> int:
    return len(gallery) + sum(gallery.failures.values())
