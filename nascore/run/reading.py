"""Reads complete, interrupted and damaged runs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from attrs import Factory, frozen

from nascore.errors import RunFolderError, cause
from nascore.files import CHECKSUMS, shown_path
from nascore.gallery import Gallery
from nascore.recipe.sources.plugin_versions import plugin_files
from nascore.run.gallery_file import is_cut, read_gallery
from nascore.run.layout import (
    COMPARISON,
    DERIVED,
    DESCRIPTION,
    ENVIRONMENT,
    GALLERY,
    JOBS,
    METRICS,
    RECIPE,
    RECIPES,
    RESULT,
    WRITTEN,
    WRITTEN_BY_COMPARISON,
    environment_of,
    is_file,
    is_folder,
    is_there,
    lines_of,
    object_of,
    refuse_newer,
    text_of,
)
from nascore.run.lock import Activity, activity_of
from nascore.run.schemas import METRICS_SCHEMA, checked, checked_result
from nascore.shell import command_line

if TYPE_CHECKING:
    from pathlib import Path


RUNNING: Final = "running"
KILLED: Final = "killed"


def inventory(path: Path) -> str:
    """Return a sentence that lists the files of a run, and those that are missing."""
    written = WRITTEN_BY_COMPARISON if is_there(path / COMPARISON) else WRITTEN
    there = [name for name in written if is_there(path / name)]
    missing = [name for name in _expected(path) if name not in there]
    labels = [_label(path, name) for name in there]
    text = f"It holds {', '.join(labels) or 'no file of a run'}"
    return f"{text}; missing: {', '.join(missing)}." if missing else f"{text}."


def resume_command(path: Path, *flags: str) -> str:
    """Return the command that resumes a run, with the files of plugins that the run was made with.

    Args:
        path: The folder of a run or of a comparison.
        flags: Further words of the command.
    """
    recipes = [path / RECIPE] if is_file(path / RECIPE) else sorted(path.glob(f"{RECIPES}/*/{RECIPE}"))
    files: dict[Path, None] = {}
    for recipe in recipes:
        with suppress(RunFolderError):
            files |= dict.fromkeys(plugin_files(text_of(recipe), recipe.parent))
    with_files = (word for file in files for word in ("--with", str(shown_path(file))))
    return command_line("nascore", "resume", shown_path(path), *with_files, *flags)


def learned_file(path: Path) -> Path | None:
    """Return the file with the latest architecture of a search that was stopped; None if there is none.

    This is the architecture that it was training, or else the one that it would have derived after its latest
    epoch.

    Args:
        path: The run's folder.
    """
    jobs = sorted(_jobs(path), reverse=True)
    for name in (
        *(f"{job}/{DESCRIPTION}" for job in jobs if not job.endswith("-search")),
        *(f"{job}/{DERIVED}" for job in jobs),
    ):
        if is_file(path / JOBS / name):
            return path / JOBS / name
    return None


def _label(path: Path, name: str) -> str:
    if name == METRICS:
        try:
            epochs = sum(1 for _ in lines_of(path / name))
        except RunFolderError:
            return f"{name} (damaged)"
        return f"{name} ({epochs} epoch{'' if epochs == 1 else 's'})"
    if name == JOBS:
        return ", ".join(f"{name}/{job}" for job in _jobs(path)) or f"{name} (none)"
    return name


def _expected(path: Path) -> list[str]:
    if is_there(path / COMPARISON):
        return list(WRITTEN_BY_COMPARISON)
    try:
        evaluation = environment_of(path).get("kind") == "evaluate"
    except RunFolderError:
        evaluation = False  # the caller that reads the file reports the damage
    return [name for name in WRITTEN if not (evaluation and name == GALLERY)]


def _jobs(path: Path) -> list[str]:
    try:
        return sorted(job.name for job in (path / JOBS).iterdir())
    except OSError:
        return []


@frozen(kw_only=True)
class Record:
    """The content of a run's folder.

    Attributes:
        path: The folder.
        recipe: Text of the recipe that repeats the run.
        result: The result; None while the run is in progress, or if it was killed.
        gallery: The architectures; empty for a run that has found none.
        fault: The reason why the run cannot be read, in which case the rest is empty; empty if it can be
            read.
        checked: Whether the files were compared with a list of checksums; earlier versions wrote none.
        activity: Whether a process works on the run; None if it has a result.
        gallery_cut: Whether a kill cut off the last line of `gallery.jsonl`: the gallery is that before it.
    """

    path: Path
    recipe: str = ""
    result: dict[str, Any] | None = None
    gallery: Gallery = Factory(Gallery)
    fault: str = ""
    checked: bool = False
    activity: Activity | None = None
    gallery_cut: bool = False

    @property
    def status(self) -> str:
        """`done`, `failed`, `interrupted`, `stopped`, `running`, `killed` or `unreadable`."""
        if self.fault:
            return "unreadable"
        if self.result is not None:
            return str(self.result.get("status", "done"))
        return RUNNING if self.activity is not None and self.activity.running else KILLED

    @property
    def best(self) -> Path:
        """The folder with the best architecture."""
        return self.path / "best"

    @property
    def inventory(self) -> str:
        """A sentence that lists the files of the run, and those that are missing."""
        return inventory(self.path)

    def metrics(self) -> list[dict[str, Any]]:
        """Return the lines of `metrics.jsonl`; a truncated last line, which a kill leaves, is skipped.

        For a long file use :func:`lines_of`, which yields the lines one by one.

        Raises:
            RunFolderError: Another line holds no JSON.
        """
        file = self.path / METRICS
        lines = enumerate(lines_of(file), start=1)
        return [checked(line, METRICS_SCHEMA, f"{file}, line {number}") for number, line in lines]


def read(path: Path) -> Record:
    """Read a run's folder.

    Raises:
        RunFolderError: The folder is not a run, a newer nascore made it, or one of its files cannot be read.
    """
    refuse_unless_run(path)
    refuse_newer(path)
    result, activity = _result_or_activity(path)
    return Record(
        path=path,
        recipe=text_of(path / RECIPE),
        result=result,
        gallery=read_gallery(path),
        checked=is_file(path / CHECKSUMS),
        activity=activity,
        gallery_cut=activity is not None and not activity.running and is_cut(path),
    )


def refuse_unless_run(path: Path) -> None:
    """Refuse a path that is not a run's folder, with a text that says what it is.

    Raises:
        RunFolderError: The path is not a run's folder.
    """
    if is_file(path / RECIPE):
        return
    if not is_there(path):
        raise RunFolderError(
            f"{path} is not a run: it does not exist, or you have no permission to see it. "
            "`nascore runs` lists the runs."
        )
    if not is_folder(path):
        raise RunFolderError(f"{path} is not a run: it is a file, and a run is a folder.")
    if is_file(path / COMPARISON):
        raise RunFolderError(
            f"{path} is a comparison of several runs; the runs are in {path / JOBS}. "
            f"See {command_line('nascore', 'compare', path)}."
        )
    inner = [entry for entry in entries(path) if is_file(entry / RECIPE)]
    if inner:
        runs = "a run" if len(inner) == 1 else f"{len(inner)} runs"
        raise RunFolderError(
            f"{path} is not a run, but holds {runs}. Did you mean {inner[-1]}? "
            f"See {command_line('nascore', 'runs', path)}."
        )
    if is_file(path / ENVIRONMENT) or is_file(path / RESULT):
        raise RunFolderError(f"{path} is a damaged run: its {RECIPE} is missing. {inventory(path)}")
    raise RunFolderError(f"{path} is not a run: it holds no {RECIPE}. `nascore runs` lists the runs.")


def listed(root: Path) -> list[Record]:
    """Return the runs in a folder, sorted by name; other entries are left out.

    A run that cannot be read is included with its fault. A comparison counts as one run; if the folder itself
    is a comparison, its runs are listed.

    Raises:
        RunFolderError: The folder itself cannot be read.
    """
    if not is_folder(root):
        return []
    folder = root / JOBS if is_file(root / COMPARISON) else root
    if not is_folder(folder):
        return []
    runs = [path for path in entries(folder) if any(is_file(path / name) for name in (RECIPE, COMPARISON))]
    return [_read_or_fault(path) for path in runs]


def entries(folder: Path) -> list[Path]:
    """Return the entries of a folder, sorted by name.

    Raises:
        RunFolderError: The folder cannot be read.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise RunFolderError(f"{folder} cannot be read: {cause(error)}.") from error


def _read_or_fault(path: Path) -> Record:
    try:
        return comparison_record(path) if is_file(path / COMPARISON) else read(path)
    except RunFolderError as error:
        return Record(path=path, fault=str(error))


def comparison_record(path: Path) -> Record:
    """Return a comparison as a record without a recipe and a gallery.

    Raises:
        RunFolderError: A newer nascore made the comparison, or its result cannot be read.
    """
    refuse_newer(path)
    result, activity = _result_or_activity(path)
    return Record(
        path=path,
        result=result,
        checked=is_file(path / CHECKSUMS),
        activity=activity,
    )


def _result_or_activity(path: Path) -> tuple[dict[str, Any] | None, Activity | None]:
    result = read_result(path)
    if result is not None:
        return result, None
    activity = activity_of(path)
    if not activity.running:
        result = read_result(path)  # the run may have ended in between
    return result, activity if result is None else None


def read_result(path: Path) -> dict[str, Any] | None:
    """Return the result of a run or a comparison; None while it is in progress, or if it was killed."""
    file = path / RESULT
    return checked_result(object_of(file), file) if is_there(file) else None
