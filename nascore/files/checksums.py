"""The checksums of a run: `checksums.jsonl` with sizes and SHA-256.

A line is added before its file is moved into place, so that a kill at any moment leaves no unlisted file. A
finished run ends its list with a last line; a list that was cut off lacks it. The lines are chained by
checksums: a change in the middle is detected, and a kill leaves at most an incomplete last line.

A recipe that was cut off at a line end would be a valid recipe with other values. A digest of the document in
its first line detects this, wherever the file was copied to. Documents written by hand have no such line.
"""

from __future__ import annotations

import json
import os
import re
from functools import cached_property, lru_cache
from hashlib import file_digest, sha256
from typing import TYPE_CHECKING, Any, Final

from attrs import Factory, define, field, frozen

from nascore.files.plain import DamagedError, open_plain
from nascore.files.schema import COUNT, TEXT, faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


_DIGITS: Final = 16
"""Hexadecimal digits of the checksum of a line."""

_MARK: Final = b', "line": "'
_END: Final = b'"}'


@define
class ChainedWriter:
    """A file to which chained lines are added.

    Attributes:
        path: The file.
    """

    path: Path
    _chain: str = field(default="", alias="chain")
    _size: int = field(default=0, alias="size")

    def add(self, bodies: Iterable[dict[str, Any]]) -> None:
        """Add a line for each object, all or none.

        Raises:
            OSError: The lines cannot be written.
        """
        chain, text = self._chain, b""
        for body in bodies:
            plain = json.dumps(body, allow_nan=False).encode()[: -len(b"}")]
            chain = _chained(chain, plain)
            text += plain + _MARK + chain.encode() + _END + b"\n"
        with self.path.open("ab") as file:
            # An interrupted write may have left a part of a line.
            file.truncate(self._size)
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                # A full disk must not leave half a line in the middle.
                file.truncate(self._size)
                raise
        self._chain, self._size = chain, self._size + len(text)


def reopened(path: Path) -> tuple[ChainedWriter, list[dict[str, Any]]]:
    """Return a writer that continues after the last complete line of a file, and the objects of the lines.

    Raises:
        DamagedError: A line was changed, or is missing.
        OSError: It cannot be read.
    """
    with open_plain(path) as file:
        content = file.read()
    bodies = chained(content)
    whole = content[: content.rfind(b"\n") + 1]
    last = whole.splitlines()[-1] if whole else b""
    chain = last.rpartition(_MARK)[2][: -len(_END)].decode("ascii")
    return ChainedWriter(path, chain, len(whole)), bodies


