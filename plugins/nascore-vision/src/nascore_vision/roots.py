"""The folder of the published data sets: where their files are, and how they come there."""

from __future__ import annotations

import os
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nascore.api import RecipeError
from nascore_vision.problems import listed, problem, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nascore.api import Problem
    from nascore_vision.settings import RootSettings

VARIABLE: Final = "NASCORE_DATA"
"""The environment variable with the folder of the data sets."""

ROOT: Final = "data"
"""The folder of the data sets if neither a setting nor the variable names one."""


def root_of(settings: RootSettings) -> Path:
    """Return the folder of the data sets."""
    return (settings.root or Path(os.environ.get(VARIABLE) or ROOT)).expanduser().absolute()


def download(name: str, root: Path, fetch: Callable[[], object]) -> None:
    """Download the files of a data set.

    Raises:
        RecipeError: The download failed.
    """
    try:
        with redirect_stdout(StringIO()):  # results go to stdout, and nothing else
            root.mkdir(parents=True, exist_ok=True)
            fetch()
    except Exception as error:  # noqa: BLE001 - of the network, of the disk, of a checksum
        cause = " ".join(str(error).split()).rstrip(".")
        text = f"the download of {name} into {readable(str(root))} failed: {cause}."
        raise RecipeError(
            [problem(text, "Copy the files there by other means.", setting="download")]
        ) from None


def absent(name: str, root: Path, forms: Sequence[str], settings: RootSettings, source: Any) -> Problem:  # noqa: ANN401 - a class of torchvision
    """Return the problem of files that are not below the root, with the files and the remedy.

    Args:
        name: The data set.
        root: The root.
        forms: The files or folders, one of which must exist.
        settings: The settings of the data set.
        source: The class of torchvision that downloads the files; None: they cannot be downloaded.
    """
    text = f"{name} is not in {readable(str(root))}: it has none of {listed(forms)}."
    hint = f"Set --data-root or {VARIABLE} to the folder with these files"
    url = getattr(source, "url", "") or getattr(source, "_URL", "")
    if source is not None and not settings.download:
        place = f" (from {url})" if url else ""
        hint = f"Add --download{place}, or set{hint.removeprefix('Set')}"
    return problem(text, f"{hint}.", setting="root")
