"""What users of other tools type by habit is answered with the right command."""

from __future__ import annotations

import re
from string import Formatter

import click
import pytest
from command_line import cli, done

from nascore.cli import main
from nascore.cli.app import VERBS
from nascore.cli.habits import COMMANDS, OPTIONS, VALUES
from nascore.scaffold import BLUEPRINTS
from nascore.slots import SLOTS

TRIES = (
    ("train", "nascore search --space NAME", "nascore evaluate ARCHITECTURE"),
    ("search tiny", "Did you mean --space tiny?"),
    ("search uniform digits", "Did you mean --updater uniform --dataset digits?"),
    ("search --epochs 5", "--set trainer.epochs=5", "--set ranking.epochs=5"),
    ("search --epochs=5", "--set trainer.epochs=5", "--set ranking.epochs=5"),
    ("search -epochs 5", "No such option '-epochs'", "--set trainer.epochs=5"),
    ("evaluate X --epochs 5", "--set training.epochs=5"),
    ("search --lr 0.1", "--set trainer.lr=0.1", "--set updater.lr=0.1", "--set ranking.lr=0.1"),
    ("search --batch_size 16", "--set trainer.batch=16", "--set ranking.batch=16"),
    ("search --momentum 0.8", "--set trainer.momentum=0.8", "--set ranking.momentum=0.8"),
    ("search --gpu", "--device cuda"),
    ("search --device gpu", "--device cuda"),
    ("search --device cuda:1", "CUDA_VISIBLE_DEVICES=1"),
    ("search --data ./imgs", "nascore list dataset", "--dataset folder:PATH"),
    ("export RUN --onnx", "torch.onnx.export"),
    ("export RUN --to onnx", "torch.onnx.export"),
    ("export RUN --to torch", "best/model.py"),
    ("export RUN", "Missing option '--to'. Write --to", "--to network"),
    ("continue runs/a", "nascore resume runs/a"),
    ("search --resume runs/a", "nascore resume runs/a"),
    ("search --resume", "nascore resume RUN"),
    ("evaluate X --resume runs/a", "nascore resume runs/a"),
    ("search --layers 8", "--set space.cells=8 for the search", "--set ranking.cells=8"),
    ("evaluate X --width 8", "Write --set training.channels=8."),
    ("search --steps 900", "in epochs: --set trainer.epochs=N for the search"),
    ("search --space tiny --set growth.limit=200K", "petridish has it. Write --growth petridish."),
    ("search --set batch_size=3", "Did you mean trainer.batch or ranking.batch or training.batch?"),
    (
        "search --set trainer.epochs=5,updater.lr=0.1",
        "once for each: --set trainer.epochs=5 --set updater.lr=0.1.",
    ),
    ("report runs/a", "nascore compare runs/a", "nascore gallery runs/a"),
    ("plot my_run", "nascore gallery my_run --plot"),
    ("classify runs/a img.png", "nascore predict runs/a", "nascore.load_run('runs/a')", "best/model.py"),
    ("search --algorithm uniform", "--updater uniform"),
    ("search --method random", "--growth random"),
    ("search --algo nothing", "--updater nothing"),
    ("search --optimizer adam", "nascore show alternating", "--updater NAME"),
    ("search --model chain.yaml", "--space file:chain.yaml"),
    ("search --updater uniform --set trainer.epochs 5", "Write --set trainer.epochs=5."),
    ("search --updater uniform sgd", "Write --updater uniform,sgd"),
    ("search --updater uniform, sgd", "Write --updater uniform,sgd"),
    ("search --updater uniform --updater sgd", "2 values: uniform, sgd", "--updater uniform,sgd"),
    ("search --out a --out b", "--out is given 2 values: a, b"),
    ("search --seed 1 --seed 2", "--seeds 1,2"),
    ("search --seed 4 --set seed=3", "seed: given twice; first as --seed 4. Remove one of them."),
    ("search --threads 1 --set threads=2", "threads: given twice; first as --threads 1."),
    ("search --space file:a --set space.path=b", "space.path: given twice; first as --space file:a."),
    ("search --updater sgd --set updater=uniform", "chosen by its own flag. Write --updater uniform."),
    ("search --seed 0,1", "--seeds 0,1"),
    ("search --output there", "--out there"),
    ("search -o there", "--out there"),
    ("search chain.yaml", "--recipe chain.yaml", "--space file:chain.yaml"),
    ("search trainer.epochs=5", "--set trainer.epochs=5"),
    ("search --datset digits", "Did you mean --dataset?"),
    ("search --config r.yaml", "--recipe r.yaml"),
    ("search --trials 5", "--seeds 0..4"),
    ("search --workers 4", "--threads 4"),
    ("search --quiet", "--observer none"),
    ("help", "nascore --help"),
    ("algorithms", "nascore list updater"),
    ("datasets", "nascore list dataset"),
    ("evaluate Genotype( normal", "Put a text with spaces in quotes"),
    ("draw RUN --format dot", "--dot"),
    ("runs --epochs 5", "runs --help"),
)


def needing(words):
    """Return a try, marked where its answer names parts of plugins, or parts that fill slots by default."""
    if "growth." in words[0]:
        return pytest.param(words, marks=pytest.mark.needs("nascore-darts", "nascore-petridish"))
    if words[0].startswith(("export RUN", "search")):
        return pytest.param(words, marks=pytest.mark.needs("nascore-darts"))
    return words


@pytest.mark.parametrize("words", [needing(words) for words in TRIES], ids=lambda words: words[0])
def test_a_habit_is_answered(words):
    typed, *expected = words
    result = cli(*typed.split())

    assert result.exit_code != 0
    answer = " ".join(result.stderr.split())
    assert [one for one in expected if one not in answer] == [], answer
    assert "pip install" not in answer


