"""The files of a run that grow line by line: a line that cannot be written waits in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from nascore.run.atomic import writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@define
class GrowingFile:
    """A file to which a run adds lines.

    Attributes:
        path: The file.
        grown: Called with the bytes that were written.
        waiting: Lines that could not be written yet.
    """

    path: Path
    grown: Callable[[bytes], None]
    waiting: bytes = b""

    def add(self, *lines: str) -> None:
        """Write any waiting lines and then these; if that fails, all of them keep waiting.

        Raises:
            RunFolderError: They cannot be written now.
        """
        self.waiting += "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")
        self.flush()

    def add_at_once(self, line: str) -> None:
        """Write any waiting lines and then this one; if that fails, this line does not wait.

        Raises:
            RunFolderError: It cannot be written.
        """
        before = self.waiting
        try:
            self.add(line)
        except BaseException:
            self.waiting = before
            raise

    def flush(self) -> None:
        """Write the lines that wait; if they cannot be written completely, none of them is.

        Raises:
            RunFolderError: They cannot be written now.
        """
        if not self.waiting:
            return
        with writing(self.path), self.path.open("ab") as file:
            size = file.tell()
            try:
                file.write(self.waiting)
                file.flush()
            except OSError:
                file.truncate(size)
                raise
        written, self.waiting = self.waiting, b""
        self.grown(written)
