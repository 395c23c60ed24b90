"""A small open network, and a phase on it, for tests of the engine alone."""

from __future__ import annotations

import torch
from torch import nn

from nascore.builtin.alternating import Alternating
from nascore.builtin.components import AlternatingSettings, SoftmaxSettings
from nascore.builtin.relaxations import Softmax
from nascore.contract import DataFacts, Phase
from nascore.description import ChoiceGroup, Op
from nascore.engine.batches import Batches
from nascore.engine.forward import measure
from nascore.engine.phase_factory import ArchitectureSearch
from nascore.engine.streams import Streams
from nascore.nn import ArchitectureState, Classification, Examples
from nascore.nn.randomness import current_generators, redirect_draws

FACTS = DataFacts(
    channels=1,
    height=6,
    width=6,
    classes=3,
    train=60,
    test=12,
    mean=(0.5,),
    std=(0.25,),
    crop_pad=1,
    flip=True,
)


def accuracy(network, examples, facts, streams, mixture=None):
    """Return the share of images that a network classifies correctly."""
    return measure(network, examples, facts, streams, mixture, task=Classification())[0].value


NAMES = ("zero", "conv", "noise")
GROUP = ChoiceGroup(
    rows=(("network", "n0", "stem"), ("network", "n1", "n0")),
    ops=tuple(Op(name) for name in NAMES),
    mask=((True, True, True), (True, True, False)),
    segments=((0, 0, 0), (1, 1, -1)),
    replicas=1,
)


class Toy(nn.Module):
    """Two places, each with zero, a convolution and noise; batch norm keeps running statistics."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.convs = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1, bias=False) for _ in range(2))
        self.norms = nn.ModuleList(nn.BatchNorm2d(4) for _ in range(2))
        self.head = nn.Linear(4, 3)
        self.ran = []

    def forward(self, images, mixture=None, *, alive=None, drop_path=0.0):
        del drop_path
        self.ran = []
        x = self.stem(images)
        for place in range(2):
            x = x + self._mixed(place, x, mixture, alive)
        return self.head(x.mean((2, 3)))

    def _mixed(self, place, x, mixture, alive):
        if mixture is None:
            return self.norms[place](self.convs[place](x))
        u, total = mixture["g"], torch.zeros_like(x)
        u = u[0] if u.dim() == 4 else u
        for column in range(3):
            if alive is None or alive["g"][place][column]:
                self.ran.append((place, column))
                total = total + u[..., place, column].reshape(-1, 1, 1, 1) * self._op(place, column, x)
        return total

    def _op(self, place, column, x):
        if column == 0:
            return 0 * x
        if column == 1:
            return self.norms[place](self.convs[place](x))
        with redirect_draws(current_generators()):
            return torch.randn_like(x)


class Follower:
    """Gradient descent on theta by whichever gradient is asked for; keeps what it got."""

    def __init__(self, gradient="theta", granularity="batch", lr=0.5):
        self.gradient, self.granularity, self.lr = gradient, granularity, lr
        self.got, self.steps = [], 0

    def start(self, state, horizon, generator):
        del state, generator
        self.horizon = horizon

    def step(self, state, gradients):
        self.got.append(gradients)
        self.steps += 1
        for name, theta in state.theta.items():
            slope = (gradients.theta or gradients.mixture)[name]
            slope = slope.sum((0, 1)) if slope.dim() == 4 else slope
            with torch.no_grad():
                theta.sub_(self.lr * slope * state.alive[name])

    def strength(self, state, expected):
        return {name: value * state.alive[name] for name, value in expected.items()}

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


def examples(count=60, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    images = torch.rand((count, 1, 6, 6), generator=generator) * 0.5 + labels.view(-1, 1, 1, 1) * 0.25
    return Examples(images=images, labels=labels)


def toy_phase(*, updater=None, seed=0, warm_up=0, epochs=3, regularizers=(), stateful=()):
    """Return a phase of 6 steps an epoch on halves of 30 images."""
    streams = Streams(seed)
    with streams.initial():
        network = Toy().train()
    theta = torch.tensor([[0.1, -0.2, 0.3], [0.2, 0.1, 0.0]], requires_grad=True)
    state = ArchitectureState(groups={"g": GROUP}, theta={"g": theta})
    search = ArchitectureSearch(
        state=state,
        relaxation=Softmax(SoftmaxSettings()),
        updater=updater or Follower(),
        regularizers=regularizers,
        stateful=frozenset(stateful),
    )
    data = examples()
    parts = {"train": slice(0, 30), "architecture": slice(30, 60)}
    batches = {
        name: Batches(
            Examples(images=data.images[part], labels=data.labels[part]),
            FACTS,
            size=5,
            order=streams[f"batches/{name}"],
            noise=streams[f"augment/{name}"],
        )
        for name, part in parts.items()
    }
    phase = Phase(
        name="search",
        network=network,
        batches=batches,
        steps=6 * epochs,
        steps_per_epoch=6,
        warm_up=warm_up,
        streams=streams,
        search=search,
    )
    search.updater.start(state, phase.horizon(), streams["updater"])
    return phase


def started(phase, **settings):
    toy = {"epochs": 3, "batch": 5, "lr": 0.05, "lr_min": 0.0}
    trainer = Alternating(AlternatingSettings(**{**toy, **settings}))
    trainer.start(phase)
    return trainer


def everything(network):
    """Return parameters and buffers as they are now."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
