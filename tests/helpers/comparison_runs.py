"""Folders that look like runs, with figures that a test chooses; and what makes a real comparison small."""

from __future__ import annotations

import json

from nascore.gallery import Entry, Gallery

SMALL = {
    "dataset.count": 64,
    "dataset.size": 8,
    "trainer.batch": 8,
    "trainer.epochs": 1,
    "trainer.warm_up": 0,
    "ranking.batch": 8,
    "ranking.channels": 2,
    "ranking.cells": 3,
    "ranking.epochs": 1,
}
SMALL_EVALUATION = {
    "training.batch": 16,
    "training.channels": 4,  # not that of the search
    "training.cells": 3,
    "training.epochs": 1,
}
TINY = {"space": "tiny", "dataset": "synthetic", "scale": "mini"}

RECIPE = """\
nascore: 2
scale: mini
seed: {seed}
threads: {threads}
device: auto
ranking:
  epochs: {epochs}
space:
  name: tiny
growth:
  name: {growth}
updater:
  name: {updater}
  lr: {lr}
trainer:
  name: alternating
  sequence: {sequence}
relaxation:
  name: softmax
regularizer: none
dataset:
  name: {dataset}
  count: {count}
"""
ENVIRONMENT = {
    "format": 1,
    "kind": "search",
    "python": "3.11.7",
    "machine": "x86_64",
    "device": "cpu",
    "threads": 1,
    "packages": {"nascore": "0.1.0", "torch": "2.14.1"},
}


def words(settings):
    return [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]


def made(path, accuracy, *, images=100, guided=True, entries=1, status="done", environment=None, **recipe):
    """Make the folder of a run that found an architecture of this accuracy."""
    given = {
        "seed": 0,
        "threads": 1,
        "epochs": 10,
        "growth": "none",
        "updater": "darts",
        "lr": 0.1,
        "sequence": "architecture-first",
        "dataset": "digits",
        "count": 1000,
        **recipe,
    }
    path.mkdir(parents=True)
    (path / "recipe.yaml").write_text(RECIPE.format(**given), encoding="utf-8")
    written(path / "environment.json", {**ENVIRONMENT, **(environment or {})})
    result = {"kind": "search", "status": status, "seed": given["seed"], "seconds": 2.0}
    if status == "done":
        result |= {
            "validation_accuracy": accuracy,
            "validation_count": images,
            "validation_guided": guided,
            "params": 100,
            "macs": 1000,
        }
        costs = {"params": 100, "macs": 1000}
        kept = [
            Entry(id=number, description="a", error=1 - accuracy, count=images, costs=costs, guided=guided)
            for number in range(1, entries + 1)
        ]
        (path / "gallery.json").write_text(Gallery(tuple(kept)).to_json(), encoding="utf-8")
    else:
        result["error"] = "the loss is not finite"
    written(path / "result.json", result)
    lines = [{"job": 1, "phase": "search", "step": 4}, {"job": 1, "phase": "search", "step": 8}]
    lines.append({"job": 2, "phase": "train", "step": 5})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (path / "metrics.jsonl").write_text(text, encoding="utf-8")
    return path


def many(folder, **by_updater):
    """Make runs of several updaters, each with these accuracies by seed."""
    return [
        made(folder / f"{updater}-{seed}", share, updater=updater, seed=seed)
        for updater, shares in by_updater.items()
        for seed, share in enumerate(shares)
    ]


def written(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")
