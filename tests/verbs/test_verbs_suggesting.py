"""From Python a refused search says as much as on the command line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import nascore
from nascore.cli import main
from nascore.errors import NascoreError
from nascore.recipe.advice.nearest_mix import UnfitError


@pytest.mark.parametrize("call", [nascore.search, nascore.search_several])
def test_a_misfit_ends_with_what_works(call, tmp_path):
    several = {"seeds": [0, 1]} if call is nascore.search_several else {}
    with pytest.raises(UnfitError) as caught:
        call(
            space="tiny",
            updater="uniform",
            relaxation="linear",
            trainer="alternating",
            dataset="synthetic",
            scale="mini",
            settings={"trainer.estimate": "unrolled"},
            growth="random",
            regularizer="entropy",
            out=tmp_path / "run",
            **several,
        )
    assert "This works" in " ".join(caught.value.__notes__) or "make it fit" in " ".join(
        caught.value.__notes__
    )


def test_what_building_shows_is_told_with_the_warnings(tmp_path):
    """A batch that is too large is refused with who asked for it, as on the command line."""
    settings = {"dataset.count": 32, "trainer.batch": 999}
    with pytest.raises(NascoreError) as caught:
        nascore.search(
            space="tiny",
            updater="sgd",
            dataset="synthetic",
            scale="mini",
            settings=settings,
            out=tmp_path / "run",
        )
    line = ["search", "--space", "tiny", "--updater", "sgd", "--dataset", "synthetic", "--scale", "mini"]
    sets = [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]
    typed = CliRunner().invoke(main, [*line, *sets, "--out", str(tmp_path / "other")])
    told = [line.strip() for line in str(caught.value).splitlines() if not line.strip().startswith("from")]
    assert told
    assert all(line in typed.output + typed.stderr for line in told)
    assert "from" in str(caught.value)
