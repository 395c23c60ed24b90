from pathlib import Path

import pytest
from recipe_sample import NEXT_TO_XNAS, recipe, registry


@pytest.fixture(scope="module")
def installed():
    return registry()


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("updater.lr=1e-2", "updater.lr", 0.01),
        ("updater.lr= 1", "updater.lr", 1.0),
        ("seed=3", "seed", 3),
        ("ranking.epochs=7", "ranking.epochs", 7),
        ("ranking={epochs: 7, batch: 2}", "ranking.batch", 2),
        ("regularizer.l1.weight=1e-3", "regularizer.l1.weight", 0.001),
        ("regularizer.cost.target=200M", "regularizer.cost.target", 200_000_000),
        ("regularizer.cost.target=null", "regularizer.cost.target", None),
        ("trainer.estimate='unrolled'", "trainer.estimate", "unrolled"),
    ],
)
def test_the_forms_of_set(installed, text, path, value):
    found = recipe(installed, names={"regularizer": ["l1", "cost"]}, sets=[text])
    assert found.problems == ()
    assert found.setting(path) == value


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("*.yaml", "*.yaml"),
        ("@x", "@x"),
        ("1e3", "1e3"),
        ("a=b", "a=b"),
        ("'3'", "3"),
        ("[1", "[1"),
        ("a #b", "a #b"),
    ],
)
def test_a_setting_that_holds_text_takes_what_stands_there(installed, typed, path):
    found = recipe(installed, names={"space": ["file"]}, sets=[f"space.path={typed}"])
    assert found.problems == ()
    assert found.setting("space.path") == Path(path)


def test_a_name_with_its_argument(installed):
    for name in ("file:a/chain.yaml", "sample:file:a/chain.yaml"):
        found = recipe(installed, names={"space": [name]})
        assert found.problems == ()
        assert found.names("space") == ("file",)
        assert found.setting("space.path") == Path("a/chain.yaml")
    [problem] = recipe(installed, names={"space": ["nb201:x"]}).problems
    assert problem.text == "nb201 takes no value after a colon."


def test_an_argument_is_read_like_a_set(installed):
    found = recipe(installed, names={"relaxation": ["egs:2"]})
    assert found.problems == ()
    assert found.setting("relaxation.draws") == 2
    [problem] = recipe(installed, names={"relaxation": ["egs:0"]}).problems
    assert problem.text == "0 is not a whole number at least 1."


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (["updater.lr"], "updater.lr: has no value. Write --set updater.lr=VALUE."),
        (["updater.lr="], "updater.lr: the value is empty. Write null or ''."),
        (
            ["updater.lr=1", "updater.lr=2"],
            "updater.lr: given twice; first as --set updater.lr=1. Remove one of them.",
        ),
        (
            ["ranking={epochs: 3}", "ranking.epochs=4"],
            "ranking.epochs: given twice; first as --set ranking={",
        ),
        (["updater=darts"], "updater: a component is chosen by its own flag. Write --updater darts."),
        (["updater.name=darts"], "updater.name: a component is chosen by its own flag."),
        (["updater.lrr=1"], "updater.lrr: darts has no setting lrr. Did you mean lr? (a number above 0)"),
        (["trainer.epochs=many"], "trainer.epochs: 'many' is not a whole number at least 1."),
        (
            ["regularizer.l1.weight=1"],
            "regularizer.l1: l1 is not in this recipe (regularizer: empty). Add --regularizer l1.",
        ),
        (
            ["regularizer.l2.weight=1"],
            "regularizer.l2.weight: no regularizer is called l2. Installed: cost, entropy, l1.",
        ),
        (["regularizer.l1=1"], "regularizer.l1: names no setting of l1. Write regularizer.l1.SETTING=VALUE."),
        (["updater..lr=1"], "updater..lr: is not a path. Write SLOT.SETTING or SETTING."),
        (["sed=1"], "sed: the run has no setting sed. Did you mean seed? (a whole number at least 0)"),
        (["updatr.lr=1"], "updatr: the run has no setting updatr. Did you mean updater?"),
        (["training=3"], "training: 3 is not a group of settings."),
    ],
)
def test_the_errors_of_set(installed, sets, said):
    [problem] = recipe(installed, sets=sets).problems
    assert str(problem).startswith(said)
    assert str(problem).endswith(f"\n     from --set {sets[-1]}")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            {"updater": ["dart"]},
            "updater: no updater is called dart. Did you mean darts?\n     from --updater dart",
        ),
        (
            {"updater": ["softmax"]},
            "updater: softmax is a component of slot relaxation, not of updater. Write --relaxation softmax.",
        ),
        ({"updater": ["zzz"]}, "updater: no updater is called zzz. Installed: darts, data, uniform, xnas."),
        ({"updater": ["darts", "data"]}, "updater: holds one component, not 2."),
        ({"regularizer": ["l1", "sample:l1"]}, "regularizer: the same component is named twice."),
        ({"regularizer": ["none", "l1"]}, "regularizer: 'none' cannot be combined with components."),
        ({"updatr": ["darts"]}, "updatr: no slot is called updatr. Did you mean updater?"),
    ],
)
def test_the_errors_of_names(installed, names, said):
    problems = recipe(installed, names=names).problems
    assert len(problems) == 1
    assert str(problems[0]).startswith(said)


def test_an_ambiguous_name_says_how_to_write_it():
    both = registry(idea=NEXT_TO_XNAS)
    [problem] = recipe(both, names={"updater": ["xnas"]}).problems
    assert problem.text == "2 plugins bring a component xnas."
    assert problem.hint == "Write sample:xnas or idea:xnas."
