"""A value as it is typed in a command: one YAML scalar or flow value, or plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.config import Node, parse_document

if TYPE_CHECKING:
    from nascore.errors import Origin


def typed_value(text: str, origin: Origin) -> Node:
    """Read a typed value; what is no YAML (``*.yaml``, ``@x``) is text.

    Args:
        text: What was typed.
        origin: Where all of it stands.

    Returns:
        The value, with the text that a setting which holds text takes as it stands (``note=1e3``).
    """
    document = parse_document(text, where="", layer="set")
    bare = text.strip()
    if document.root is None or document.problems:
        return Node(value=text, origin=origin, text=text)
    plain = _placed(document.root, origin)
    if isinstance(plain.value, str) and not bare.startswith(("'", '"')):
        # What YAML takes for a comment is typed on purpose here: note=a #1.
        return Node(value=bare, origin=origin, text=bare)
    return Node(value=plain.value, origin=origin, text=bare)


def _placed(node: Node, origin: Origin) -> Node:
    """Let every item stand where the whole was typed: a position inside one argument helps nobody."""
    if isinstance(node.value, dict):
        items = {key: _placed(item, origin) for key, item in node.value.items()}
        return Node(value=items, origin=origin, key=origin)
    if isinstance(node.value, list):
        return Node(value=[_placed(item, origin) for item in node.value], origin=origin, key=origin)
    return Node(value=node.value, origin=origin, key=origin)
