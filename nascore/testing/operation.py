"""The checks of operations: shapes, gradients and export."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from itertools import product
from math import gcd
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

import torch
from attrs import frozen
from safetensors.torch import save_file

from nascore.component import load
from nascore.description import Description, Edge, Graph, Node, Op
from nascore.errors import NascoreError, PluginError, did_you_mean, error_line
from nascore.nn import compile as compiled
from nascore.nn import standalone
from nascore.nn.preprocessing import Preprocessing
from nascore.testing.choices import generator
from nascore.testing.conformance import Conformance, NotConformingError, NotExaminedError
from nascore.testing.part import same, seeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from nascore.description import Catalogue, Operation
    from nascore.nn import Network

    Width = int | Literal["classes"]


EXPORTED_IMAGES = 2
SIZE = 12
CHANNELS = 3


def exported(name: str, place: Place, catalogue: Catalogue, *, head: bool) -> tuple[Tensor, Tensor]:
    """Return the logits of a network with an operation, and the logits of its exported `model.py`.

    Args:
        name: The operation.
        place: Its place, after a stem.
        catalogue: The operations.
        head: Whether the operation gives the logits.

    Raises:
        DescriptionError: The operation does not fit the place.
        PluginError: The operation cannot be exported.
    """
    images = torch.rand(EXPORTED_IMAGES, CHANNELS, SIZE, SIZE, generator=generator(0))
    with seeded(), torch.no_grad():
        network = compiled(_around(name, place, head=head), catalogue).train()
        network(images)  # so that running statistics differ from their initial values
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
    # Reduction is relative to the images, and the stem does not reduce.
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
    """Export the network into a folder, and return the logits of the exported file."""
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


WIDTHS: Final = ((4, 4), (4, 8), (8, 4), (3, 6))
"""Channels of input and output."""
STRIDES: Final = (1, 2, 3)
"""Strides that are tried, unless the operation declares its strides."""
SIZES: Final = ((8, 8), (9, 9), (8, 6))
"""Heights and widths of the input; odd ones too."""
SWITCHES: Final[tuple[str, ...]] = ("affine", "pool_norm")
"""Operation settings whose value comes from the description."""
IMAGES: Final = 2
AUXILIARY: Final = "auxiliary"
"""The prefix of the names of auxiliary heads."""
FLAT: Final = 2
"""Number of dimensions of logits, [B, C]."""


@frozen(kw_only=True)
class Place:
    """Where an operation sits in a network.

    Attributes:
        c_in: Channels of the input.
        c_out: Channels of the output.
        stride: The factor by which the output is smaller.
        switches: Values of the settings that come from the description.
    """

    c_in: int
    c_out: int
    stride: int
    switches: dict[str, bool]

    def __str__(self) -> str:
        switched = "".join(f", {name} {str(value).lower()}" for name, value in self.switches.items())
        return f"{self.c_in} to {self.c_out} channels, stride {self.stride}{switched}"


class OperationConformance(Conformance):
    """The checks of an operation, in every place that its declaration allows."""

    slot: ClassVar[str] = "operation"

    @classmethod
    def entry(cls) -> Operation:
        """Return the declaration of the operation.

        Raises:
            PluginError: No operation has this name.
        """
        catalogue = cls.found().operations()
        if cls.component not in catalogue:
            hint = did_you_mean(cls.component, catalogue)
            raise PluginError(f"no operation is called {cls.component}. {hint}".rstrip())
        return catalogue[cls.component]

    @classmethod
    def places(cls) -> Iterator[Place]:
        """Yield each of the usual places that the operation's declaration allows."""
        entry = cls.entry()
        strides = STRIDES if entry.strides is None else entry.strides
        names = [name for name in SWITCHES if name in entry.settings]
        for (c_in, c_out), stride in product(WIDTHS, strides):
            if not list(entry.misfits(c_in, c_out, stride)):
                for values in product((False, True), repeat=len(names)):
                    switches = dict(zip(names, values, strict=True))
                    yield Place(c_in=c_in, c_out=c_out, stride=stride, switches=switches)

    @classmethod
    def standing(cls) -> Iterator[Place]:
        """Yield every place where its output has the right shape; one check reports the others."""
        for place in cls.places():
            try:
                right = all(cls._shape(place, size) in cls._wanted(place, size) for size in SIZES)
            except NotConformingError:
                continue
            if right:
                yield place

    @classmethod
    def built(cls, place: Place) -> nn.Module:
        """Build the operation for a place, with the same weights each time.

        Raises:
            NotConformingError: The operation cannot be built.
        """
        entry = cls.entry()
        try:
            with seeded():
                module: nn.Module = load(entry.build)(
                    place.c_in, place.c_out, place.stride, **{**entry.settings, **place.switches}
                )
        except Exception as error:
            raise NotConformingError(
                f"{cls.component} cannot be built for {place}: {error_line(error)}."
            ) from error
        return module

    def test_can_stand_somewhere(self) -> None:
        """Its declaration allows at least one usual combination of channels and stride."""
        self.hold(any(True for _ in self.places()), "allows none of the usual channels and strides")

    def test_gives_its_shape(self) -> None:
        """It returns [B, c_out, ceil(H/stride), ceil(W/stride)], or [B, c_out] if it is a head."""
        for place in self.places():
            for size in SIZES:
                shape, wanted = self._shape(place, size), self._wanted(place, size)
                text = f"returns the shape {shape} for images of {size} and {place}, not {wanted[0]}"
                self.hold(shape in wanted, text)

    def test_a_gradient_gets_through(self) -> None:
        """The gradient reaches its weights, and its input if the output depends on it."""
        for place in self.standing():
            module, x = self.built(place).train(), _images(place)
            y = self._run(module, x.requires_grad_() + 0)  # no leaf: another check tests writes to the input
            if not y.requires_grad:
                other = self._run(self.built(place).train(), _images(place, seed=1))
                depends = not same(y, other) or any(True for _ in module.parameters())
                self.hold(not depends, f"returns a tensor without a gradient, for {place}")
                continue
            weights = {name: one for name, one in module.named_parameters() if one.requires_grad}
            slope = torch.rand(y.shape, generator=generator(2))
            found = torch.autograd.grad((y * slope).sum(), [x, *weights.values()], allow_unused=True)
            self._reached(place, dict(zip(("its input", *weights), found, strict=True)))

    def test_leaves_its_input_alone(self) -> None:
        """It does not change its input, which other operations read too."""
        for place in self.standing():
            x = _images(place)
            before = x.clone()
            self._run(self.built(place).train(), x)
            self.hold(same(x, before), f"changes its input, for {place}")

    def test_evaluates_one_image_like_many(self) -> None:
        """In evaluation mode it repeats its output, alone and in a batch, unless it declares `random`."""
        if self.entry().random:
            raise NotExaminedError("it declares that it is random")
        for place in self.standing():
            module, x = self.built(place), _images(place)
            if _takes_the_batchs(module):
                continue  # a candidate of an open network: its norms use only batch statistics
            self._run(module.train(), x)
            module.eval()
            whole = self._run(module, x)
            self.hold(
                same(whole, self._run(module, x, seed=1)), f"returns something else each time, for {place}"
            )
            alone = torch.cat([self._run(module, one[None]) for one in x])
            close = torch.allclose(whole, alone, rtol=1e-4, atol=1e-5)
            self.hold(close, f"returns something else for an image alone than in a batch, for {place}")

    def test_can_be_exported(self) -> None:
        """A network with it can be exported to a `model.py` that computes the same without nascore."""
        # An auxiliary head is used only in training, so model.py does not contain it.
        if self.entry().random:
            raise NotExaminedError("it declares that it is random")
        if self.component.startswith(AUXILIARY):
            raise NotExaminedError("an exported network has no auxiliary head")
        for place in self.standing():
            try:
                head = self._is_head(place)
                given, written = exported(self.component, place, self.found().operations(), head=head)
            except NascoreError as error:
                self.hold(holds=False, text=f"cannot be exported to a model.py, for {place}: {error}")
            else:
                close = torch.allclose(given, written, rtol=1e-4, atol=1e-5)
                self.hold(close, f"computes something else in the exported model.py, for {place}")

    def _reached(self, place: Place, found: dict[str, Any]) -> None:
        missing = [name for name, slope in found.items() if slope is None]
        self.hold(not missing, f"passes no gradient to {', '.join(missing)}, for {place}")
        strange = [name for name, slope in found.items() if not bool(torch.isfinite(slope).all())]
        self.hold(not strange, f"gives a gradient that is not finite to {', '.join(strange)}, for {place}")

    @classmethod
    def _is_head(cls, place: Place) -> bool:
        return len(cls._shape(place, SIZES[0])) == FLAT

    @classmethod
    def _wanted(cls, place: Place, size: tuple[int, int]) -> list[tuple[int, ...]]:
        """Return the allowed output shapes: that of a state, and that of logits if it is structural."""
        state = (IMAGES, place.c_out, *(-(-one // place.stride) for one in size))
        return [state, state[:FLAT]] if cls.entry().structural else [state]

    @classmethod
    def _shape(cls, place: Place, size: tuple[int, int]) -> tuple[int, ...]:
        # On the meta device: the shape needs no numbers.
        with torch.device("meta"), torch.no_grad():
            module = cls.built(place).train()
            try:
                y = module(torch.empty(IMAGES, place.c_in, *size))
            except Exception as error:
                text = f"{cls.component} fails with images of {size}, for {place}: {error_line(error)}."
                raise NotConformingError(text) from error
        cls.hold(isinstance(y, torch.Tensor), f"returns {type(y).__name__}, not a tensor")
        return tuple(y.shape)

    def _run(self, module: nn.Module, x: Tensor, *, seed: int = 0) -> Tensor:
        with seeded(seed):
            y: Tensor = module(x)
        return y


def _images(place: Place, *, seed: int = 0) -> Tensor:
    # Normal numbers have both signs, so that in-place operations such as ReLU show.
    return torch.randn(IMAGES, place.c_in, 9, 9, generator=generator(seed))


def _takes_the_batchs(module: nn.Module) -> bool:
    return any(getattr(one, "track_running_stats", True) is False for one in module.modules())
