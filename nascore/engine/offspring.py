"""A child: candidates beside a parent are trained with it, and what is kept of them stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from safetensors.torch import load as tensors_of

from nascore.description import Description, dump, load
from nascore.engine.batches import halves
from nascore.engine.build import parts_of
from nascore.engine.loop import run_phase
from nascore.engine.making import answered
from nascore.engine.phases import search_phase
from nascore.engine.results import learned, record_epoch
from nascore.engine.returned import Returned
from nascore.engine.training import Start
from nascore.engine.undecided import undecided_child, unreached
from nascore.errors import PluginError, Problem, RecipeError, RunFailed
from nascore.run import bytes_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from nascore.contract import GrowingPolicy, Trainer
    from nascore.description import Matrix
    from nascore.engine.build import Live
    from nascore.engine.phase import Phase
    from nascore.gallery import Entry
    from nascore.nn import Examples
    from nascore.run import RunFolder

T = TypeVar("T")


def grown(  # noqa: PLR0913 - each by name
    live: Live, policy: GrowingPolicy, parent: Entry, folder: RunFolder, *, job: int, fit: Examples
) -> tuple[Description, Start]:
    """Open a parent, train its candidates with it, and close it again.

    Args:
        live: The run.
        policy: Says what is opened, and what is kept.
        parent: The entry that grows.
        folder: The job's folder.
        job: The job's number.
        fit: The images that may be learned from.

    Returns:
        The child, a closed description, and what its own training begins with.

    Raises:
        RunFailed: A loss is not finite, or what was learned is not; or the policy has no use for this parent.
        PluginError: The policy raised, or did not open or not close.
    """
    described = load(text_of(live.folder / parent.description), catalogue=live.catalogue)
    opened = _asked(live, "open", lambda: policy.open(described, live.catalogue))
    Returned(policy, "open", "growth").expect(opened, Description, "a Description")
    _refuse(live, "opened a parent and left nothing to choose", wrong=not opened.is_open)
    folder.document("opened.yaml", dump(opened))
    weights = tensors_of(bytes_of(live.folder / str(parent.weights)))
    phase = _searched(live, policy, opened, weights, job=job, fit=fit)
    assert phase.search is not None
    strength = phase.search.strength()
    ranked = {name: value.tolist() for name, value in strength.items()}

    def close(given: Mapping[str, Matrix]) -> Description:
        closed = _asked(live, "close", lambda: policy.close(opened, given))
        Returned(policy, "close", "growth").expect(closed, Description, "a Description")
        _refuse(live, "closed a parent and left a choice", wrong=closed.is_open)
        return closed

    child = close(ranked)
    folder.json(
        "candidates.json", {"steps": phase.steps, "groups": learned(phase.search), "strength": ranked}
    )
    for text in (
        *unreached(phase.search),
        *undecided_child(described, opened, child, phase.search, close),
    ):
        live.warn(f"job {folder.path.name}: {text}")
    inherited = {
        name: value for name, value in phase.network.state_dict().items() if not _new_gate(name, weights)
    }
    return child, Start(epochs=policy.child_epochs, weights=inherited, wanted=frozenset(weights))


def _new_gate(name: str, weights: Mapping[str, Tensor]) -> bool:
    # What a gate let through were the candidates; in the child it is a projection that has learned nothing.
    return name.startswith("gates.") and name not in weights


def _searched(  # noqa: PLR0913 - each by name
    live: Live,
    policy: GrowingPolicy,
    opened: Description,
    weights: Mapping[str, Tensor],
    *,
    job: int,
    fit: Examples,
) -> Phase:
    """Return the phase in which the candidates were trained, over."""
    parts = parts_of(live.recipe, opened, policy)
    streams = live.streams(job, "candidates")
    phase = search_phase(live, parts, streams, data=_data(live, parts.trainer, fit), weights=weights)
    run_phase(phase, parts.trainer, live.watch, epoch_over=lambda report: record_epoch(live, job, report))
    return phase


def _data(live: Live, trainer: Trainer, fit: Examples) -> dict[str, Examples]:
    if not trainer.demand.halves:
        return {"train": fit}
    parts = halves(fit, live.streams(0)["halves"])
    return dict(zip(("train", "architecture"), parts, strict=True))


def _asked(live: Live, what: str, call: Callable[[], T]) -> T:
    try:
        return answered(live.recipe.part("growth").component, what, call)
    except RecipeError as error:
        # Raised on purpose: this parent cannot grow. Others may.
        raise RunFailed(error.problems) from error


def _refuse(live: Live, text: str, *, wrong: bool) -> None:
    if wrong:
        name = live.recipe.part("growth").name
        raise PluginError([Problem(path="growth", text=f"{name} {text}.", of_plugin=True)])
