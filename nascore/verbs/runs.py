"""Loads finished runs: one, all in a folder, or several as a table."""

from __future__ import annotations

from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from nascore.comparison import compare_runs
from nascore.description import load
from nascore.errors import DescriptionError, PluginError, Problem, RecipeError, RunFolderError, RunStopped
from nascore.files import given_path, shown_path
from nascore.gallery import metric_of
from nascore.plugin.known import absence
from nascore.recipe.sources.plugin_versions import network_of_python, plugin_files
from nascore.run import (
    ARCHITECTURE,
    GIVEN,
    RECIPE,
    RESULT,
    WEIGHTS,
    default_root,
    inventory,
    is_file,
    is_folder,
    is_there,
    learned_file,
    listed,
    read,
    read_gallery,
    refuse_newer,
    refuse_unless_run,
    resume_command,
    text_of,
)
from nascore.shell import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nascore.comparison import Comparison
    from nascore.description import Description
    from nascore.engine.model import Model, Prediction
    from nascore.gallery import Gallery
    from nascore.plugin import Registry
    from nascore.plugin.plugin import Wanted
    from nascore.run import Record


_SPLITS = ("test", "validation")
_NEAREST = 3
"""Number of ids that a message names."""

_UNFINISHED = "is a run that was killed or is still in progress"


@frozen(kw_only=True, repr=False)
class Run:
    """A finished run.

    Attributes:
        path: The folder.
        recipe: Text of the recipe that repeats the run.
        result: The content of `result.json`.
        gallery: The architectures, each with its error and costs.
        best: The best architecture, a closed description.
        checked: Whether the files were compared with a list of checksums; earlier versions wrote none.
        network: The torch module, or the function, from Python whose network the run trained; None: the files
            of the run and plugins describe the network.
    """

    path: Path
    recipe: str
    result: Mapping[str, Any]
    gallery: Gallery
    best: Description
    checked: bool = False
    network: Any = None

    def __repr__(self) -> str:
        """Return one line: the folder, the status and the score of the run."""
        names = map(metric_of(self.result).key, _SPLITS)
        figures = (f"{name}={self.result[name]:.4f}" for name in names if name in self.result)
        return f"Run({', '.join([repr(str(self.path)), str(self.result.get('status')), *figures])})"

    def model(self, *, entry: int | None = None, plugins: Wanted = ()) -> Model:
        """Return the run's network with its weights, in evaluation mode on the CPU.

        The network maps images [N, C, H, W] that its `preprocess` has normalised to logits [N, classes]; its
        `classes` names the classes. It is built from the files of the run.

        Args:
            entry: Id of an architecture in the run's gallery. None: the best.
            plugins: Files with plugins that are not installed, if the architecture has operations of theirs.

        Raises:
            RunFolderError: The run has no such architecture, or its files cannot be read.
        """
        return self._model(self._installed(plugins), entry)

    def _installed(self, plugins: Wanted) -> Registry:
        from nascore.plugin import Selection
        from nascore.verbs.resolution import installed

        return installed(Selection.of(plugins).with_network(self.network))

    def _model(self, registry: Registry, entry: int | None) -> Model:
        from nascore.engine.model import model_of

        description, weights = self.best, WEIGHTS
        if entry is not None:
            description, weights = architecture_of(self, entry), str(self.gallery[entry].weights)
        with naming_code(self.path, registry):
            return model_of(self.path, weights, description, registry.operations())

    def predict(self, images: Any, *, entry: int | None = None, plugins: Wanted = ()) -> Prediction:  # noqa: ANN401 - what can be a tensor
        """Return the predictions of the run's network, as the task of the run reads its outputs.

        Their `values` has a dictionary for each image, as ``nascore predict --json`` prints it; a
        classification also has probabilities, indices and names of classes.

        Args:
            images: One image or a batch: tensors, NumPy arrays, images of PIL, or a list of them. Values are
                uint8 from 0 to 255 or floats from 0 to 1; channels are first or last. The size must be that
                of the run's training images.
            entry: Id of an architecture in the run's gallery. None: the best.
            plugins: Files with plugins that are not installed, if the architecture has operations of theirs.

        Raises:
            ValueError: The images have a wrong size, or values outside these ranges.
            PluginError: The task of the run is not installed.
            RunFolderError: The run has no such architecture, or its files cannot be read.
        """
        from nascore.engine.model import predict
        from nascore.engine.predictions import task_of

        registry = self._installed(plugins)
        task = task_of(self.recipe, registry)
        return predict(self._model(registry, entry), images, self.path, task)


