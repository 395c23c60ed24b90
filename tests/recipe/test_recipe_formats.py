"""Recipes of other formats: older ones are brought up to date, newer ones say so."""

import pytest
from attrs import evolve
from recipe_sample import CORE, TABLE, recipe, registry

from nascore.errors import Origin
from nascore.files import with_digest
from nascore.recipe import EVALUATE_RUN, Request, resolve
from nascore.recipe.sources.files import Files
from nascore.recipe.sources.formats import FORMATS, Formats

FLAG = Origin(kind="flag", flag="--recipe", value="main.yaml")


@pytest.fixture(scope="module")
def installed():
    return registry()


def renamed(old, new):
    """A step that renames a key, as a later format may."""

    def step(root, by_run):
        del by_run
        return evolve(root, value={new if key == old else key: item for key, item in root.value.items()})

    return step


MADE_UP = Formats(newest=3, steps={1: renamed("cores", "workers"), 2: renamed("workers", "threads")})


def read(installed, folder, text, formats=MADE_UP):
    path = folder / "main.yaml"
    path.write_text(text, encoding="utf-8")
    layers = Files(registry=installed, slots=TABLE, formats=formats).recipe(path, FLAG)
    return resolve(layers, installed, run=CORE, slots=TABLE)


@pytest.mark.parametrize(
    ("number", "key"), [(1, "cores"), (2, "workers"), (3, "threads")], ids=["oldest", "older", "newest"]
)
def test_each_format_is_brought_to_the_newest(installed, tmp_path, number, key):
    found = read(installed, tmp_path, f"nascore: {number}\n{key}: 5\n")
    assert found.problems == ()
    assert found.run.threads == 5
    assert str(found.part("run").origins["threads"]) == f"{tmp_path / 'main.yaml'}:2:{len(key) + 3}"


def test_errors_after_a_step_still_name_the_place(installed, tmp_path):
    [problem] = read(installed, tmp_path, "nascore: 1\ncores: many\n").problems
    assert (problem.path, str(problem.origin)) == ("threads", f"{tmp_path / 'main.yaml'}:2:8")


def test_a_word_of_an_old_format_is_unknown_in_the_new_one(installed, tmp_path):
    [problem] = read(installed, tmp_path, "nascore: 3\ncores: 5\n").problems
    assert problem.text == "the run has no setting cores."


def test_a_recipe_of_a_newer_nascore_says_so_and_nothing_else(installed, tmp_path):
    [problem] = read(installed, tmp_path, "nascore: 4\nwings: 2\nupdater: {name: dart}\n").problems
    assert problem.text == "the recipe is from a newer nascore: its format is 4, this version reads 3."
    assert problem.hint == "pip install --upgrade nascore"
    assert str(problem.origin).endswith("main.yaml:1:10")


@pytest.mark.parametrize("said", ["0", "-1", "1.0", "'1'", "null", "true", "[1]"])
def test_what_is_no_format(installed, tmp_path, said):
    [problem] = read(installed, tmp_path, f"nascore: {said}\n").problems
    assert "is not a recipe format of this version." in problem.text
    assert problem.hint == "Write nascore: 3."


def test_a_recipe_of_a_later_format_is_refused(installed, tmp_path):
    assert (FORMATS.newest, [*FORMATS.steps]) == (2, [1])
    path = tmp_path / "main.yaml"
    path.write_text("nascore: 3\n", encoding="utf-8")
    [problem] = recipe(installed, recipe=path).problems
    assert problem.text.startswith("the recipe is from a newer nascore")
    assert (problem.path, problem.hint) == ("nascore", "pip install --upgrade nascore")


FIRST = """\
nascore: 1
training: {lr: 0.5, batch: 8}
evaluate: {seed: 3, training: {lr: 0.25, epochs: 77}}
"""


def written(folder, text, *, by_run=False):
    path = folder / "main.yaml"
    path.write_text(with_digest(text) if by_run else text, encoding="utf-8")
    return path


def evaluated(installed, path):
    layers = Request(recipe=path).layers(installed, slots=TABLE)
    return resolve(layers, installed, run=EVALUATE_RUN, slots=())


def test_format_1_has_one_group_of_settings_for_both_runs(installed, tmp_path):
    path = written(tmp_path, FIRST)
    search = recipe(installed, recipe=path)
    assert (search.training.lr, search.training.batch, search.training.epochs) == (0.5, 8, 20)
    assert {row[0]: row[1] for row in search.evaluation} == {
        "evaluate.seed": 3,
        "training.lr": 0.25,
        "training.batch": 8,
        "training.epochs": 77,
    }
    found = evaluated(installed, path)
    assert (found.training.lr, found.training.batch, found.training.epochs) == (0.25, 8, 77)
    assert found.run.seed == 3
    assert str(search.part("run").origins["ranking.lr"]) == f"{path}:2:16"


def test_the_settings_of_a_search_of_format_1_are_not_those_of_its_evaluation(installed, tmp_path):
    path = written(tmp_path, FIRST + "space: darts\n", by_run=True)
    assert recipe(installed, recipe=path).training.batch == 8
    found = evaluated(installed, path)
    assert (found.training.lr, found.training.batch, found.training.epochs) == (0.25, 96, 77)


def test_those_of_an_evaluation_of_format_1_are(installed, tmp_path):
    path = written(tmp_path, "nascore: 1\ntraining: {lr: 0.5, batch: 8}\n", by_run=True)
    assert evaluated(installed, path).training.batch == 8
    assert recipe(installed, recipe=path).training.batch == 32 + 64


def test_a_recipe_of_format_1_with_a_group_of_format_2_is_refused(installed, tmp_path):
    path = written(tmp_path, "nascore: 1\nranking: {epochs: 3}\n")
    [problem] = recipe(installed, recipe=path).problems
    assert (problem.path, problem.text) == (
        "nascore",
        "ranking is a key of format 2; the recipe is of format 1.",
    )
    assert problem.hint == "Begin it with nascore: 2."
    assert str(problem.origin) == f"{path}:2:1"