def read_chained(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file of chained lines, without an incomplete last line.

    Raises:
        DamagedError: A line is changed or missing.
        OSError: The file cannot be read.
    """
    with open_plain(path) as file:
        return chained(file.read())


def chained(content: bytes) -> list[dict[str, Any]]:
    """Return the objects of chained lines, without an incomplete last line.

    Raises:
        DamagedError: A line is changed or missing.
    """
    *lines, _cut_off = content.split(b"\n")
    chain, bodies = "", []
    for number, line in enumerate(lines, start=1):
        body, mark, end = line.rpartition(_MARK)
        new = end[: -len(_END)].decode("ascii", "replace")
        if not mark or not end.endswith(_END) or new != _chained(chain, body):
            raise DamagedError(f"its line {number} was changed")
        chain = new
        bodies.append(_object(body + b"}", number))
    return bodies


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DamagedError(f"its line {number} holds no JSON object")
    return found


def _chained(chain: str, body: bytes) -> str:
    return sha256(chain.encode() + body).hexdigest()[:_DIGITS]


CHECKSUMS: Final = "checksums.jsonl"
RESUMED: Final = "resumed"
"""The key of the line that is added when a stopped run is resumed."""
OF_JOB: Final = "job"
"""The key in the first line of the list of a job's folder."""
LAST: Final = "result.json"
"""The file that is written last: if it exists, the list has its last line."""

GROWING: Final = frozenset({"metrics.jsonl", "changes.jsonl"})
"""Files to which lines are added during the run; they are listed at its end."""

NEVER: Final = frozenset({"run.log", "gallery.jsonl", CHECKSUMS})
"""Files that are never listed: the log is never read, and the others have their own checksums."""

_OWN: Final = frozenset({
    "recipe.yaml", "comparison.json", "environment.json", "gallery.json", "result.json", "best", "jobs",
    "architectures", "files", "recipes",
}) | GROWING  # fmt: skip
"""Names that a run writes at the top of its folder; all others are not from nascore."""

_ENTRY: Final = {"file": TEXT, "size": COUNT, "sha256": TEXT}
"""The schema of a line."""

JOBS: Final = "jobs/"
"""Beginning of the names of the files of jobs; each job has a list of its own, except in earlier versions."""

_MISSING: Final = "is missing, so that they cannot be checked: restore it"
_UNLISTED: Final = ". Restore it, or delete it to use the run's files without checks"
_EDITED: Final = (
    ". If you edited it on purpose, copy it to another folder, delete the first line, and use the copy"
)


@frozen(kw_only=True)
class Checksum:
    """The size and digest of a file.

    Attributes:
        size: Bytes.
        sha256: Hexadecimal digits.
    """

    size: int
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> Checksum:
        """Return the checksum of some bytes."""
        return cls(size=len(content), sha256=sha256(content).hexdigest())

    @classmethod
    def of_file(cls, path: Path) -> Checksum:
        """Return the checksum of a plain file, however large.

        Raises:
            OSError: The file cannot be read.
        """
        with open_plain(path, most=1 << 50) as file:
            digest = file_digest(file, "sha256").hexdigest()
            return cls(size=file.tell(), sha256=digest)


@frozen(kw_only=True)
class Checksums:
    """The list of a run's files, as read.

    Attributes:
        folder: The run's folder.
        files: The checksums of each file, oldest first, by its path in the folder.
        ended: Whether the run is over.
        of_job: Whether the folder is that of a job, where every file that is read is listed.
    """

    folder: Path
    files: Mapping[str, tuple[Checksum, ...]]
    ended: bool
    of_job: bool = False

    def refuse_damaged(self, name: str, found: Checksum) -> None:
        """Raise if a file differs from what the run wrote.

        Args:
            name: Its path in the folder.
            found: Its checksum.

        Raises:
            DamagedError: The file was changed, or the run did not write it.
        """
        listed = self.files.get(name, ())
        if not self.ended and (name == LAST or (self.of_job and (self.folder / LAST).exists())):
            raise DamagedError(f"{CHECKSUMS} beside it was cut off: its last line is missing")
        if not listed:
            if name.startswith(JOBS):
                own = self.folder / JOBS / name.split("/")[1] / CHECKSUMS
                raise DamagedError(f"{own}, the list of its job's files, {_MISSING}")
            known = self.of_job or name.partition("/")[0] in _OWN
            if known and (self.ended or name not in GROWING):
                raise DamagedError(f"it is not listed in {self.folder / CHECKSUMS}: the run did not write it")
            return
        # During a run, a line may describe a file that is not written yet.
        if found not in (listed[-1:] if self.ended else listed):
            size = "" if found.size == listed[-1].size else f" ({found.size} bytes, not {listed[-1].size})"
            text = f"it differs from what the run wrote{size}: it was cut off, damaged or edited"
            raise DamagedError(f"{text}{_EDITED if name.endswith('.yaml') else ''}")

    def refuse_without_list(self, job: str) -> None:
        """Raise if the list of a job was removed; earlier versions listed the files of jobs here.

        Args:
            job: The name of the folder of the job.

        Raises:
            DamagedError: Its list was removed.
        """
        if job not in self._listed_jobs:
            raise DamagedError(
                f"{self.folder / JOBS / job / CHECKSUMS}, the list of its job's files, {_MISSING}"
            )

    @cached_property
    def _listed_jobs(self) -> frozenset[str]:
        return frozenset(name.split("/")[1] for name in self.files if name.startswith(JOBS))

    def check_present(self) -> dict[str, Checksum]:
        """Compare all existing files, except growing ones, with the list; returns their checksums.

        The files of a job with its own list are left out.

        Raises:
            DamagedError: A file is not as the run wrote it.
            OSError: A file cannot be read.
        """
        found: dict[str, Checksum] = {}
        for name, entries in self.files.items():
            path = self.folder / name
            if name in GROWING or name == LAST or not path.exists() or _in_listed_job(self.folder, name):
                continue
            found[name] = Checksum.of_file(path)
            if found[name] not in entries:
                raise DamagedError(f"{path} is not as the run wrote it: it was cut off, damaged or edited")
        return found


def _in_listed_job(folder: Path, name: str) -> bool:
    """Return whether a file is in the folder of a job that has a list of its own."""
    jobs, _, rest = name.partition("/")
    return jobs == "jobs" and (folder / jobs / rest.partition("/")[0] / CHECKSUMS).exists()


def checksums_of(folder: Path) -> Checksums | None:
    """Return the list of a run; None where it has none, as in runs of earlier versions.

    Raises:
        DamagedError: The list is damaged, or cannot be read.
    """
    path = folder / CHECKSUMS
    if not os.path.lexists(path):
        return None
    try:
        with open_plain(path) as file:
            return _read(folder, file.read())
    except DamagedError as error:
        raise DamagedError(
            f"{path}, the list of its run's files, is damaged: {error.strerror}{_UNLISTED}"
        ) from None
    except OSError as error:
        raise DamagedError(f"{path}, the list of its run's files, cannot be read: {error.strerror}") from None


# A verb reads several files of a run. The cache key is the content: a change within one tick of the file
# system's clock would leave size and time unchanged.
@lru_cache(maxsize=64)
def _read(folder: Path, content: bytes) -> Checksums:
    bodies = chained(content)
    if not bodies:
        raise DamagedError("it is empty")
    files: dict[str, tuple[Checksum, ...]] = {}
    for number, body in enumerate(bodies, start=1):
        if RESUMED in body:
            # What grew is listed again when the run is over again.
            files = {name: entries for name, entries in files.items() if name not in GROWING}
        elif "file" in body:
            wrong = [*faults(body, _ENTRY, _ENTRY)]
            if wrong:
                raise DamagedError(f"its line {number} is not a checksum: {'; '.join(wrong)}")
            entry = Checksum(size=body["size"], sha256=body["sha256"])
            files[body["file"]] = (*files.get(body["file"], ()), entry)
    return Checksums(folder=folder, files=files, ended="end" in bodies[-1], of_job=OF_JOB in bodies[0])


@define
class ChecksumWriter:
    """Writes the list of a run's files during the run.

    Attributes:
        folder: The run's folder.
    """

    folder: Path
    _lines: ChainedWriter = field(init=False)
    _listed: dict[str, Checksum] = Factory(dict)
    _placed: dict[str, Checksum] = Factory(dict)
    _growing: dict[str, Any] = Factory(dict)

    @_lines.default
    def _of_folder(self) -> ChainedWriter:
        return ChainedWriter(self.folder / CHECKSUMS)

    def begin(self, *, of_job: bool = False) -> None:
        """Write the first line.

        Args:
            of_job: Whether the folder is that of a job.

        Raises:
            OSError: The line cannot be written.
        """
        first: dict[str, Any] = {"list": "the files of this folder, with sizes and SHA-256"}
        self._lines.add([{**first, OF_JOB: True} if of_job else first])

    def resume(self) -> None:
        """Continue the list of a run that was stopped, whatever stopped it.

        Raises:
            DamagedError: The list, or a file that it names, is not as the run wrote it.
            OSError: The list cannot be read or written.
        """
        found = checksums_of(self.folder)
        if found is None:
            raise DamagedError(f"{self.folder} has no {CHECKSUMS}: a nascore that could not resume made it")
        self._lines, _ = reopened(self.folder / CHECKSUMS)
        (self.folder / LAST).unlink(missing_ok=True)
        if found.ended or any(name in GROWING for name in found.files):
            self._lines.add([{RESUMED: True}])
        self._listed |= {name: entries[-1] for name, entries in found.files.items()}
        self._placed |= found.check_present()
        for name in GROWING:
            self.regrown(name)

    def regrown(self, name: str) -> None:
        """Note the whole content of a file that grows, after it was shortened or is read again.

        Raises:
            OSError: It cannot be read.
        """
        path = self.folder / name
        self._growing.pop(name, None)
        if path.exists():
            self.grown(name, path.read_bytes())

    def announce(self, entries: Mapping[str, Checksum]) -> None:
        """Add files before they are moved into place.

        Args:
            entries: Their checksums by path in the run's folder.

        Raises:
            OSError: The list cannot be written.
        """
        self._listed.update(entries)
        self._lines.add([_line(name, entry) for name, entry in entries.items()])

    def placed(self, entries: Mapping[str, Checksum]) -> None:
        """Note that announced files are in place."""
        self._placed.update(entries)

    def grown(self, name: str, content: bytes) -> None:
        """Note bytes that were added to a growing file."""
        if name in GROWING:
            state, size = self._growing.get(name, (sha256(), 0))
            state.update(content)
            self._growing[name] = state, size + len(content)

    def end(self, last: Mapping[str, Checksum]) -> None:
        """Add the growing files, files that differ from their announcement, the last file, and the last line.

        Raises:
            OSError: The list cannot be written, or a file cannot be read.
        """
        grown = {name: self._of_growing(name) for name in self._growing}
        # After a failed or interrupted write, the file may be the old or the new one.
        unconfirmed = [name for name, one in self._listed.items() if self._placed.get(name) != one]
        existing = {
            name: Checksum.of_file(self.folder / name)
            for name in unconfirmed
            if (self.folder / name).exists()
        }
        entries = {**existing, **grown, **last}
        self._lines.add([*(_line(name, one) for name, one in entries.items()), {"end": True}])
        self._listed.update(entries)
        self._placed.update(entries)

    def _of_growing(self, name: str) -> Checksum:
        state, size = self._growing[name]
        path = self.folder / name
        if path.stat().st_size != size:  # a write was interrupted
            return Checksum.of_file(path)
        return Checksum(size=size, sha256=state.hexdigest())


def _line(name: str, entry: Checksum) -> dict[str, Any]:
    return {"file": name, "size": entry.size, "sha256": entry.sha256}


_BEGIN: Final = "# sha256 "
_LINE: Final = re.compile(r"# sha256 ([0-9a-f]{64}) of the lines below; delete this line if you edit them")


def with_digest(text: str) -> str:
    """Return a document with the digest of its lines as its first line."""
    return f"{_BEGIN}{_digest(text)} of the lines below; delete this line if you edit them\n{text}"


def without_digest(text: str) -> str:
    """Return a document without its digest, if it has one."""
    first, _, rest = text.partition("\n")
    return rest if _LINE.fullmatch(first) else text


def digest_fault(text: str) -> str:
    """Return the fault of a document by its digest; empty for a sound one, or one without a digest."""
    first, _, rest = text.partition("\n")
    found = _LINE.fullmatch(first)
    if found is None:
        return "its first line, a digest, is damaged" if first.startswith(_BEGIN) else ""
    if found[1] == _digest(rest):
        return ""
    return "it does not match the digest in its first line, so it was cut off, damaged or edited"


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
