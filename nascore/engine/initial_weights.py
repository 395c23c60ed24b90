"""Weights of a file, with which the training of an evaluation begins."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Final, Literal

import torch
from attrs import evolve
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from nascore.component import load
from nascore.description import resolved
from nascore.engine.return_checks import describe_value
from nascore.errors import PluginError, Problem, RecipeError, cause
from nascore.files import read_bytes
from nascore.nn import compile  # noqa: A004 - torch's word for it
from nascore.slots import RUN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nascore.description import Catalogue, Description
    from nascore.recipe import Recipe
    from nascore.recipe.sources.run_settings import WeightsSettings

FILE: Final = "weights.file"
"""The path of the setting with the file, which problems name."""

MOST: Final = 1 << 40
"""Largest file in bytes that is read."""

NAMED: Final = 3
"""Number of tensors of a kind that a message names."""

WRAPPERS: Final = ("state_dict", "model")
"""Keys below which training programs save the tensors."""

COUNTER: Final = "num_batches_tracked"
"""Counter of batch norms, which old files lack; without it, it is 0."""

Shapes = dict[str, tuple[int, ...]]
Head = Literal["loaded", "new", "auto"]


def with_initial_weights(
    recipe: Recipe, description: Description, catalogue: Catalogue
) -> tuple[Recipe, Mapping[str, Tensor]]:
    """Return the recipe with the SHA-256 of its file of weights, and the tensors for the network by name.

    `weights.head` of the recipe is then `loaded` or `new`.

    Args:
        recipe: The recipe of an evaluation; without a file it is unchanged, and there are no tensors.
        description: The architecture in the form in which it is trained.
        catalogue: The operations.

    Raises:
        RecipeError: The file cannot be read, has changed, or does not fit the network; every tensor that
            does not fit counts.
    """
    settings: WeightsSettings = recipe.run.weights
    if settings.file is None:
        return recipe, {}
    try:
        content = read_bytes(settings.file, most=MOST)
    except (OSError, ValueError) as error:
        reason = cause(error) if isinstance(error, OSError) else str(error)
        raise _refused(f"{settings.file} cannot be read: {reason}.") from error
    digest = sha256(content).hexdigest()
    if settings.sha256 not in {"", digest}:
        raise _refused(
            f"{settings.file} has changed: its SHA-256 is {digest}, not {settings.sha256} as in the recipe.",
            "Restore the file, or start a new evaluation with --weights FILE.",
        )
    tensors, head = _fitting(_tensors(content, settings.file), description, catalogue, settings.head)
    part = recipe.part(RUN)
    run = evolve(part.settings, weights=evolve(settings, sha256=digest, head=head))
    return evolve(recipe, parts={**recipe.parts, RUN: (evolve(part, settings=run),)}), tensors


def _tensors(content: bytes, path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, or of a state dict that torch saved.

    Raises:
        RecipeError: It is neither, or it has other values.
    """
    try:
        found: Any = (
            load_safetensors(content)
            if path.suffix == ".safetensors"
            else torch.load(BytesIO(content), weights_only=True, map_location="cpu")
        )
    except (SafetensorError, UnpicklingError, RuntimeError, ValueError, LookupError, EOFError) as error:
        raise _refused(
            f"{path} is not a file of weights.",
            "Save a state dict: torch.save(model.state_dict(), FILE), or a file that ends in .safetensors. "
            "A pickled model is not read, since that would execute the code in the file.",
        ) from error
    for key in WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict):
        text = f"{path} holds a {type(found).__name__}, not a state dict."
        raise _refused(text, "Save one: torch.save(model.state_dict(), FILE).")
    others = [str(name) for name, value in found.items() if not isinstance(value, Tensor)]
    if others or not found:
        text = f"has {_some(others)} beside tensors" if found else "has no tensors"
        hint = f"A state dict has tensors only; it may be an entry {' or '.join(WRAPPERS)} of the file."
        raise _refused(f"{path} {text}.", hint)
    return {str(name): value for name, value in found.items()}


