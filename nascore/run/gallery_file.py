"""Stores the gallery in `gallery.json`, and in `gallery.jsonl` while the run is in progress.

To write thousands of architectures anew after each job takes a time that grows with their square. From the
17th on `gallery.json` is written each time that a quarter more has come, and at the end; what comes between
is added to `gallery.jsonl`, which is gone when the run is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import Factory, define

from nascore.errors import RunFolderError
from nascore.files import ChainedWriter, DamagedError, read_chained
from nascore.gallery import Entry, Gallery
from nascore.run.atomic import writing
from nascore.run.errors import cause
from nascore.run.layout import GALLERY, GALLERY_LINES, is_there, object_of

if TYPE_CHECKING:
    from pathlib import Path

    from nascore.run.folder import RunFolder

AT_ONCE: Final = 16
"""So many events are written into `gallery.json` as they come."""

GROWTH: Final = 1.25
"""Later it is written when there are so many times the events that it holds."""


@define
class GalleryFile:
    """The gallery of a run that is under way.

    Attributes:
        folder: The run's folder.
        gallery: The gallery as it is now.
    """

    folder: RunFolder
    gallery: Gallery = Factory(Gallery)
    _held: int = 0
    _lines: ChainedWriter | None = None

    def added(self, gallery: Gallery, entry: Entry) -> None:
        """Write a gallery that has one more entry.

        Raises:
            RunFolderError: It cannot be written.
        """
        self._write(gallery, {"entry": entry.plain()})

    def failed(self, gallery: Gallery, parent: int) -> None:
        """Write a gallery that has one more child that could not be made.

        Raises:
            RunFolderError: It cannot be written.
        """
        self._write(gallery, {"failed": parent})

    def end(self) -> None:
        """Write what `gallery.json` does not hold yet.

        Raises:
            RunFolderError: It cannot be written.
        """
        if self._held < _events(self.gallery):
            self._whole()
        (self.folder / GALLERY_LINES).unlink(missing_ok=True)

    def _write(self, gallery: Gallery, event: dict[str, Any]) -> None:
        number = _events(gallery)
        if number > AT_ONCE:
            file = self.folder / GALLERY_LINES
            self._lines = self._lines or ChainedWriter(file)
            with writing(file):
                self._lines.add([{"event": number, **event}])
        self.gallery = gallery
        if number <= AT_ONCE or number > self._held * GROWTH:
            self._whole()

    def _whole(self) -> None:
        self.folder.text(GALLERY, self.gallery.to_json())
        self._held = _events(self.gallery)


def read_gallery(path: Path) -> Gallery:
    """Return the gallery of a run, done or not; empty where it has found nothing.

    Args:
        path: The run's folder.

    Raises:
        RunFolderError: It cannot be read, or is none.
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
        raise RunFolderError(f"{file} cannot be read: this is no gallery: {error}.") from error


def _continued(gallery: Gallery, lines: list[dict[str, Any]]) -> Gallery:
    """Return a gallery with what came after it."""
    held = _events(gallery)
    for line in lines:
        if line["event"] == held + 1:
            failed = "failed" in line
            gallery = gallery.failed(line["failed"]) if failed else gallery.added(Entry.of(line["entry"]))
            held += 1
    if lines and lines[-1]["event"] > held:
        raise ValueError("a line is missing before its last")
    return gallery


def _events(gallery: Gallery) -> int:
    return len(gallery) + sum(gallery.failures.values())
