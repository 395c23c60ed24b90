"""The updater of DARTS: Adam on the architecture parameters (arXiv 1806.09055, section 3.3, and the code)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.optim import Adam

from nascore.nn import Descent

if TYPE_CHECKING:
    from nascore_darts import UpdaterSettings


class Updater(Descent):
    """Adam with coupled weight decay on the gradient of the loss with respect to theta.

    As in the authors' code, the decay is added to the gradient (torch.optim.Adam, not AdamW). Edges are
    ranked by the mixture, after the softmax.
    """

    def __init__(self, settings: UpdaterSettings) -> None:
        super().__init__(
            lambda thetas: Adam(
                thetas,
                lr=settings.lr,
                betas=(settings.beta1, settings.beta2),
                weight_decay=settings.weight_decay,
            )
        )
