import subprocess
import sys
from importlib.metadata import EntryPoint

from nascore.plugin import discover

IDEA = """
from attrs import frozen
from nascore.component import Component, hookimpl
from nascore.config import setting

@frozen(kw_only=True)
class Settings:
    eta: float = setting(0.5, "step", gt=0)

class Idea:
    def __init__(self, settings):
        self.settings = settings

@hookimpl
def nascore_updaters():
    yield Component(name="idea", slot="updater", summary="an idea", config=Settings, build=Idea)
"""


def entry(name, value):
    return EntryPoint(name=name, value=value, group="nascore")


def test_a_file_is_a_plugin(tmp_path):
    path = tmp_path / "torch.py"  # the name of a module that exists
    path.write_text(IDEA, encoding="utf-8")
    found = discover([path], entries=())
    component = found.get("updater", "torch:idea")
    assert component.build(component.config(eta=1.0)).settings.eta == 1.0


def test_what_cannot_be_imported_is_broken_and_the_rest_stays(tmp_path):
    idea = tmp_path / "idea.py"
    idea.write_text(IDEA, encoding="utf-8")
    leaves = tmp_path / "leaves.py"
    leaves.write_text("raise SystemExit(3)", encoding="utf-8")
    found = discover(
        [idea, leaves, tmp_path / "gone.py"],
        entries=[entry("lost", "nascore_lost"), entry("lost", "nascore_lost")],
    )
    assert found.names("updater") == ("idea",)
    reasons = {plugin.name: plugin.reason for plugin in found.plugins if plugin.status == "broken"}
    assert sorted(reasons) == ["gone", "leaves", "lost"]
    assert "No module named 'nascore_lost'" in reasons["lost"]
    assert reasons["leaves"] == f"SystemExit: 3 ({leaves}:1)"
    assert "no file" in reasons["gone"]


def test_two_entries_of_one_name_are_both_seen(tmp_path, monkeypatch):
    (tmp_path / "mod_one.py").write_text(IDEA, encoding="utf-8")
    (tmp_path / "mod_two.py").write_text(IDEA, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found = discover(entries=[entry("x", "mod_one"), entry("x", "mod_two")])
    assert [plugin.status for plugin in found.plugins] == ["clash", "clash"]
    assert found.plugins[1].reason == "2 plugins are called x: mod_one and mod_two"


def test_plugins_and_recipes_load_without_torch():
    code = "import sys, nascore.plugin, nascore.recipe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
