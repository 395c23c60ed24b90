"""Functions of a plugin's component that raise: a problem that names the plugin, exit code 4."""

import sys
from types import SimpleNamespace

import pytest
from attrs import frozen
from recipe_sample import CORE, TABLE, hooks, part, recipe, registry

from nascore.component import Give, Need
from nascore.config import setting
from nascore.errors import PluginError, Problem, RecipeError
from nascore.recipe import Request, resolve, settled
from nascore.recipe.advice.nearest_mix import ResolveContext, suggest


def boom(*_anything):
    raise ZeroDivisionError("boom")


def leave(*_anything):
    sys.exit(3)


def refuse(*_anything):
    raise RecipeError([Problem(path="relaxation.size", text="is too small.")])


@frozen(kw_only=True)
class Touchy:
    size: int = setting(1, "size", ge=1)

    def __attrs_post_init__(self):
        if self.size == 7:
            raise KeyError("seven")


def with_idea(**more):
    idea = part("idea", "relaxation", **({"config": Touchy} | more))
    return registry(mine=SimpleNamespace(**hooks([idea])))


def problems(installed, **asked):
    return recipe(installed, names={"relaxation": ["idea"]}, **asked).problems


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"check": boom}, "the check of idea raised ZeroDivisionError: boom."),
        ({"check": leave}, "the check of idea raised SystemExit: 3."),
        (
            {"check": lambda *_: None},
            "the check of idea raised TypeError: 'NoneType' object is not iterable.",
        ),
        ({"check": lambda *_: ["x"]}, "the check of idea gave 'x', which is not a Problem."),
        (
            {"needs": (Need(terms=("updater.learns",), why="so", when=boom),)},
            "the condition of the need updater.learns of idea raised ZeroDivisionError: boom.",
        ),
        (
            {"provides": ("normalized", Give(capability="selects", when=boom))},
            "the condition of selects of idea raised ZeroDivisionError: boom.",
        ),
    ],
)
def test_what_raises_is_charged_to_its_plugin(more, what):
    installed = with_idea(**more)
    [problem] = problems(installed)
    assert problem.text == what
    assert (problem.path, problem.of_plugin, problem.missing) == ("relaxation", True, "")
    assert "--without mine" in problem.hint
    with pytest.raises(PluginError) as caught:
        settled(Request(names={"relaxation": ["idea"]}), installed, run=CORE, slots=TABLE)
    assert caught.value.exit_code == 4
    assert "Traceback" not in str(caught.value)


def test_it_says_where_it_was_raised():
    [problem] = problems(with_idea(check=boom))
    assert str(problem.origin).startswith(f"{__file__}:")


def test_settings_that_refuse_to_be_made():
    installed = with_idea()
    [problem] = problems(installed, sets=["relaxation.size=7"])
    assert problem.text == "the settings of idea raised KeyError: 'seven'."
    assert problems(installed, sets=["relaxation.size=6"]) == ()


def test_other_parts_are_judged_all_the_same():
    texts = [problem.path for problem in problems(with_idea(check=boom), sets=["trainer.batch=7", "seed=x"])]
    assert texts == ["seed", "trainer.batch", "relaxation"]


def test_a_mistake_of_the_recipe_beside_it_keeps_the_exit_code_of_recipes():
    request = Request(names={"relaxation": ["idea"]}, sets=["seed=x"])
    with pytest.raises(RecipeError):
        settled(request, with_idea(check=boom), run=CORE, slots=TABLE)


def test_a_check_that_refuses_with_the_error_of_recipes_is_heard():
    [problem] = problems(with_idea(check=refuse), sets=["relaxation.size=2"])
    assert (problem.text, problem.of_plugin) == ("is too small.", False)
    assert str(problem.origin) == "--set relaxation.size=2"


