"""The capabilities that parts provide and need: each with the phrase that explains it in messages.

A sentence continues "a relaxation that ...". A plugin may add capabilities of its own, named
``plugin.capability``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

BY_SLOT: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "space": {
            "fixed": "gives every architecture a code in a fixed encoding",
            "excludes": "never keeps some of its operations when an architecture is derived",
        },
        "relaxation": {
            "normalized": "gives non-negative weights that sum to 1 over each segment",
            "non-negative": "gives non-negative weights, whatever their sum",
            "deterministic": "draws nothing at random",
            "selects": "chooses by itself which operations are kept",
            "pools": "defines the weight of several entries that compete as one",
            "anneals": "changes during a search",
            "unbiased": "has the softmax of theta as the mean of its draws",
            "sparse": "does not run operations whose weight is zero",
        },
        "regularizer": {
            "stateful": "has a state that a checkpoint must save",
            "anneals": "changes during a search",
        },
        "updater": {
            "learns": "follows a gradient",
            "mixture-gradient": "follows the gradient of the mixture, not of theta",
            "sparse": "does not run operations whose weight is zero",
        },
        "trainer": {
            "two-halves": "takes a fresh validation batch for each architecture step",
            "sample-gradients": "gives the gradient of the mixture for each example",
            "unrolled": "looks one weights step ahead",
            "tricks": "applies tricks to its weights steps",
        },
        "run": {
            "horizon": "knows how many updates are left",
            "full-precision": "computes float32",
        },
        "growth": {
            "grows": "trains candidates in the networks of its parents",
            "searches": "searches in each open description that it proposes",
            "shadows": "ranks candidates as shadows beside a working network",
            "supernet": "derives an architecture from a supernet, by the parameters that the updater learned",
            "remarks": "comments on its seeds in the run's log",
        },
        "task": {
            "one-class": "learns one class for each image",
            "smooths": "spreads a share of the targets over all labels (label smoothing)",
            "mixes": "learns from targets that are mixed from those of two images",
        },
        "trick": {
            "starts": "prepares for each training",
            "network": "changes the network that is trained",
            "parameters": "gives groups of weights their own learning rate or weight decay",
            "optimizer": "brings the optimizer of the weights",
            "transform": "changes training images one by one",
            "examples": "changes images and targets of training batches",
            "schedule": "changes the learning rate",
            "sets-rate": "sets the learning rate, whatever it was before",
            "loss": "changes the loss of training batches",
            "gradients": "changes or postpones the gradient of the weights",
            "after-step": "acts after each step",
            "evaluates": "evaluates and saves a different network than the trained one",
            "stateful": "has a state that a checkpoint must save",
            "random-forward": "makes the forward pass random",
        },
        "dataset": {
            "halves": "can be split into two disjoint halves",
            "files": "reports on the files of its images",
            "classes": "gives one class for each image",
            "vectors": "gives numbers for each image: values, or 0 and 1 for each of several labels",
        },
        "objective": {
            "differentiable": "has a cost for every operation",
        },
    }
)
"""The table of capabilities: by slot of the parts that may have them, with their phrase.

The slot `objective` has no parts yet.
"""

CAPABILITIES: Final[Mapping[str, str]] = MappingProxyType(
    {name: phrase for phrases in BY_SLOT.values() for name, phrase in phrases.items()}
)
"""The phrase of each capability."""


METHODS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "relaxation": {
            "anneals": ("annealed",),
            "selects": ("picks",),
            "pools": ("pooled",),
        },
        "regularizer": {"stateful": ("state_dict", "load_state_dict")},
        "growth": {"grows": ("close",), "remarks": ("remark",)},
        "trick": {
            "starts": ("start",),
            "network": ("network",),
            "parameters": ("parameters",),
            "optimizer": ("optimizer",),
            "transform": ("transform",),
            "examples": ("examples",),
            "schedule": ("schedule",),
            "loss": ("loss",),
            "gradients": ("gradients",),
            "after-step": ("after_step",),
            "evaluates": ("evaluated_network",),
            "stateful": ("state_dict", "load_state_dict"),
        },
        "dataset": {"files": ("files",)},
    }
)
"""The optional methods of each slot, by the capability that declares them.

The engine calls them only if the capability is declared with the settings of the run; their protocols are in
:mod:`nascore.contract`.
"""


def undeclared(
    part: object, slot: str, declared: Collection[str], sometimes: Collection[str] = ()
) -> Iterator[str]:
    """Yield each difference between a part's declared capabilities and its optional methods.

    Each is a phrase that follows the part's name.

    Args:
        part: The part, built.
        slot: The slot that it fills.
        declared: Its capabilities with the settings that it was built with.
        sometimes: Capabilities that it declares with other settings.
    """
    for capability, methods in METHODS.get(slot, {}).items():
        there = [name for name in methods if callable(getattr(part, name, None))]
        lacks = [name for name in methods if name not in there]
        if capability in declared and lacks:
            yield f"declares {capability}, but has no method {' and no method '.join(lacks)}"
        if capability not in {*declared, *sometimes} and not lacks:
            yield f"has {' and '.join(there)}, but does not declare {capability}"


def sentence(capability: str) -> str:
    """Return the phrase that explains a capability, to follow "that"."""
    return CAPABILITIES.get(capability, f"provides {capability}")
