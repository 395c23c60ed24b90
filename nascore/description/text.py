"""Descriptions as YAML text, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.config import parse_document
from nascore.description.problems import Found
from nascore.description.reading import read_description
from nascore.description.writing import dump

if TYPE_CHECKING:
    from nascore.description.values import Description

__all__ = ["dump", "load"]


def load(text: str, *, where: str = "") -> Description:
    """Read a description.

    Args:
        text: YAML as in the description language; anything that it does not know is an error.
        where: Name of the text in errors, usually the file's.

    Raises:
        DescriptionError: With every problem, each with its path and its place in the text.
    """
    document = parse_document(text, where=where or "description")
    found = Found(problems=list(document.problems))
    description = None if document.root is None else read_description(document.root, found)
    found.stop()
    assert description is not None  # what cannot be read was noted
    return description
