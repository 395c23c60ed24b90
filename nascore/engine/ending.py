"""How a run ends: its result is written last, whatever happened."""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from nascore.errors import NascoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.engine.build import Live


@contextmanager
def concluding(live: Live, kind: str) -> Iterator[dict[str, Any]]:
    """Give a result to fill; write it at the end, with `status` done, failed or interrupted.

    Args:
        live: The run.
        kind: `search` or `evaluate`.
    """
    result: dict[str, Any] = {}
    began = perf_counter()
    try:
        yield result
    except KeyboardInterrupt:
        _conclude(live, kind, began, {**result, "status": "interrupted"})
        raise
    except Exception as error:
        text = str(error) if isinstance(error, NascoreError) else f"{type(error).__name__}: {error}"
        live.folder.log(f"failed: {text}")
        _conclude(live, kind, began, {**result, "status": "failed", "error": text})
        raise
    _conclude(live, kind, began, {"status": "done", **result})


def _conclude(live: Live, kind: str, began: float, result: dict[str, Any]) -> None:
    recipe = live.recipe
    whole = {
        "kind": kind,
        **result,
        "seed": recipe.run.seed,
        "scale": None if recipe.scale is None else recipe.scale[0],
        "warnings": [str(problem) for problem in recipe.warned],
        "image": [live.facts.channels, live.facts.height, live.facts.width],
        "device": live.device.type,
        "seconds": round(perf_counter() - began, 3),
    }
    live.folder.finish(whole)
    live.watch.tell("run_finished", live.folder.path, whole)
