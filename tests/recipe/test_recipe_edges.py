"""What the command line answers to recipes that are wrong: all of it at once, each with its file and line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from nascore.builtin.components import TinySettings
from nascore.builtin.spaces import Tiny
from nascore.cli import main
from nascore.contract import DataFacts
from nascore.description import dump


def cli(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert "Traceback" not in result.output
    return result


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / "main.yaml"


def test_five_mistakes_in_three_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path,
        base="nascore: 2\nscale: mini\nseed: 1:30\ndevice: gpu\n",
        trainer="nascore: 2\ninclude: base.yaml\ntrainer:\n  name: alternating\n  epochs: 2.7\n  epochs: 3\n",
        main="nascore: 2\ninclude: trainer.yaml\nspace: tiny\nupdater: {name: uniform, lr: 1}\n",
    )
    result = cli("check", "main.yaml")
    assert result.exit_code == 3
    places = [line.strip() for line in result.stderr.splitlines() if line.startswith("     from")]
    assert sorted(places) == [
        "from base.yaml:3:7",
        "from base.yaml:4:9",
        "from main.yaml:4:26",
        "from trainer.yaml:5:11",
        "from trainer.yaml:6:3",
    ]
    for said in (
        "seed: '1:30' is not a whole number at least 0.",
        "device: 'gpu' is not one of auto, cpu, cuda.",
        "trainer.epochs: 2.7 is not a whole number at least 1.",
        "trainer.epochs: given twice; first at trainer.yaml:5:3.",
        "updater.lr: uniform has no setting lr",
    ):
        assert said in result.stderr


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("nascore: 2\nspace: tiny\nupdater: darts\nupdater: uniform\n", 3, "first at main.yaml:3:1."),
        ("nascore: 2\nseed: !!python/object/apply:os.system [ls]\n", 3, "tags (!) and anchors (&)"),
        ("nascore: 2\nranking: {nesterov: on}\n", 3, "'on' is not true or false. Write true."),
        ("nascore: 2\nseed: 1:30\n", 3, "'1:30' is not a whole number"),
        ("nascore: 3\n", 3, "the recipe is from a newer nascore"),
        ("nascore: 2\nepochs: 2\n", 3, "Did you mean trainer.epochs or ranking.epochs or training.epochs?"),
        ("nascore: 2\nobserver: tensorboard\n", 3, "no observer is called tensorboard. Installed: "),
        ("nascore: 2\ndataset: celeba\n", 3, "no dataset is called celeba. Installed: "),
        ("nascore: 2\ninclude: nope.yaml\n", 3, "nope.yaml cannot be read"),
        ("nascore: 2\ninclude: man.yaml\n", 3, "Did you mean main.yaml?"),
        ("nascore: 2\ninclude: a.yml\n", 3, "The name of a file must end in .yaml."),
        ("seed: [1\n", 3, "not YAML: "),
    ],
)
def test_one_mistake(tmp_path, monkeypatch, text, code, said):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, main=text)
    result = cli("check", "main.yaml")
    assert result.exit_code == code
    assert said in result.stderr
    assert "     from main.yaml" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["main.yaml"]


@pytest.mark.needs("nascore-darts")
def test_scalars_are_those_of_yaml_1_2(tmp_path):
    text = "nascore: 2\nscale: mini\nspace: tiny\nupdater: {name: darts, lr: 1e-3}\n"
    result = cli("check", write(tmp_path, main=text))
    assert result.exit_code == 0, result.output
    assert "updater.lr" in result.stdout
    assert "0.001" in result.stdout


def test_a_cycle_of_includes_names_the_chain(tmp_path):
    files = {"main": "a", "a": "b", "b": "a"}
    path = write(tmp_path, **{name: f"nascore: 2\ninclude: {to}.yaml\n" for name, to in files.items()})
    result = cli("check", path)
    assert result.exit_code == 3
    assert "includes itself: a.yaml > b.yaml > a.yaml." in result.stderr
    assert f"from {tmp_path / 'b.yaml'}:2:10" in result.stderr


def test_a_file_that_two_files_include_is_no_cycle(tmp_path):
    text = "nascore: 2\n"
    path = write(
        tmp_path,
        main=f"{text}include: [a.yaml, b.yaml]\nscale: mini\nspace: tiny\nupdater: uniform\n",
        a=f"{text}include: low.yaml\n",
        b=f"{text}include: low.yaml\n",
        low=f"{text}seed: 7\n",
    )
    result = cli("check", path)
    assert result.exit_code == 0, result.output
    assert "low.yaml:2:7" in result.stdout


def test_a_description_given_as_a_recipe(tmp_path):
    facts = DataFacts(
        channels=1, height=8, width=8, classes=10, train=1000, test=100, mean=(0.0,), std=(1.0,)
    )
    path = write(tmp_path, main=dump(Tiny(TinySettings()).describe(facts)))
    for words in (("check", path), ("search", "--recipe", path, "--updater", "uniform")):
        result = cli(*words)
        assert result.exit_code == 3
        assert f"{path} is the description of an architecture, not a recipe." in result.stderr
        assert f"Write --space file:{path}." in result.stderr
        assert len(result.stderr.splitlines()) == 2


@pytest.mark.needs("nascore-darts")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--recipe", "darts-cifar10"), 3, "There is a preset of this name: write --preset darts-cifar10."),
        (
            ("--preset", "dart-cifar10"),
            3,
            "preset: no preset is called dart-cifar10. Did you mean darts-cifar10?",
        ),
        (("--preset", "x.yaml"), 3, "Write --recipe x.yaml."),
        (("--set", "scale=mini"), 3, "scale: is not a setting. Write --scale mini."),
        (("--set", "=3"), 3, "'=3' names no setting. Write --set PATH=VALUE."),
        (("--set", "trainr.epochs=3"), 3, "Did you mean trainer?"),
        (("--set", "trainer.epochs=many"), 3, "'many' is not a whole number at least 1."),
        (("--set", "lr=1"), 3, "Did you mean updater.lr or trainer.lr or ranking.lr or training.lr?"),
        (("--dataset", "synthetic"), 3, "--preset darts-cifar10"),
        (("--dataset", "celeba"), 3, "Your own plugin can add one: nascore new-plugin"),
    ],
)
def test_flags(tmp_path, monkeypatch, words, code, said):
    monkeypatch.chdir(tmp_path)
    result = cli("search", *words)
    assert result.exit_code == code
    assert said in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_read_brings_no_error_about_what_it_might_have_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("--recipe", "gone.yaml", "--set", "updater.eta=1", "--set", "seed=x", "--relaxation", "soft")
    result = cli("search", *words)
    assert result.exit_code == 3
    assert [line.split(":")[0] for line in result.stderr.splitlines() if not line.startswith(" ")] == [
        "recipe",
        "relaxation",
        "seed",
    ]


def test_a_run_folder_given_as_recipe(tiny_run):
    result = cli("check", tiny_run)
    assert result.exit_code == 3
    assert f"Did you mean {tiny_run / 'recipe.yaml'}?" in result.stderr


def test_a_value_never_comes_from_the_environment(tmp_path, monkeypatch):
    text = "nascore: 2\nscale: mini\nspace: tiny\nupdater: uniform\n"
    path = write(tmp_path, main=text)
    plain = cli("check", path).stdout
    for name in ("SEED", "UPDATER", "SEARCH_SEED", "CHECK_RECIPE", "SEARCH_UPDATER", "SCALE", "SET"):
        monkeypatch.setenv(f"NASCORE_{name}", "3")
    assert cli("check", path).stdout == plain
    assert "seed" not in cli("search", "--space", "tiny", "--updater", "uniform", "--dry-run").stdout


def test_what_is_seen_only_when_parts_are_built_names_its_place_too(tmp_path):
    text = "nascore: 2\nscale: mini\nplugins: {gone: gone.py}\nspace: tiny\nupdater: uniform\n"
    path = write(tmp_path, main=f"{text}trainer: {{name: alternating, batch: 100000}}\n")
    result = cli("check", path)
    assert result.exit_code == 3
    assert "trainer.batch: a batch of 100000 is larger than" in result.stderr
    assert f"     from {path}:6:37" in result.stderr
    assert "plugins: the recipe was made with the plugin gone, which is not loaded." in result.stderr
    assert f"Add --with {tmp_path / 'gone.py'}." in result.stderr
