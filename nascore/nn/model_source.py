"""Writes ``best/model.py``: a network as Python source that needs only torch.

The closed network is traced in evaluation mode down to the modules of ``torch.nn``, so the source does not
depend on the plugins of its operations. Weights keep their names.

The tracer of ``torch.fx`` patches ``nn.Module`` for the whole process while it works, and networks in other
threads fail. The tracer of this module gives each module a twin, an object of a new subclass, which records
calls and accesses to weights; the rest of the process is not affected.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import fx, nn
from torch.fx.proxy import GraphAppendingTracer

from nascore.errors import PluginError
from nascore.nn.execution import Pass, Plain
from nascore.nn.mixture_weights import weigh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from nascore.nn.network import Network
    from nascore.nn.preprocessing import Preprocessing

PRELUDE: Final = {
    "torch": "",
    "inf": 'inf = float("inf")',
    "nan": 'nan = float("nan")',
    "device": "device = torch.device",
}
"""The defining line of each name that the traced function may use besides builtins."""

KEYWORDS: Final = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY


def standalone(network: Network, preprocessing: Preprocessing, *, sha256: str | None = None) -> str:
    """Return the source of a module with a class ``Model``, ``load``, ``preprocess`` and ``classes``.

    The model computes what the network computes in evaluation mode: it has no auxiliary head, and ``load``
    skips weights that the model does not have.

    Args:
        network: A closed network.
        preprocessing: How an image becomes a network input.
        sha256: Checksum of the weights file, which ``load`` verifies; None: no verification.

    Raises:
        PluginError: The control flow of an operation depends on values, or it uses a module or a tensor that
            cannot be written out.
        DescriptionError: The network is open.
    """
    graph = _trace(network)
    code = graph.python_code("self")
    source = code.src[code.src.index("def forward(") :]
    named = _globals(source, code.globals)
    unknown = sorted(named - PRELUDE.keys())
    if unknown:
        text = f"it calls {', '.join(unknown)}, which is not part of torch"
        raise PluginError(f"the network cannot be written out: {text}.")
    text = files("nascore.nn").joinpath("model_template.txt").read_text(encoding="utf-8")
    prelude = [PRELUDE[name] for name in sorted(named) if PRELUDE[name]]
    parts = {
        "@PRELUDE@": "".join(f"{line}\n" for line in [*prelude, ""] if prelude),
        "@SHA256@": "None" if sha256 is None else f'"{sha256}"',
        "@SHAPE@": ", ".join(map(str, preprocessing.shape)),
        "@PREPROCESS@": preprocessing.source(),
        "@MEMBERS@": "\n".join(f"        {line}" for line in _members(network, graph)),
        "@FORWARD@": "\n".join(f"    {line}".rstrip() for line in source.strip().splitlines()),
    }
    for name, part in parts.items():
        text = text.replace(name, part)
    return text


def _globals(source: str, known: dict[str, Any]) -> set[str]:
    """Return the global names in a function's source that are not builtins."""
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    return {name for name in names & known.keys() if getattr(builtins, name, None) is not known[name]}


