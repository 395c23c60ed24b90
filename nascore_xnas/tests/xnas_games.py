"""Games for the tests: groups of experts without a network, and what to reward them with."""

from __future__ import annotations

import torch

from nascore.api import ChoiceGroup, Gradients, Horizon, Op
from nascore.nn import ArchitectureState, segment_softmax
from nascore_xnas import UpdaterSettings
from nascore_xnas.updater import Updater

EXPERTS = 8


def state(experts=EXPERTS, edges=1, *, first="op0", node=False, replicas=1, keep=1):
    """One group of edges that compete each by itself, or all with each other."""
    names = (first, *(f"op{number}" for number in range(1, experts)))
    group = ChoiceGroup(
        rows=tuple(("cell", "n0", f"in{edge}") for edge in range(edges)),
        ops=tuple(map(Op, names)),
        mask=((True,) * experts,) * edges,
        segments=tuple((0 if node else edge,) * experts for edge in range(edges)),
        replicas=replicas,
        keep=keep,
    )
    theta = torch.zeros(edges, experts, dtype=torch.float64)
    return ArchitectureState(groups={"cell": group}, theta={"cell": theta})


def started(found, *, updates, samples=1, **asked):
    """Return the updater, which takes uses and survivors from the group."""
    updater = Updater(UpdaterSettings(**asked))
    group = found.groups["cell"]
    horizon = Horizon(
        updates=updates, samples=samples, replicas={"cell": group.replicas}, keep={"cell": group.keep}
    )
    updater.start(found, horizon, torch.Generator())
    return updater


def play(updater, found, rewards):
    """Give one update of rewards, [E, O] for one image and use or [K, B, E, O]."""
    if rewards.dim() == 2:
        rewards = rewards[None, None]
    updater.step(found, Gradients(mixture={"cell": -rewards}))


def weights(found):
    return segment_softmax(found.theta["cell"].detach(), found.segments("cell"))


def sequence(seed, edges, updates, *, replicas=1, samples=1):
    """Return rewards [updates, K, B, E, O]: at random; for every fifth seed a leader loses it all."""
    shape = (updates, replicas, samples, edges, EXPERTS)
    if seed % 5 == 0:
        rewards = torch.full(shape, -1.0, dtype=torch.float64)
        rewards[: updates // 2, ..., 0] = 1
        rewards[updates // 2 :, ..., 1] = 1
        rewards[-1, ..., 2] = 0.5 + torch.arange(edges)
        return rewards + 1e-3 * torch.arange(EXPERTS)
    generator = torch.Generator().manual_seed(seed)
    scale = 3 * torch.rand((), generator=generator, dtype=torch.float64)
    drift = torch.randn(edges, EXPERTS, generator=generator, dtype=torch.float64)
    noise = torch.randn(shape, generator=generator, dtype=torch.float64)
    return scale * (noise + 0.3 * drift)
