"""Where the auxiliary head may stand: last, so that nothing takes its logits for features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.description.names import UNREAD
from nascore.description.problems import nearest

if TYPE_CHECKING:
    from nascore.description.problems import Found
    from nascore.description.values import Description, Graph

_PATH = "auxiliary"


def check_auxiliary(description: Description, found: Found) -> None:
    """Check that the auxiliary head, if there is one, is the last node, and that its logits go nowhere."""
    name, network = description.auxiliary, description.network
    if name is None:
        return
    node = network.node(name)
    if node is None:
        hint = nearest(name, [each.name for each in network.nodes])
        if network.node(UNREAD) is None:
            found.add(_PATH, f"the network has no node {name!r}.", hint=hint)
        return
    if node.repeat is not None:
        found.add(_PATH, f"{name} repeats, and there is one auxiliary head.", hint="Leave its repeat out.")
    if network.scope.names.get(network.output) == name:
        hint = "Say under network.output which node is: without it, it is the last."
        found.add(_PATH, f"{name} is the network's output.", hint=hint)
    if node is not network.nodes[-1]:
        hint = "Write it last, and say under network.output which node is the output."
        found.add(_PATH, f"{name} is not the last node of the network.", hint=hint)
    for reader in _readers(network, name):
        hint = "Let it read another state by its name."
        found.add(_PATH, f"{reader} reads {name}, whose logits are for training only.", hint=hint)


def _readers(network: Graph, name: str) -> list[str]:
    """Return the nodes that read a state, by its name or by a relative source."""
    readers = (placed.node.name for placed in network.scope.placed if name in placed.sources)
    return list(dict.fromkeys(readers))
