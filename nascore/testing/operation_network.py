"""A closed network around one operation, and the Python file that it is written out as."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from math import gcd
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import torch
from safetensors.torch import save_file

from nascore.description import Description, Edge, Graph, Node, Op
from nascore.nn import compile as compiled
from nascore.nn import standalone
from nascore.nn.preprocessing import Preprocessing
from nascore.testing.choices import generator
from nascore.testing.random_state import seeded

if TYPE_CHECKING:
    from torch import Tensor

    from nascore.description import Catalogue
    from nascore.nn import Network
    from nascore.testing.operation import Place

    Width = int | Literal["classes"]

IMAGES = 2
SIZE = 12
CHANNELS = 3


def exported(name: str, place: Place, catalogue: Catalogue, *, head: bool) -> tuple[Tensor, Tensor]:
    """Return the logits of a network with an operation, and those of the file that it is written out as.

    Args:
        name: The operation.
        place: Where it stands, behind a stem.
        catalogue: The operations.
        head: Whether it gives the logits itself.

    Raises:
        DescriptionError: It cannot stand there.
        PluginError: It cannot be written out.
    """
    images = torch.rand(IMAGES, CHANNELS, SIZE, SIZE, generator=generator(0))
    with seeded(), torch.no_grad():
        network = compiled(_around(name, place, head=head), catalogue).train()
        network(images)  # so that running statistics are none that every norm begins with
    network.eval()
    with seeded(), torch.no_grad():
        given: Tensor = network(images)
    with TemporaryDirectory() as folder, torch.no_grad():
        return given, _written(network, images, Path(folder))


def _around(name: str, place: Place, *, head: bool) -> Description:
    unit = gcd(place.c_in, place.c_out)
    stem = Node(name="stem", edges=(Edge(source="images", ops=(Op("stem"),)),), width=place.c_in // unit)
    width: Width = "classes" if head else place.c_out // unit
    edge = Edge(source="stem", ops=(Op(name),))
    # Of a reduction, the whole from the images on: the stem has none.
    nodes = [stem, Node(name="op", edges=(edge,), width=width, reduction=place.stride)]
    if not head:
        nodes.append(Node(name="head", edges=(Edge(source="op", ops=(Op("classifier"),)),), width="classes"))
    return Description(
        network=Graph(inputs=("images",), nodes=tuple(nodes), output=nodes[-1].name),
        channels=unit,
        in_channels=CHANNELS,
        classes=place.c_out,
        affine=place.switches.get("affine", True),
        pool_norm=place.switches.get("pool_norm", False),
    )


def _written(network: Network, images: Tensor, folder: Path) -> Tensor:
    """Write the network into a folder, and return what the file that is read back gives."""
    path = folder / "model.py"
    channels, height, width = images.shape[1:]
    unchanged = Preprocessing(shape=(channels, height, width), mean=(0.0,) * channels, std=(1.0,) * channels)
    path.write_text(standalone(network, unchanged), encoding="utf-8")
    save_file(network.state_dict(), folder / "weights.safetensors")
    spec = spec_from_file_location("model_under_examination", path)
    assert spec is not None
    assert spec.loader is not None
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.load().eval()
    with seeded():
        logits: Tensor = model(images)
    return logits
