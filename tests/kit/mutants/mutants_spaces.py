"""Spaces that are broken on purpose, beside their healthy form: a plugin for tests of the kit."""

from __future__ import annotations

import random
from functools import partial

from attrs import evolve, frozen

from nascore.api import (
    Component,
    Description,
    DescriptionError,
    Edge,
    Graph,
    Group,
    Node,
    Op,
    Operation,
    Translator,
    hookimpl,
    setting,
)

OPS = (Op("skip_connect"), Op("conv_3x3"), Op("max_pool_3x3"))


@frozen(kw_only=True)
class Width:
    channels: int = setting(4, "Width of every operation.", ge=1)


@frozen(kw_only=True)
class LyingWidth:
    channels: int = setting(4, "Width of every operation; 0 cannot be.", ge=0)


class Pair:
    """Healthy: two layers with a choice of three operations each."""

    head = Op("classifier")
    never = ()

    def __init__(self, settings):
        self.settings = settings

    def ops(self):
        return OPS

    def describe(self, facts):
        ops = self.ops()
        return Description(
            network=self.network(ops),
            groups=self.groups(ops),
            channels=self.settings.channels,
            in_channels=facts.channels,
            classes=facts.classes,
            affine=False,
            pool_norm=True,
        )

    def groups(self, ops):
        return {"layer": Group(ops=ops, never=self.never)}

    def network(self, ops):
        layers = (Node(name=name, edges=(Edge(source=-1, ops=ops, group="layer"),)) for name in ("a", "b"))
        return framed(self.head, *layers)


def framed(head, *layers):
    stem = Node(name="stem", edges=(Edge(source="images", ops=(Op("stem"),)),))
    last = Node(name="head", edges=(Edge(source=-1, ops=(head,)),), width="classes")
    return Graph(inputs=("images",), nodes=(stem, *layers, last), output="head")


class Changes(Pair):
    """Turns the candidates on with every call."""

    calls = 0

    def ops(self):
        self.calls += 1
        turn = self.calls % len(OPS)
        return OPS[turn:] + OPS[:turn]


class TenClasses(Pair):
    def describe(self, facts):
        return evolve(super().describe(facts), classes=10)


class OneSize(Pair):
    """Has a linear map of all pixels of a 32x32 image."""

    head = Op("pixels")


class Closed(Pair):
    def groups(self, ops):
        del ops
        return {}

    def network(self, ops):
        return framed(self.head, Node(name="a", edges=(Edge(source=-1, ops=ops[:1]),)))


class Excludes(Pair):
    never = OPS[:1]


class DrawsGlobally(Pair):
    def ops(self):
        return tuple(random.sample(OPS, len(OPS)))


class Unread(Pair):
    """Has a choice of which nothing comes."""

    def groups(self, ops):
        return {**super().groups(ops), "other": Group(ops=ops)}

    def network(self, ops):
        unread = Node(name="unread", edges=(Edge(source="stem", ops=ops, group="other"),))
        layers = (
            Node(name=name, edges=(Edge(source=source, ops=ops, group="layer"),))
            for name, source in (("a", "stem"), ("b", "a"))
        )
        return framed(self.head, unread, *layers)


class OneText(Pair):
    """Has a notation in which all its architectures have the same text."""

    def network(self, ops):
        layers = (Node(name=name, edges=(Edge(source=-1, ops=ops, group="layer"),)) for name in ("c", "d"))
        return framed(self.head, *layers)


class Restless(Pair):
    """Has an operation that is another each time when it is built."""

    def ops(self):
        return (Op("restless"), Op("restless", (("copy", 1),)))


class Mixes(Pair):
    """Has an operation that computes with other images of the batch."""

    def ops(self):
        return (Op("mixing"), Op("mixing", (("copy", 1),)))


class SearchOnly(Pair):
    """Has an operation that works in the supernet alone."""

    def ops(self):
        return (Op("search_only"), Op("search_only", (("copy", 1),)))


def to_same(description):
    if "c" not in {node.name for node in description.network.nodes}:
        raise DescriptionError("another network")
    return "same"


def from_same(text, **_sizes):
    del text
    layer = Node(name="c", edges=(Edge(source=-1, ops=OPS[:1]),))
    return Description(network=framed(Op("classifier"), layer), channels=4, in_channels=3, classes=10)


def component(name, build, *, config=Width, provides=()):
    return Component(
        name=name, slot="space", summary="For tests.", build=build, config=config, provides=provides
    )


HEALTHY = {
    "pair": component("pair", Pair),
    "excludes": component("excludes", Excludes, provides=("excludes",)),
}

MUTANTS = {
    "changes": (Changes, "describes_the_same_each_time"),
    "ten-classes": (TenClasses, "fits_the_data"),
    "one-size": (OneSize, "fits_the_data"),
    "closed": (Closed, "leaves_a_choice"),
    "undeclared-excludes": (Excludes, "excludes_if_it_says_so"),
    "excludes-nothing": (partial(component, build=Pair, provides=("excludes",)), "excludes_if_it_says_so"),
    "not-fixed": (partial(component, build=Pair, provides=("fixed",)), "is_fixed_if_it_says_so"),
    "draws-globally": (DrawsGlobally, "leaves_the_global_random_numbers_alone"),
    "one-text": (partial(component, build=OneText, provides=("fixed",)), "is_fixed_if_it_says_so"),
    "restless": (Restless, "costs_add_up"),
    "mixes-images": (Mixes, "classifies_one_image_at_a_time"),
    "search-only": (SearchOnly, "what_is_found_can_be_built"),
    "unread": (Unread, "its_network_trains"),
    "lying-bounds": (partial(component, build=Pair, config=LyingWidth), "its_bounds_hold"),
}


@hookimpl
def nascore_spaces():
    yield from HEALTHY.values()
    for name, (made, _check) in MUTANTS.items():
        yield made(name) if isinstance(made, partial) else component(name, made)


@hookimpl
def nascore_operations():
    yield Operation(name="pixels", build="mutants_operations:pixels", strides=None)
    yield Operation(name="restless", build="mutants_operations:restless", settings={"copy": 0})
    yield Operation(name="mixing", build="mutants_operations:mixing", settings={"copy": 0})
    yield Operation(
        name="search_only", build="mutants_operations:search_only", settings={"copy": 0, "affine": False}
    )


@hookimpl
def nascore_translators():
    yield Translator(
        name="same",
        summary="For tests.",
        to_text=to_same,
        from_text=from_same,
        recognises=lambda text: text == "same",
    )