def _fitting(
    tensors: Mapping[str, Tensor],
    description: Description,
    catalogue: Catalogue,
    head: Head,
) -> tuple[dict[str, Tensor], Head]:
    """Return the tensors that the network takes over, by its names, and whether the classifier is `new`.

    Raises:
        RecipeError: With every kind of tensor that does not fit.
    """
    wanted, prefix = _shapes(description, catalogue)
    # The classifier is the part whose shape follows the number of outputs.
    other, _ = _shapes(evolve(description, classes=description.classes + 1), catalogue)
    classifier = {name for name, shape in wanted.items() if other.get(name) != shape}
    if not any(name.startswith(prefix) for name in tensors):
        tensors = _renamed(tensors, description, catalogue)
        tensors = {f"{prefix}{name}": value for name, value in tensors.items()}
    if head == "auto":
        fits = all(tensors[name].shape == wanted[name] for name in classifier if name in tensors)
        head = "loaded" if fits else "new"
    if head == "new":
        wanted = {name: shape for name, shape in wanted.items() if name not in classifier}
        tensors = {name: value for name, value in tensors.items() if name not in classifier}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    problems = [*_misfits(found, wanted, classifier, prefix, description.classes)]
    if problems:
        raise RecipeError(problems)
    return dict(tensors), head


def _renamed(
    tensors: Mapping[str, Tensor], description: Description, catalogue: Catalogue
) -> Mapping[str, Tensor]:
    """Return the tensors of a file by the names of the network's only operation, as its plugin renames them.

    Raises:
        PluginError: The plugin returns no tensors by name.
    """
    ops = [op for node in description.network.nodes for edge in node.edges for op in edge.ops]
    entry = catalogue[ops[0].name] if len(ops) == 1 else None
    if entry is None or entry.weights is None:
        return tensors
    found = load(entry.weights)(dict(tensors), **resolved(ops[0], entry, description))
    if not isinstance(found, dict) or not all(isinstance(one, Tensor) for one in found.values()):
        text = (
            f"`weights` of the operation {entry.name} returned {describe_value(found)}, not tensors by name."
        )
        hint = "This is a fault of the plugin: tell its authors."
        raise PluginError([Problem(path=FILE, text=text, hint=hint, of_plugin=True)])
    return found


def _shapes(description: Description, catalogue: Catalogue) -> tuple[Shapes, str]:
    """Return the shapes of a network's tensors by name; of a single operation also their prefix."""
    with torch.device("meta"):
        network = compile(description, catalogue)
    paths = list(network.ops)
    prefix = f"ops.{paths[0]}." if len(paths) == 1 else ""
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}, prefix


def _misfits(
    found: Shapes, wanted: Shapes, classifier: set[str], prefix: str, outputs: int
) -> Iterable[Problem]:
    """Yield a problem for each kind of tensors that do not fit.

    Args:
        found: The shapes of the file's tensors.
        wanted: The shapes of the network's tensors.
        classifier: Names of the tensors whose shape follows the number of outputs.
        prefix: The part of each name that messages leave out.
        outputs: The number of outputs of the network.
    """

    def listed(shapes: Shapes, names: Iterable[str]) -> str:
        return _some(f"{name.removeprefix(prefix)} {list(shapes[name])}" for name in names)

    missing = [name for name in wanted if name not in found and not name.endswith(COUNTER)]
    if missing:
        text = f"the file lacks {_count(missing)} of the network: {listed(wanted, missing)}."
        yield Problem(path=FILE, text=text, hint=_hint(missing, classifier))
    extra = [name for name in found if name not in wanted]
    if extra:
        text = f"the network has no place for {_count(extra)} of the file: {listed(found, extra)}."
        yield Problem(path=FILE, text=text)
    wrong = [name for name in wanted if name in found and found[name] != wanted[name]]
    heads = [name for name in wrong if name in classifier]
    others = [name for name in wrong if name not in classifier]
    for names, fault in (
        (heads, f"the classifier of the file is not for {outputs} outputs"),
        (others, f"{_count(others)} of the file and the network differ in shape"),
    ):
        pairs = (
            f"{name.removeprefix(prefix)} is {list(found[name])}, not {list(wanted[name])}" for name in names
        )
        if names:
            yield Problem(path=FILE, text=f"{fault}: {_some(pairs)}.", hint=_hint(names, classifier))


def _hint(names: Iterable[str], classifier: set[str]) -> str:
    return "Begin with a new classifier: --set weights.head=new." if classifier.issuperset(names) else ""


def _count(names: list[str]) -> str:
    return f"{len(names)} tensor{'s' * (len(names) != 1)}"


def _some(texts: Iterable[str]) -> str:
    """Return the first texts, and the number of the others."""
    texts = list(texts)
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return "; ".join(texts[:NAMED]) + more


def _refused(text: str, hint: str = "") -> RecipeError:
    return RecipeError([Problem(path=FILE, text=text, hint=hint)])
