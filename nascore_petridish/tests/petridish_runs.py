"""Small runs of growth, to look at from outside."""

from __future__ import annotations

from petridish_samples import CELLS, CHAIN, OPERATIONS, REGISTRY

from nascore.engine.search import search
from nascore.recipe import Request, settled

SMALL = {
    "growth.count": 4,
    "growth.seed_epochs": 1,
    "growth.child_epochs": 1,
    "growth.operations": OPERATIONS,
    "trainer.epochs": 1,
    "trainer.warm_up": 0,
    "trainer.batch": 8,
    "ranking.batch": 8,
    "dataset.count": 40,
    "dataset.size": 8,
    "dataset.classes": 5,
}
ANY = 100.0
"""An `eps` with which the latest child is the next parent, whatever the accuracies of a few images are."""
TINY = {"space.channels": 2, "space.cells": 1}


def recipe_of(*, registry=REGISTRY, space="tiny", growth="petridish", seed=0, regularizer=None, **settings):
    given = {**SMALL, **(TINY if space == "tiny" else {})}
    given |= {path.replace("__", "."): value for path, value in settings.items()}
    names = {"space": [space], "growth": [growth], "dataset": ["synthetic"]}
    if regularizer is not None:
        names["regularizer"] = [regularizer]
    request = Request(scale="mini", names=names, run={"seed": seed, "device": "cpu"}, settings=given)
    return settled(request, registry)


def grown(out, *, registry=REGISTRY, observers=(), **settings):
    """Run a growth run; returns its folder."""
    return search(recipe_of(registry=registry, **settings), registry, out=out, observers=observers)


def space_of(folder, name):
    """Write a description to a folder; returns the space that it is."""
    path = folder / f"{name}.yaml"
    path.write_text({"cells": CELLS, "chain": CHAIN}[name])
    return f"file:{path}"


def files_of(path):
    """Return what must be equal in a repeated run, by name: weights, descriptions, gallery."""
    globs = ("gallery.json", "architectures/*", "jobs/*/*", "best/*")
    timed = {"job.yaml", "metrics.jsonl", "checksums.jsonl"}
    files = sorted(file for glob in globs for file in path.glob(glob) if file.name not in timed)
    return {str(file.relative_to(path)): file.read_bytes() for file in files}
