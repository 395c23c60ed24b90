"""The files of a job on their way to a node without access to its folder, and back."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from glob import escape
from io import BytesIO
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING
from zipfile import ZipFile

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nascore.api import Job


@frozen
class Carried:
    """The files that a job reads and writes.

    Names in archives are relative to the folder above that of the job, since a job may read files of the runs
    beside its own.

    Attributes:
        job: The job.
    """

    job: Job

    @property
    def _folder(self) -> Path:
        return Path(self.job.folder)

    def read(self) -> bytes:
        """Return the files that the job reads, and those that it wrote earlier, as an archive."""
        name = escape(self._folder.name)
        patterns = [os.path.normpath(f"{name}/{pattern}") for pattern in (*self.job.reads, self.job.writes)]
        root = self._folder.parent
        found = {path for pattern in patterns if pattern != name for path in root.glob(pattern)}
        return _packed(root, sorted(str(path.relative_to(root)) for path in found))

    @contextmanager
    def unpacked(self, archive: bytes) -> Iterator[Path]:
        """Unpack the files that the job reads; yields the folder of the job, which is removed at the end."""
        with TemporaryDirectory(prefix="nascore-", ignore_cleanup_errors=True) as root:
            folder = Path(root) / self._folder.name
            folder.mkdir()
            _unpack(archive, Path(root))
            yield folder

    def written(self) -> bytes:
        """Return the folder that the job wrote as an archive; empty if it wrote none."""
        if not self.job.writes or not (self._folder / self.job.writes).is_dir():
            return b""
        return _packed(self._folder, [self.job.writes])

    def place(self, archive: bytes) -> None:
        """Put the folder that the job wrote in place of the old one.

        After a kill at any moment the folder is the old one, the new one, or missing: never a mixture.
        """
        if not archive:
            return
        target = self._folder / self.job.writes
        target.parent.mkdir(parents=True, exist_ok=True)
        apart = Path(mkdtemp(dir=self._folder, prefix=".returned."))
        try:
            _unpack(archive, apart)
            with suppress(FileNotFoundError):
                target.rename(apart / "old")
            (apart / self.job.writes).rename(target)
        finally:
            rmtree(apart, ignore_errors=True)


def _packed(root: Path, names: Iterable[str]) -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w", strict_timestamps=False) as archive:
        for path in (root / name for name in names):
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                archive.write(file, file.relative_to(root))
    return buffer.getvalue()


def _unpack(archive: bytes, root: Path) -> None:
    with ZipFile(BytesIO(archive)) as files:
        files.extractall(root)
