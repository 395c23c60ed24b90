"""What an updater may move, and what it must leave alone."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import torch
from attrs import define, evolve, field

from nascore.engine.returned import shown
from nascore.errors import PluginError
from nascore.nn import segment_softmax
from nascore.testing.choices import alike, leaders, masked, scattered, state_of, unlike
from nascore.testing.part import PartConformance, same
from nascore.testing.searching import searching
from nascore.testing.trial import SAMPLES, UPDATES, begun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor
    from torch.nn import Module

    from nascore.contract import Gradients
    from nascore.description import ChoiceGroup
    from nascore.nn import ArchitectureState

STEPS = 3
"""Steps of a real search that are watched."""

SMALL = ("trainer.epochs=1", "trainer.warm_up=0", f"trainer.batch={SAMPLES}")


class UpdaterMoves(PartConformance):
    """Checks of what an updater changes."""

    def test_moves_theta_in_place(self) -> None:
        """It moves theta in place and never puts another tensor there; without learning it moves nothing."""
        groups = alike()
        trial = begun(self.made(), groups)
        before, start = dict(trial.state.theta), trial.theta()
        places = {name: value.data_ptr() for name, value in before.items()}
        for _ in range(STEPS):
            given = trial.step(scattered(groups, 0))
            self.hold(given is None, f"returns {shown(given)} from its step, which nothing reads")
        for name, theta in trial.state.theta.items():
            rebound = theta is not before[name] or theta.data_ptr() != places[name]
            self.hold(not rebound, f"puts another tensor in the place of theta (group {name})")
            self.hold(
                theta.requires_grad and theta.is_leaf, "leaves a theta from which no gradient can be taken"
            )
            stays = same(theta.detach(), start[name])
            if trial.updater.gradient is None:
                self.hold(stays, "follows no gradient, and yet moves theta")
            else:
                self.hold(not stays, f"leaves theta where it is (group {name})")

    def test_touches_nothing_else(self) -> None:
        """It touches no weight of the network, nor the gradients that it is handed, nor the groups."""
        names = {"space": "tiny", "updater": self.component}
        with searching(self.found(), names, sets=(*SMALL, *self.typed())) as found:
            watched = Watched(updater=found.search.updater, network=found.phase.network)
            found.search.updater = watched
            groups = dict(found.search.state.groups)
            found.trainer.start(found.phase)
            # What the engine refuses to take from a part has checks of its own.
            with suppress(PluginError):
                for _ in range(STEPS):
                    found.trainer.step()
            touched = [*watched.touched]
            if groups != found.search.state.groups:
                touched.append("the choice groups")
        self.hold(not touched, f"changes what is not its own: {', '.join(dict.fromkeys(touched))}")

    def test_leaves_masked_and_dead_entries_alone(self) -> None:
        """Entries that are masked or dead never move, whatever gradient they get, or momentum they had."""
        groups = masked()
        trial = begun(self.made(), groups, state=state_of(groups, dead={"masked": [(1, 1)]}))
        slopes = scattered(groups, 5)
        trial.steps(slopes, STEPS)
        theta = trial.state.theta["masked"].detach()
        self.hold((theta[~trial.state.alive["masked"]] == 0).all(), "moves entries that are masked or dead")
        # Now one that has a momentum.
        trial.state.alive["masked"][1, 0] = False
        before, out = theta.clone(), ~trial.state.alive["masked"]
        trial.steps(slopes, STEPS)
        self.hold(same(theta[out], before[out]), "moves entries that died, as it remembers them")

    def test_never_revives(self) -> None:
        """It only ever takes entries out, and leaves as many of each segment as must survive."""
        groups = unlike_in_keep()
        state = state_of(groups, dead={"first": [(1, 1)]})
        before = {name: alive.clone() for name, alive in state.alive.items()}
        trial, slopes = begun(self.made(), groups, state=state), scattered(groups, 6)
        for _ in range(UPDATES):
            trial.step(slopes)
            for name, alive in trial.state.alive.items():
                self.hold(not (alive & ~before[name]).any(), f"revives entries that were out (group {name})")
            before = trial.alive()
        for name, one in groups.items():
            left = trial.state.segments(name)
            for segment in range(1 + int(torch.tensor(one.segments).max())):
                count = int((left == segment).sum())
                text = f"leaves {count} of a segment of which {one.keep} must survive"
                self.hold(count >= one.keep, text)

    def test_fits_groups_of_every_size(self) -> None:
        """It serves one decision and many of different size at once, and ranks each group as if alone."""
        groups = unlike()
        slopes = scattered(groups, 7)
        together = dict(self._ranks(groups, slopes))
        for name, one in groups.items():
            alone = dict(self._ranks({name: one}, {name: slopes[name]}))
            text = f"ranks a group otherwise when groups of other sizes stand beside it (group {name})"
            self.hold(together[name] == alone[name], text)

    def _ranks(
        self, groups: Mapping[str, ChoiceGroup], slopes: Mapping[str, Tensor]
    ) -> Iterator[tuple[str, list[int]]]:
        trial = begun(self.made(), groups)
        trial.steps(slopes, STEPS)
        for name, theta in trial.theta().items():
            self.hold(
                torch.isfinite(theta).all(), f"makes theta infinite in a group of another size ({name})"
            )
            segments = trial.state.segments(name)
            mixture = segment_softmax(theta, segments)
            yield name, list(leaders(mixture, segments).values())


def unlike_in_keep() -> dict[str, ChoiceGroup]:
    """Return two groups of one size, of one of which two must survive."""
    groups = alike()
    return {**groups, "second": evolve(groups["second"], keep=2)}


@define(kw_only=True)
class Watched:
    """An updater in a search, with an eye on what lies around it."""

    updater: Any
    network: Module
    touched: list[str] = field(factory=list)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the updater has
        """Return what the updater has."""
        return getattr(self.updater, name)

    def step(self, state: ArchitectureState, gradients: Gradients) -> None:
        """Make its step, and note what changed that must not; what it returns is another check's affair."""
        weights = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        handed = {kind: value.clone() for kind, value in _tensors(gradients)}
        self.updater.step(state, gradients)
        now = self.network.state_dict()
        changed = [name for name, value in weights.items() if not same(value, now[name])]
        self.touched += [f"the weights {name}" for name in changed[:1]]
        self.touched += [kind for kind, value in _tensors(gradients) if not same(value, handed[kind])]


def _tensors(gradients: Gradients) -> Iterator[tuple[str, Tensor]]:
    for kind in ("theta", "mixture", "penalty"):
        for name, value in (getattr(gradients, kind) or {}).items():
            yield f"the gradient of {kind} that it was handed ({name})", value
