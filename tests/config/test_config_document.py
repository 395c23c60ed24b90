import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nascore.config import parse_document, read_scalar, write_scalar, write_value


def value(text):
    document = parse_document(text, where="a.yaml")
    assert document.problems == []
    return document.root


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("1e-3", 0.001),
        ("1_000", "1_000"),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("true", True),
        ("~", None),
        ("", None),
        (".5", 0.5),
        ("2024-01-01", "2024-01-01"),
        ("'3'", "3"),
        ('"true"', "true"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text, read):
    node = value(text)
    assert node.value == read
    assert type(node.value) is type(read)


def test_every_value_has_its_line_and_column():
    root = value("updater:\n  eta: [1, 2]\n")
    eta = root.value["updater"].value["eta"]
    assert str(eta.origin) == "a.yaml:2:8"
    assert str(eta.key) == "a.yaml:2:3"
    assert str(eta.value[1].origin) == "a.yaml:2:12"


def test_an_equal_key_is_refused_where_it_stands_again():
    document = parse_document("updater:\n  eta: 1\n  eta: 2\n", where="main.yaml")
    [problem] = document.problems
    assert str(problem) == ("updater.eta: given twice; first at main.yaml:2:3.\n     from main.yaml:3:3")


@pytest.mark.parametrize("text", ["a: !!str 3", "a: &x 3", "a: &x [1]", "!!map {a: 1}", "[!mine x]"])
def test_tags_and_anchors_are_refused(text):
    [problem] = parse_document(text, where="a.yaml").problems
    assert problem.text == "tags (!) and anchors (&) are not allowed in a recipe."


@pytest.mark.parametrize(
    "text", ["a: [1", "a: *x", "a: 1\n---\nb: 2", "a: \x07", "\t- a", "[" * 2000, "a: 'x"]
)
def test_what_is_no_yaml_is_one_problem_with_a_place(text):
    document = parse_document(text, where="a.yaml")
    assert document.root is None
    [problem] = document.problems
    assert str(problem.origin).startswith("a.yaml")


def test_a_key_must_be_a_word():
    [problem] = parse_document("? [1, 2]\n: 3\n", where="a.yaml").problems
    assert problem.text == "a key must be a word."


@settings(deadline=None)  # the machine may be busy
@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(min_value=-(10**18), max_value=10**18),
        st.floats(allow_nan=False),
        st.text(),
    )
)
def test_a_written_scalar_reads_back(scalar):
    if isinstance(scalar, float) and scalar in (float("inf"), float("-inf")):
        return  # no setting holds them
    root = value("a: " + write_scalar(scalar))
    back = root.value["a"].value
    assert back == scalar
    assert type(back) is type(scalar)


def test_a_number_of_thousands_of_digits_is_text():
    assert read_scalar("9" * 5000) == "9" * 5000


def test_a_value_of_any_type_is_written():
    assert [write_value(value) for value in (None, True, "no name", (1, 2))] == [
        "null",
        "true",
        '"no name"',
        "[1, 2]",
    ]
