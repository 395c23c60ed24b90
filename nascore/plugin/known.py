"""What published plugins bring: the answer to a name that nothing installed has."""

from __future__ import annotations

from typing import Final

BROUGHT: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "nascore-darts": {
        "space": ("darts",),
        "updater": ("darts",),
        "preset": ("darts-cifar10",),
        "notation": ("genotype",),
    },
    "nascore-xnas": {"updater": ("xnas",)},
    "nascore-geonas": {"updater": ("geonas",)},
    "nascore-data": {"updater": ("data",), "relaxation": ("egs",)},
    "nascore-petridish": {"growth": ("petridish",), "updater": ("sgd",)},
    "nascore-nasbench": {"space": ("nb201",)},
    "nascore-spaces": {
        "space": ("mbconv", "resnet", "darts-s1", "darts-s2", "darts-s3", "darts-s4", "nb101", "macro")
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
