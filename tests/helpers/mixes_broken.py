"""Parts that are broken on purpose, each another way: what stands in for a part in the array of mixes."""

from __future__ import annotations

from attrs import evolve

from nascore.component import load
from nascore.description import Op
from nascore.plugin import Registry


def wrapped(change):
    """Return what makes a component's class another one, by a function of the part that was built."""

    def build(component):
        whole = load(component.build)
        return lambda settings: change(whole(settings))

    return build


def brittle(registry, name):
    """Return the registry with an operation that cannot be built in the form that is trained in the end."""

    def build(*given, affine, **settings):
        if affine:
            raise ArithmeticError("no network comes of it")
        return load(registry.operations()[name].build)(*given, affine=affine, **settings)

    return Registry(
        evolve(
            plugin,
            operations=tuple(
                evolve(one, build=build) if one.name == name else one for one in plugin.operations
            ),
        )
        for plugin in registry.plugins
    )


class Standing:
    """Stands in for a part, and does as it does but for what is overwritten."""

    def __init__(self, part):
        self.part = part

    def __getattr__(self, name):
        return getattr(self.part, name)


class LazyUpdater(Standing):
    def step(self, state, gradients):
        """Move nothing."""


class Unsaid(Standing):
    """Says that it follows nothing, and yet moves theta when it is asked for the strength."""

    def strength(self, state, expected):
        for theta in state.theta.values():
            theta.data.add_(1.0)
        return self.part.strength(state, expected)


class BrokenUpdater(Standing):
    def step(self, state, gradients):
        self.part.step(state, gradients)
        for theta in state.theta.values():
            theta.data[0, 0] = float("nan")


class LazyTrainer(Standing):
    """Makes steps, and puts the weights back."""

    def start(self, phase):
        self.network = phase.network
        self.part.start(phase)

    def step(self):
        before = {name: one.detach().clone() for name, one in self.network.named_parameters()}
        report = self.part.step()
        for name, one in self.network.named_parameters():
            one.data.copy_(before[name])
        return report


class Spoiler(Standing):
    """Trains, and as the last thing, when no loss will tell any more, spoils a weight."""

    def start(self, phase):
        self.network = phase.network
        self.left = phase.steps
        self.part.start(phase)

    def step(self):
        report = self.part.step()
        self.left -= 1
        if not self.left:
            next(iter(self.network.parameters())).data.view(-1)[0] = float("nan")
        return report


class Nowhere(Standing):
    """Says of an entry that it stands which there is not: nothing can be derived."""

    def picks(self, theta, segments, group):
        del segments, group
        return [(len(theta), 0)]


class Headless(Standing):
    """Describes a network that gives as many numbers as it has channels."""

    def describe(self, facts):
        found = self.part.describe(facts)
        nodes = [evolve(one, width=1) if one.width == "classes" else one for one in found.network.nodes]
        return evolve(found, network=evolve(found.network, nodes=tuple(nodes)))


class Sole(Standing):
    """Offers nothing but `none`, which never stands, and one operation."""

    ops = (Op("none"), Op("conv_3x3"))

    def describe(self, facts):
        found = self.part.describe(facts)
        cells = {
            name: evolve(one, nodes=tuple(map(self.node, one.nodes))) for name, one in found.cells.items()
        }
        groups = {name: evolve(one, ops=self.ops) for name, one in found.groups.items()}
        return evolve(found, cells=cells, groups=groups)

    def node(self, node):
        return evolve(node, edges=tuple(evolve(edge, ops=self.ops) for edge in node.edges))


class Unbuildable(Standing):
    """Describes nothing."""

    def describe(self, facts):
        del facts
        raise ValueError("no network comes of it")


class Ungrown(Standing):
    """Opens nothing: it takes what it begins with for the whole run."""

    def propose(self, space, history, wave, rng):
        return self.part.propose(space, history, wave, rng) if wave == 1 else ()
