"""Values of settings in a comparison: how they are split, combined and refused, before anything runs."""

from __future__ import annotations

import pytest

import nascore
from nascore.errors import RecipeError
from nascore.recipe import Request, Values
from nascore.verbs.grid import MOST_SEARCHES, expand_grid, varies
from nascore.verbs.reporter import Reporter
from nascore.verbs.resolution import requested
from nascore.verbs.setting_axes import split_values
from nascore.verbs.several import resolve_searches

NAMES = {"space": ["tiny"], "updater": ["sgd,uniform"], "dataset": ["synthetic"]}


class TypedReporter(Reporter):
    """Remembers the requests of the commands that it suggests."""

    def __init__(self):
        super().__init__()
        self.requests = []

    def command(self, request):
        self.requests.append(request)
        return "nascore search"


def asked(*sets: str, names: dict[str, list[str]] = NAMES, seeds: str | None = None, scale: str = "mini"):
    """Resolve the searches of some texts after ``--set``."""
    return resolve_searches(Request(names=names, sets=list(sets), scale=scale), seeds=seeds)


def choices(*sets: str, **more: object) -> list[dict[str, str]]:
    return [dict(member.choice) for member in asked(*sets, **more).members]


def refusal(*sets: str, **more: object) -> str:
    with pytest.raises(RecipeError) as caught:
        asked(*sets, **more)
    return "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1", ["0.1"]),
        ("0.1,0.01", ["0.1", "0.01"]),
        (" 1 , 2 ", ["1", "2"]),
        ("[1, 2]", ["[1, 2]"]),
        ("[1, 2],[3]", ["[1, 2]", "[3]"]),
        ("[[1, 2], [3, 4]],null", ["[[1, 2], [3, 4]]", "null"]),
        ("{lr: 1, eta: 2}", ["{lr: 1, eta: 2}"]),
        ("{a: [1, '],']},2", ["{a: [1, '],']}", "2"]),
        ("'a, b'", ["'a, b'"]),
        ("'a, b',c", ["'a, b'", "c"]),
        ('"a, b",c', ['"a, b"', "c"]),
        ("it's,so", ["it's", "so"]),
        ("1,,2", ["1", "", "2"]),
        ("1,", ["1", ""]),
        ("1,trainer.lr=3", ["1,trainer.lr=3"]),
    ],
)
def test_a_comma_outside_brackets_and_quotes_separates_values(text, values):
    assert split_values(text) == values


