"""What a refusal of a misfit says on the command line, and that the command which it ends with runs."""

import shlex

import pytest
from command_line import cli, done
from suggested import line_of, suggestions

pytestmark = pytest.mark.needs(
    "nascore-darts",
    "nascore-data",
    "nascore-geonas",
    "nascore-nasbench",
    "nascore-petridish",
    "nascore-xnas",
)

SMALL = {
    "dataset.count": 32,
    "dataset.size": 8,
    "dataset.classes": 3,
    "trainer.epochs": 1,
    "trainer.warm_up": 0,
    "trainer.batch": 8,
    "space.channels": 2,
    "ranking.channels": 2,
    "ranking.cells": 3,
    "ranking.epochs": 1,
    "ranking.batch": 16,
}
"""Two steps of search, and one of training."""


def smaller(found):
    """Words that make the search of a suggestion as short as can be."""
    sets = dict(SMALL)
    if found.recipe.names("space") == ("darts",):
        sets["space.cells"] = 3
    if found.recipe.names("growth") == ("random",):
        sets["growth.count"] = 1
    return [word for path, value in sets.items() for word in ("--set", f"{path}={value}")]


def covering():
    """Of the commands that are suggested those that together have every two things that meet an updater."""
    seen, chosen = set(), []
    for found in sorted(distinct(), key=cheapest_first):
        has = set(met(found.recipe)) - seen
        if has:
            seen |= has
            chosen.append(found)
    return chosen


def met(recipe):
    updater = recipe.names("updater")
    yield updater, "estimate", recipe.setting("trainer.estimate")
    for slot in ("relaxation", "regularizer"):
        yield updater, slot, recipe.names(slot)
    for slot in ("space", "growth"):
        yield slot, recipe.names(slot)


def cheapest_first(found):
    """Under growth by chance no updater is asked; and the smaller spaces show as much."""
    [growth], [space] = found.recipe.names("growth"), found.recipe.names("space")
    return growth == "random", ("planted", "nb201", "darts").index(space)


def distinct(step=3):
    """The commands that are suggested, each once."""
    return list({line_of(found): found for _, found in suggestions(step)}.values())


def run(found, out):
    words = shlex.split(line_of(found))[1:]
    return done(*words, *smaller(found), "--observer", "none", "--out", out)


def test_the_commands_that_are_suggested_run(tmp_path):
    commands = covering()
    assert len(commands) >= 8
    for number, found in enumerate(commands):
        out = tmp_path / str(number)
        run(found, out)
        assert (out / "best" / "architecture.yaml").is_file(), line_of(found)


@pytest.mark.slow
def test_every_command_that_is_suggested_runs(tmp_path):
    commands = distinct(1)
    assert len(commands) > 100
    for number, found in enumerate(commands):
        run(found, tmp_path / str(number))


XNAS_LINEAR = """\
xnas and linear do not fit.
     xnas needs a relaxation that gives non-negative weights that sum to 1 over each segment; \
linear does not qualify.
     Why: its rewards are defined for the weighted mean of all forecasts.
     xnas from --updater; linear from main.yaml:3:13. What fits: softmax.
This works (linear removed, so xnas brings softmax):
  nascore search --recipe main.yaml --updater xnas --relaxation softmax
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("main.yaml").write_text(
        "nascore: 1\nscale: mini\nrelaxation: linear\n", encoding="utf-8"
    )


def test_a_refusal_names_both_parts_who_brought_them_what_fits_and_a_command_that_works():
    result = cli("search", "--recipe", "main.yaml", "--updater", "xnas")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr == XNAS_LINEAR


def test_a_dry_run_is_refused_alike_and_its_command_is_a_dry_run():
    result = cli("search", "--recipe", "main.yaml", "--updater", "xnas", "--dry-run")
    assert result.exit_code == 3
    assert result.stderr == XNAS_LINEAR.rstrip("\n") + " --dry-run\n"
    done(*shlex.split(result.stderr.splitlines()[-1])[1:])


def test_a_recipe_that_is_checked_ends_with_the_search_that_works(tmp_path):
    tmp_path.joinpath("two.yaml").write_text(
        "nascore: 1\ninclude: main.yaml\nupdater: xnas\n", encoding="utf-8"
    )
    result = cli("check", "two.yaml")
    assert result.exit_code == 3
    assert result.stderr.endswith(
        "xnas from two.yaml:3:10; linear from main.yaml:3:13. What fits: softmax.\n"
        "This works (linear removed, so xnas brings softmax):\n"
        "  nascore search --recipe two.yaml --relaxation softmax\n"
    )


def test_the_command_repeats_all_that_was_typed():
    words = ["--relaxation", "one-hot", "--out", "a b", "--seed", "3", "--scale", "mini"]
    more = ["--set", "ranking.lr=0.1", "--threads", "2", "--without", "nascore-geonas", "--device", "cpu"]
    parts = ["--preset", "xnas-cifar10", "--dataset", "digits", "--observer", "none"]
    result = cli("search", *words, *more, *parts)
    assert result.stderr.splitlines()[-1].strip() == (
        "nascore search --preset xnas-cifar10 --scale mini --without nascore-geonas --seed 3 --threads 2 "
        "--device cpu --out 'a b' --dataset digits --observer none --set ranking.lr=0.1"
    )


def test_a_setting_that_does_not_fit_is_named_with_its_part():
    result = cli("search", "--updater", "xnas", "--set", "trainer.estimate=unrolled")
    assert result.stderr.endswith(
        "xnas and alternating (estimate unrolled) do not fit.\n"
        "     xnas needs an estimate at the current weights (first); alternating (estimate unrolled) "
        "does not qualify.\n"
        "     Why: its rewards are measured for each sample at the current weights.\n"
        "     xnas from --updater; alternating wished by xnas, estimate unrolled from --set. "
        "What fits: trainer.estimate=first.\n"
        "This works (trainer.estimate unset, so it is first):\n"
        "  nascore search --updater xnas\n"
    )


def test_a_command_that_keeps_a_warning_says_so():
    result = cli("search", "--growth", "random", "--updater", "geonas", "--regularizer", "l1", "--dry-run")
    assert "This works, with a warning (l1 removed):\n" in result.stderr


def test_a_typo_gets_no_command():
    result = cli("search", "--updater", "xnas", "--relaxation", "linear", "--set", "trainer.epochs=many")
    assert result.exit_code == 3
    assert "xnas and linear do not fit." in result.stderr
    assert "This works" not in result.stderr


PARTS = """
from nascore.api import Component, Need, hookimpl

