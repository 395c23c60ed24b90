"""What a network must end in: logits, one number for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nascore.description.names import IMAGES, UNREAD

if TYPE_CHECKING:
    from nascore.description.operation import Catalogue
    from nascore.description.plan import State
    from nascore.description.problems import Found
    from nascore.description.values import Description, Node

HEAD: Final = "End the network in a node such as  head: {from: -1, op: classifier, width: classes}."


def output_path(description: Description) -> str:
    """Return the path of the node that the network ends in."""
    network = description.network
    name = network.scope.names.get(network.output, network.output)
    return "network.output" if name == IMAGES else f"network.nodes.{_node_name(description, name)}"


def check_output(
    description: Description, state: State, found: Found, catalogue: Catalogue | None = None
) -> None:
    """Note it if the network's output has not as many channels as there are classes.

    Whether it still has height and width is not known here: :func:`nascore.nn.shapes.check_shapes` sees it.

    Args:
        description: The network.
        state: Its output.
        found: Where the problem goes.
        catalogue: Says which operations are a frame's, such as a classifier.
    """
    classes = description.classes
    if not state.channels or not classes or state.channels == classes or state.path == UNREAD:
        return
    has = f"{state.path} has {state.channels} channels"
    text = f"the network's output {has}, not {classes}, one for each class."
    found.add(output_path(description), text, hint=_hint(description, catalogue))


def _hint(description: Description, catalogue: Catalogue | None) -> str:
    network = description.network
    heads = [
        node.name for node in network.nodes if node.width == "classes" and node.name != description.auxiliary
    ]
    name = _node_name(description, network.scope.names.get(network.output, network.output))
    node = network.node(name)
    if heads and name not in heads:
        return f"Write output: {heads[-1]}, or leave network.output out where that node is the last."
    if node is not None and _ends(node, catalogue):
        return f"Write width: classes for the node {name}."
    return HEAD


def _ends(node: Node, catalogue: Catalogue | None) -> bool:
    """Say whether a node reads other states than the images, with operations of a frame alone."""
    ops = [op for edge in node.edges for op in edge.ops]
    if not ops or any(edge.source == IMAGES for edge in node.edges):
        return False
    entries = [None if catalogue is None else catalogue.get(op.name) for op in ops]
    return all(entry is not None and entry.structural for entry in entries)


def _node_name(description: Description, placed: str) -> str:
    """Return the node, as written, that a placed name belongs to: repeats have a number behind it."""
    for one in description.network.scope.placed:
        if one.name == placed:
            return one.node.name
    return placed
