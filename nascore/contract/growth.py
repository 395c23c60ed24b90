"""The protocol of the slot `growth`: an outer loop that proposes architectures, wave by wave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from attrs import Factory, frozen

from nascore.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from nascore.description import Catalogue, Description, Matrix
    from nascore.gallery import Entry, Gallery


@frozen(kw_only=True)
class Proposal:
    """An architecture that a growth policy proposes; each proposal is one job of the run.

    Attributes:
        description: A closed description, which is trained and measured; or an open one, whose candidates are
            trained first, until :meth:`Growing.close` returns the architecture that is trained and measured.
            For a policy that declares `searches`, this architecture is the one that the search chooses.
        parent: The entry of the gallery from which it was made; None: none.
        inherits: Whether the network begins with the weights of its parent. If the description is open, the
            closed one also begins with the weights with which the search over its candidates ended.
        epochs: Passes over the training images for the closed description; None: those of the run.
        values: Settings by path that distinguish the proposal from others, for the gallery:
            ``{"space.cells": 8}``.
    """

    description: Description
    parent: Entry | None = None
    inherits: bool = False
    epochs: int | None = None
    values: Mapping[str, Any] = Factory(dict)


def _no_other_space(settings: Mapping[str, Any]) -> Description:
    raise RecipeError(f"the settings of this space cannot be changed: {', '.join(settings)}.")


@frozen(kw_only=True)
class History:
    """The architectures of a run at the end of a wave.

    Attributes:
        gallery: The architectures with their measurements; empty before the first wave.
        catalogue: The installed operations, by name.
        read: Returns the description of an entry.
        holds: Returns whether a closed description was trained before.
        describe: Returns the description of the space with other values of some settings.
    """

    gallery: Gallery
    catalogue: Catalogue
    read: Callable[[Entry], Description]
    holds: Callable[[Description], bool]
    describe: Callable[[Mapping[str, Any]], Description] = _no_other_space

    def description(self, entry: Entry) -> Description:
        """Return the closed description of an entry in the form in which it was trained.

        If the policy does not declare `grows`, this form differs from the proposal in size, auxiliary head
        and batch norms. :func:`~nascore.api.recover_picks` returns its picks in the space.
        """
        return self.read(entry)

    def tried(self, description: Description) -> bool:
        """Return whether a job of this run trained a closed description, or failed to train it."""
        return self.holds(description)

    def space_with(self, settings: Mapping[str, Any]) -> Description:
        """Return the description of the space with other values of some settings, for the same data.

        Args:
            settings: The values by name: ``{"cells": 8}``.

        Raises:
            RecipeError: A value is not allowed, or the space cannot be built with them.
        """
        return self.describe(settings)


class GrowthPolicy(Protocol):
    """An outer loop over architectures, in waves of jobs. It has no state but the gallery.

    Optional methods are declared as capabilities: `grows` (:class:`Growing`), `remarks` (:class:`Remarking`).
    A policy that declares `searches` may propose open descriptions in any wave. Each is searched like the
    space of a run without growth, and the resulting architecture is trained and measured.
    """

    def propose(self, space: Description, history: History, wave: int, rng: Random) -> Sequence[Proposal]:
        """Return the proposals of a wave; none if the run is over.

        A policy that searches in one supernet (capability `supernet`) proposes nothing. For any other policy
        the first wave is not empty, and its descriptions are closed, unless the policy declares `searches`.
        Proposals of one wave do not see each other's results. Before the run, a second wave is proposed for a
        history in which the initial architectures are equally good, so that errors appear before the first
        training.

        Args:
            space: The description of the space; a closed one contains one architecture, itself.
            history: The architectures at the end of the previous wave.
            wave: Number of the wave, from 1.
            rng: Random numbers that depend on the seed of the run and the wave only.

        Raises:
            RecipeError: No architecture can be made from those in the gallery; the run ends with this reason.
        """
        ...


class Growing(GrowthPolicy, Protocol):
    """A growth policy that declares `grows`: it proposes open descriptions.

    All architectures of its runs keep the size of the space, since a child inherits its parent's weights.
    """

    def close(self, opened: Description, strength: Mapping[str, Matrix]) -> Description:
        """Return the closed description with the selected candidates.

        Args:
            opened: An open description that the policy proposed.
            strength: The updater's strengths by choice group, [E, O]; 0 for dead entries.
        """
        ...


class Remarking(GrowthPolicy, Protocol):
    """A growth policy that declares `remarks`: it comments on its initial architectures."""

    def remark(self, seeds: Sequence[Description]) -> str:
        """Return a sentence for the log of the run; empty: no remark."""
        ...
