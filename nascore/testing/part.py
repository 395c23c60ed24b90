"""The checks of every part, whatever its slot."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from contextlib import contextmanager
from difflib import get_close_matches
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import numpy as np
import torch

from nascore.capability import METHODS, undeclared
from nascore.errors import error_line
from nascore.testing.conformance import Conformance, NotConformingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor


States: TypeAlias = dict[str, bytes]


def states() -> States:
    """Return the states of the global random generators of torch, NumPy and Python."""
    _kind, numbers, place, *_rest = np.random.get_state()  # noqa: NPY002 - the global ones are meant
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": np.asarray(numbers).tobytes() + repr(place).encode(),
        "random": repr(random.getstate()).encode(),
    }


def moved(before: States) -> list[str]:
    """Return the names of the global random generators whose state has changed."""
    now = states()
    return [name for name, state in before.items() if now[name] != state]


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """Seed the global random generators inside the context, and restore their states afterwards.

    So a part that draws from them fails only the check of global random numbers.
    """
    torch_was, numpy_was, python_was = (
        torch.get_rng_state(),
        np.random.get_state(),  # noqa: NPY002 - the global ones are meant
        random.getstate(),
    )
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the same
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(torch_was)
        np.random.set_state(numpy_was)  # noqa: NPY002 - the same
        random.setstate(python_was)


class PartConformance(Conformance, ABC):
    """Checks of every part; :meth:`exercise` uses the part once.

    Attributes:
        largest: Larger bounds of settings are not tried.
    """

    largest: ClassVar[float] = 1e9

    @abstractmethod
    def exercise(self, part: Any, seed: int) -> Mapping[str, Tensor]:  # noqa: ANN401 - a plugin's class
        """Use the part once on a small example, and return its results by name.

        Args:
            part: The part, newly built.
            seed: Seed of the generators that it gets.
        """

    def test_its_defaults_work(self) -> None:
        """The part can be built with its default settings and used."""
        with seeded():
            given = self.exercise(self.made(), 0)
        self._finite(given, "gives numbers that are not finite with its default settings")

    def test_its_bounds_hold(self) -> None:
        """The part works at every bound and with every choice that its settings declare."""
        build = self.declared().builder()
        for text, settings in self.variants(largest=self.largest):
            try:
                with seeded():
                    given = self.exercise(build(settings), 0)
            except NotConformingError:
                raise
            except Exception as error:
                raised = error_line(error).rstrip(".")
                broken = f"{self.component} fails with {text}, which its settings allow: {raised}."
                raise NotConformingError(broken) from error
            self._finite(given, f"gives numbers that are not finite with {text}, which its settings allow")

    def test_leaves_the_global_random_numbers_alone(self) -> None:
        """The part draws random numbers only from the generators that it gets."""
        with seeded():
            # Use it once before: a module that is imported on first use may draw.
            self.exercise(self.made(), 0)
            before = states()
            self.exercise(self.made(), 0)
            drawn = moved(before)
        self.hold(not drawn, f"draws from the global random generator of {' and '.join(drawn)}")

    def test_repeats_itself(self) -> None:
        """The same seed gives bit-equal results."""
        given = []
        for _ in range(2):
            with seeded():
                given.append(self.exercise(self.made(), 3))
        one, other = given
        self.hold(
            one.keys() == other.keys(), "gives different results when it is used again with the same seed"
        )
        different = [name for name in one if not same(one[name], other[name])]
        self.hold(not different, f"gives a different {' and '.join(different)} for the same seed")

    def _finite(self, given: Mapping[str, Tensor], text: str) -> None:
        strange = [name for name, value in given.items() if not bool(torch.isfinite(value).all())]
        self.hold(not strange, f"{text}: {', '.join(strange)}")


def same(one: Tensor, other: Tensor) -> bool:
    """Return whether two tensors have the same shape and values; NaN equals NaN."""
    return one.shape == other.shape and bool(((one == other) | ((one != one) & (other != other))).all())  # noqa: PLR0124 - NaN


def reread(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state after saving it to a file and loading it.

    Raises:
        NotConformingError: The state contains objects other than tensors and plain values.
    """
    file = BytesIO()
    torch.save(dict(state), file)
    file.seek(0)
    try:
        loaded: dict[str, Any] = torch.load(file, weights_only=True)
    except Exception as error:
        raise NotConformingError(
            f"A state contains objects that cannot be loaded safely: {error}."
        ) from error
    return loaded


NEAR: Final = 0.7
"""The similarity from which on a name counts as a misspelt optional method."""


class OptionalMethods(PartConformance):
    """Checks of a slot whose protocol has optional methods, most of them declared as a capability.

    Attributes:
        optional: Optional methods without a capability, which belong to a wider protocol of the slot.
    """

    optional: ClassVar[tuple[str, ...]] = ()

    def test_optional_methods_are_spelt_right(self) -> None:
        """No method has nearly the name of an optional method, which would never be called."""
        own = {name for name in dir(self.made()) if not name.startswith("_")}
        declarable = (name for methods in METHODS.get(self.slot, {}).values() for name in methods)
        optional = [*dict.fromkeys((*declarable, *self.optional))]
        for name in optional:
            near = get_close_matches(name, sorted(own - {*optional}), cutoff=NEAR)
            text = f"has {', '.join(near)} but not {name}, the name that nascore calls"
            self.hold(name in own or not near, text)

    def test_declares_its_optional_methods(self) -> None:
        """The part declares exactly the optional methods that it has, with all settings."""
        declared = self.declared()
        cases = [(text, settings, declared.given(settings)) for text, settings in self.settings_tried()]
        ever = frozenset[str]().union(*(given for _, _, given in cases))
        for text, settings, given in cases:
            part: Any = declared.builder()(settings)
            for fault in undeclared(part, self.slot, given, ever):
                self.hold(False, f"{fault}{text}")  # noqa: FBT003 - as a check has it

    def callable_of(self, part: Any, capability: str, settings: Any) -> bool:  # noqa: ANN401 - a plugin's class
        """Return whether a part declares a capability with its settings, and has the methods of it.

        `test_declares_its_optional_methods` reports missing methods.
        """
        methods = METHODS[self.slot][capability]
        return capability in self.declared().given(settings) and all(hasattr(part, name) for name in methods)

    def settings_tried(self) -> Iterator[tuple[str, Any]]:
        """Yield the settings to examine with, and each variant, with a text that names it."""
        yield "", self.configured()
        for text, settings in self.variants(largest=self.largest):
            yield f" (with {text})", settings
