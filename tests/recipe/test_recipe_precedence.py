import pytest
from recipe_sample import TABLE, plain, recipe, registry

from nascore.errors import RecipeError
from nascore.recipe import EVALUATE_RUN, Request, resolve, settled
from nascore.slots import SLOTS


@pytest.fixture(scope="module")
def installed():
    return registry()


def write(folder, text, name="main.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def origin(found, path):
    return next(origin for row, _value, origin in found.rows() if row == path)


def test_without_preset_or_recipe_the_scale_is_mini(installed):
    found = recipe(installed)
    assert found.problems == ()
    assert found.scale[0] == "mini"
    assert found.setting("trainer.epochs") == 4
    assert found.training.channels is None
    assert found.training.momentum == 0.9
    assert str(origin(found, "trainer.epochs")) == "scale mini"


def test_a_preset_has_the_papers_values_and_the_scale_shrinks_it(installed):
    paper = recipe(installed, preset="darts-cifar10")
    assert (paper.scale, paper.setting("trainer.epochs")) == (None, 50)
    mini = recipe(installed, preset="darts-cifar10", scale="mini")
    assert mini.setting("trainer.epochs") == 4
    assert mini.setting("space.channels") == 4
    assert mini.training.epochs == 10


def test_scale_paper_takes_the_defaults(installed):
    found = recipe(installed, scale="paper", names={"dataset": ["images"]})
    assert found.problems == ()
    assert found.setting("trainer.epochs") == 50


def test_a_scale_in_a_file_lies_between_the_file_and_what_it_includes(installed, tmp_path):
    text = "nascore: 2\ninclude: darts-cifar10\nscale: mini\ntrainer: {name: alternating, batch: 7}\n"
    found = recipe(installed, recipe=write(tmp_path, text))
    assert found.setting("trainer.epochs") == 4  # the preset's 50 lies below
    assert found.setting("trainer.batch") == 7
    flag = recipe(installed, recipe=write(tmp_path, text), scale="mini")
    assert flag.setting("trainer.batch") == 32  # the flag lies over all files
    assert recipe(installed, recipe=write(tmp_path, text), scale="paper").setting("trainer.epochs") == 50


def test_settings_of_a_wish_lie_under_the_scale_and_set_over_everything(installed):
    found = recipe(
        installed,
        preset="darts-cifar10",
        scale="mini",
        names={"updater": ["xnas"]},
        sets=["trainer.epochs=9", "trainer.sequence=architecture-first"],
    )
    assert found.setting("trainer.epochs") == 9
    assert found.setting("trainer.sequence") == "architecture-first"
    assert found.setting("trainer.batch") == 32
    assert str(origin(found, "trainer.epochs")) == "--set trainer.epochs=9"


def test_a_flag_that_names_another_component_drops_the_settings(installed, tmp_path):
    path = write(tmp_path, "nascore: 2\nupdater: {name: darts, lr: 0.5}\n")
    assert recipe(installed, recipe=path, names={"updater": ["darts"]}).setting("updater.lr") == 0.5
    assert recipe(installed, recipe=path, names={"updater": ["data"]}).setting("updater.lr") == 3e-4


def test_another_data_set_needs_a_scale(installed):
    [problem] = recipe(installed, names={"dataset": ["images"]}).problems
    assert problem.text == (
        "unless you give a preset, a recipe or a scale, only data set digits can be used, not images."
    )
    assert "--scale mini" in problem.hint
    assert problem.hint.endswith("or a preset of `nascore list preset`, such as --preset darts-cifar10.")
    assert recipe(installed, names={"dataset": ["images"]}, scale="mini").problems == ()
    assert recipe(installed, names={"dataset": ["digits"]}).problems == ()
    assert recipe(installed, names={"dataset": ["images"]}, preset="darts-cifar10").problems == ()


def test_values_from_python_and_flags_of_the_run(installed):
    found = recipe(installed, run={"seed": 3}, settings={"updater.lr": 0.2, "ranking": {"epochs": 2}})
    assert found.problems == ()
    assert (found.run.seed, found.setting("updater.lr"), found.training.epochs) == (3, 0.2, 2)
    assert found.training.batch == 32
    assert str(origin(found, "seed")) == "--seed 3"
    [problem] = recipe(installed, settings={"updater.lr": "fast"}).problems
    assert str(problem) == "updater.lr: 'fast' is not a number above 0.\n     from settings['updater.lr']"


def test_evaluate_settles_the_data_set_alone(installed):
    only = [slot for slot in SLOTS if slot.name == "dataset"]
    found = settled(Request(preset="darts-cifar10"), installed, run=EVALUATE_RUN, slots=only)
    assert (found.names("dataset"), found.names("updater")) == (("digits",), ())
    assert found.training.epochs == 600
    mini = settled(Request(), installed, run=EVALUATE_RUN, slots=only)
    assert (mini.training.channels, mini.training.label_smoothing) == (None, 0.1)
    with pytest.raises(RecipeError, match="updater: evaluate does not use this slot"):
        settled(Request(sets=["updater.lr=1"]), installed, run=EVALUATE_RUN, slots=only)


def test_settled_raises_all_problems(installed):
    with pytest.raises(RecipeError) as caught:
        settled(Request(sets=["updater.lrr=1", "seed=x"]), installed)
    assert [problem.path for problem in caught.value.problems] == ["seed", "updater.lrr"]
    assert caught.value.exit_code == 3


def test_layers_of_the_same_request_settle_the_same(installed):
    layers = Request(preset="darts-cifar10").layers(installed, slots=TABLE)
    assert plain(resolve(layers, installed)) == plain(resolve(layers, installed))
