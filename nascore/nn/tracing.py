"""Traces the computation of a module as a graph.

``torch.fx`` has a tracer, but it patches ``nn.Module`` for the whole process while it works: networks in
other threads fail. Here each module has a twin of a class of its own, which writes down calls and weights
that are read; nothing else in the process notices.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx, nn
from torch.fx.proxy import GraphAppendingTracer


def trace(root: nn.Module) -> fx.Graph:
    """Return what the forward of a module computes of one argument, in evaluation mode.

    Modules of ``torch.nn`` other than containers are called; what others do is written out.

    Raises:
        Exception: Whatever a forward raises that looks at values, which are not there.
    """
    tracer = _Tracer(root)
    images = tracer.create_proxy("placeholder", "images", (), {})
    result = tracer.twin(root, "")(images)
    tracer.create_node("output", "output", (tracer.create_arg(result),), {})
    return tracer.graph


class _Tracer(GraphAppendingTracer):
    """Writes down what twins do, with the names that modules and tensors have in the root."""

    def __init__(self, root: nn.Module) -> None:
        super().__init__(fx.Graph())
        tensors = [*root.named_parameters(), *root.named_buffers()]
        self._tensors = {id(tensor): name for name, tensor in reversed(tensors)}
        self._read: dict[str, fx.Proxy] = {}
        self._twins: dict[int, nn.Module] = {}

    def twin(self, module: nn.Module, path: str) -> nn.Module:
        """Return what stands for a module; one that stands in two places is called by its first name."""
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
        """Return what stands for a weight; itself where the root does not know it."""
        name = self._tensors.get(id(tensor))
        if name is None:
            return tensor
        if name not in self._read:
            self._read[name] = self.create_proxy("get_attr", name, (), {})
        return self._read[name]

    def create_arg(self, a: Any) -> Any:  # noqa: ANN401 - whatever a function of torch is given
        """Return an argument as the graph holds it: a tensor by its name."""
        if isinstance(a, torch.Tensor):
            name = self._tensors.get(id(a))
            if name is None:
                raise ValueError("it computes with a tensor that is neither a weight nor a buffer")
            return self.create_node("get_attr", name, (), {})
        return super().create_arg(a)

    def _class_of(self, module: nn.Module, path: str) -> type[nn.Module]:
        kind = type(module)

        def found(twin: nn.Module, name: str) -> object:
            value = kind.__getattr__(twin, name)
            return self.read(value) if isinstance(value, nn.Parameter) else value

        def called(_: nn.Module, *args: object, **named: object) -> fx.Proxy:
            return self.create_proxy("call_module", path, args, named)

        own: dict[str, Any] = {"__getattr__": found, "__module__": kind.__module__}
        if kind.__module__.startswith("torch.nn") and not isinstance(module, nn.Sequential):
            own["__call__"] = called
        return type(kind.__name__, (kind,), own)