class _Inference(nn.Module):
    """Inference of a closed network as a function of the images alone; weights keep the network's names."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.ops = network.ops
        self.gates = network.gates
        self.options = Pass(program=network.programs[False], weights=weigh(network.groups, None, None, 1))

    def forward(self, images: Tensor) -> Tensor:
        return Plain(self.ops, self.gates).run(images, self.options)[0]


def _trace(network: Network) -> fx.Graph:
    inference = _Inference(network)
    try:
        return trace(inference)
    except Exception as error:
        # An operation of a plugin may inspect its input, and raise anything for a placeholder.
        raise PluginError(f"the network cannot be written out: {error}") from error


def _members(network: Network, graph: fx.Graph) -> Iterator[str]:
    """Yield a line for each module and tensor that the traced function uses."""
    modules = dict(network.named_modules())
    tensors = network.state_dict()
    used = dict.fromkeys((node.op, str(node.target)) for node in graph.nodes)
    for kind, path in used:
        if kind == "call_module":
            yield f"put(self, {path!r}, {_constructor(path, modules[path])})"
        elif kind == "get_attr":
            if path not in tensors:
                raise PluginError(f"the network cannot be written out: {path} is not among its weights.")
            shape = tuple(tensors[path].shape)
            yield f"put(self, {path!r}, nn.Parameter(torch.zeros({shape}), requires_grad=False))"


def _constructor(path: str, module: nn.Module) -> str:
    """Return the call that builds a module of ``torch.nn``, with the arguments that differ from defaults."""
    kind = type(module)
    if getattr(nn, kind.__name__, None) is not kind:
        raise PluginError(f"the network cannot be written out: {path} is not a torch.nn module.")
    # Not repr(): it leaves arguments out, such as whether a mean pool counts its padding.
    parameters = inspect.signature(kind).parameters.values()
    arguments = [
        (each, _argument(path, module, each))
        for each in parameters
        if each.kind in KEYWORDS and each.name not in {"device", "dtype"}
    ]
    texts = [f"{each.name}={value!r}" for each, value in arguments if value != each.default]
    return f"nn.{kind.__name__}({', '.join(texts)})"


def _argument(path: str, module: nn.Module, parameter: inspect.Parameter) -> object:
    missing = inspect.Parameter.empty
    value = getattr(module, parameter.name, parameter.default)
    if parameter.name == "bias" and (value is None or isinstance(value, nn.Parameter)):
        return value is not None
    if value is missing or not isinstance(value, bool | int | float | str | tuple | None):
        text = (
            f"{type(module).__name__} at {path} has no readable attribute for its argument {parameter.name}"
        )
        raise PluginError(f"the network cannot be written out: {text}.")
    return value


def trace(root: nn.Module) -> fx.Graph:
    """Return the graph of a module's forward with one argument, in evaluation mode.

    A module of ``torch.nn`` that is not a container becomes one call; other modules are traced inside.

    Raises:
        Exception: Whatever a forward method raises that inspects values, since a proxy has none.
    """
    tracer = _Tracer(root)
    images = tracer.create_proxy("placeholder", "images", (), {})
    result = tracer.twin(root, "")(images)
    tracer.create_node("output", "output", (tracer.create_arg(result),), {})
    return tracer.graph


class _Tracer(GraphAppendingTracer):
    """Records the calls of twins under the names that modules and tensors have in the root."""

    def __init__(self, root: nn.Module) -> None:
        super().__init__(fx.Graph())
        tensors = [*root.named_parameters(), *root.named_buffers()]
        self._tensors = {id(tensor): name for name, tensor in reversed(tensors)}
        self._read: dict[str, fx.Proxy] = {}
        self._twins: dict[int, nn.Module] = {}

    def twin(self, module: nn.Module, path: str) -> nn.Module:
        """Return the twin of a module; a module that is used in two places keeps its first name."""
        if id(module) not in self._twins:
            made = object.__new__(self._class_of(module, path))
            self._twins[id(module)] = made
            below = path and f"{path}."
            children = {
                name: None if child is None else self.twin(child, f"{below}{name}")
                for name, child in vars(module)["_modules"].items()
            }
            made.__dict__.update({**vars(module), "training": False, "_modules": children})
        return self._twins[id(module)]

    def read(self, tensor: nn.Parameter) -> fx.Proxy | nn.Parameter:
        """Return the proxy of a weight; the tensor itself if it does not belong to the root."""
        name = self._tensors.get(id(tensor))
        if name is None:
            return tensor
        if name not in self._read:
            self._read[name] = self.create_proxy("get_attr", name, (), {})
        return self._read[name]

    def create_arg(self, a: Any) -> Any:  # noqa: ANN401 - any argument of a torch function
        """Return an argument in the form of the graph: a tensor by its name."""
        if isinstance(a, torch.Tensor):
            name = self._tensors.get(id(a))
            if name is None:
                raise ValueError("it computes with a tensor that is neither a weight nor a buffer")
            return self.create_node("get_attr", name, (), {})
        return super().create_arg(a)

    def _class_of(self, module: nn.Module, path: str) -> type[nn.Module]:
        kind = type(module)

        def get_attribute(twin: nn.Module, name: str) -> object:
            value = kind.__getattr__(twin, name)
            return self.read(value) if isinstance(value, nn.Parameter) else value

        def call(_: nn.Module, *args: object, **named: object) -> fx.Proxy:
            return self.create_proxy("call_module", path, args, named)

        methods: dict[str, Any] = {"__getattr__": get_attribute, "__module__": kind.__module__}
        if kind.__module__.startswith("torch.nn") and not isinstance(module, nn.Sequential):
            methods["__call__"] = call
        return type(kind.__name__, (kind,), methods)
