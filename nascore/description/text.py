"""Descriptions as YAML text, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from nascore.config import parse_document
from nascore.description.place import locate, stop_at
from nascore.description.problems import Found
from nascore.description.reading import read_description
from nascore.description.survey import survey
from nascore.description.writing import dump

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.description.operation import Catalogue
    from nascore.description.values import Description
    from nascore.errors import Problem

__all__ = ["dump", "load", "located"]


def load(
    text: str, *, where: str = "", catalogue: Catalogue | None = None, classifies: bool = False
) -> Description:
    """Read a description.

    Args:
        text: YAML as in the description language; anything that it does not know is an error.
        where: Name of the text in errors, usually the file's.
        catalogue: With it the description is also worked out, and every operation checked where it stands.
        classifies: Whether its output must have a channel for each class.

    Raises:
        DescriptionError: With every problem, each with its path and its place in the text.
    """
    document = parse_document(text, where=where or "description", what="description")
    found = Found(problems=list(document.problems))
    if document.root is None:
        found.stop()
        raise AssertionError  # a text without a root has a problem
    description = read_description(document.root, found)
    if description is not None and (found.problems or classifies or catalogue is not None):
        survey(description, catalogue, found, classifies=classifies)
    stop_at(found, document.root)
    assert description is not None  # that it holds none was noted
    return description


def located(problems: Iterable[Problem], text: str, *, where: str) -> list[Problem]:
    """Return problems of a description with their places in the text that it was read from.

    Args:
        problems: Found after it was read.
        text: The text, which can be read.
        where: Name of the text.
    """
    root = parse_document(text, where=where, what="description").root
    if root is None:
        return list(problems)
    return [one if one.origin else evolve(one, origin=locate(root, one.path)) for one in problems]
