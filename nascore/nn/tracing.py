"""Traces the computation of a module as a ``torch.fx`` graph.

The tracer of ``torch.fx`` patches ``nn.Module`` for the whole process while it works, and networks in other
threads fail. This tracer gives each module a twin, an object of a new subclass, which records calls and
accesses to weights; the rest of the process is not affected.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx, nn
from torch.fx.proxy import GraphAppendingTracer


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
