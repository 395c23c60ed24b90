"""Neural architecture search on PyTorch with parts from plugins: the functions for Python.

    import nascore

    run = nascore.search(space="darts", updater="darts", seed=1)
    final = nascore.evaluate(run)

These functions are what the command line calls. Importing this package imports no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nascore.comparison import Ablation, Comparison
    from nascore.recipe import Values
    from nascore.verbs.ablate import ablate
    from nascore.verbs.data import describe_data
    from nascore.verbs.evaluate import evaluate
    from nascore.verbs.matrix import matrix
    from nascore.verbs.predict import predict
    from nascore.verbs.replay import replay
    from nascore.verbs.resume import resume
    from nascore.verbs.runs import Run, compare, load_run
    from nascore.verbs.search import search
    from nascore.verbs.several import search_several
    from nascore.verbs.watch import watch

    __version__: str

__all__ = [
    "Ablation",
    "Comparison",
    "Run",
    "Values",
    "__version__",
    "ablate",
    "compare",
    "describe_data",
    "evaluate",
    "load_run",
    "matrix",
    "predict",
    "replay",
    "resume",
    "search",
    "search_several",
    "watch",
]

_HOMES = {
    "Ablation": "comparison",
    "Comparison": "comparison",
    "Run": "verbs.runs",
    "Values": "recipe",
    "ablate": "verbs.ablate",
    "compare": "verbs.runs",
    "describe_data": "verbs.data",
    "evaluate": "verbs.evaluate",
    "load_run": "verbs.runs",
    "matrix": "verbs.matrix",
    "predict": "verbs.predict",
    "replay": "verbs.replay",
    "resume": "verbs.resume",
    "search": "verbs.search",
    "search_several": "verbs.several",
    "watch": "verbs.watch",
}


def __getattr__(name: str) -> object:
    """Load a verb when it is first asked for, so that importing the package stays quick."""
    if name == "__version__":
        # The one number is that of the installed distribution.
        return import_module("importlib.metadata").version("nascore")
    if name not in _HOMES:
        raise AttributeError(f"module 'nascore' has no attribute {name!r}")
    return getattr(import_module(f"nascore.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
