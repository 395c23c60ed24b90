"""Random recipes with mistakes: every answer has an exit code, a text and no traceback."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from recipe_mutations import Mutant, Mutations
from recipe_trials import faults
from recipe_values import written

from nascore.plugin import discover
from nascore.recipe.settling.schema import recipe_schema

MUTATIONS = Mutations(recipe_schema(discover()))


@pytest.mark.needs("nascore-darts")
def test_every_mistake_is_named_and_nothing_raises(tmp_path):
    ends: Counter[tuple[str, int]] = Counter()

    # benchmarks/random_recipes.py does the same with 10,000.
    @settings(
        max_examples=300,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(mutant=MUTATIONS.any)
    def attempt(mutant):
        code, wrong = faults(mutant, tmp_path / "recipe.yaml")
        ends[mutant.kind, code] += 1
        assert wrong == []

    attempt()

    # All kinds were drawn, and it was not all refused for one reason.
    assert {kind for kind, _ in ends} == {"sound", "wrong", "twice", "noisy"}
    assert ends["sound", 0] > 0
    # 4: a preset is included whose data set no plugin here brings.
    assert {code for _, code in ends} - {4} == {0, 3}
    assert ends["wrong", 3] > ends.total() / 3


@pytest.mark.needs("nascore-darts")
def test_an_answer_that_does_not_name_the_mistake_is_found(tmp_path):
    right = Mutant(kind="wrong", text="nascore: 2\nseed: x\n", refused=("seed",))
    other = Mutant(kind="wrong", text="nascore: 2\nseed: x\n", refused=("device",))
    sound = Mutant(kind="wrong", text="nascore: 2\nspace: tiny\nupdater: uniform\n", refused=("seed",))

    assert faults(right, tmp_path / "a.yaml") == (3, [])
    assert [text.splitlines()[0] for text in faults(other, tmp_path / "b.yaml")[1]] == ["device is not named"]
    assert [text.splitlines()[0] for text in faults(sound, tmp_path / "c.yaml")[1]] == [
        "exit code 0",
        "seed is not named",
    ]


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "none", "of/none", "/dev", "loop"])
@pytest.mark.parametrize("place", ["include", "space.path"])
def test_a_path_that_cannot_be_read_is_a_mistake_like_others(name, place, tmp_path):
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    file = f"{name}.yaml"
    value = {"include": [file]} if place == "include" else {"space": {"name": "file", "path": file}}
    mutant = Mutant(
        kind="wrong", text=written({"nascore": 2, "updater": "uniform", **value}), refused=(place,)
    )

    assert faults(mutant, tmp_path / "recipe.yaml") == (3, [])
