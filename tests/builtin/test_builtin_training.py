"""The trainer's rule on values: a search must have something left to search in."""

from __future__ import annotations

import pytest

from nascore import search
from nascore.errors import RecipeError


@pytest.mark.parametrize("warm_up", [3, 4])
def test_a_warm_up_as_long_as_the_search_is_refused(tmp_path, warm_up):
    out = tmp_path / "run"
    settings = {"trainer.epochs": 3, "trainer.warm_up": warm_up}
    with pytest.raises(RecipeError, match="all 3 epochs are warm-up") as refused:
        search(space="tiny", updater="uniform", settings=settings, out=out)
    assert [problem.path for problem in refused.value.problems] == ["trainer.warm_up"]
    assert not out.exists()


def test_of_a_single_epoch_none_can_be_warm_up():
    with pytest.raises(RecipeError, match=r"Lower it to 0, or raise trainer\.epochs"):
        search(space="tiny", updater="uniform", settings={"trainer.epochs": 1})
