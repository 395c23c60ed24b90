"""Whatever is in a text: it is a description, or every problem has its path, its words and its line."""

from __future__ import annotations

import re

from descriptions import CATALOGUE, CHAIN, EXAMPLES
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nascore.description import expand, load
from nascore.errors import DescriptionError

TOKENS = re.compile(r"[A-Za-z0-9_+-]+|[{}\[\]:,;()=.]|\s+")
STRANGE = ["null", "on", "-1", "0", "-3", "1e3", "true", "{}", "[]", "images", "sum", "cell", "from", "op"]
STRANGE += ["choose", "999999999", "?", "''", '"x y"', "a.b", "classes", "- ", "\n", "  "]


@st.composite
def broken(draw):
    """One of the examples with some tokens dropped, replaced or added."""
    tokens = TOKENS.findall(draw(st.sampled_from(sorted(EXAMPLES.values()))))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(tokens) - 1))
        other = draw(st.sampled_from(STRANGE) | st.sampled_from(tokens))
        tokens[place : place + draw(st.integers(0, 1))] = draw(st.sampled_from([[], [other]]))
    return "".join(tokens)


@settings(max_examples=150, deadline=None)
@given(broken())
@example(CHAIN.replace("l1:", "l1-3:").replace("choose: layers, width: 2}", "op: fit, width: 2, repeat: 2}"))
def test_a_text_is_read_or_refused(text):
    problems = ()
    try:
        expand(load(text, where="net.yaml", catalogue=CATALOGUE), CATALOGUE)
    except DescriptionError as error:
        problems = error.problems or [None]
    assert all(problem.text and problem.origin for problem in problems)
