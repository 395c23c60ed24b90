"""Checks output shapes and gradients of the operations of a network, without building the network."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import torch
from attrs import Factory, define

from nascore.description import expand
from nascore.description.checks import HEAD, output_path
from nascore.description.names import graph_path
from nascore.description.problems import ProblemCollector
from nascore.errors import PluginError, Problem, error_line
from nascore.nn.compiler import kind_of
from nascore.nn.costs import SAMPLES, measured
from nascore.nn.program import needed
from nascore.nn.randomness import draws, redirect_draws

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    from nascore.description import Catalogue, Description, FeatureMap, Op, Plan, Wire
    from nascore.description.names import Scalar


Shape = tuple[int, ...]
"""Shape of a state for one image: [C, H, W], or [C] for logits; empty if it is unknown."""

UNKNOWN: Final[Shape] = ()

TRIED: Final = (8, 16, 24, 32, 48, 64, 96, 112, 128, 160, 192, 224, 240, 256, 288, 299, 320, 384, 448, 512)
"""Heights and widths that are tried to name the smallest images of a network."""


def check_shapes(description: Description, catalogue: Catalogue, image: tuple[int, int]) -> int:
    """Check that a network runs on images of this size and returns logits [B, classes].

    Args:
        description: Open or closed; its classes and channels are those of the data.
        catalogue: The operations that it may name.
        image: Height and width of an image, in pixels.

    Returns:
        The number of parameters that the outputs depend on.

    Raises:
        DescriptionError: With every operation that fails or has a wrong output shape, and every output that
            is not logits.
    """
    plan = expand(description, catalogue)
    walk = _Walk(description=description, catalogue=catalogue, image=image)
    shapes = walk.shapes(plan)
    outputs = [("network.output", plan.output)]
    if plan.auxiliary is not None:
        outputs.append(("auxiliary", plan.auxiliary))
    for kind, index in outputs:
        shape = shapes[index]
        if shape not in {UNKNOWN, (description.classes,)}:
            actual = ", ".join(map(str, ("B", *shape)))
            path = plan.feature_maps[index].path
            text = f"{path} has shape [{actual}], not logits [B, {description.classes}]."
            if kind == "auxiliary":
                walk.found.add(kind, text, hint="Write op: auxiliary, width: classes for that node.")
            else:
                walk.found.add(output_path(description), text, hint=HEAD)
    walk.found.stop()
    return walk.params


def single_image_error(description: Description, catalogue: Catalogue, image: tuple[int, int]) -> str:
    """Return why a network cannot be trained on a batch of one image; empty if it can.

    Batch norm over a single value per channel has no deviation, and torch refuses it.
    """
    plan = expand(description, catalogue)
    walk = _Walk(description=description, catalogue=catalogue, image=image, samples=1)
    walk.shapes(plan)
    return walk.found.problems[0].text if walk.found.problems else ""


@define(kw_only=True)
class _Walk:
    """Computes the shapes of the states of a network one after the other.

    Attributes:
        description: The network.
        catalogue: Its operations.
        image: Height and width of an image, in pixels.
        samples: Images in a batch.
        found: Collects problems.
        params: Number of parameters of the operations so far.
    """

    description: Description
    catalogue: Catalogue
    image: tuple[int, int]
    samples: int = SAMPLES
    found: ProblemCollector = Factory(ProblemCollector)
    params: int = 0

    def shapes(self, plan: Plan) -> list[Shape]:
        """Return the shape of every state; unknown for a state that no output depends on."""
        heads = [] if plan.auxiliary is None else [plan.auxiliary]
        run = needed(plan, [plan.output, *heads])
        shapes: list[Shape] = []
        for index, state in enumerate(plan.feature_maps):
            if state.join == "input":
                shapes.append((state.channels, *self.image))
            else:
                shapes.append(self._state(state, shapes) if index in run else UNKNOWN)
        return shapes

    def _state(self, state: FeatureMap, shapes: Sequence[Shape]) -> Shape:
        sizes: dict[tuple[int, ...], str] = {}
        for wire in state.wires:
            source_shape = shapes[wire.source]
            if source_shape == UNKNOWN:
                return UNKNOWN
            ops = wire.ops
            outputs = [self._op(op, wire, state, source_shape) for op in ops] if ops else [source_shape]
            if UNKNOWN in outputs:
                return UNKNOWN
            for shape, op in zip(outputs, ops or (None,), strict=True):
                sizes.setdefault(shape[1:], f"{op or 'the bare edge'} from {_source(wire)}")
        if len(sizes) > 1:
            listed = " and ".join(f"{_size(size)} by {branch}" for size, branch in sizes.items())
            text = f"the inputs have different sizes: {listed} (at {state.path})."
            hint = "The output size of an operation must depend on its stride alone."
            self.found.add(_yaml_path(state), text, hint=hint)
            return UNKNOWN
        return (state.channels, *next(iter(sizes)))

    def _op(self, op: Op, wire: Wire, state: FeatureMap, source_shape: Shape) -> Shape:
        path = f"{_yaml_path(state)}.from.{_source(wire)}"
        size = source_shape[1:]
        where = f"[{', '.join(map(str, (self.samples, *source_shape)))}] (at {wire.op_path(op)})"
        try:
            found = measured(op, wire, size, self.description, self.catalogue, samples=self.samples)
        except Exception as error:  # noqa: BLE001 - an operation may raise anything for an unsuitable input
            text = f"{op} fails on {where}: {error_line(error).rstrip('.')}."
            hint = (
                self._smallest(op, wire)
                if state.channels == self.description.classes and not wire.source
                else ""
            )
            self.found.add(path, text, hint=hint, spot=str(op))
            return UNKNOWN
        if not found.shape or found.shape[0] != wire.width:
            shape = ", ".join(map(str, (self.samples, *found.shape)))
            text = f"{op} returns [{shape}], not {wire.width} channels, for {where}."
            hint = "This is a bug in the operation."
            if wire.width == self.description.classes and len(found.shape) == 1:
                hint = f"A network of your own has to return {wire.width} outputs for these data."
            self.found.add(path, text, hint=hint, spot=str(op))
            return UNKNOWN
        self.params += found.params
        return found.shape

    def _smallest(self, op: Op, wire: Wire) -> str:
        """Return a hint at the smallest square images that an operation takes; empty if it takes none."""

        def takes(size: int) -> bool:
            try:
                measured(op, wire, (size, size), self.description, self.catalogue, samples=self.samples)
            except Exception:  # noqa: BLE001 - as above
                return False
            return True

        low = min(self.image)
        high = next((size for size in TRIED if size > low and takes(size)), 0)
        if not high:
            return ""
        low = max(size for size in (low, *TRIED) if size < high)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if takes(middle) else (middle, high)
        return (
            f"The smallest square images that it takes are {high}x{high}: use such a data set, or resize the "
            f"images, where the data set can: --set dataset.size={high}."
        )


def _source(wire: Wire) -> str:
    return wire.path.rpartition("/")[2]


def _size(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size)) if size else "no height and width"


def _yaml_path(state: FeatureMap) -> str:
    graph, node = state.template
    return f"{graph_path(graph)}.nodes.{node}"


MOST_KNOWN: Final = 4096
"""Size of the cache of checked operations."""

INPUT: Final = "its input"

_SAMPLES: Final = 2


def check_gradients(description: Description, catalogue: Catalogue, image: tuple[int, int]) -> None:
    """Refuse operations that cut off the gradient; each is run separately with its own shapes.

    Operations built only from torch's own modules cannot cut it off and are not run.

    Args:
        description: Open or closed.
        catalogue: The operations that it may name.
        image: Height and width of an image, in pixels.

    Raises:
        PluginError: The output of an operation depends on its input or a weight, which gets no gradient.
    """
    sizes: list[tuple[int, ...]] = []
    found: dict[str, tuple[str, ...]] = {}
    for state in expand(description, catalogue).feature_maps:
        size: tuple[int, ...] = image if not state.wires else sizes[state.wires[0].source]
        for wire in state.wires:
            input_size = sizes[wire.source]
            for op in wire.ops:
                size = measured(op, wire, input_size, description, catalogue).size
                kind, settings = kind_of(op, description, catalogue)
                shape = (wire.c_in, wire.width, wire.stride)
                cut = cut_off(kind, tuple(settings.items()), shape, input_size)
                found |= {op.name: cut} if cut else {}
        sizes.append(size)
    if found:
        raise PluginError([_problem(name, cut) for name, cut in found.items()])


def _problem(name: str, cut: tuple[str, ...]) -> Problem:
    text = f"operation {name} passes no gradient to {', '.join(cut)}, although its output depends on it:"
    effect = " the operations before it are not trained." if INPUT in cut else " this weight is not trained."
    hint = (
        "Look for detach(), no_grad() or .data in its forward method. A weight that must not be trained "
        "needs requires_grad=False."
    )
    return Problem(path="operations", text=text + effect, hint=hint, of_plugin=True)


@lru_cache(maxsize=MOST_KNOWN)
def cut_off(
    kind: Callable[..., nn.Module],
    settings: tuple[tuple[str, Scalar], ...],
    shape: tuple[int, int, int],
    size: tuple[int, ...],
) -> tuple[str, ...]:
    """Return the input and weights of an operation that get no gradient although its output depends on them.

    The outputs of zero and noise depend on neither, so they pass. Each operation is run once in a process.

    Args:
        kind: The class or function that builds it.
        settings: Its settings.
        shape: Channels in, channels out, stride.
        size: Height and width of its input; empty for logits.

    Returns:
        :data:`INPUT`, and the names of weights that require a gradient.
    """
    with redirect_draws({"cpu": _generator(0)}):
        module = kind(*shape, **dict(settings)).train()
    if not draws(module):
        return ()
    x = torch.randn(_SAMPLES, shape[0], *size, generator=_generator(1)).requires_grad_()
    y = _run(module, x)
    if not torch.equal(y, _run(module, x)):
        return ()  # its random numbers cannot be repeated, so a difference would prove nothing
    tensors = {INPUT: x, **{name: one for name, one in module.named_parameters() if one.requires_grad}}
    slopes: tuple[Any, ...] = (None,) * len(tensors)
    if y.requires_grad:
        slopes = torch.autograd.grad(y.sum(), list(tensors.values()), allow_unused=True)
    missing = [name for name, slope in zip(tensors, slopes, strict=True) if slope is None]
    return tuple(name for name in missing if _affects_output(module, x, tensors[name], y))


def _affects_output(module: nn.Module, x: Tensor, tensor: Tensor, before: Tensor) -> bool:
    """Return whether the output changes when the input or a weight changes."""
    original = tensor.detach().clone()
    with torch.no_grad():
        tensor += torch.randn(tensor.shape, generator=_generator(2))
        after = _run(module, x)
        tensor.copy_(original)
    return not torch.equal(after, before)


def _run(module: nn.Module, x: Tensor) -> Tensor:
    with redirect_draws({"cpu": _generator(3)}):
        result: Tensor = module(x * 1)  # not the leaf itself, since an operation may change it in place
    return result


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
