"""The checks of regularizers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch

from nascore.config import settings_of
from nascore.contract import Horizon
from nascore.nn import Costs, GroupCosts, segment_softmax
from nascore.testing.choices import alike, generator, masked, scattered, state_of, unlike, varying
from nascore.testing.conformance import NotExaminedError
from nascore.testing.part import OptionalMethods, reread, same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from nascore.description import ChoiceGroup
    from nascore.nn import ArchitectureState

WEIGHT = "weight"
FREE = "not relaxation.normalized"
ON_THETA = "not updater.mixture-gradient"
CLOSE = 1e-4
MIDWAY = 0.5
"""The progress of most checks: a penalty that grows or falls is not zero there."""
COURSE = (0.0, 0.25, MIDWAY, 1.0)
"""Shares of the architecture steps that are done."""
BATCH = 4
STEPS, MIDDLE = 6, 3
"""Steps on thetas that vary, and after how many of them the state is taken."""


class RegularizerConformance(OptionalMethods):
    """The checks of a regularizer, a differentiable scalar function of live entries of theta and mixture."""

    slot: ClassVar[str] = "regularizer"

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Penalise two groups, and differentiate by theta."""
        groups = alike()
        state = state_of(groups, theta=scattered(groups, seed))
        penalty = self._penalty(part, state)
        return {"penalty": penalty.detach(), **self._slopes(penalty, state)}

    def test_gives_a_scalar(self) -> None:
        """Its penalty is one number, finite, whatever the groups are like."""
        groups = unlike()
        for chosen in (groups, {"narrow": groups["narrow"]}):
            penalty = self._penalty(self.made(), state_of(chosen, theta=scattered(chosen, 0)))
            self.hold(isinstance(penalty, torch.Tensor) and penalty.dim() == 0, "gives no scalar tensor")
            self.hold(torch.isfinite(penalty), f"gives the penalty {float(penalty.detach())}")

    def test_has_a_gradient(self) -> None:
        """Its gradient reaches theta and, unless it refuses updaters that follow the mixture, the mixture."""
        groups = alike()
        state = state_of(groups, theta=scattered(groups, 1))
        slopes = self._slopes(self._penalty(self.made(), state), state)
        self._reaches(slopes, "theta", state)
        if self.needs(ON_THETA):
            return
        drawn, expected = self._mixtures(state)
        leaves = {name: value.detach().requires_grad_() for name, value in expected.items()}
        held = leaves if drawn is expected else {name: value.detach() for name, value in drawn.items()}
        penalty = self._started(self.made(), state).penalty(state, held, leaves, MIDWAY)
        self._reaches(_gradients(penalty, leaves), "the mixture", state)

    def test_is_nothing_without_weight(self) -> None:
        """With weight 0 the penalty and its gradient are zero."""
        self._weighed()
        groups = alike()
        state = state_of(groups, theta=scattered(groups, 2))
        penalty = self._penalty(self.made(weight=0.0), state)
        self.hold(
            float(penalty.detach()) == 0, f"gives the penalty {float(penalty.detach()):g} with weight 0"
        )
        pulls = any(bool((slope != 0).any()) for slope in self._slopes(penalty, state).values())
        self.hold(not pulls, "pulls at theta with weight 0")

    def test_grows_with_its_weight(self) -> None:
        """Doubling the weight doubles the gradient."""
        self._weighed()
        groups = alike()
        state = state_of(groups, theta=scattered(groups, 3))
        once, twice = (self._slopes(self._penalty(self.made(weight=at), state), state) for at in (0.25, 0.5))
        for name, slope in once.items():
            linear = torch.allclose(2 * slope, twice[name], rtol=CLOSE, atol=1e-7)
            self.hold(linear, f"does not pull twice as much with twice the weight (group {name})")

    def test_stays_finite(self) -> None:
        """Penalty and gradient are finite where theta is huge, and where the mixture is all but decided."""
        groups = alike()
        for size in (0.0, 1e4):
            state = state_of(groups, theta=scattered(groups, 4, size=size))
            penalty = self._penalty(self.made(), state)
            finite = torch.isfinite(penalty) and all(
                bool(torch.isfinite(slope).all()) for slope in self._slopes(penalty, state).values()
            )
            self.hold(finite, f"is not finite where theta is as large as {size:g}")

    def test_ignores_what_is_out(self) -> None:
        """Entries that are masked or dead take no part: neither in the penalty nor in its gradient."""
        groups, dead = masked(), {"masked": [(1, 1)]}
        theta = scattered(groups, 5)
        other = {name: value.clone() for name, value in theta.items()}
        state = state_of(groups, theta=theta, dead=dead)
        out = state.segments("masked") < 0
        other["masked"][out] += 3.0
        moved = state_of(groups, theta=other, dead=dead)
        one, two = (self._penalty(self.made(), each) for each in (state, moved))
        self.hold(same(one.detach(), two.detach()), "penalises entries that are masked or dead")
        slope = self._slopes(one, state)["theta of masked"]
        self.hold((slope[out] == 0).all(), "pulls at entries that are masked or dead")

    def test_changes_nothing(self) -> None:
        """It changes neither theta nor the mixture that it is handed."""
        groups = alike()
        state = state_of(groups, theta=scattered(groups, 6))
        part = self._started(self.made(), state)
        drawn, expected = self._mixtures(state)
        handed = (*state.theta.values(), *drawn.values(), *expected.values())
        before = [value.detach().clone() for value in handed]
        part.penalty(state, drawn, expected, MIDWAY)
        unchanged = all(same(one, other.detach()) for one, other in zip(before, handed, strict=True))
        self.hold(unchanged, "changes theta or the mixture that it is handed")

    def test_anneals_if_it_says_so(self) -> None:
        """Its penalty is finite at any progress, and depends on it if and only if it declares `anneals`."""
        groups = alike()
        state = state_of(groups, theta=scattered(groups, 8))
        found = [self._penalty(self.made(), state, progress).detach() for progress in COURSE]
        for progress, penalty in zip(COURSE, found, strict=True):
            self.hold(
                torch.isfinite(penalty), f"gives the penalty {float(penalty)} at the progress {progress:g}"
            )
        constant = all(same(found[0], penalty) for penalty in found)
        if self.provides("anneals"):
            self.hold(not constant, "declares anneals, and its penalty is the same at any progress")
        else:
            self.hold(constant, "has a penalty that depends on the progress, and does not declare anneals")

    def test_resumes_in_mid_run(self) -> None:
        """All that it remembers from step to step is in its `state_dict`; else it remembers nothing."""
        groups = alike()
        steps = [state_of(groups, theta=varying(groups, 7, number)) for number in range(STEPS)]
        first, second = (self._started(self.made(), steps[0]) for _ in range(2))
        for number, state in enumerate(steps[:MIDDLE]):
            first.penalty(state, *self._mixtures(state), number / STEPS)
        if self.callable_of(first, "stateful", self.configured()):
            second.load_state_dict(reread(first.state_dict()))
        for number, state in enumerate(steps[MIDDLE:], MIDDLE):
            given = (*self._mixtures(state), number / STEPS)
            one, other = (part.penalty(state, *given).detach() for part in (first, second))
            self.hold(
                same(one, other), "gives a different penalty after it was used, although it has no state"
            )

    def _weighed(self) -> None:
        if WEIGHT not in settings_of(self.declared().config):
            raise NotExaminedError(f"it has no setting {WEIGHT}")

    def _penalty(self, part: Any, state: ArchitectureState, progress: float = MIDWAY) -> Tensor:  # noqa: ANN401 - a plugin's class
        drawn, expected = self._mixtures(state)
        penalty: Tensor = self._started(part, state).penalty(state, drawn, expected, progress)
        return penalty

    def _started(self, part: Any, state: ArchitectureState) -> Any:  # noqa: ANN401 - the same
        part.start(state, horizon_of(state), lambda: counted(state.groups))
        return part

    def _mixtures(self, state: ArchitectureState) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return a drawn and an expected mixture with their graphs to theta, of a kind that the part fits."""
        if self.needs(FREE):
            free = {name: theta.where(state.segments(name) >= 0, 0.0) for name, theta in state.theta.items()}
            return free, free
        expected = {name: segment_softmax(theta, state.segments(name)) for name, theta in state.theta.items()}
        if not self.needs("not relaxation.deterministic"):
            return expected, expected
        # As a sampler that passes the gradient straight through.
        codes = {
            name: value.detach() == value.detach().amax(dim=1, keepdim=True)
            for name, value in expected.items()
        }
        drawn = {name: codes[name] + (value - value.detach()) for name, value in expected.items()}
        return drawn, expected

    def _slopes(self, penalty: Tensor, state: ArchitectureState) -> dict[str, Tensor]:
        return {f"theta of {name}": slope for name, slope in _gradients(penalty, state.theta).items()}

    def _reaches(self, slopes: Mapping[str, Tensor], what: str, state: ArchitectureState) -> None:
        ops = dict.fromkeys(str(op) for group in state.groups.values() for op in group.ops)
        self.hold(
            any(bool((slope != 0).any()) for slope in slopes.values()),
            f"has no gradient with respect to {what} in groups with the operations {', '.join(ops)}; if it "
            "acts only on operations that it knows by name, override this check with pytest.mark.xfail",
        )


def _gradients(penalty: Tensor, sources: Mapping[str, Tensor]) -> dict[str, Tensor]:
    if not penalty.requires_grad:
        return {name: torch.zeros_like(value) for name, value in sources.items()}
    found = torch.autograd.grad(penalty, list(sources.values()), allow_unused=True, retain_graph=True)
    pairs = zip(sources.items(), found, strict=True)
    return {name: torch.zeros_like(value) if slope is None else slope for (name, value), slope in pairs}


def horizon_of(state: ArchitectureState) -> Horizon:
    """Return the horizon of a phase of a few steps."""
    return Horizon(
        updates=STEPS,
        samples=BATCH,
        replicas={name: group.replicas for name, group in state.groups.items()},
        keep={name: group.enough() for name, group in state.groups.items()},
    )


def counted(groups: Mapping[str, ChoiceGroup]) -> Costs:
    """Return costs that differ from candidate to candidate, as those of a network do."""
    costs = {}
    for name, one in groups.items():
        shape = (one.replicas, len(one.rows), len(one.ops))
        params = torch.randint(0, 500, shape, generator=generator(len(one.rows)))
        costs[name] = GroupCosts(params=params, macs=64 * params)
    return Costs(params=1000, macs=64_000, groups=costs)
