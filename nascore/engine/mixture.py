"""Draws mixtures from architecture parameters, and maps gradients of the mixture back to them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import torch
from attrs import frozen

from nascore.contract import Gradients, Sampled
from nascore.engine.return_checks import ReturnCheck, describe_value
from nascore.errors import Problem, RunFailed
from nascore.nn.transfers import on_cpu, read_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Generator, Tensor

    from nascore.contract import Phase, Search, Streams


POSITIVE: Final = frozenset({"normalized", "deterministic"})
"""Capabilities of a relaxation that weighs every live candidate; the weights of others have to be read."""

NAMED: Final = 3
"""Number of tensors that a message names."""


def gradients(
    scalar: Tensor, *sources: Mapping[str, Tensor], of: str = "the loss", scale: float = 1.0
) -> tuple[dict[str, Tensor], ...]:
    """Return the derivative of a scalar with respect to named tensors, in one backward pass.

    A tensor that the scalar does not depend on gets zeros, so that momentum and weight decay reach the
    weights of an operation whether it was run or not.

    Args:
        scalar: The scalar to differentiate.
        sources: Tensors by name; a result is returned for each mapping.
        of: Name of the scalar, for the message; empty: the scalar may be a constant.
        scale: Factor of the scalar in the backward pass, by which the gradients are divided again.

    Raises:
        RunFailed: The scalar depends on no tensor that requires a gradient, and `of` is not empty.
    """
    flat = [tensor for source in sources for tensor in source.values()]
    if of and flat and not scalar.requires_grad:
        names = [name for source in sources for name in source]
        text = f"{of} has no gradient, so nothing is learned: {few(names)} would stay as they are."
        raise RunFailed([Problem(path="", text=text, hint=_cause())])
    found: tuple[Tensor | None, ...] = (None,) * len(flat)
    if scalar.requires_grad and flat:
        found = torch.autograd.grad(scalar if scale == 1 else scalar * scale, flat, allow_unused=True)
    filled = (
        torch.zeros_like(tensor) if slope is None else slope if scale == 1 else slope / scale
        for tensor, slope in zip(flat, found, strict=True)
    )
    return tuple({name: next(filled) for name in source} for source in sources)


def few(names: Sequence[str]) -> str:
    """Return the first names and the number of further ones, as text."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _cause() -> str:
    if not torch.is_grad_enabled():
        return "Gradients are switched off: a plugin of this run called set_grad_enabled(False)."
    return (
        "Something detaches it: look for detach(), no_grad() or data in what the plugins of this run bring."
    )


@frozen(kw_only=True)
class Draw:
    """One draw of the relaxation, used by all passes of an architecture step.

    Attributes:
        weights: The mixture by group, [E, O], with its graph to theta.
        leaf: The same numbers without graph: [E, O], or [K, B, E, O] per use and sample.
        runs: By group, [E, O] bool on the CPU: the candidates to run.
    """

    weights: Mapping[str, Tensor]
    leaf: Mapping[str, Tensor]
    runs: Mapping[str, Tensor]


def draw(search: Search, streams: Streams, samples: int) -> Draw:
    """Draw the mixture of an architecture step.

    Args:
        search: The search.
        streams: The random numbers; the draw uses the stream `mixture`.
        samples: B, the number of images of a batch.
    """
    sampled = _sampled(search, streams)
    alive = search.state.alive_on_cpu()
    leaf = {name: _leaf(search, name, drawn.weights.detach(), samples) for name, drawn in sampled.items()}
    for name, one in leaf.items():
        # Called when a gradient reaches this leaf.
        one.register_hook(partial(_reached, search, name))  # type: ignore[no-untyped-call]
    runs = {name: alive[name] if drawn.runs is None else drawn.runs for name, drawn in sampled.items()}
    runs = dict(on_cpu(runs))  # once, not in each pass
    return Draw(weights={name: drawn.weights for name, drawn in sampled.items()}, leaf=leaf, runs=runs)


def _reached(search: Search, name: str, slope: Tensor) -> None:
    del slope
    search.reached.add(name)


def fixed_draw(search: Search, streams: Streams) -> Draw:
    """Draw the mixture for a weights step without an autograd graph; zero-weight candidates are not run."""
    with torch.no_grad():
        weights = {name: drawn.weights for name, drawn in _sampled(search, streams).items()}
    if search.declared >= POSITIVE and "sparse" not in search.declared:
        return Draw(weights=weights, leaf=weights, runs=search.state.alive_on_cpu())
    # The host has to know what was drawn: it decides what is run.
    runs = dict(zip(weights, read_all([value != 0 for value in weights.values()]), strict=True))
    return Draw(weights=weights, leaf=weights, runs=runs)


def _sampled(search: Search, streams: Streams) -> dict[str, Sampled]:
    state, generator = search.state, streams["mixture"]
    return {name: _drawn(search, name, state.theta[name], generator) for name in sorted(state.theta)}