FAR = Need(terms=("updater.differentiable",), why="of a test")


@hookimpl
def nascore_relaxations():
    for name in ("one", "two"):
        yield Component(name=name, slot="relaxation", summary="Of a test.", build="x:y", needs=(FAR,))


@hookimpl
def nascore_updaters():
    fresh = Need(terms=("trainer.two-halves", "growth.shadows"), why="it overfits", verdict="warned")
    yield Component(
        name="hasty", slot="updater", summary="Of a test.", build="x:y", provides=("learns",), needs=(fresh,)
    )


@hookimpl
def nascore_growths():
    yield Component(
        name="wishing", slot="growth", summary="Of a test.", build="nascore.builtin.growth:NoGrowth",
        provides=("supernet", "shadows"), wishes={"regularizer": ["l1", "entropy"]},
    )
"""


def test_where_nothing_near_works_what_fits_is_listed_by_slot(tmp_path, monkeypatch):
    tmp_path.joinpath("parts.py").write_text(PARTS, encoding="utf-8")
    monkeypatch.setattr("nascore.recipe.advice.nearest_mix._MAX_TRIED", 1)
    result = cli("search", "--with", "parts.py", "--relaxation", "one")
    assert result.exit_code == 3
    assert result.stderr.endswith(
        "No two changes make it fit. What no refused need rejects:\n"
        "  updater: nothing that is installed\n"
        "  relaxation: egs, linear, one-hot, softmax, two\n"
    )


def test_wishes_that_were_passed_over_are_printed_with_the_reason(tmp_path):
    tmp_path.joinpath("parts.py").write_text(PARTS, encoding="utf-8")
    words = ["--with", "parts.py", "--growth", "wishing", "--updater", "xnas"]
    said = done("search", *words, "--dry-run")
    assert (
        "  l1, wished by wishing, is not used: it needs an updater that follows the gradient of theta "
        "(entropy works with the others)\n"
    ) in said
    assert "regularizer  entropy" in said
    recipe = tmp_path / "main.yaml"
    recipe.write_text("nascore: 1\nscale: mini\ngrowth: wishing\nupdater: xnas\n", encoding="utf-8")
    assert "l1, wished by wishing, is not used: it needs" in done("check", "--with", "parts.py", recipe)


WARNED = """\
warning: hasty and alternating (estimate single-level) do not fit well.
     hasty needs a trainer that takes a fresh validation batch for each architecture step or a growth that \
ranks candidates as shadows beside a working network; alternating (estimate single-level) does not qualify.
     Why: it overfits.
     hasty from --updater; estimate single-level from --set. \
Sound: --set trainer.estimate=first, or --set trainer.estimate=unrolled, or --growth petridish.
"""


def test_a_warning_says_what_would_be_sound(tmp_path):
    tmp_path.joinpath("parts.py").write_text(PARTS, encoding="utf-8")
    words = ["--with", "parts.py", "--updater", "hasty", "--set", "trainer.estimate=single-level"]
    result = cli("search", *words, "--regularizer", "l1", "--relaxation", "one")
    assert result.exit_code == 3
    assert result.stderr.startswith(WARNED)
