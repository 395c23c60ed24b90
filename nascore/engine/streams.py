"""Random generators of a run, one for each purpose; torch's global generators are never used."""

from __future__ import annotations

from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import torch

from nascore.nn.randomness import redirect_draws, use_generators

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Generator, Tensor

Noise = dict[str, "Tensor"]
"""States of the network's generators, by type of device."""


class Streams:
    """Generators by name, each seeded with the SHA-256 of (seed, name), so a new name affects no other.

    A network draws (dropout, drop path, noise operations) from the generators of :meth:`network`, not from
    torch's global ones, which other threads use.

    Args:
        seed: Seed of the run, or of the job as ``RUN/JOB``.
        device: The device of the network.
    """

    def __init__(self, seed: int | str, device: torch.device | str = "cpu") -> None:
        self.seed = str(seed)
        self.device = torch.device(device)
        self._generators: dict[str, Generator] = {}
        kinds = {"cpu": torch.device("cpu"), self.device.type: self.device}
        seeds = self._seed_of("global")
        self._network = {kind: torch.Generator(at).manual_seed(seeds) for kind, at in kinds.items()}

    def __getitem__(self, name: str) -> Generator:
        """Return the generator of this name, on the CPU."""
        if name not in self._generators:
            self._generators[name] = torch.Generator().manual_seed(self._seed_of(name))
        return self._generators[name]

    @property
    def noise(self) -> Noise:
        """States of the network's generators, by device type."""
        return {kind: generator.get_state() for kind, generator in self._network.items()}

    @contextmanager
    def initial(self) -> Iterator[None]:
        """Make modules that are built inside draw their initial weights from the stream ``weights``."""
        with redirect_draws({"cpu": torch.Generator().manual_seed(self._seed_of("weights"))}):
            yield

    @contextmanager
    def network(self, replay: Noise | None = None) -> Iterator[None]:
        """Make a network that runs inside draw from its own stream.

        Args:
            replay: States from which to draw instead; the stream does not advance then.
        """
        generators = self._network
        if replay is not None:
            generators = {kind: torch.Generator(one.device) for kind, one in generators.items()}
            for kind, generator in generators.items():
                generator.set_state(replay[kind])
        with use_generators(generators):
            yield

    def repeated(self) -> Repeated:
        """Return an object whose passes all draw the same random numbers."""
        return Repeated(self)

    def state_dict(self) -> dict[str, Any]:
        """Return the states of all generators that were used, and of the network's generators."""
        states = {name: generator.get_state() for name, generator in self._generators.items()}
        return {"generators": states, "network": self.noise}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load a state; call this last, since building objects draws random numbers."""
        # In place, since batches and other objects hold references to the generators.
        for name, generator in self._generators.items():
            generator.manual_seed(self._seed_of(name))
        for name, saved in state["generators"].items():
            self[name].set_state(saved)
        for kind, saved in state["network"].items():
            self._network[kind].set_state(saved)

    def _seed_of(self, name: str) -> int:
        digest = sha256(f"{self.seed}\n{name}".encode()).digest()
        return int.from_bytes(digest[:8], "little") >> 1  # torch takes 63 bits without a sign


class Repeated:
    """Repeats the random numbers of a pass, since a finite difference of two noisy losses is mostly noise."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._start: Noise | None = None

    @contextmanager
    def again(self) -> Iterator[None]:
        """Run a pass: the first one draws from the network's stream, later ones repeat its numbers."""
        replay = self._start
        if replay is None:
            self._start = self._streams.noise
        with self._streams.network(replay):
            yield