def _drawn(search: Search, name: str, theta: Tensor, generator: Generator) -> Sampled:
    relaxation = search.annealed()
    returned = ReturnCheck(relaxation, "mixture", "relaxation")
    state = search.state
    given = relaxation.mixture(theta, state.segments(name), state.groups[name], generator=generator)
    sampled = returned.expect(given, Sampled, "Sampled")
    returned.tensor(sampled.weights, theta.shape, f"the weights of {name}")
    runs: object = sampled.runs
    if runs is not None and not (
        isinstance(runs, torch.Tensor) and runs.dtype == torch.bool and runs.shape == theta.shape
    ):
        raise returned.wrong(
            f"{describe_value(runs)} as runs of {name}", f"None or bools {list(theta.shape)}"
        )
    return sampled


def _leaf(search: Search, name: str, weights: Tensor, samples: int) -> Tensor:
    leaf = weights.clone()
    if search.updater.granularity == "sample":
        # Expanded, not copied: executions see that all images have the same weights.
        leaf = leaf.expand(search.state.groups[name].replicas, samples, *weights.shape)
    return leaf.requires_grad_()


def pull_back(phase: Phase, drawn: Draw, slope: Mapping[str, Tensor]) -> Gradients:
    """Return the gradients for the updater; call it before the updater's step, which changes theta in place.

    Args:
        phase: The phase, with a search.
        drawn: The draw of the estimate.
        slope: The estimate: derivative of the mean loss with respect to the leaf, by group.
    """
    search = phase.search
    assert search is not None
    if search.updater.gradient == "theta":
        return Gradients(theta=_to_theta(search, drawn, slope))
    scale = phase.batches["train"].size if search.updater.granularity == "sample" else 1
    return Gradients(
        mixture={name: scale * value for name, value in slope.items()},
        penalty=_penalties(search, drawn, scale),
    )


def _to_theta(search: Search, drawn: Draw, slope: Mapping[str, Tensor]) -> dict[str, Tensor]:
    # With dL/du constant, the gradient of sum(u * dL/du) is dL/du pulled back through the graph of u.
    total = torch.stack([(drawn.weights[name] * value).sum() for name, value in slope.items()]).sum()
    if search.regularizers:
        total = total + _penalty(search, drawn.weights, _expected(search))
    (found,) = gradients(total, search.state.theta, of="the mixture that the relaxation gives")
    _refuse_detached(search, drawn)
    return found


def _refuse_detached(search: Search, drawn: Draw) -> None:
    """Refuse a mixture that is detached from theta in some groups, even if a penalty reaches their theta."""
    cut = [
        name
        for name, weights in drawn.weights.items()
        if not weights.requires_grad and _contested(search.state.segments(name))
    ]
    if cut:
        told = ReturnCheck(search.annealed(), "mixture", "relaxation")
        raise told.wrong(f"weights of {few(cut)} without a gradient", "weights that depend on theta")


def _contested(segments: Tensor) -> bool:
    """Return whether a segment has several entries; the weight of a single entry may be a constant."""
    live = segments[segments >= 0].tolist()
    return len(set(live)) < len(live)


def _penalties(search: Search, drawn: Draw, scale: int) -> dict[str, Tensor] | None:
    """Return the derivative of the penalties with respect to the mixture, drawn and expected together."""
    if not search.regularizers:
        return None
    mixture = {name: value.detach().requires_grad_() for name, value in drawn.weights.items()}
    expected = {name: value.requires_grad_() for name, value in search.expected().items()}
    found = gradients(_penalty(search, mixture, expected), mixture, expected, of="")
    return {name: scale * (found[0][name] + found[1][name]) for name in mixture}


def _penalty(search: Search, drawn: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> Tensor:
    penalties = []
    for item in search.regularizers:
        given = item.penalty(search.state, drawn, expected, search.progress)
        penalties.append(ReturnCheck(item, "penalty", "regularizer").tensor(given, ()))
    return torch.stack(penalties).sum()


def _expected(search: Search) -> dict[str, Tensor]:
    """Return the expected mixture with its graph to theta."""
    return {name: search.expects(name, theta) for name, theta in search.state.theta.items()}


def entropy(search: Search) -> dict[str, float]:
    """Return by group the mean entropy of the expected mixture over its segments, in nats.

    It falls from the logarithm of the number of candidates towards 0 as the search decides.
    """
    expected = search.expected()
    weights = read_all(list(expected.values()))
    return {
        name: _entropy(value, search.state.segments_on_cpu(name))
        for name, value in zip(expected, weights, strict=True)
    }


def _entropy(weights: Tensor, segments: Tensor) -> float:
    alive = segments >= 0
    share, owner = weights.abs()[alive], segments[alive].long()
    if not len(share):
        return 0.0
    sums = share.new_zeros(int(owner.max()) + 1).index_add_(0, owner, share)
    share = share / sums[owner].clamp_min(torch.finfo(share.dtype).tiny)
    return float(-torch.special.xlogy(share, share).sum()) / len(set(owner.tolist()))
