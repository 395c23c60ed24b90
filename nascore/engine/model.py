"""Loads the trained networks of a run for predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from attrs import frozen
from safetensors import SafetensorError
from safetensors.torch import load as tensors_of
from torch import nn

from nascore.description import without_auxiliary
from nascore.engine.device import ambient
from nascore.engine.predictions import predictions_of
from nascore.engine.streams import Streams
from nascore.errors import RunFolderError
from nascore.files.schema import NUMBER, PLACE, TEXT, Kind, list_of, or_null
from nascore.nn import compile  # noqa: A004 - what it does to a description
from nascore.nn.preprocessing import TARGETS, Images, Preprocessing
from nascore.run import PREPROCESS, bytes_of, checked, environment_of, is_there, object_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from nascore.contract import Task
    from nascore.description import Catalogue, Description
    from nascore.nn import Network

AT_ONCE = 256
"""Largest batch of a prediction."""

SHOWN = 10
"""Number of images whose predictions the printed form shows."""

_SCHEMA = {
    "channels": PLACE,
    "height": PLACE,
    "width": PLACE,
    "mean": list_of(NUMBER),
    "std": list_of(NUMBER),
    "classes": or_null(list_of(TEXT)),
}
_NOT_0 = Kind("a finite number other than 0", lambda value: NUMBER.fits(value) and value != 0)


class Model(nn.Module):
    """A network of a run with its weights, in evaluation mode.

    Attributes:
        network: The network.
        preprocess: Turns images into network inputs; None for a run of an older nascore without this file.
    """

    def __init__(self, network: Network, preprocess: Preprocessing | None) -> None:
        super().__init__()
        self.network = network
        self.preprocess = preprocess

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names of the classes, in the order of the outputs; None if the data set has no class names."""
        return None if self.preprocess is None else self.preprocess.classes

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [N, classes] of images [N, C, H, W] that `preprocess` has normalised."""
        logits: Tensor = self.network(images)
        return logits


@frozen(kw_only=True, eq=False)
class Prediction:
    """The prediction of a network for images.

    Attributes:
        logits: The outputs of the network, [N, outputs], on the CPU.
        values: The prediction for each image, as the task of the run reads the outputs: for a classification
            `label` and `probabilities` by class, for `multilabel` `labels` and `probabilities` by label, for
            `regression` `values` by name, in the unit of the data.
        classes: Names of the classes, in the order of the outputs; numbers if the data set has no names.
    """

    logits: Tensor
    values: tuple[Mapping[str, Any], ...]
    classes: tuple[str, ...]

    @property
    def probabilities(self) -> Tensor:
        """The softmax of the logits of a classification, [N, classes]."""
        self._refuse_unless_classes("probabilities")
        return self.logits.softmax(1)

    @property
    def indices(self) -> Tensor:
        """The most probable class of each image, int64 [N]."""
        self._refuse_unless_classes("indices")
        return self.logits.argmax(1)

    @property
    def names(self) -> list[str]:
        """The name of the most probable class of each image."""
        self._refuse_unless_classes("names")
        return [self.classes[index] for index in self.indices.tolist()]

    def __len__(self) -> int:
        return len(self.logits)

    def __repr__(self) -> str:
        first = self.names[:SHOWN] if self._has_classes() else map(repr, self.values[:SHOWN])
        return f"Prediction({', '.join(first)}{', ...' if len(self) > SHOWN else ''})"

    def _has_classes(self) -> bool:
        return all("label" in one for one in self.values)

    def _refuse_unless_classes(self, name: str) -> None:
        if not self._has_classes():
            raise AttributeError(
                f"the run learned no classification, so its predictions have no {name}: use values."
            )


@ambient()
def model_of(folder: Path, weights: str, description: Description, catalogue: Catalogue) -> Model:
    """Return a network of a run with its weights, in evaluation mode on the CPU, in 32-bit floats.

    The caller's state of torch has no effect: default type and device, inference mode, autocast.

    Args:
        folder: The folder of the run.
        weights: Path of the weights file in this folder.
        description: The architecture.
        catalogue: The operations.

    Raises:
        RunFolderError: A file cannot be read, or does not match the architecture.
    """
    file = folder / weights
    try:
        tensors = tensors_of(bytes_of(file))
    except SafetensorError as error:
        raise RunFolderError(f"{file} cannot be read: {error}.") from error
    preprocess = _preprocessing(folder, description.classes)
    with Streams("model").initial():  # initial weights must not advance the caller's random numbers
        network = compile(without_auxiliary(description), catalogue)
    wanted = network.state_dict()
    wrong = [name for name in wanted if name not in tensors or tensors[name].shape != wanted[name].shape]
    if wrong:
        names = ", ".join(wrong[:3])
        text = f"{file} does not match the architecture: missing or with a different shape: {names}."
        raise RunFolderError(text)
    network.load_state_dict({name: tensors[name] for name in wanted})
    return Model(network, preprocess).eval()


@ambient()
def predict(model: Model, images: Images, folder: Path, task: Task) -> Prediction:
    """Return the prediction of a network of a run for images.

    Args:
        model: The network.
        images: Images in a form that its `preprocess` accepts.
        folder: The folder of the run, for error texts.
        task: The task of the run, which reads the outputs.

    Raises:
        ValueError: The images have a different size, or a different range of values.
        RunFolderError: The run does not contain the normalisation of images.
    """
    if model.preprocess is None:
        raise RunFolderError(
            f"{folder} has no {PREPROCESS}, so the normalisation of its images is unknown: an older nascore "
            "wrote it. Pass normalised images to run.model()."
        )
    with torch.no_grad():
        batches = torch.split(model.preprocess(images).cpu(), AT_ONCE)
        logits = torch.cat([model(batch) for batch in batches])
    classes = model.classes or tuple(map(str, range(logits.shape[1])))
    values = predictions_of(logits, model.preprocess, task)
    return Prediction(logits=logits, values=values, classes=classes)


def _preprocessing(folder: Path, outputs: int) -> Preprocessing | None:
    file = folder / PREPROCESS
    if not is_there(file):
        return None
    plain = checked(object_of(file), _SCHEMA, file, _SCHEMA)
    each = {
        "mean": list_of(NUMBER, plain["channels"]),
        "std": list_of(_NOT_0, plain["channels"]),
        "classes": or_null(list_of(TEXT, outputs)),
        "target_names": list_of(TEXT),
        "target_mean": list_of(NUMBER),
        "target_std": list_of(_NOT_0),
    }
    checked(plain, each, file)
    shape = (plain["channels"], plain["height"], plain["width"])
    image = tuple(environment_of(folder).get("image", shape))
    if shape != image:
        raise RunFolderError(f"{file} is for images of {list(shape)}, and the run's are of {list(image)}.")
    classes = plain["classes"]
    return Preprocessing(
        shape=shape,
        mean=tuple(plain["mean"]),
        std=tuple(plain["std"]),
        classes=None if classes is None else tuple(classes),
        **{name: tuple(plain.get(name, ())) for name in TARGETS},
    )
