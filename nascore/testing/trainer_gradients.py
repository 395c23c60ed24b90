"""What a trainer hands to the updater, and what it must not move by that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch.nn.functional import cross_entropy

from nascore.engine.checkpoint import capture, restore
from nascore.nn import segment_softmax
from nascore.testing.part import same
from nascore.testing.stepping import Stepping, numbers
from nascore.testing.supernet import Recorder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.contract import Gradients
    from nascore.engine.phase import Phase

_CLOSE: Final = 1e-4
"""How far sums of float32 may differ, relative to the largest."""


class TrainerGradients(Stepping):
    """Checks of the architecture step."""

    def test_hands_on_the_gradient(self) -> None:
        """After the warm-up every step hands the updater the gradient that it asks for, and only that."""
        for gradient, granularity in self._kinds():
            part, updater = self.made(), Recorder(gradient=gradient, granularity=granularity)
            phase = self.begun(part, updater)
            self.stepped(part, phase.steps)
            wanted = phase.steps - phase.warm_up
            self.hold(
                len(updater.got) == wanted,
                f"moves the architecture {len(updater.got)} times in {wanted} steps after the warm-up",
            )
            for one in updater.got:
                self._asked_for(one, updater, phase)

    def test_moves_nothing_for_an_updater_that_follows_nothing(self) -> None:
        """It makes no architecture step for an updater without a gradient, and reports no loss of one."""
        part, updater = self.made(), Recorder(gradient=None)
        phase = self.begun(part, updater)
        reports = self.stepped(part, phase.steps)
        self.hold(not updater.got, "moves the architecture of an updater that follows nothing")
        told = [one for one in reports if one.architecture_loss is not None]
        self.hold(not told, "reports an architecture loss though no such pass is to be made")

    def test_the_gradients_agree(self) -> None:
        """The gradients of theta, of the mixture and per sample are those of one loss."""
        by_mixture = self._first(Recorder(gradient="mixture"))
        by_theta = self._first(Recorder())
        theta = by_theta[0].search.state.theta  # type: ignore[union-attr]  # an open network
        for name, slope in (by_mixture[1].mixture or {}).items():
            leaf = theta[name].detach().clone().requires_grad_()
            segments = by_theta[0].search.state.segments(name)  # type: ignore[union-attr]  # the same
            (pulled,) = torch.autograd.grad((segment_softmax(leaf, segments) * slope).sum(), leaf)
            given = (by_theta[1].theta or {})[name]
            self.hold(_close(given, pulled), f"gives a gradient of theta of {name} that is not the mixture's")
        if self.provides("sample-gradients"):
            phase, each = self._first(Recorder(gradient="mixture", granularity="sample"))
            for name, slope in (by_mixture[1].mixture or {}).items():
                total = (each.mixture or {})[name].sum((0, 1)) / phase.batches["train"].size
                text = f"gives gradients per sample of {name} whose sum is not the batch's"
                self.hold(_close(total, slope), text)

    def test_the_gradient_points_uphill(self) -> None:
        """The gradient of the mixture points to where the loss rises, on the images that it is made from."""
        part, updater = self.made(), Recorder(gradient="mixture")
        phase = self.begun(part, updater)
        self.stepped(part, phase.warm_up)
        known = _slopes(phase, part)
        self.stepped(part, 1)
        for one in updater.got[-1:]:
            for name, slope in (one.mixture or {}).items():
                along = float((slope * known[name]).sum())
                self.hold(along > 0, f"gives a gradient of {name} along which the loss falls")

    def test_an_architecture_step_leaves_the_network_alone(self) -> None:
        """An architecture step changes neither weights nor running statistics, to the bit."""
        left = []
        for updater in (Recorder(gradient=None), Recorder(rate=0.0)):
            part = self.made()
            phase = self.begun(part, updater)
            self.stepped(part, phase.warm_up + 1)
            left.append({**numbers(phase), **dict(phase.network.named_buffers())})
        changed = [name for name in left[0] if not same(left[0][name], left[1][name])]
        self.hold(not changed, f"changes {', '.join(changed[:3])} of the network by an architecture step")

    def _kinds(self) -> list[tuple[Any, Any]]:
        kinds = [("theta", "batch"), ("mixture", "batch")]
        return [*kinds, ("mixture", "sample")] if self.provides("sample-gradients") else kinds

    def _first(self, updater: Recorder) -> tuple[Phase, Gradients]:
        part = self.made()
        phase = self.begun(part, updater)
        self.stepped(part, phase.warm_up + 1)
        self.hold(updater.got, "makes no architecture step after the warm-up")
        return phase, updater.got[0]

    def _asked_for(self, one: Gradients, updater: Recorder, phase: Phase) -> None:
        kind = updater.gradient or ""
        given = [name for name in ("theta", "mixture") if getattr(one, name) is not None]
        self.hold(given == [kind], f"hands on {' and '.join(given) or 'nothing'} where {kind} was asked for")
        for name, slope in getattr(one, kind).items():
            group = phase.search.state.groups[name]  # type: ignore[union-attr]  # an open network
            shape: tuple[int, ...] = (len(group.rows), len(group.ops))
            if updater.granularity == "sample":
                shape = (group.replicas, phase.batches["train"].size, *shape)
            text = f"gives a gradient of {name} of shape {tuple(slope.shape)}, not {shape}"
            self.hold(tuple(slope.shape) == shape, text)
            self.hold(torch.isfinite(slope).all(), f"gives a gradient of {name} that is not finite")
            self.hold(slope.abs().sum() > 0, f"gives a gradient of {name} that is zero")


def _slopes(phase: Phase, part: Any) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
    """Return what the gradient of the mixture should be about on the next images; nothing is moved."""
    assert phase.search is not None
    state = capture(phase, part)
    images, labels = phase.batches["architecture" if "architecture" in phase.batches else "train"].next()
    leaf = {name: weights.requires_grad_() for name, weights in phase.search.expected().items()}
    with phase.streams.network():
        loss = cross_entropy(phase.network(images, leaf), labels)
    found = torch.autograd.grad(loss, list(leaf.values()))
    restore(phase, part, state)
    return dict(zip(leaf, found, strict=True))


def _close(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool((one - other).abs().max() <= _CLOSE * other.abs().max())
