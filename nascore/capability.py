"""The capabilities that parts provide and need: each with the phrase that explains it in messages.

A sentence continues "a relaxation that ...". A plugin may add capabilities of its own, named
``plugin.capability``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CAPABILITIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # of a space
        "fixed": "keeps every architecture nameable by a code of its own",
        "excludes": "never keeps some of its operations when an architecture is derived",
        # of a relaxation
        "normalized": "gives weights that are not negative and sum to 1 over the segment",
        "non-negative": "gives weights that are not negative, whatever their sum",
        "deterministic": "draws nothing at random",
        "selects": "says itself which operations stand",
        "unbiased": "has the softmax of theta as the mean of its draws",
        "sparse": "lets an operation of weight zero go unrun",
        # of an updater (sparse too)
        "learns": "follows a gradient",
        "mixture-gradient": "follows the gradient of the mixture, not of theta",
        # of a trainer
        "two-halves": "takes a fresh validation batch for each architecture step",
        "sample-gradients": "gives the gradient of the mixture for each example",
        "unrolled": "looks one weights step ahead",
        # of the run
        "horizon": "knows how many updates are left",
        # of growth
        "shadows": "ranks candidates as shadows beside a network that works",
        "supernet": "chooses in a supernet, by what the updater learns there",
        # of a trick
        "random-forward": "makes the forward pass random",
        # of a data set
        "halves": "can be split into two disjoint halves",
        # of an objective
        "differentiable": "has a cost for every operation",
    }
)


def sentence(capability: str) -> str:
    """Return what a part with this capability does, to follow "that"."""
    return CAPABILITIES.get(capability, f"provides {capability}")
