"""Checks without building a network whether it can process images of a size."""

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
from nascore.nn.chance import draws, redirecting
from nascore.nn.compiler import kind_of
from nascore.nn.costs import SAMPLES, measured
from nascore.nn.program import needed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    from nascore.description import Catalogue, Description, Op, Plan, State, Wire
    from nascore.description.names import Scalar


Shape = tuple[int, ...]
"""Of a state for one image: [C, H, W], or [C] for logits; empty where it cannot be known."""

UNKNOWN: Final[Shape] = ()


def check_shapes(description: Description, catalogue: Catalogue, image: tuple[int, int]) -> int:
    """Check that a network can be run on images of this size, and that it gives logits [B, classes].

    Args:
        description: Open or closed; its classes and channels are those of the data.
        catalogue: The operations that it may name.
        image: Height and width of an image, in pixels.

    Returns:
        The number of its parameters, of what its outputs need.

    Raises:
        DescriptionError: With every operation that fails or gives another shape than its place asks for, and
            an output that is no logits.
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
            told = ", ".join(map(str, ("B", *shape)))
            text = f"{plan.states[index].path} gives [{told}], not logits [B, {description.classes}]."
            if kind == "auxiliary":
                walk.found.add(kind, text, hint="Write op: auxiliary, width: classes for that node.")
            else:
                walk.found.add(output_path(description), text, hint=HEAD)
    walk.found.stop()
    return walk.params


def alone(description: Description, catalogue: Catalogue, image: tuple[int, int]) -> str:
    """Return why a network cannot be trained on a batch of one image; empty: it can.

    Batch norm over one value per channel has no deviation, and torch refuses it.
    """
    plan = expand(description, catalogue)
    walk = _Walk(description=description, catalogue=catalogue, image=image, samples=1)
    walk.shapes(plan)
    return walk.found.problems[0].text if walk.found.problems else ""


@define(kw_only=True)
class _Walk:
    """The states of a network, each measured.

    Attributes:
        description: The network.
        catalogue: Its operations.
        image: Height and width of an image.
        samples: Images in a batch.
        found: Where problems go.
        params: Parameters of the operations so far.
    """

    description: Description
    catalogue: Catalogue
    image: tuple[int, int]
    samples: int = SAMPLES
    found: ProblemCollector = Factory(ProblemCollector)
    params: int = 0

    def shapes(self, plan: Plan) -> list[Shape]:
        """Return the shape of every state; of one that no output needs, the unknown one."""
        heads = [] if plan.auxiliary is None else [plan.auxiliary]
        run = needed(plan, [plan.output, *heads])
        shapes: list[Shape] = []
        for index, state in enumerate(plan.states):
            if state.join == "input":
                shapes.append((state.channels, *self.image))
            else:
                shapes.append(self._state(state, shapes) if index in run else UNKNOWN)
        return shapes

    def _state(self, state: State, shapes: Sequence[Shape]) -> Shape:
        sizes: dict[tuple[int, ...], str] = {}
        for wire in state.wires:
            read = shapes[wire.source]
            if read == UNKNOWN:
                return UNKNOWN
            given = [self._op(op, wire, state, read) for op in wire.ops] if wire.ops else [read]
            if UNKNOWN in given:
                return UNKNOWN
            for shape, op in zip(given, wire.ops or (None,), strict=True):
                sizes.setdefault(shape[1:], f"{op or 'the bare edge'} from {_source(wire)}")
        if len(sizes) > 1:
            told = " and ".join(f"{_size(size)} by {what}" for size, what in sizes.items())
            text = f"what meets here has different sizes: {told} (at {state.path})."
            self.found.add(_written(state), text, hint="An operation must make the size by its stride alone.")
            return UNKNOWN
        return (state.channels, *next(iter(sizes)))

    def _op(self, op: Op, wire: Wire, state: State, read: Shape) -> Shape:
        path = f"{_written(state)}.from.{_source(wire)}"
        on = f"on [{', '.join(map(str, (self.samples, *read)))}] (at {wire.op_path(op)})"
        try:
            found = measured(op, wire, read[1:], self.description, self.catalogue, samples=self.samples)
        except Exception as error:  # noqa: BLE001 - an operation may raise anything for what it cannot bear
            self.found.add(path, f"{op} fails {on}: {error_line(error).rstrip('.')}.", spot=str(op))
            return UNKNOWN
        if not found.shape or found.shape[0] != wire.width:
            shape = ", ".join(map(str, (self.samples, *found.shape)))
            text = f"{op} gives [{shape}], and {wire.width} channels are due here, {on}."
            self.found.add(path, text, hint="A mistake of the operation.", spot=str(op))
            return UNKNOWN
        self.params += found.params
        return found.shape


def _source(wire: Wire) -> str:
    return wire.path.rpartition("/")[2]


def _size(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size)) if size else "no places"


def _written(state: State) -> str:
    graph, node = state.template
    return f"{graph_path(graph)}.nodes.{node}"


MOST_KNOWN: Final = 4096
"""Operations that are remembered."""

INPUT: Final = "its input"

_SAMPLES: Final = 2


def check_gradients(description: Description, catalogue: Catalogue, image: tuple[int, int]) -> None:
    """Refuse operations that cut off the gradient, each tried by itself where it stands.

    Operations made of torch's own modules pass it on by construction and are not tried.

    Args:
        description: Open or closed.
        catalogue: The operations that it may name.
        image: Height and width of an image.

    Raises:
        PluginError: The result of an operation depends on its input, or on a weight, that gets no gradient.
    """
    sizes: list[tuple[int, ...]] = []
    found: dict[str, tuple[str, ...]] = {}
    for state in expand(description, catalogue).states:
        size: tuple[int, ...] = image if not state.wires else sizes[state.wires[0].source]
        for wire in state.wires:
            given = sizes[wire.source]
            for op in wire.ops:
                size = measured(op, wire, given, description, catalogue).size
                kind, settings = kind_of(op, description, catalogue)
                shape = (wire.c_in, wire.width, wire.stride)
                cut = cut_off(kind, tuple(settings.items()), shape, given)
                found |= {op.name: cut} if cut else {}
        sizes.append(size)
    if found:
        raise PluginError([_problem(name, cut) for name, cut in found.items()])


def _problem(name: str, cut: tuple[str, ...]) -> Problem:
    text = f"operation {name} gives no gradient to {', '.join(cut)}, though its result depends on it:"
    before = " it and what stands before it learn nothing." if INPUT in cut else " that is never trained."
    hint = (
        "Look for detach(), no_grad() or data in its forward. A weight that is not to be trained has "
        "requires_grad=False."
    )
    return Problem(path="operations", text=text + before, hint=hint, of_plugin=True)


@lru_cache(maxsize=MOST_KNOWN)
def cut_off(
    kind: Callable[..., nn.Module],
    settings: tuple[tuple[str, Scalar], ...],
    shape: tuple[int, int, int],
    size: tuple[int, ...],
) -> tuple[str, ...]:
    """Return what of an operation gets no gradient, though its result in training depends on it.

    Zeros and noise depend on nothing and cut nothing off. Each operation is tried once in a process.

    Args:
        kind: What builds it.
        settings: Its settings.
        shape: Channels in, channels out, stride.
        size: Height and width of its input; empty where it has none.

    Returns:
        :data:`INPUT`, and the names of weights that require a gradient.
    """
    with redirecting({"cpu": _generator(0)}):
        module = kind(*shape, **dict(settings)).train()
    if not draws(module):
        return ()
    x = torch.randn(_SAMPLES, shape[0], *size, generator=_generator(1)).requires_grad_()
    y = _run(module, x)
    if not torch.equal(y, _run(module, x)):
        return ()  # it draws by ways that nobody can repeat: no difference would tell anything
    asked = {INPUT: x, **{name: one for name, one in module.named_parameters() if one.requires_grad}}
    slopes: tuple[Any, ...] = (None,) * len(asked)
    if y.requires_grad:
        slopes = torch.autograd.grad(y.sum(), list(asked.values()), allow_unused=True)
    missing = [name for name, slope in zip(asked, slopes, strict=True) if slope is None]
    return tuple(name for name in missing if _matters(module, x, asked[name], y))


def _matters(module: nn.Module, x: Tensor, one: Tensor, before: Tensor) -> bool:
    """Say whether another value of the input or of a weight gives another result."""
    kept = one.detach().clone()
    with torch.no_grad():
        one += torch.randn(one.shape, generator=_generator(2))
        after = _run(module, x)
        one.copy_(kept)
    return not torch.equal(after, before)


def _run(module: nn.Module, x: Tensor) -> Tensor:
    with redirecting({"cpu": _generator(3)}):
        result: Tensor = module(x * 1)  # not the leaf itself: it may be changed in place
    return result


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
