"""Only distributions of this repository are named in an installation line."""

from __future__ import annotations

import json
import re

import pytest
from made_distributions import FILE, ROOT, made, projects

from nascore.plugin.known import distributions

INSTALLATION = re.compile(r"pip install (?:-e )?[\"']?(nascore-[a-z0-9-]+)")

pytestmark = pytest.mark.skipif(not (ROOT / "plugins").is_dir(), reason="needs the repository")


def test_the_list_names_the_distributions_of_the_repository():
    assert set(distributions()) == projects()


def test_the_list_is_what_the_installed_distributions_bring():
    found, listed = made(), json.loads(FILE.read_text(encoding="utf-8"))
    assert found == {name: listed[name] for name in found}


def test_no_text_of_the_repository_installs_another_distribution():
    texts = [path for suffix in ("py", "md", "txt") for path in ROOT.glob(f"**/*.{suffix}")]
    texts = [
        path for path in texts if not any(part.startswith(".") for part in path.parts[len(ROOT.parts) :])
    ]
    named = {
        (path.name, name)
        for path in texts
        if "tests" not in path.parts
        for name in INSTALLATION.findall(path.read_text(encoding="utf-8"))
    }
    assert {name for _, name in named} <= projects(), named
