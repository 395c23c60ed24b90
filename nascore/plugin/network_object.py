"""A torch module, or a function that returns one, from Python: a plugin with one operation."""

from __future__ import annotations

import re
import sys
from copy import deepcopy
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from nascore.component import hookimpl
from nascore.errors import Problem, RecipeError, error_line
from nascore.plugin.loading import BrokenError
from nascore.plugin.network_file import arguments_of, build_network

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nascore.description import Operation

DIGITS: Final = 8
"""Number of digits of the digest of a module in the name of its operation."""


def is_network(value: object) -> bool:
    """Return whether a value from Python is a torch module, or a function or class that may return one."""
    return callable(value)


def is_module(value: object) -> bool:
    """Return whether a value is a torch module; torch is not imported for it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def operation_name(network: Any) -> str:  # noqa: ANN401 - a user's
    """Return the name of a network's operation: ``python_Net_0f1e2d3c`` for a module, ``python_make``.

    Modules of the same class and different layers have different names.
    """
    name = type(network).__name__ if is_module(network) else getattr(network, "__name__", "network")
    word = f"python_{re.sub(r'[^A-Za-z0-9]+', '_', name).strip('_')}"
    return f"{word}_{_digest(network)}" if is_module(network) else word


def _digest(module: Any) -> str:  # noqa: ANN401 - a torch module, not imported here
    modules = list(module.named_modules())
    lazy = [path or type(one).__name__ for path, one in modules if hasattr(one, "initialize_parameters")]
    if lazy:
        text = f"the module has layers of unknown shape: {', '.join(lazy)}."
        raise RecipeError([Problem(path="", text=text, hint="Call the module once on a batch of images.")])
    layers = [f"{path} {type(one).__qualname__}" for path, one in modules]
    tensors = [f"{name} {tuple(one.shape)}" for name, one in module.state_dict().items()]
    return sha256("\n".join([*layers, *tensors]).encode()).hexdigest()[:DIGITS]


class NetworkObject:
    """The hooks of a network from Python.

    Args:
        network: A torch module, whose copies are trained; or a function that returns one.
    """

    def __init__(self, network: Any) -> None:  # noqa: ANN401 - a user's
        self._network = network
        self._name = operation_name(network)
        if is_module(network):
            self._build: Any = partial(_copied, network)
        else:
            arguments_of(network, 1, 1)
            self._build = partial(build_network, network)

    @hookimpl
    def nascore_operations(self) -> Iterable[Operation]:
        """Yield the operation that is the network."""
        from nascore.description import Operation  # noqa: PLC0415 - only if a network is passed

        yield Operation(name=self._name, build=self._build, strides=(1,), structural=True)


def _copied(module: Any, c_in: int, c_out: int, stride: int) -> Any:  # noqa: ANN401 - a user's
    """Return a copy of a module with its weights, on torch's default device."""
    del c_in, c_out, stride
    try:
        copy = deepcopy(module)
    except Exception as error:
        text = f"the module {type(module).__name__} cannot be copied: {error_line(error).rstrip('.')}"
        raise BrokenError(text, "Pass a function that returns it.") from error
    return copy.to(sys.modules["torch"].get_default_device())