def test_a_plural_lists_its_slot():
    assert done("list", "updaters") == done("list", "updater")


def test_the_same_value_twice_is_one_value():
    assert "given" not in cli("search", "--space", "nowhere", "--seed", "1", "--seed", "1").stderr


def options_of(verb):
    context = click.Context(main)
    command = main.get_command(context, verb)
    return {flag for one in command.params if isinstance(one, click.Option) for flag in one.opts}


def answers():
    for habit in OPTIONS:
        yield from (f"--set {path}" for path in habit.settings)
        yield habit.search
        yield habit.evaluate
        yield from habit.others.values()
    yield from COMMANDS.values()
    yield from VALUES.values()


def test_answers_name_only_what_there_is():
    flags = {flag for verb in VERBS for flag in options_of(verb)} | {"--help", "--version", "--debug"}
    slots = {"--SLOT"}
    for answer in answers():
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", answer)) <= flags | slots, answer
        verbs = re.findall(r"nascore ([a-z][a-z-]+)(?= |[.,;:)]|$)", answer)
        assert {verb for verb in verbs if verb not in VERBS} <= {"downloads", "writes"}, answer
        fields = {name for _, name, _, _ in Formatter().parse(answer) if name}
        assert fields <= {"value", "named", "space", "run", "rest", "number", "name"}, answer


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_answered_with_options_that_it_has(verb):
    flags = options_of(verb) | {"--help", "--debug"}
    for habit in OPTIONS:
        if f"--{habit.names[0]}" in flags:
            continue
        told = " ".join(cli(verb, f"--{habit.names[0]}", "darts").stderr.split()).partition("Error:")[2]
        own = re.sub(r"nascore (?!--)[^.;:]*", "", told.partition("'. ")[2])  # commands of other verbs
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", own))
        assert named <= flags, told


@pytest.mark.parametrize(
    ("typed", "right", "wrong"),
    [
        ("search --updater uniform --lr 0.1", "--set trainer.lr=0.1", "updater.lr"),
        ("search --space=planted --layers 4", "--set ranking.cells=4", "space.cells"),
    ],
)
def test_only_settings_that_the_named_parts_have_are_answered(typed, right, wrong):
    told = cli(*typed.split()).stderr

    assert right in told
    assert wrong not in told


@pytest.mark.parametrize("habit", OPTIONS, ids=lambda habit: habit.names[0])
def test_a_habit_is_no_option_of_its_own(habit):
    verbs = {*habit.others, *(["search"] if habit.search else []), *(["evaluate"] if habit.evaluate else [])}
    for verb in verbs:
        shadowed = {f"--{name}" for name in habit.names} & options_of(verb)
        assert not shadowed or verb == "gallery"  # it has --csv and --plot, and no --png


def test_no_command_of_a_habit_is_a_verb():
    assert not set(COMMANDS) & set(VERBS)


def test_help_of_new_plugin_names_the_hooks_of_slots_without_a_template():
    named = set(re.findall(r"nascore_\w+", done("new-plugin", "--help")))

    assert named == {slot.hook for slot in SLOTS if slot.name not in BLUEPRINTS}


def test_help_groups_the_verbs_and_cuts_no_summary():
    text = done("--help")

    assert text.index("Search and train:") < text.index("Plugins:")
    assert "..." not in text.partition("Search and train:")[2]
    assert all(re.search(rf"^  {verb}\s", text, re.MULTILINE) for verb in VERBS)


HEAD = "nascore: 1\nscale: mini\nspace: tiny\n"
RECIPES = {
    "trainer: {epochs: 2}\n": "Write trainer: {name: alternating, ...}.",
    "updater: sgd\nupdater.lr: 0.1\n": "updater.lr: settings belong in the map of their slot. "
    "Write updater: {name: sgd, lr: 0.1}.",
    "trainer.epochs: 2\n": "Write trainer: {name: NAME, epochs: 2}.",
    "regularizer.l1.weight: 2\n": "Write regularizer: {l1: {weight: 2}}.",
    "batch_size: 3\n": "Did you mean trainer.batch or ranking.batch or training.batch?",
}


@pytest.mark.parametrize("text", RECIPES)
def test_a_recipe_by_guess_is_answered_as_a_recipe_says_it(text, tmp_path):
    (tmp_path / "r.yaml").write_text(HEAD + text)

    result = cli("check", tmp_path / "r.yaml")

    assert result.exit_code == 3
    assert RECIPES[text] in result.stderr


@pytest.mark.parametrize("text", ['[space]\nname = "tiny"\n', "seed = 3\n"])
def test_a_recipe_in_toml_is_named_so(text, tmp_path):
    (tmp_path / "r.toml").write_text(text)

    result = cli("check", tmp_path / "r.toml")

    assert result.exit_code == 3
    assert "A recipe is YAML, not TOML" in result.stderr


def test_a_recipe_where_a_description_belongs_is_named_in_the_command(tmp_path):
    (tmp_path / "a b.yaml").write_text(HEAD)

    assert f"nascore search --recipe '{tmp_path}/a b.yaml'" in cli("draw", tmp_path / "a b.yaml").stderr


@pytest.mark.needs("nascore-spaces")
def test_a_setting_of_the_search_leads_to_that_of_the_evaluation():
    result = cli("evaluate", "resnet20", "--set", "trainer.epochs=3")
    assert "Did you mean training.epochs?" in result.stderr


def test_a_file_that_is_not_there_leads_to_no_other_kind_of_file(tmp_path):
    (tmp_path / "chain.yam").mkdir()
    (tmp_path / "chains.yml").write_text("")

    result = cli("search", "--space", f"file:{tmp_path}/chain.yml")

    assert "chains.yml?" in result.stderr
    assert ".yam?" not in result.stderr
