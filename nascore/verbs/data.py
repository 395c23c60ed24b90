"""Describes the images of a data set before a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nascore.files import given_path
from nascore.recipe import EVALUATE_RUN
from nascore.run import write_bytes
from nascore.slots import DATASET, SLOTS
from nascore.verbs.resolution import requested, resolve_request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nascore.engine.data_report import DataReport
    from nascore.plugin.plugin import Wanted
    from nascore.recipe import Request

SCALE: Final = "paper"
"""The scale that changes no setting of a data set."""

_SLOTS = tuple(slot for slot in SLOTS if slot.name == DATASET)


def describe_data(
    name: str | Path,
    *,
    settings: Mapping[str, Any] | None = None,
    sheet: str | Path | None = None,
    plugins: Wanted = (),
) -> DataReport:
    """Return the classes, sizes and duplicates of a data set; it is read and checked as for a run.

    Args:
        name: The data set: ``"digits"``, ``"folder:photos"``.
        settings: Values by their ``--set`` path: ``{"dataset.size": 32}``.
        sheet: A PNG file to write, with the first training images of each class.
        plugins: Files with plugins that are not installed; or a selection, which can also leave some out.

    Raises:
        RecipeError: The data set or its files have problems; the error has all of them.
        PluginError: The data set contradicts its facts.
        RunFolderError: The PNG file cannot be written.
    """
    request = requested(names={DATASET: name}, recipe=None, preset=None, scale=SCALE, settings=settings)
    return describe_data_as_requested(request, sheet=sheet, plugins=plugins)


def describe_data_as_requested(
    request: Request, *, sheet: str | Path | None = None, plugins: Wanted = ()
) -> DataReport:
    """Return the report of a requested data set; see :func:`describe_data`."""
    resolved = resolve_request(request, plugins=plugins, run=EVALUATE_RUN, slots=_SLOTS)
    from nascore.engine.contact_sheet import contact_sheet, png
    from nascore.engine.data_report import report_data
    from nascore.engine.device import ambient
    from nascore.errors import RecipeError

    with ambient():
        try:
            report, dataset = report_data(resolved.recipe)
        except RecipeError as error:
            raise type(error)(resolved.recipe.with_origins(error.problems)) from error
        if sheet is not None:
            picture = contact_sheet(dataset.train(), range(report.facts.classes))
            write_bytes(given_path(sheet), png(picture))
    return report
