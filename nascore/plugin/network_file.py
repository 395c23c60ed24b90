"""A function of a user's file that builds a network, as a plugin with one operation."""

from __future__ import annotations

import inspect
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nascore.component import hookimpl
from nascore.errors import did_you_mean
from nascore.plugin.loading import BrokenError, file_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nascore.description import Operation

FORM: Final = re.compile(r"(?P<file>.+\.py):(?P<function>[A-Za-z_][A-Za-z0-9_]*)")
"""The text of such a function: ``net.py:make``."""

OUTPUTS: Final = ("classes", "num_classes", "n_classes", "outputs", "num_outputs")
CHANNELS: Final = ("channels", "in_channels", "in_chans", "num_channels")
"""Names of the arguments that get the number of outputs, and of channels of the images."""


def parts_of(text: str) -> tuple[Path, str] | None:
    """Return the file and the function of a text such as ``net.py:make``; None for another text."""
    found = FORM.fullmatch(text)
    return None if found is None else (Path(found["file"]), found["function"])


def operation_name(text: str) -> str:
    """Return the name of the operation of a text such as ``net.py:make``: ``net_make``."""
    found = parts_of(text)
    assert found is not None
    word = re.sub(r"\W", "_", f"{found[0].stem}_{found[1]}", flags=re.ASCII)
    return word if word[0].isalpha() or word[0] == "_" else f"_{word}"


class NetworkFile:
    """The hooks of a file with a function that returns a network.

    Args:
        text: The file and the function.
    """

    def __init__(self, text: str) -> None:
        found = parts_of(text)
        assert found is not None
        path, name = found
        module = file_module(path)
        self._function: Any = getattr(module, name, None)
        self._name = operation_name(text)
        if not callable(self._function):
            functions = [key for key, one in vars(module).items() if inspect.isfunction(one)]
            near = did_you_mean(name, functions) or f"Functions: {', '.join(functions) or 'none'}."
            raise BrokenError(f"{path} has no function {name}", near)
        arguments_of(self._function, 1, 1)

    @hookimpl
    def nascore_operations(self) -> Iterable[Operation]:
        """Yield the operation that is the network."""
        from nascore.description import Operation  # noqa: PLC0415 - only if a file is named

        build = partial(build_network, self._function)
        yield Operation(name=self._name, build=build, strides=(1,), structural=True)


def build_network(function: Callable[..., Any], c_in: int, c_out: int, stride: int) -> Any:  # noqa: ANN401 - a user's
    """Return the network of a function, for these numbers of channels and outputs."""
    del stride
    return function(**arguments_of(function, c_in, c_out))


def arguments_of(function: Callable[..., Any], channels: int, outputs: int) -> dict[str, int]:
    """Return the arguments of a function by name.

    Raises:
        BrokenError: It requires an argument of another name.
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}
    known = dict.fromkeys(OUTPUTS, outputs) | dict.fromkeys(CHANNELS, channels)
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    odd = [
        name
        for name, one in parameters.items()
        if name not in known and one.default is one.empty and one.kind not in variadic
    ]
    if odd:
        allowed = ", ".join((*OUTPUTS, *CHANNELS))
        raise BrokenError(
            f"{getattr(function, '__name__', 'the function')} requires {', '.join(odd)}",
            f"It gets arguments of these names: {allowed}. Give others a default.",
        )
    return {name: known[name] for name in parameters if name in known}