def test_a_file_whose_path_has_a_comma_is_one_value(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b.yaml").touch()
    assert split_values("a,b.yaml") == ["a,b.yaml"]
    assert split_values("a,c.yaml") == ["a", "c.yaml"]


@pytest.mark.parametrize(
    ("sets", "several"),
    [
        (["trainer.lr=0.1"], False),
        (["trainer.lr=0.1,0.2"], True),
        (["dataset.x=[1, 2]"], False),
        (["sgd:updater.lr=1"], True),
        (["space.path=file:a.yaml"], False),
        (["trainer.epochs=1,trainer.lr=3"], False),
    ],
)
def test_values_make_several_searches(sets, several):
    assert varies(Request(names={"updater": ["sgd"]}, sets=sets)) is several


def test_a_search_for_each_value_of_a_setting():
    names = {**NAMES, "updater": ["sgd"]}
    found = asked("updater.lr=0.1,1e-2", "trainer.epochs=2,3", names=names, seeds="0..1")
    combined = [(member.choice["updater.lr"], member.choice["trainer.epochs"]) for member in found.members]
    assert combined == [("0.1", "2"), ("0.1", "3"), ("0.01", "2"), ("0.01", "3")] * 2
    assert [member.recipe.setting("updater.lr") for member in found.members[:4]] == [0.1, 0.1, 0.01, 0.01]
    assert [member.recipe.setting("trainer.epochs") for member in found.members[:2]] == [2, 3]
    assert [member.seed for member in found.members] == [0] * 4 + [1] * 4


def test_values_are_for_the_components_that_have_the_setting():
    found = asked("updater.lr=0.1,0.01")
    assert [dict(member.choice) for member in found.members] == [
        {"updater": "sgd", "updater.lr": "0.1"},
        {"updater": "sgd", "updater.lr": "0.01"},
        {"updater": "uniform"},
    ]


def test_a_name_before_the_path_sets_it_for_one_component():
    found = asked("uniform:trainer.epochs=2", "trainer.epochs=3")
    epochs = {member.choice["updater"]: member.recipe.setting("trainer.epochs") for member in found.members}
    assert epochs == {"sgd": 3, "uniform": 2}
    assert all(set(member.choice) == {"updater"} for member in found.members)


def test_values_for_one_component_override_those_for_all():
    assert choices("sgd:trainer.epochs=2,3", "trainer.epochs=4,5,6") == [
        {"updater": "sgd", "trainer.epochs": "2"},
        {"updater": "sgd", "trainer.epochs": "3"},
        {"updater": "uniform", "trainer.epochs": "4"},
        {"updater": "uniform", "trainer.epochs": "5"},
        {"updater": "uniform", "trainer.epochs": "6"},
    ]


def test_a_name_with_its_plugin():
    names = {**NAMES, "updater": ["uniform"], "space": ["tiny,builtin:planted"]}
    found = asked("builtin:planted:space.form=cell,chain", names=names)
    assert [member.choice.get("space.form") for member in found.members] == [None, "cell", "chain"]


def test_words_and_maps_are_values():
    names = {**NAMES, "updater": ["sgd"]}
    found = asked("trainer.estimate=first,unrolled", "ranking={lr: 0.1},{lr: 0.2}", names=names)
    combined = [
        (one.recipe.setting("trainer.estimate"), one.recipe.setting("ranking.lr")) for one in found.members
    ]
    assert combined == [("first", 0.1), ("first", 0.2), ("unrolled", 0.1), ("unrolled", 0.2)]


def test_all_problems_at_once():
    text = refusal(
        *("sdg:updater.lr=0.1", "tiny:space.cells=2", "updater:lr=3", "seed=0,1", "threads=1,2"),
        *(
            "training.epochs=1,2",
            "trainer.lr=0.1,0.1,,1e-1",
            "trainer.batch=8,16",
            "trainer.batch=32",
        ),
    )
    for sentence in (
        "sdg:updater.lr: no compared component is called sdg. Did you mean sgd?",
        "tiny:space.cells: tiny is not compared with another component. Leave out the name: space.cells.",
        "updater:lr: no compared component is called updater. Did you mean updater.lr?",
        "seed: the seeds of a comparison are not a setting. Write --seeds 0,1.",
        "threads: is the same for all searches of a comparison. Give one value.",
        "training.epochs: is the same for all searches of a comparison. Give one value, or evaluate",
        "trainer.lr: a value is missing between commas. Leave out a comma, or write null or ''.",
        "trainer.lr: 0.1 is given twice. Leave it out.",
        "trainer.batch: is given twice. Give all its values at once.",
    ):
        assert sentence in text
    assert text.count("0.1 is given twice") == 1


def test_a_name_where_nothing_is_compared():
    names = {**NAMES, "updater": ["sgd"]}
    assert (
        "sgd:updater.lr: sgd is not compared with another component. Leave out the name: updater.lr."
        in refusal("sgd:updater.lr=0.1", names=names)
    )


def test_one_setting_for_components_of_two_slots():
    names = {**NAMES, "space": ["tiny,planted"]}
    text = refusal("sgd:trainer.lr=0.1", "tiny:trainer.lr=0.2", names=names)
    assert "tiny:trainer.lr: is given for components of two slots. Give it for one slot." in text


def test_a_setting_that_the_named_component_does_not_have():
    text = refusal("uniform:updater.lr=0.1")
    assert "updater.lr: [updater uniform] uniform has no setting lr" in text


def test_an_unknown_setting_is_reported_once_for_each_component():
    text = refusal("updater.foo=1,2")
    assert text.count("sgd has no setting foo") == 1
    assert text.count("uniform has no setting foo") == 1


def test_refused_values_are_left_out_of_the_rest():
    reporter = TypedReporter()
    request = Request(names=NAMES, sets=["updater.lr=-1,0.1,0.01", "uniform:trainer.epochs=0"], scale="mini")
    with pytest.raises(RecipeError) as caught:
        resolve_searches(request, seeds=None, reporter=reporter)
    assert "[updater sgd, updater.lr=-1] -1 is not a number above 0." in str(caught.value)
    [rest] = reporter.requests
    assert rest.names["updater"] == ["sgd"]
    assert rest.sets == ["updater.lr=0.1,0.01"]
    resolve_searches(rest, seeds=None)


def test_a_remaining_name_needs_no_prefix():
    with pytest.raises(RecipeError) as caught:
        asked("uniform:trainer.epochs=0", "sgd:updater.lr=0.1,0.2")
    assert caught.value.__notes__ == ["The others work: updater: sgd; updater.lr: 0.1, 0.2."]


def test_too_many_searches_are_refused_with_their_number():
    values = ",".join(map(str, range(1, 41)))
    names = {**NAMES, "updater": ["sgd"]}
    text = refusal(f"trainer.epochs={values}", f"trainer.batch={values}", names=names, seeds="0..1")
    assert text.startswith(f"the names, values and seeds make 3,200 searches, more than {MOST_SEARCHES:,}.")


def test_values_from_python():
    settings = {"updater.lr": Values([0.1, 0.01]), "uniform:trainer.epochs": 2, "trainer.epochs": 3}
    request = requested(
        names={"space": "tiny", "dataset": "synthetic", "updater": ["sgd", "uniform"]},
        recipe=None,
        preset=None,
        scale="mini",
        settings=settings,
    )
    assert varies(request)
    typed = asked("updater.lr=0.1,0.01", "uniform:trainer.epochs=2", "trainer.epochs=3")
    found = resolve_searches(request, seeds=None)
    assert [member.choice for member in found.members] == [member.choice for member in typed.members]
    for one, other in zip(found.members, typed.members, strict=True):
        rows = [[(path, value) for path, value, _ in member.recipe.rows()] for member in (one, other)]
        assert rows[0] == rows[1]


def test_values_of_numpy_are_plain():
    numpy = pytest.importorskip("numpy")
    request = requested(
        names={"updater": "sgd"},
        recipe=None,
        preset=None,
        scale=None,
        settings={"updater.lr": Values(numpy.array([0.5, 0.25]))},
    )
    [axis] = expand_grid(request, None).axes
    assert [(value.text, type(value.given)) for value in axis.values] == [("0.5", float), ("0.25", float)]


@pytest.mark.parametrize("wrong", ["0.1,0.01", 0.1, None])
def test_values_take_a_list(wrong):
    with pytest.raises(RecipeError, match=r"Values takes a list of values, such as Values\(\[0.1, 0.01\]\)"):
        nascore.Values(wrong)


def test_an_empty_list_of_values():
    with pytest.raises(RecipeError, match=r"updater.lr: has no value. Give at least one."):
        nascore.search_several(space="tiny", updater=["sgd", "uniform"], settings={"updater.lr": Values([])})


def test_one_search_takes_one_value_and_no_name():
    with pytest.raises(RecipeError) as caught:
        nascore.search(
            space="tiny",
            updater="sgd",
            settings={"updater.lr": Values([0.1, 0.2]), "sgd:updater.momentum": 0},
        )
    text = str(caught.value)
    assert "updater.lr: holds one value, not 2. Name one, or compare them: nascore.search_several." in text
    assert "sgd:updater.momentum: sgd is not compared with another component." in text
