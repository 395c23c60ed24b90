"""Writes small image files of many kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def pixels(seed, height=8, width=8, channels=1):
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write(path, array):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def folder(root, classes=("cat", "dog"), count=5, **shape):
    """Write `count` different images of each class; returns the root."""
    for number, name in enumerate(classes):
        for index in range(count):
            write(Path(root) / name / f"{index}.png", pixels(100 * number + index, **shape))
    return Path(root)


def truncate(path, share=0.5):
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: int(len(content) * share)])
