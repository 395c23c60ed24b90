"""Predicts images with the network of a finished run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from nascore.component import load
from nascore.errors import ImageError, PluginError, Problem, did_you_mean
from nascore.files import given_path, shown_path
from nascore.plugin.known import absence
from nascore.run import beside_of, is_file, is_folder, is_there
from nascore.slots import DATASET
from nascore.verbs.resolution import installed
from nascore.verbs.runs import Run, load_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nascore.component import ImageReader
    from nascore.engine.model import Prediction
    from nascore.plugin import Registry
    from nascore.plugin.plugin import Wanted

READS_FILES: Final = "folder"
"""A data set whose plugin reads image files."""


@frozen(kw_only=True)
class PredictedFile:
    """An image file with its prediction.

    Attributes:
        file: The file.
        prediction: The prediction as values for JSON, as the task of the run reads it: for a classification
            `label` and `probabilities` by class.
    """

    file: Path
    prediction: Mapping[str, Any]


def predict(
    run: str | Path | Run,
    images: Any,  # noqa: ANN401 - what can be a tensor
    *,
    entry: int | None = None,
    plugins: Wanted = (),
) -> Prediction:
    """Return the predictions of a run's network, as the task of the run reads its outputs.

    Their `values` has a dictionary for each image, as ``nascore predict --json`` prints it; a classification
    also has probabilities, indices and names of classes.

    Args:
        run: A finished run, or its folder.
        images: Paths of image files and of folders with such files, or one path; or images as for
            :meth:`nascore.Run.predict`: tensors, arrays, images of PIL. Files are prepared as the data set of
            the run prepared its own.
        entry: Id of an architecture in the run's gallery. None: the best.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.

    Raises:
        ImageError: Files do not exist or cannot be read; the error has all of them.
        PluginError: No plugin reads image files, or the task of the run is not installed.
        RunFolderError: The run cannot be used.
        ValueError: The images have a wrong size, or values out of range.
    """
    loaded = run if isinstance(run, Run) else load_run(run)
    paths = [images] if isinstance(images, (str, Path)) else images
    if isinstance(paths, Sequence) and paths and all(isinstance(one, (str, Path)) for one in paths):
        registry = installed(plugins)
        _, images = _read_files(loaded, [given_path(one) for one in paths], registry)
    return loaded.predict(images, entry=entry, plugins=plugins)


def predict_files(
    run: Path, paths: Sequence[Path], *, entry: int | None = None, plugins: Wanted = ()
) -> list[PredictedFile]:
    """Return image files with their predictions, as `nascore predict` prints them; see :func:`predict`."""
    loaded = load_run(run)
    files, images = _read_files(loaded, paths, installed(plugins))
    found = loaded.predict(images, entry=entry, plugins=plugins).values
    return [PredictedFile(file=file, prediction=one) for file, one in zip(files, found, strict=True)]


def _read_files(run: Run, paths: Sequence[Path], registry: Registry) -> tuple[list[Path], list[Any]]:
    """Return the image files behind some paths, and their images.

    Raises:
        ImageError: With all paths that do not exist, hold no image or cannot be read.
        PluginError: No plugin reads image files.
    """
    readers = {suffix: reader for reader in registry.image_readers() for suffix in reader.suffixes}
    if not readers:
        raise _without_reader(registry)
    problems: list[Problem] = []
    files = [file for path in paths for file in _files(path, readers, problems)]
    from nascore.engine.predictions import data_settings

    shape, settings = tuple(run.result["image"]), data_settings(run.recipe)
    images = []
    for file in files:
        # A file that is named is read whatever its suffix is.
        reader = readers.get(file.suffix.lower()) or next(iter(readers.values()))
        try:
            images.append(load(reader.read)(file, shape, settings))
        except (OSError, ValueError) as error:
            text = f"the image cannot be used: {str(error).rstrip('.')}."
            problems.append(Problem(path=str(shown_path(file)), text=text))
    if problems:
        raise ImageError(problems)
    return files, images


def _files(path: Path, readers: Mapping[str, ImageReader], problems: list[Problem]) -> Iterator[Path]:
    if is_file(path):
        yield path
        return
    shown = str(shown_path(path))
    if not is_folder(path):
        kind = "cannot be read" if is_there(path) else "does not exist"
        hint = did_you_mean(shown, map(str, beside_of(path)))
        problems.append(Problem(path=shown, text=f"the file or folder {kind}.", hint=hint))
        return
    found = sorted(_images_below(path, readers))
    if not found:
        known = ", ".join(sorted(readers))
        problems.append(Problem(path=shown, text="the folder has no image.", hint=f"Images end in {known}."))
    yield from found


def _images_below(folder: Path, suffixes: Iterable[str]) -> Iterator[Path]:
    known = frozenset(suffixes)
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in known:
                yield Path(base, name)


def _without_reader(registry: Registry) -> PluginError:
    absent = absence(DATASET, READS_FILES, registry.plugins)
    text = "no plugin reads image files"
    if absent is None:
        return PluginError([Problem(path="", text=f"{text}.", hint="From Python, pass arrays.")])
    return PluginError([Problem(path="", text=f"{text}: {absent}", hint=absent.cure, missing=absent.missing)])
