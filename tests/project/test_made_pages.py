"""What commands print in pages is what they print today."""

from __future__ import annotations

import pytest
from made_pages import PAGES, plugins, printed, texts

FOUND = [
    pytest.param(command, text, id=page, marks=pytest.mark.needs(*plugins(command)))
    for page in PAGES
    for command, text in texts(page).items()
]


def test_each_page_has_something_that_is_made():
    assert len(FOUND) == len(PAGES)


@pytest.mark.parametrize(("command", "text"), FOUND)
def test_a_page_says_what_the_command_prints(command, text):
    """``make pages`` prints them anew."""
    assert printed(command) == text
