"""The checks of spaces."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Final

import torch
from torch.nn import functional

from nascore.config import merge, wrap
from nascore.description import choose, derive, dump, expand, final, fingerprint, load
from nascore.errors import DescriptionError, NascoreError, Origin, error_line
from nascore.nn import compile as compiled
from nascore.nn import costs
from nascore.nn.compiler import build
from nascore.testing.choices import generator
from nascore.testing.conformance import NotExaminedError
from nascore.testing.dataset import FACTS, KINDS
from nascore.testing.part import PartConformance, seeded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from torch import Tensor

    from nascore.config import Node
    from nascore.contract import DataFacts
    from nascore.description import Catalogue, Description, Op, Picks, Wire
    from nascore.nn import Costs, Network


DRAWS = 2
SIZE = (FACTS.height, FACTS.width)


class SpaceDerived(PartConformance):
    """Checks of architectures that are drawn at random from the space."""

    def catalogue(self) -> Catalogue:
        """Return the installed operations."""
        return self.found().operations()

    def test_what_is_found_can_be_built(self) -> None:
        """Every architecture derived by the space's group rules is a closed network that produces logits."""
        for _description, _picks, found in self._drawn():
            self.hold(not found.is_open, "derives an architecture that still has open choices")
            given = forwarded(final(found), self.catalogue(), FACTS)
            shape = (len(given), FACTS.classes)
            text = f"derives a network with logits of shape {tuple(given.shape)}, not {shape}"
            self.hold(tuple(given.shape) == shape, text)

    def test_classifies_one_image_at_a_time(self) -> None:
        """In evaluation mode, a derived network gives an image the same logits alone and in a batch."""
        without = random_operations(self.made().describe(FACTS), self.catalogue())
        for _description, _picks, found in self._drawn(without):
            difference = batch_difference(found, self.catalogue(), FACTS)
            text = (
                f"derives a network whose logits for an image alone and in a batch differ by {difference:.2g}"
            )
            self.hold(difference <= CLOSE, text)

    def test_costs_add_up(self) -> None:
        """The costs of the choices add up to the costs of the derived network."""
        whole: Costs | None = None
        compared = False
        for description, picks, found in self._drawn():
            if len(expand(found).feature_maps) != len(expand(description).feature_maps):
                continue
            compared = True
            whole = whole or costs(description, self.catalogue(), SIZE)
            added = whole.of(picks)
            counted = costs(found, self.catalogue(), SIZE)
            # Counted in the network too, since costs are computed once for each operation.
            params = self._params(found)
            same = (added.params, added.macs) == (params, counted.macs)
            text = f"derives a network of {params} parameters, but its choices add up to {added.params}"
            self.hold(same, text)
        if not compared:
            raise NotExaminedError("deriving removes nodes, so that costs cannot be compared")

    def test_is_fixed_if_it_says_so(self) -> None:
        """If it declares `fixed`, each architecture has its own text, from which a notation reads it."""
        if not self.provides("fixed"):
            return
        texts: dict[str, str] = {}
        for _description, _picks, found in self._drawn():
            trained = final(found)
            text = self._text(trained)
            self.hold(text, "declares fixed, but no installed notation can write its architectures")
            mark = fingerprint(trained)
            self.hold(
                texts.setdefault(text, mark) == mark,
                f"declares fixed, but two of its architectures have the text {text}",
            )

    def _drawn(self, without: Collection[Op] = ()) -> Iterator[tuple[Description, Picks, Description]]:
        """Yield random architectures; the operations in `without` are kept only if there are no others."""
        description = self.made().describe(FACTS)
        layouts = expand(description).layouts
        for seed in range(DRAWS):
            random = Random(seed)  # noqa: S311 - nothing secret
            strength = {
                name: [[random.random() - (op in without) for op in layout.ops] for _ in layout.rows]
                for name, layout in layouts.items()
            }
            picks = choose(description, strength)
            yield description, picks, derive(description, picks)

    def _params(self, found: Description) -> int:
        with torch.device("meta"):
            network = compiled(found, self.catalogue())
        return sum(each.numel() for each in network.parameters())

    def _text(self, found: Description) -> str:
        """Return the text of an architecture in a notation that can also read it; empty if there is none."""
        return next(filter(None, (self._by(name, found) for name in self.found().translators())), "")

    def _by(self, name: str, found: Description) -> str:
        translator = self.found().translators()[name]
        try:
            text = translator.to_text(found)
            # A notation contains neither depth nor width, so texts are compared.
            return text if translator.to_text(translator.from_text(text)) == text else ""
        except DescriptionError:
            return ""