def test_what_a_broken_component_would_offer_is_no_error_of_others():
    installed = with_idea(provides=(Give(capability="normalized", when=boom),))
    [problem] = recipe(installed, names={"updater": ["xnas"], "relaxation": ["linear"]}).problems
    assert problem.hint == "What fits: egs, softmax."


def test_the_problem_of_a_check_names_where_the_value_came_from():
    [problem] = recipe(registry(), sets=["trainer.batch=7"]).problems
    assert str(problem) == "trainer.batch: is odd.\n     from --set trainer.batch=7"


def raising(error):
    def check(*_anything):
        raise error

    return check


@pytest.mark.parametrize("kind", [RecipeError, PluginError])
def test_an_error_that_holds_no_problem_is_heard(kind):
    [problem] = problems(with_idea(check=raising(kind([]))))
    assert problem.text == f"the check of idea raised {kind.__name__}."
    assert (problem.verdict, problem.of_plugin) == ("refused", True)


def test_an_error_that_only_warns_is_heard():
    doubt = Problem(path="relaxation.size", text="is odd.", verdict="warned", of_plugin=True)
    for kind in (RecipeError, PluginError):
        first, second = problems(with_idea(check=raising(kind([doubt]))))
        assert (first.text, first.verdict) == ("is odd.", "warned")
        assert second.text.startswith(f"the check of idea raised {kind.__name__}: warning: ")
        assert second.verdict == "refused"


def test_an_error_that_holds_no_problems_but_texts_is_the_plugins_mistake():
    [problem] = problems(with_idea(check=raising(RecipeError(["so"]))))
    assert problem.text == "the check of idea gave 'so', which is not a Problem."
    assert problem.of_plugin


def test_defaults_that_cannot_be_made_break_the_plugin():
    @frozen(kw_only=True)
    class Never:
        def __attrs_post_init__(self):
            sys.exit("never")

    plugin = with_idea(config=Never).plugins[-1]
    assert plugin.status == "broken"
    assert plugin.reason == "idea: its default settings cannot be made: SystemExit: never."


def test_defaults_are_made_only_where_they_are_needed():
    made = []

    @frozen(kw_only=True)
    class Counting:
        size: int = setting(1, "size", ge=1)

        def __attrs_post_init__(self):
            made.append(self.size)

    installed = with_idea(config=Counting)
    made.clear()
    assert problems(installed, sets=["relaxation.size=2"]) == ()
    assert set(made) == {2}


def test_defaults_that_cannot_be_made_any_more_are_no_error_of_others():
    allowed = [True]

    @frozen(kw_only=True)
    class Fickle:
        def __attrs_post_init__(self):
            assert allowed

    installed = with_idea(config=Fickle, provides=("normalized",))
    allowed.clear()
    [problem] = recipe(installed, names={"updater": ["xnas"], "relaxation": ["linear"]}).problems
    assert problem.hint == "What fits: egs, softmax."


@frozen(kw_only=True)
class Joined:
    """Two settings of which one at least must be given up."""

    hard: bool = setting(default=True, help="hard")
    ordered: bool = setting(default=False, help="ordered")
    exact: bool = setting(default=True, help="exact")

    def __attrs_post_init__(self):
        if self.hard and self.ordered:
            raise ValueError("hard and ordered do not go together")


def test_settings_that_refuse_another_value_are_no_way_out_and_no_crash():
    """With `ordered` it would give what is needed, but takes it only where another setting changes too."""
    given = Give(capability="normalized", when=lambda own: own.ordered or not own.exact)
    asked = Request(names={"updater": ["xnas"], "relaxation": ["idea"]})
    installed = with_idea(config=Joined, provides=(given,))
    [problem] = resolve(asked.layers(installed), installed).refused
    assert "relaxation.exact=false" in problem.hint
    assert "ordered" not in problem.hint
    found = suggest(asked, ResolveContext.of(asked, installed, run=CORE, slots=TABLE))
    assert found.changes == ("idea removed, so xnas brings softmax",)
