"""Who would bring a name that nothing installed has: what published plugins bring, and why they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

from nascore.plugin.selection import same_distribution

if TYPE_CHECKING:
    from nascore.plugin.plugin import Plugin
    from nascore.plugin.registry import Registry

BROUGHT: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "nascore-darts": {
        "space": ("darts",),
        "updater": ("darts",),
        "preset": ("darts-cifar10",),
        "notation": ("genotype",),
    },
    "nascore-xnas": {"updater": ("xnas",), "preset": ("xnas-cifar10", "xnas-plain")},
    "nascore-geonas": {"updater": ("geonas",)},
    "nascore-data": {
        "updater": ("data",),
        "relaxation": ("egs",),
        "preset": ("data-m4-cifar10", "data-m7-cifar10"),
    },
    "nascore-petridish": {"growth": ("petridish",), "preset": ("petridish-cifar10",)},
    "nascore-nasbench": {"space": ("nb201",), "notation": ("nb201",)},
    "nascore-spaces": {
        "space": ("mbconv", "resnet", "darts-s1", "darts-s2", "darts-s3", "darts-s4", "nb101", "macro"),
        "notation": ("network",),
    },
    "nascore-vision": {"dataset": ("cifar10", "cifar100", "imagenet", "fashion-mnist", "mnist", "svhn")},
    "nascore-report": {"verb": ("report",)},
    "nascore-native": {},
    "nascore-ray": {"executor": ("ray",)},
    "nascore-tensorboard": {"observer": ("tensorboard",)},
}
"""By distribution: the names that it brings, by slot or by `preset`, `notation`, `verb`."""


def bringer(kind: str, name: str) -> str:
    """Return the distribution that is known to bring a name; empty where none is.

    Args:
        kind: A slot (also one that plugins add: `growth`, `regularizer`), `preset`, `verb` or `notation`.
        name: What was asked for.
    """
    found = (distribution for distribution, brought in BROUGHT.items() if name in brought.get(kind, ()))
    return next(found, "")


_STATES: Final = {
    "blocked": "is switched off",
    "broken": "is broken",
    "clash": "clashes with another plugin",
    "foreign": "is made for another version of nascore",
}
_DOCTOR: Final = "Run nascore plugins doctor."


@frozen(kw_only=True)
class Absence:
    """Why a name stands for nothing, though somebody is known to bring it.

    Attributes:
        who: The plugin, or the distribution.
        state: What it is instead of ready: ``is broken: ImportError``.
        cure: What to do about that.
        missing: The distribution, where it is not installed.
    """

    who: str
    state: str
    cure: str
    missing: str = ""

    def __str__(self) -> str:
        return f"{self.who} brings it and {self.state}." if self.missing else f"{self.who} {self.state}."


def absence(kind: str, name: str, registry: Registry) -> Absence | None:
    """Return why nothing has a name that somebody is known to bring; None where nobody is.

    Args:
        kind: As for :func:`bringer`.
        name: What was asked for, maybe as ``plugin:name``.
        registry: What is installed.
    """
    owner, _, bare = name.rpartition(":")
    distribution = bringer(kind, bare)
    of_owner = [(one, one.name) for one in registry.plugins if owner and one.name == owner]
    installed = [one for one in registry.plugins if same_distribution(distribution, one.distribution)]
    for plugin, who in (*of_owner, *((one, distribution) for one in installed)):
        if plugin.status != "ready":
            return Absence(who=who, state=state_of(plugin), cure=plugin.cure or _DOCTOR)
    if not distribution or of_owner or installed:
        return None
    cure = f"pip install {distribution}"
    return Absence(who=distribution, state="is not installed", cure=cure, missing=distribution)


def state_of(plugin: Plugin) -> str:
    """Say what a plugin is that is not ready, and why."""
    return f"{_STATES[plugin.status]}: {plugin.reason}".rstrip(".: ")