@contextmanager
def naming_code(path: Path, registry: Registry) -> Iterator[None]:
    """Add to an error about a run's description which code the run was made with.

    This is a network from Python, a file of a plugin, or a distribution that is not installed.

    Args:
        path: The folder of the run.
        registry: The installed plugins.

    Raises:
        PluginError: A known distribution has the operations that are missing.
        DescriptionError: The error from inside, with the network or the files if there are any.
    """
    try:
        yield
    except DescriptionError as error:
        recipe = text_of(path / RECIPE)
        if network := network_of_python(recipe, path):
            raise DescriptionError([_from_python(network, path)]) from error
        files = plugin_files(recipe, path)
        if not files:
            absent = _absent_operations(path, registry)
            raise (PluginError(absent) if absent else error) from error
        words = command_line(*(word for file in files for word in ("--with", str(shown_path(file)))))
        text = "the run was made with a file of Python code, which is executed only if you name it."
        hint = f"If you trust the file, add {words}."
        raise DescriptionError([*error.problems, Problem(path="", text=text, hint=hint)]) from error


def _absent_operations(path: Path, registry: Registry) -> list[Problem]:
    """Return a problem for each operation of a run's architecture that a known distribution provides."""
    file = next((path / name for name in (ARCHITECTURE, GIVEN) if is_file(path / name)), None)
    if file is None:
        return []
    edges = (edge for node in description_of(file).network.nodes for edge in node.edges)
    names = dict.fromkeys(op.name for edge in edges for op in edge.ops)
    found = {name: absence("operation", name, registry.plugins) for name in names}
    return [
        Problem(
            path="",
            text=f"the network of {path} has the operation {name}; {absent}",
            hint=absent.cure,
            missing=absent.missing,
            of_plugin=True,
        )
        for name, absent in found.items()
        if absent is not None and name not in registry.operations()
    ]


def _from_python(network: str, path: Path) -> Problem:
    text = f"the run trained {network}, a network that was passed from Python: its folder has no code of it."
    hint = (
        f"Open it in Python with the same module or function: nascore.load_run({str(path)!r}, network=...). "
        "best/model.py of the run, if it exists, needs only torch."
    )
    return Problem(path="", text=text, hint=hint)


def run_done(path: Path) -> Run:
    """Return the run that a verb has made.

    Raises:
        RunStopped: Its budget was spent before it found an architecture.
    """
    result = read(path).result or {}
    if result.get("status") == "stopped" and not is_there(path / ARCHITECTURE):
        again = resume_command(path)
        raise RunStopped(
            f"stopped: the budget of {result['budget']} is spent, and no architecture is found yet. "
            f"The run is saved in {path}.\nResume it: {again}"
        )
    return load_run(path)


def load_run(path: str | Path, *, network: Any = None) -> Run:  # noqa: ANN401 - a module or a function
    """Return the run in a folder.

    Args:
        path: The folder of a run, as `search` and `evaluate` make it.
        network: The torch module, or the function, that the run evaluated if it was passed from Python. Its
            weights do not matter: those of the run are loaded.

    Raises:
        RunFolderError: The folder is not a run, or the run is unfinished or cannot be read.
    """
    if not isinstance(path, (str, PathLike)):
        raise RunFolderError(f"{type(path).__name__} is not a path: pass the folder of a run.")
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
        network=network,
    )


