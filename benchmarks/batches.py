"""Does a network that was handed over classify an image alike, whatever else is in the batch?

    python benchmarks/batches.py
    python benchmarks/batches.py --epochs 1 --seed 1
    python benchmarks/batches.py RUN...

Searches on digits, or takes runs that are there. For `best/model.py`, for every architecture of the gallery
with its weights, and for the model of an evaluation of the best, logits of 512 training images are computed
in batches of 256, one at a time, in pairs, and in batches of one class. Printed are the largest difference
from the batches of 256, and the accuracy each way. Exits with 1 where a difference is above 1e-5 of the
largest logit, or of 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import torch
from safetensors.torch import load_file

import nascore
from nascore.component import load as built
from nascore.description import load
from nascore.engine.augmentation import normalise
from nascore.nn import compile as compiled
from nascore.plugin import discover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

    Logits = Callable[[Tensor], Tensor]

IMAGES: Final = 512
WHOLE: Final = 256
CLOSE: Final = 1e-5
SEARCHES: Final = (
    *({"space": space, "updater": "xnas", "growth": "petridish"} for space in ("darts", "tiny", "resnet")),
    {"space": "mbconv", "updater": "xnas", "growth": "petridish"},
    {"space": "darts", "updater": "sgd", "growth": "petridish", "relaxation": "linear"},
    {"space": "darts", "updater": "darts"},
    {"space": "tiny", "updater": "darts", "relaxation": "softmax"},
    {"space": "tiny", "updater": "sgd", "relaxation": "linear"},
    {"space": "tiny", "updater": "darts", "relaxation": "one-hot"},
    {"space": "tiny", "updater": "data", "relaxation": "egs"},
    {"space": "tiny", "growth": "random"},
)
"""Growth by Petridish in four spaces, each relaxation, and architectures at random."""

REGISTRY: Final = discover()


def digits() -> tuple[Tensor, Tensor]:
    """Return images [512, 1, 8, 8], normalised, and their labels."""
    part = REGISTRY.get("dataset", "digits")
    assert part is not None
    data = built(part.build)(part.config())
    examples = data.train()
    return normalise(examples.images[:IMAGES], data.facts), examples.labels[:IMAGES]


def orders(labels: Tensor) -> dict[str, list[Tensor]]:
    """Return ways to cut the images into batches, by name: the places of each batch."""
    places = torch.arange(len(labels))
    classes = [places[labels == label] for label in labels.unique()]
    parts = {f"{size}": list(places.split(size)) for size in (WHOLE, 1, 2)}
    return {**parts, "one class": classes}


def networks(folder: Path) -> Iterator[tuple[str, Logits]]:
    """Yield the networks of a run with a name: the program of the best, and each of the gallery."""
    program = folder / "best" / "model.py"
    spec = importlib.util.spec_from_file_location(f"model_{abs(hash(folder))}", program)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield "best/model.py", module.load()
    for entry in nascore.load_run(folder).gallery:
        yield f"gallery {entry.id}", _trained(folder / entry.description, folder / str(entry.weights))


def _trained(architecture: Path, weights: Path) -> nn.Module:
    catalogue = REGISTRY.operations()
    network = compiled(load(architecture.read_text(encoding="utf-8"), catalogue=catalogue), catalogue)
    network.load_state_dict(load_file(weights))
    return network.eval()


@torch.no_grad()
def row(name: str, logits: Logits, images: Tensor, labels: Tensor) -> tuple[str, bool]:
    """Return a line of the table, and whether the logits are equal however images are cut into batches."""
    found = {}
    for way, batches in orders(labels).items():
        found[way] = torch.empty(len(labels), 10)
        for batch in batches:
            found[way][batch] = logits(images[batch])
    whole = found[f"{WHOLE}"]
    scale = float(whole.abs().max().clamp_min(1))
    worst = max(float((one - whole).abs().max()) for one in found.values())
    right = [100 * float((one.argmax(1) == labels).float().mean()) for one in found.values()]
    equal = worst <= CLOSE * scale
    text = f"{name:34} {worst:9.1e} " + " ".join(f"{one:9.1f}" for one in right)
    return text + ("" if equal else "  DIFFERS"), equal


def searched(folder: Path, epochs: int | None, seed: int) -> Iterator[tuple[str, Path]]:
    """Search, and evaluate what was found; yields each run with a name."""
    short = (
        {} if epochs is None else {"trainer.epochs": epochs, "trainer.warm_up": 0, "ranking.epochs": epochs}
    )
    for number, names in enumerate(SEARCHES):
        settings = dict(short)
        if names.get("growth") == "petridish":
            settings.pop("ranking.epochs", None)
        label = "-".join(names.values())
        run = nascore.search(**names, settings=settings, scale="mini", seed=seed, out=folder / f"{number}")
        yield label, run.path
        done = nascore.evaluate(
            run.path, settings=short and {"training.epochs": epochs}, out=folder / f"{number}e"
        )
        yield f"{label}, evaluated", done.path


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description="Is an image classified alike, whatever else is in the batch?"
    )
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help="folders of runs, not searches")
    parser.add_argument("--epochs", type=int, help="train so many epochs only")
    parser.add_argument("--seed", type=int, default=0, help="of the searches (default 0)")
    asked = parser.parse_args()
    images, labels = digits()
    print(f"{'network':34} {'differ by':>9} " + " ".join(f"{way:>9}" for way in orders(labels)), flush=True)
    every = True
    with TemporaryDirectory() as folder:
        given = [(path.name, path) for path in asked.runs]
        for run, path in given or searched(Path(folder), asked.epochs, asked.seed):
            print(run)
            for name, logits in networks(path):
                text, equal = row(f"  {name}", logits, images, labels)
                print(text, flush=True)
                every = every and equal
    return 0 if every else 1


if __name__ == "__main__":
    sys.exit(main())
