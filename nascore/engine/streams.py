"""Random generators: each purpose has its own, and those of torch are never used."""

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
    """Generators by name, each seeded from the SHA-256 of (seed, name): adding a consumer moves no other.

    What a network draws while it runs (dropout, drop path, noise operations) comes from generators that
    :meth:`network` lends to it. torch's global ones, from which other threads draw, are left alone.

    Args:
        seed: Seed of the run, or of the job as ``RUN/JOB``.
        device: Where the network runs.
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
        """Where the network's own random numbers stand."""
        return {kind: generator.get_state() for kind, generator in self._network.items()}

    @contextmanager
    def initial(self) -> Iterator[None]:
        """Let what is built inside draw its first weights from the stream ``weights``."""
        with redirect_draws({"cpu": torch.Generator().manual_seed(self._seed_of("weights"))}):
            yield

    @contextmanager
    def network(self, replay: Noise | None = None) -> Iterator[None]:
        """Let a network run inside draw from its own stream.

        Args:
            replay: Draw from here on instead, and leave the stream where it is.
        """
        generators = self._network
        if replay is not None:
            generators = {kind: torch.Generator(one.device) for kind, one in generators.items()}
            for kind, generator in generators.items():
                generator.set_state(replay[kind])
        with use_generators(generators):
            yield

    def repeated(self) -> Repeated:
        """Return passes that all draw the same random numbers for the network."""
        return Repeated(self)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every generator that was used, and of the network's."""
        states = {name: generator.get_state() for name, generator in self._generators.items()}
        return {"generators": states, "network": self.noise}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state; load it last, since building objects draws."""
        # In place: batches and others hold the generators themselves.
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
    """The same random numbers for every pass of a kind: a finite difference of noise is mostly noise."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._start: Noise | None = None

    @contextmanager
    def again(self) -> Iterator[None]:
        """Run a pass: the first one draws from the network's stream, later ones draw the same again."""
        replay = self._start
        if replay is None:
            self._start = self._streams.noise
        with self._streams.network(replay):
            yield
