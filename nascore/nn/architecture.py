"""The architecture state: theta (alpha in DARTS) of all choice groups, and which entries are alive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from attrs import frozen

from nascore.errors import DescriptionError, Problem, did_you_mean
from nascore.nn.simplex import learn_layout
from nascore.nn.transfers import read_all, sent, version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from nascore.description import ChoiceGroup


@frozen(kw_only=True)
class _Live:
    """The live entries of a group, and the versions of their tensors: torch counts the changes of a tensor.

    Attributes:
        source: The tensor from which they were read.
        alive: Its values on the CPU.
        segments: The segments of the live entries, on the device.
        versions: The versions of the three tensors.
    """

    source: Tensor
    alive: Tensor
    segments: Tensor
    versions: tuple[int, ...]

    @classmethod
    def of(cls, source: Tensor, alive: Tensor, segments: Tensor) -> _Live:
        versions = _versions(source, alive, segments)
        return cls(source=source, alive=alive, segments=segments, versions=versions)

    def is_intact(self) -> bool:
        """Return whether nobody has changed the tensors that were worked out."""
        return _versions(self.alive, self.segments) == self.versions[1:]

    def follows(self, source: Tensor) -> bool:
        """Return whether no tensor has changed."""
        return source is self.source and _versions(source, self.alive, self.segments) == self.versions


def _versions(*tensors: Tensor) -> tuple[int, ...]:
    return tuple(map(version, tensors))


class ArchitectureState:
    """The architecture parameters of all choice groups, which belong to no module and to no optimizer.

    Args:
        groups: The choice groups with the segments of the relaxation, so that all components agree on which
            entries compete.
        theta: Start values by group, [E, O] for E edges and O operations; copied.
        alive: By group, [E, O] bool; None: every entry that the group offers.

    Attributes:
        groups: The choice groups.
        theta: By group, leaf tensors that require a gradient; updated in place and never rebound.
        alive: By group; only updaters mark entries as dead, and within a phase no entry comes back.

    Raises:
        DescriptionError: A group has no theta, or theta of another shape.
    """

    def __init__(
        self,
        *,
        groups: Mapping[str, ChoiceGroup],
        theta: Mapping[str, Tensor],
        alive: Mapping[str, Tensor] | None = None,
    ) -> None:
        _check(groups, theta)
        self.groups = dict(groups)
        self.theta = {name: theta[name].detach().clone().requires_grad_() for name in groups}
        self.alive = {name: self._offered(name) for name in groups}
        self._segments = {name: torch.tensor(group.segments, device="cpu") for name, group in groups.items()}
        self._live: dict[str, _Live] = {}
        for name, narrowed in (alive or {}).items():
            self.alive[name] &= narrowed.to(self.alive[name].device)

    def segments(self, name: str) -> Tensor:
        """Return the segment of each entry of a group, [E, O] int64; -1 where dead or not offered.

        It is the same tensor until an entry dies.
        """
        alive = self.alive[name]
        if torch.is_inference_mode_enabled():  # its tensors have no versions
            return self._segments[name].to(alive.device).where(alive, -1)
        known = self._live.get(name)
        if known is None or not known.follows(alive):
            known = self._read_changes()[name]
        return known.segments

    def alive_on_cpu(self) -> dict[str, Tensor]:
        """Return `alive` by group on the CPU, as copies that must not be changed.

        It is read only after a change, and then for all groups at once: a reading waits for all work that the
        device has queued.
        """
        if torch.is_inference_mode_enabled():
            return {name: alive.cpu() for name, alive in self.alive.items()}
        return {name: live.alive for name, live in self._read_changes().items()}

    def segments_on_cpu(self, name: str) -> Tensor:
        """Return :meth:`segments` of a group on the CPU; reads as rarely as :meth:`alive_on_cpu`."""
        return self._segments[name].where(self.alive_on_cpu()[name], -1)

    def _read_changes(self) -> Mapping[str, _Live]:
        """Return the live entries by group; reads the groups that may have changed."""
        live = self._live
        changed = [
            name for name, alive in self.alive.items() if name not in live or not live[name].follows(alive)
        ]
        for name, alive in zip(changed, read_all([self.alive[name] for name in changed]), strict=True):
            known, source = live.get(name), self.alive[name]
            if known is not None and known.is_intact() and torch.equal(known.alive, alive):
                live[name] = _Live.of(source, known.alive, known.segments)
            else:
                live[name] = _Live.of(source, alive, self._segments_of(name, alive))
        return live

    def _segments_of(self, name: str, alive: Tensor) -> Tensor:
        """Return new segments on the device, whose layout is known, for live entries on the CPU."""
        on_cpu = self._segments[name].where(alive, -1)
        segments = sent(on_cpu, self.alive[name].device)
        learn_layout(segments, on_cpu)
        return segments

    def state_dict(self) -> dict[str, Any]:
        """Return theta and alive by group, with the names of rows and columns, so their order may change."""
        return {
            name: {
                "rows": list(group.row_names()),
                "columns": list(group.column_names()),
                "theta": self.theta[name].detach().clone(),
                "alive": self.alive[name].clone(),
            }
            for name, group in self.groups.items()
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load a state in place; rows and columns are matched by name.

        Raises:
            DescriptionError: The state has other groups, rows or columns.
        """
        problems = [
            problem for name, group in self.groups.items() for problem in _mismatches(name, group, state)
        ]
        problems += [
            Problem(path=name, text="this group does not exist.", hint=did_you_mean(name, self.groups))
            for name in state.keys() - self.groups.keys()
        ]
        if problems:
            raise DescriptionError(problems)
        for name, group in self.groups.items():
            saved = state[name]
            rows = _indices(group.row_names(), saved["rows"])
            columns = _indices(group.column_names(), saved["columns"])
            with torch.no_grad():
                self.theta[name].copy_(saved["theta"][rows][:, columns])
                self.alive[name].copy_(saved["alive"][rows][:, columns])

    def _offered(self, name: str) -> Tensor:
        return torch.tensor(self.groups[name].mask, device=self.theta[name].device)


def _check(groups: Mapping[str, ChoiceGroup], theta: Mapping[str, Tensor]) -> None:
    problems = [
        Problem(
            path=name,
            text="theta is missing." if name in groups else "theta names a group that does not exist.",
        )
        for name in sorted(groups.keys() ^ theta.keys())
    ]
    for name in groups.keys() & theta.keys():
        shape = (len(groups[name].rows), len(groups[name].ops))
        if tuple(theta[name].shape) != shape:
            text = f"theta has the shape {tuple(theta[name].shape)}, not {shape}."
            problems.append(Problem(path=name, text=text))
    if problems:
        raise DescriptionError(problems)


def _mismatches(name: str, group: ChoiceGroup, state: Mapping[str, Any]) -> list[Problem]:
    if name not in state:
        return [Problem(path=name, text="the saved state does not have this group.")]
    names = {"rows": group.row_names(), "columns": group.column_names()}
    return [
        Problem(path=name, text=f"the saved state has other {kind}.")
        for kind, expected in names.items()
        if sorted(state[name][kind]) != sorted(expected)
    ]


def _indices(names: Sequence[str], saved: Sequence[str]) -> list[int]:
    return [saved.index(name) for name in names]
