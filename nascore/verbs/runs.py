"""Loads finished runs: one, all in a folder, or several as a table."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.comparison import compare_runs
from nascore.description import load
from nascore.errors import DescriptionError, Problem, RecipeError, RunFolderError
from nascore.files import given_path
from nascore.run import (
    ARCHITECTURE,
    RECIPE,
    RESULT,
    WEIGHTS,
    default_root,
    inventory,
    is_folder,
    is_there,
    learned_file,
    listed,
    read,
    read_gallery,
    refuse_newer,
    refuse_unless_run,
    text_of,
)
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.comparison import Comparison
    from nascore.description import Description
    from nascore.engine.model import Model, Prediction
    from nascore.gallery import Gallery
    from nascore.plugin.plugin import Wanted
    from nascore.run import Record


_ACCURACIES = ("test_accuracy", "validation_accuracy")
_NEAREST = 3
"""How many ids a message names."""

_UNFINISHED = "is a run that was killed, or is still under way"


@frozen(kw_only=True, repr=False)
class Run:
    """A run that is done.

    Attributes:
        path: Its folder.
        recipe: The YAML text that repeats it.
        result: What it gave: the contents of `result.json`.
        gallery: Its architectures, each with its error and costs.
        best: The best architecture, a closed description.
        checked: Whether the files were compared with a list of checksums; earlier versions wrote none.
    """

    path: Path
    recipe: str
    result: Mapping[str, Any]
    gallery: Gallery
    best: Description
    checked: bool = False

    def __repr__(self) -> str:
        """Return one line: the folder, how the run ended and its accuracy."""
        figures = (f"{name}={self.result[name]:.4f}" for name in _ACCURACIES if name in self.result)
        return f"Run({', '.join([repr(str(self.path)), str(self.result.get('status')), *figures])})"

    def model(self, *, entry: int | None = None, plugins: Wanted = ()) -> Model:
        """Return the run's network with its weights, in evaluation mode on the CPU.

        It maps images [N, C, H, W] that its `preprocess` has normalised to logits [N, classes], and has
        `classes`. It is made of the run's plain files, by nascore's own operations.

        Args:
            entry: Id of an architecture in the run's gallery. None: the best.
            plugins: Files with plugins that are not installed, if the architecture has operations of theirs.

        Raises:
            RunFolderError: The run has no such architecture, or its files cannot be read.
        """
        from nascore.engine.model import model_of
        from nascore.verbs.resolution import installed

        description, weights = self.best, WEIGHTS
        if entry is not None:
            description, weights = architecture_of(self, entry), str(self.gallery[entry].weights)
        return model_of(self.path, weights, description, installed(plugins).operations())

    def predict(self, images: Any, *, entry: int | None = None, plugins: Wanted = ()) -> Prediction:  # noqa: ANN401 - what can be a tensor
        """Return what the run's network says of images: logits, probabilities, indices and names of classes.

        Args:
            images: One image or a batch: tensors, NumPy arrays, images of PIL, or a list of them. Values are
                uint8 from 0 to 255 or floats from 0 to 1; channels stand first or last. The size is that of
                the images that the run was trained on.
            entry: Id of an architecture in the run's gallery. None: the best.
            plugins: Files with plugins that are not installed, if the architecture has operations of theirs.

        Raises:
            ValueError: The images have another size, or other values.
            RunFolderError: The run has no such architecture, or its files cannot be read.
        """
        from nascore.engine.model import predict

        return predict(self.model(entry=entry, plugins=plugins), images, self.path)


def load_run(path: str | Path) -> Run:
    """Return the run in a folder.

    Args:
        path: The folder of a run, as `search` and `evaluate` make it.

    Raises:
        RunFolderError: The folder holds no run, one that is not done, or one that cannot be read.
    """
    if not isinstance(path, (str, PathLike)):
        raise RunFolderError(f"{type(path).__name__} is no path of a run: give the folder of one.")
    record = read(given_path(path))
    if record.result is None:
        raise RunFolderError(f"{path} {_UNFINISHED}. {record.inventory}")
    return Run(
        path=record.path,
        recipe=record.recipe,
        result=record.result,
        gallery=record.gallery,
        best=best_of(record.path),
        checked=record.checked,
    )


def best_of(folder: Path) -> Description:
    """Return the best architecture in a run's folder; the run need not be done, if it has come so far.

    Raises:
        RunFolderError: The folder holds none, or one that cannot be read, or a newer nascore made it.
    """
    refuse_newer(folder)
    refuse_unless_run(folder)
    file = folder / ARCHITECTURE
    if not is_there(folder / RESULT):
        # The run was killed, perhaps while the folder of the best was replaced: that may be older, or gone.
        gallery = read_gallery(folder)
        file = folder / gallery.best.description if gallery else file
    if not is_there(file):
        raise RunFolderError(f"{folder} {state(read(folder))}: {_lacking(folder)} {inventory(folder)}")
    return description_of(file)


def _lacking(folder: Path) -> str:
    """Say that a run has no best architecture, and what there is instead."""
    found = learned_file(folder)
    if found is None:
        return "it has no architecture yet."
    line = command_line("nascore", "evaluate", found, "--recipe", folder / RECIPE)
    return f"it has no best architecture yet; its architecture so far is in {found}: {line}."


def description_of(file: Path) -> Description:
    """Return the architecture in a file of a run's folder.

    Raises:
        RunFolderError: The file is not there, or cannot be read.
    """
    try:
        return load(text_of(file), where=str(file))
    except DescriptionError as error:
        raise RunFolderError(error.problems) from error


def architecture_of(target: object, entry: int) -> Description:
    """Return an architecture of a run's gallery; the run need not be done.

    Args:
        target: A run, or its folder.
        entry: Id of the architecture.

    Raises:
        RunFolderError: There is no run, it cannot be read, or it has no such architecture.
        RecipeError: The target is no run.
    """
    if isinstance(target, Run):
        target = target.path
    if not isinstance(target, (str, Path)):
        text = "an entry is an architecture of a run, and this is none."
        raise RecipeError([Problem(path="entry", text=text, hint="Name the run's folder.")])
    record = read(given_path(target))
    if not record.gallery:
        raise without_gallery(record)
    try:
        found = record.gallery[entry]
    except KeyError:
        raise RunFolderError([_unknown(record, entry)]) from None
    return description_of(record.path / found.description)


def _unknown(record: Record, entry: int) -> Problem:
    ids = sorted((one.id for one in record.gallery), key=lambda number: (abs(number - entry), number))
    near = ", ".join(map(str, sorted(ids[:_NEAREST])))
    hint = f"Nearest: {near}." if len(ids) > _NEAREST else f"It has {near}."
    text = f"{record.path} has no architecture {entry}."
    return Problem(
        path="entry", text=text, hint=f"{hint} See {command_line('nascore', 'gallery', record.path)}."
    )


def without_gallery(record: Record) -> RunFolderError:
    """Return the error of a run that has no gallery, with the reason."""
    if (record.result or {}).get("kind") == "evaluate":
        return RunFolderError(
            f"{record.path} is an evaluation: it has one architecture and no gallery. "
            f"See {command_line('nascore', 'draw', record.path)}."
        )
    return RunFolderError(
        f"{record.path} {state(record)}: it has no architecture in a gallery. {record.inventory}"
    )


def state(record: Record) -> str:
    """Return what a run that is not done is, after its name."""
    return _UNFINISHED if record.result is None else f"is a run with status {record.status}"


def runs(folder: str | Path | None = None) -> list[Record]:
    """Return all runs in a folder, done or not, those that cannot be read too, oldest name first.

    Args:
        folder: Where runs are kept. None: the variable NASCORE_RUNS, or `runs` in the working folder.

    Raises:
        RunFolderError: There is no such folder.
    """
    if folder is not None and not is_folder(given_path(folder)):
        raise RunFolderError(f"there is no folder {folder}.")
    return listed(default_root() if folder is None else given_path(folder))


def compare(*runs: Run | str | Path, against: str | None = None) -> Comparison:
    """Put runs into one table: what differs between their recipes names the rows, seeds are averaged.

    Args:
        runs: Runs, or their folders; the folder of a comparison stands for all runs in it. They need not be
            done: what is there counts, and the warnings say what is not.
        against: Label of the row that all others are compared with, such as that of a control; fewer
            differences are told from chance more easily. None: all with all.

    Raises:
        RunFolderError: There is none, one of them is no run, or cannot be read.
        RecipeError: No row is called `against`.
    """
    if not runs:
        raise RunFolderError("there is nothing to compare: name the folders of runs.")
    return compare_runs([run.path if isinstance(run, Run) else _folder(run) for run in runs], against)


def _folder(run: object) -> Path:
    if not isinstance(run, (str, PathLike)):
        text = f"a {type(run).__name__} is no run. Give runs or their folders one by one: compare(*runs)."
        raise RunFolderError(text)
    return given_path(run)
