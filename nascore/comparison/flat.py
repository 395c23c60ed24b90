"""What a recipe says, as one value a path, so that two recipes can be laid side by side."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from nascore.component import SLOTS
from nascore.config import parse_document
from nascore.errors import RunFolderError
from nascore.files import without_digest
from nascore.recipe.keep import FOLDER
from nascore.run import RECIPE, is_file, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nascore.config import Node

Flat: TypeAlias = dict[str, Any]
"""By path what a recipe says there: ``{"updater": "xnas", "updater.eta": 0.1, "regularizer": "l1"}``."""

PLUGINS: Final = "plugins"
PERSONAL: Final = frozenset({"nascore", PLUGINS, "seed", "threads", "device", "observer"})
"""What belongs to one run rather than to what was compared."""

_SLOTS: Final = {slot.name: slot for slot in SLOTS}


def flat_recipe(text: str, folder: Path) -> Flat:
    """Return what a run's recipe says, without what is one run's own.

    Of a file that the run keeps the content counts: of two descriptions, each `files/chain.yaml` in its run's
    folder, the names are the same. So it is with plugins that are single files.

    Args:
        text: The recipe, as the folder keeps it: every value is in it.
        folder: The run's folder.

    Raises:
        RunFolderError: It is no recipe, or a file that it names cannot be read.
    """
    where = str(folder / RECIPE)
    document = parse_document(text, where=where)
    if document.problems:
        raise RunFolderError(document.problems)
    if document.root is None or not isinstance(document.root.value, dict):
        raise RunFolderError(f"{where} is no recipe.")
    items = document.root.value
    found = {
        path: value
        for key, node in items.items()
        if key not in PERSONAL
        for path, value in _walked(key, node)
    }
    files = _values(PLUGINS, items[PLUGINS]) if PLUGINS in items else ()
    found |= {path: value for path, value in files if _kept(folder, value)}
    return {path: _content(folder, value) if _kept(folder, value) else value for path, value in found.items()}


def digest(file: Path) -> str:
    """Return eight letters that stand for the content of a file.

    Raises:
        RunFolderError: It cannot be read.
    """
    return sha256(without_digest(text_of(file)).encode()).hexdigest()[:8]


def _kept(folder: Path, value: object) -> bool:
    return isinstance(value, str) and value.startswith(f"{FOLDER}/") and is_file(folder / value)


def _content(folder: Path, value: str) -> str:
    return f"{value.removeprefix(f'{FOLDER}/')}@{digest(folder / value)}"


def _walked(key: str, node: Node) -> Iterator[tuple[str, Any]]:
    slot = _SLOTS.get(key)
    if slot is None or not isinstance(node.value, dict):
        yield from _values(key, node)
    elif slot.many:
        yield key, "+".join(node.value)
        for name, inner in node.value.items():
            yield from _values(f"{key}.{name}", inner)
    else:
        chosen = node.value.get("name")
        yield key, None if chosen is None else chosen.value
        for word, value in node.value.items():
            if word != "name":
                yield from _values(f"{key}.{word}", value)


def _values(path: str, node: Node) -> Iterator[tuple[str, Any]]:
    if isinstance(node.value, dict):
        for word, inner in node.value.items():
            yield from _values(f"{path}.{word}", inner)
    else:
        yield path, _plain(node)


def _plain(node: Node) -> Any:  # noqa: ANN401 - any scalar, or a tuple of such
    if isinstance(node.value, list):
        return tuple(map(_plain, node.value))
    if isinstance(node.value, dict):
        return tuple((word, _plain(inner)) for word, inner in node.value.items())
    return node.value