CALLS = 3


class SpaceConformance(SpaceDerived):
    """The checks of a space: it gives a valid description for any data, the same on every call.

    It is examined with its settings at the scale ``mini``.
    """

    slot: ClassVar[str] = "space"
    largest: ClassVar[float] = 32

    @classmethod
    def given(cls) -> Node:
        """Return its settings at the scale `mini`, overridden by its example and those of the class."""
        mini = wrap(cls.declared().mini, Origin(kind="scale", who="mini"))
        return merge(mini, super().given())

    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Return the fingerprint of its description, and the choices of each group."""
        del seed
        description = part.describe(FACTS)
        layouts = expand(description, self.catalogue()).layouts
        masks = {f"choices of {name}": torch.tensor(layout.mask) for name, layout in layouts.items()}
        return {"description": torch.tensor(list(fingerprint(description).encode())), **masks}

    def test_describes_the_same_each_time(self) -> None:
        """It gives the same description on every call, for the same data."""
        part, texts = self.made(), []
        for one in (*(part,) * CALLS, self.made()):
            with seeded():
                texts.append(dump(one.describe(FACTS)))
        self.hold(len(set(texts)) == 1, "gives another description when it is called again")

    def test_leaves_a_choice(self) -> None:
        """Its description has open choices, with at least two candidates in each group."""
        description = self.made().describe(FACTS)
        self.hold(description.is_open, "gives a description without open choices")
        for name, layout in expand(description, self.catalogue()).layouts.items():
            self.hold(max(map(sum, layout.mask)) > 1, f"has a group with a single candidate ({name})")

    def test_fits_the_data(self) -> None:
        """It fits other channels, image sizes and numbers of classes, or refuses them with a reason."""
        part = self.made()
        for kind in KINDS:
            what = f"{kind.channels} x {kind.height} x {kind.width} and {kind.classes} classes"
            try:
                given = forwarded(part.describe(kind), self.catalogue(), kind)
            except NascoreError as error:
                # A space may refuse unusual data, but not a usual size.
                self.hold(kind != FACTS, f"refuses images of {what}: {error_line(error)}")
            except Exception as error:  # noqa: BLE001 - whatever breaks in the network that it described
                self.hold(holds=False, text=f"fails with images of {what}: {error_line(error)}")
            else:
                self._gives_logits(given, kind, what)

    def test_its_network_trains(self) -> None:
        """A step of its supernet changes weights and gives each group a finite gradient that is not zero."""
        description = self.made().describe(FACTS)
        before, after, slopes = one_step(description, self.catalogue(), FACTS)
        self.hold(before != after, "has a network that does not change in a training step")
        self.hold(abs(after) < float("inf"), f"has a network whose loss after one step is {after}")
        for name, slope in slopes.items():
            useful = torch.isfinite(slope).all() and (slope != 0).any()
            self.hold(useful, f"has a choice group whose gradient is zero or not finite ({name})")

    def test_survives_yaml(self) -> None:
        """Its description is the same after it was written as YAML and read again."""
        description = self.made().describe(FACTS)
        again = load(dump(description), catalogue=self.catalogue())
        same = again == description and fingerprint(again) == fingerprint(description)
        self.hold(same, "gives a description that changes when it is written as YAML and read again")

    def test_excludes_if_it_says_so(self) -> None:
        """It declares `excludes` exactly if some of its groups never keep an operation."""
        description = self.made().describe(FACTS)
        excludes = any(group.never for group in description.groups.values())
        declared = self.provides("excludes")
        self.hold(declared or not excludes, "never keeps some operations, but does not declare excludes")
        self.hold(excludes or not declared, "declares excludes, but may keep every operation")

    def _gives_logits(self, given: Tensor, kind: DataFacts, what: str) -> None:
        shape = (len(given), kind.classes)
        text = f"gives logits of shape {tuple(given.shape)} for images of {what}, not {shape}"
        self.hold(tuple(given.shape) == shape, text)


IMAGES = 2
RATE = 0.05


def forwarded(description: Description, catalogue: Catalogue, kind: DataFacts) -> Tensor:
    """Return the logits of the network for a few random images, in training mode.

    Args:
        description: An open or closed description.
        catalogue: The operations that it may name.
        kind: The facts of the data set.
    """
    with seeded(), torch.no_grad():
        network = compiled(description, catalogue, execution="fused").train()
        images = torch.rand(IMAGES, kind.channels, kind.height, kind.width)
        return _logits(network, images, _even(network) if description.is_open else None)


def one_step(
    description: Description, catalogue: Catalogue, kind: DataFacts
) -> tuple[float, float, dict[str, Tensor]]:
    """Make one step of gradient descent on the weights of a supernet with an even mixture.

    Returns:
        The loss before and after it, and by group the gradient of the mixture [E, O].
    """
    with seeded():
        network = compiled(description, catalogue, execution="fused").train()
    images = torch.rand(IMAGES, kind.channels, kind.height, kind.width, generator=generator(0))
    labels = torch.arange(IMAGES) % kind.classes
    mixture = {name: weights.requires_grad_() for name, weights in _even(network).items()}
    weights = list(network.parameters())

    def loss() -> Tensor:
        # Random operations must not make the two losses differ.
        with seeded():
            return functional.cross_entropy(_logits(network, images, mixture), labels)

    before = loss()
    found = torch.autograd.grad(before, [*weights, *mixture.values()], allow_unused=True)
    with torch.no_grad():
        for weight, slope in zip(weights, found, strict=False):
            if slope is not None:
                weight.sub_(RATE * slope)
        after = loss()
    slopes = (
        torch.zeros_like(leaf) if slope is None else slope
        for leaf, slope in zip(mixture.values(), found[len(weights) :], strict=True)
    )
    return float(before.detach()), float(after), dict(zip(mixture, slopes, strict=True))


def _even(network: Network) -> dict[str, Tensor]:
    return {
        name: torch.full((shape.rows, shape.columns), 1 / shape.columns)
        for name, shape in network.groups.items()
    }


def _logits(network: Network, images: Tensor, mixture: dict[str, Tensor] | None) -> Tensor:
    given = network(images, mixture)
    logits: Tensor = given if isinstance(given, torch.Tensor) else given[0]
    return logits


CLOSE: Final = 1e-5
"""Largest difference of logits that counts as equal, as a share of the largest logit, or of 1."""
BATCH_IMAGES: Final = 4
OPEN_GATE: Final = 0.5


def batch_difference(description: Description, catalogue: Catalogue, kind: DataFacts) -> float:
    """Return the difference between the logits of single images and of the same images in a batch.

    The network is in evaluation mode, after a pass over other images in training mode. Its gates are open.

    Args:
        description: A closed description.
        catalogue: The operations that it may name.
        kind: The facts of the data set.

    Returns:
        The largest difference, as a share of the largest logit, or of 1 if all logits are smaller.
    """
    shape = (2 * BATCH_IMAGES, kind.channels, kind.height, kind.width)
    seen, images = torch.rand(shape, generator=generator(0)).chunk(2)
    with seeded(), torch.no_grad():
        network = compiled(description, catalogue)
        for gate in network.gates.values():
            gate.fill_(OPEN_GATE)
        network.train()(seen)
        network.eval()
        together = network(images)
        alone = torch.cat([network(image[None]) for image in images])
    return float((alone - together).abs().max() / together.abs().max().clamp_min(1))


def random_operations(description: Description, catalogue: Catalogue) -> set[Op]:
    """Return the candidates of an open description that draw random numbers in evaluation mode."""
    wires = [
        wire for state in expand(description, catalogue).feature_maps for wire in state.wires if wire.group
    ]
    first = {op: wire for wire in reversed(wires) for op in wire.ops}
    return {op for op, wire in first.items() if _is_random(op, wire, description, catalogue)}


def _is_random(op: Op, wire: Wire, description: Description, catalogue: Catalogue) -> bool:
    x = torch.rand(1, wire.c_in, BATCH_IMAGES, BATCH_IMAGES, generator=generator(0))
    with seeded(), torch.no_grad():
        module = build(op, wire, description, catalogue).eval()
        return not torch.equal(module(x), module(x))
