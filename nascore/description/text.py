"""Descriptions as YAML text, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.config import parse_document
from nascore.description.place import stop_at
from nascore.description.problems import Found
from nascore.description.reading import read_description
from nascore.description.survey import survey
from nascore.description.writing import dump

if TYPE_CHECKING:
    from nascore.description.operation import Catalogue
    from nascore.description.values import Description

__all__ = ["dump", "load"]


def load(text: str, *, where: str = "", catalogue: Catalogue | None = None) -> Description:
    """Read a description.

    Args:
        text: YAML as in the description language; anything that it does not know is an error.
        where: Name of the text in errors, usually the file's.
        catalogue: With it the description is also worked out, and every operation checked where it stands.

    Raises:
        DescriptionError: With every problem, each with its path and its place in the text.
    """
    document = parse_document(text, where=where or "description", what="description")
    found = Found(problems=list(document.problems))
    if document.root is None:
        found.stop()
        raise AssertionError  # a text without a root has a problem
    description = read_description(document.root, found)
    if description is not None and (found.problems or catalogue is not None):
        survey(description, catalogue, found)
    stop_at(found, document.root)
    assert description is not None  # that it holds none was noted
    return description