def best_of(folder: Path) -> Description:
    """Return the best architecture in a run's folder; for an unfinished run, the best so far.

    Raises:
        RunFolderError: The folder has no architecture, cannot be read, or was made by a newer nascore.
    """
    refuse_newer(folder)
    refuse_unless_run(folder)
    file = folder / ARCHITECTURE
    if not is_there(folder / RESULT):
        # A kill during the replacement of `best` may leave an older folder, or none.
        gallery = read_gallery(folder)
        file = folder / gallery.best.description if gallery else file
    if not is_there(file):
        raise RunFolderError(f"{folder} {state(read(folder))}: {_lacking(folder)} {inventory(folder)}")
    return description_of(file)


def _lacking(folder: Path) -> str:
    """Return the sentence for a run without a best architecture, with its latest one if there is one."""
    found = learned_file(folder)
    if found is None:
        return "it has no architecture yet."
    line = command_line("nascore", "evaluate", found, "--recipe", folder / RECIPE)
    return f"it has no best architecture yet; its architecture so far is in {found}: {line}."


def description_of(file: Path) -> Description:
    """Return the architecture in a file of a run's folder.

    Raises:
        RunFolderError: The file does not exist, or cannot be read.
    """
    try:
        return load(text_of(file), where=str(file))
    except DescriptionError as error:
        raise RunFolderError(error.problems) from error


def architecture_of(target: object, entry: int) -> Description:
    """Return an architecture of a run's gallery; the run need not be finished.

    Args:
        target: A run, or its folder.
        entry: Id of the architecture.

    Raises:
        RunFolderError: The folder is not a run, cannot be read, or has no such architecture.
        RecipeError: The target is neither a run nor a folder.
    """
    if isinstance(target, Run):
        target = target.path
    if not isinstance(target, (str, Path)):
        text = "an entry selects an architecture of a run, and the target is not a run."
        raise RecipeError([Problem(path="entry", text=text, hint="Give the run's folder as the target.")])
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
    """Return the error for a run without a gallery, with the reason."""
    if (record.result or {}).get("kind") == "evaluate":
        return RunFolderError(
            f"{record.path} is an evaluation: it has one architecture and no gallery. "
            f"See {command_line('nascore', 'draw', record.path)}."
        )
    return RunFolderError(
        f"{record.path} {state(record)}: its gallery has no architectures yet. {record.inventory}"
    )


def state(record: Record) -> str:
    """Return the predicate of a sentence about an unfinished run."""
    return _UNFINISHED if record.result is None else f"is a run with status {record.status}"


def runs(folder: str | Path | None = None) -> list[Record]:
    """Return all runs in a folder, sorted by name, including unfinished and unreadable ones.

    Args:
        folder: The folder of runs. None: the variable NASCORE_RUNS, or `runs` in the working folder.

    Raises:
        RunFolderError: The folder does not exist.
    """
    if folder is not None and not is_folder(given_path(folder)):
        raise RunFolderError(f"there is no folder {folder}.")
    return listed(default_root() if folder is None else given_path(folder))


def compare(*runs: Run | str | Path, against: str | None = None) -> Comparison:
    """Compare runs in one table, whose rows are means over seeds, labelled by the differences of the recipes.

    Args:
        runs: Runs, or their folders; the folder of a comparison stands for all runs in it. They need not be
            finished: finished runs count, and the warnings name the others.
        against: Label of the row to compare all others with, such as a baseline; fewer differences need
            fewer seeds. None: all pairs.

    Raises:
        RunFolderError: No run is given, or one is not a run or cannot be read.
        RecipeError: No row has the label `against`.
    """
    if not runs:
        raise RunFolderError("compare needs at least one run: pass the folders of runs.")
    return compare_runs([run.path if isinstance(run, Run) else _folder(run) for run in runs], against)


def _folder(run: object) -> Path:
    if not isinstance(run, (str, PathLike)):
        text = f"a {type(run).__name__} is not a run. Pass runs or their folders one by one: compare(*runs)."
        raise RunFolderError(text)
    return given_path(run)
