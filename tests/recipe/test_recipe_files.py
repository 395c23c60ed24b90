import pytest
from recipe_sample import plain, recipe, registry

MAIN = """\
nascore: 2
include: darts-cifar10
seed: 3
updater: {name: xnas, eta: 1e-2}
trainer: {name: alternating, epochs: 20}
"""
LISTS = """\
nascore: 2
updater: data
relaxation: {name: egs, draws: 7}
regularizer:
  l1: {weight: 0.2}               # target: code still comes from data's wish
  cost: {of: macs, target: 200M}
"""


@pytest.fixture(scope="module")
def installed():
    return registry()


def write(folder, text, name="main.yaml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def origins(settled):
    return {path: (value, str(origin)) for path, value, origin in settled.rows()}


def texts(settled):
    return [f"{problem.path}: {problem.text}" for problem in settled.problems]


def test_a_file_over_the_preset_that_it_includes(installed, tmp_path):
    path = write(tmp_path, MAIN)
    settled = recipe(installed, recipe=path)
    assert settled.problems == ()
    rows = origins(settled)
    assert rows["updater.eta"] == (0.01, f"{path}:4:28")
    assert "updater.lr" not in rows  # dropped with darts
    assert rows["trainer.epochs"] == (20, f"{path}:5:38")
    assert rows["trainer.batch"] == (64, "darts-cifar10.yaml:4:49")
    assert rows["trainer.sequence"] == ("weights-first", "wished by xnas")
    assert rows["relaxation"] == ("softmax", "wished by xnas")
    assert rows["space.channels"][0] == 16
    assert settled.run.seed == 3
    assert settled.training.epochs == 600
    assert settled.scale is None


def test_lists_keep_what_stays_and_lose_what_leaves(installed, tmp_path):
    path = write(tmp_path, LISTS)
    settled = recipe(installed, recipe=path)
    assert settled.problems == ()
    assert settled.names("regularizer") == ("l1", "cost")
    assert settled.setting("regularizer.l1.weight") == 0.2
    assert settled.setting("regularizer.l1.target") == "code"
    assert settled.setting("regularizer.cost.target") == 200_000_000
    assert settled.setting("relaxation.draws") == 7
    named = recipe(installed, recipe=path, names={"regularizer": ["entropy", "sample:l1"]})
    assert named.names("regularizer") == ("entropy", "l1")
    assert named.setting("regularizer.l1.weight") == 0.2
    assert named.setting("regularizer.cost.of") is None


@pytest.mark.parametrize("empty", ["none", "[]", "{}"])
def test_a_list_is_deliberately_empty(installed, tmp_path, empty):
    text = f"nascore: 2\nupdater: data\nregularizer: {empty}\n"
    settled = recipe(installed, recipe=write(tmp_path, text))
    assert settled.problems == ()
    assert settled.names("regularizer") == ()
    assert recipe(installed, names={"updater": ["data"], "regularizer": ["none"]}).names("regularizer") == ()
    assert recipe(installed, names={"updater": ["data"]}).names("regularizer") == ("l1",)


def test_included_files_lie_under_each_other_in_order(installed, tmp_path):
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", "nascore: 2\ninclude: deep.yaml\nseed: 1\nthreads: 2\n", "low.yaml")
    write(tmp_path / "sub", "nascore: 2\ndevice: cpu\nseed: 9\n", "deep.yaml")
    write(tmp_path, "nascore: 2\nseed: 2\nranking: {epochs: 7}\n", "high.yaml")
    path = write(tmp_path, "nascore: 2\ninclude: [sub/low.yaml, high.yaml]\nranking: {batch: 5}\n")
    found = recipe(installed, recipe=path)
    run, training = found.run, found.training
    assert (run.seed, run.threads, run.device) == (2, 2, "cpu")
    assert (training.epochs, training.batch, training.lr) == (7, 5, 0.025)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nascore: true\n", "nascore: true is not a recipe format of this version."),
        ("seed: 1\n", "nascore: the recipe has no format."),
        ("[1]\n", ": a recipe is a map of keys, not a list."),
        ("", ": a recipe is a map of keys, not null."),
        ("nascore: 2\nupdater: {eta: 1}\n", "updater: the settings have no component name."),
        ("nascore: 2\nupdater: null\n", "updater: null is not a component name."),
        ("nascore: 2\nupdater: {name: 3}\n", "updater: 3 is not a component name."),
        ("nascore: 2\nregularizer: [l1, sample:l1]\n", "regularizer: l1 is named twice."),
        ("nascore: 2\nscale: huge\n", "scale: 'huge' is not one of mini, small, paper."),
        ("nascore: 2\ninclude: dart-cifar10\n", ": no preset is called dart-cifar10."),
        ("nascore: 2\ninclude: gone.yaml\n", "gone.yaml cannot be read: No such file or directory."),
        ("nascore: 2\ninclude: main.yaml\n", "main.yaml includes itself."),
        (
            "nascore: 2\ninclude: 3\n",
            "include: 3 is neither the name of a preset nor a path that ends in .yaml.",
        ),
        ("nascore: 2\nupdatr: darts\n", "updatr: the run has no setting updatr."),
        ("nascore: 2\nranking: {epocs: 9}\n", "ranking.epocs: ranking has no setting epocs."),
        (
            "nascore: 2\nupdater: {name: darts, weight_deca: 1}\n",
            "updater.weight_deca: darts has no setting weight_deca.",
        ),
        (
            "nascore: 2\nregularizer: {l1: {target: both}}\n",
            "regularizer.l1.target: 'both' is not one of theta, code.",
        ),
        ("nascore: 2\nseed: 1\nseed: 2\n", "seed: given twice; first at"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_once(installed, tmp_path, text, said):
    settled = recipe(installed, recipe=write(tmp_path, text))
    [problem] = texts(settled)
    assert said in problem
    assert "main.yaml" in str(settled.problems[0].origin)


def test_a_setting_of_another_component_says_whose_it_is(installed, tmp_path):
    path = write(tmp_path, "nascore: 2\nupdater: {name: xnas, weight_decay: 1}\n")
    [problem] = recipe(installed, recipe=path).problems
    assert str(problem) == (
        "updater.weight_decay: xnas has no setting weight_decay; darts, data have it. Known: clip, eta.\n"
        f"     from {path}:2:23"
    )


def test_all_problems_at_once(installed, tmp_path):
    path = write(tmp_path, "nascore: 2\nseed: x\nupdater: dart\ntrainer: {name: alternating, epochs: many}\n")
    settled = recipe(installed, recipe=path, names={"space": ["dart"]}, sets=["trainer.batc=1"])
    assert [problem.path for problem in settled.problems] == [
        "updater",
        "space",
        "seed",
        "trainer.epochs",
        "trainer.batc",
    ]


def test_an_unreadable_file_is_a_problem(installed, tmp_path):
    path = tmp_path / "main.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    [problem] = texts(recipe(installed, recipe=path))
    assert problem.endswith("is not UTF-8 text.")


def test_a_preset_and_a_file_that_includes_it_are_the_same(installed, tmp_path):
    path = write(tmp_path, "nascore: 2\ninclude: darts-cifar10\n")
    assert plain(recipe(installed, recipe=path)) == plain(recipe(installed, preset="darts-cifar10"))


def test_a_mistake_in_a_file_is_told_also_where_another_layer_covers_it(installed, tmp_path):
    write(tmp_path, "nascore: 2\ntrainer: {name: alternating, epochs: many}\nranking: 3\n", "low.yaml")
    text = "nascore: 2\ninclude: low.yaml\nscale: mini\nranking: {epochs: 2}\n"
    path = write(tmp_path, text)
    found = recipe(installed, recipe=path, sets=["trainer.epochs=5"])
    assert [str(problem.origin) for problem in found.problems] == [
        f"{tmp_path / 'low.yaml'}:3:10",
        f"{tmp_path / 'low.yaml'}:2:38",
    ]
    assert found.setting("trainer.epochs") == 5


def test_settings_of_a_component_that_another_layer_replaced_are_not_read(installed, tmp_path):
    path = write(tmp_path, "nascore: 2\nupdater: {name: darts, lrr: 1}\n")
    assert recipe(installed, recipe=path, names={"updater": ["data"]}).problems == ()
