"""The checks of plugins, whatever their parts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata
from typing import TYPE_CHECKING, ClassVar, Final

from nascore.component import load
from nascore.errors import NascoreError, error_line
from nascore.nn.shapes import cut_off
from nascore.plugin.plugin import CORE, named, same_distribution
from nascore.recipe import Request, settled
from nascore.testing.conformance import (
    Conformance,
    NotConformingError,
    examined_with,
    needless,
    undocumented,
    unknown,
    unreadable,
    unwishable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.component import Component
    from nascore.description import Operation
    from nascore.plugin import Plugin


_FOUND: Final = "nascore-imports-torch-at "
_PROGRAM: Final = f"""
import json, sys, traceback
asked = json.loads(sys.argv[1])
sys.path[:] = asked["path"]

class Guard:
    def find_spec(self, name, *_):
        if name == "torch":
            frames = [
                frame for frame in traceback.extract_stack()[:-1]
                if not frame.filename.startswith("<") and "importlib" not in frame.filename
            ]
            # Not sys.stdout: what is printed while plugins are imported is caught.
            place = f"{{frames[-1].filename}}:{{frames[-1].lineno}}"
            print("{_FOUND}" + place, file=sys.__stdout__, flush=True)
            raise SystemExit(3)

sys.meta_path.insert(0, Guard())
from nascore.plugin import Selection, discover
plugins = discover(Selection(files=tuple(asked["files"]), only=tuple(asked["only"]))).plugins
"""


def torch_importer(plugin: Plugin) -> str:
    """Return the ``FILE:LINE`` where a plugin imports torch while it is loaded; empty if it does not.

    Args:
        plugin: A plugin that is ready. A plugin without a file or distribution (an object in a test)
            cannot be loaded in another process; it counts as not importing torch.

    Raises:
        NotConformingError: The plugin cannot be loaded alone.
    """
    if not plugin.is_file and not plugin.distribution:
        return ""
    asked = {
        "path": sys.path,
        "files": [plugin.value] if plugin.is_file else [],
        "only": ["nascore"] if plugin.is_file else [plugin.name],
    }
    done = subprocess.run(  # noqa: S603 - our own program, in the same Python
        [sys.executable, "-c", _PROGRAM, json.dumps(asked)],
        capture_output=True,
        check=False,
        encoding="utf-8",
        errors="replace",
    )
    for line in done.stdout.splitlines():
        if line.startswith(_FOUND):
            return line.removeprefix(_FOUND)
    if done.returncode != 0:
        error_line = (done.stderr.strip() or "nothing").splitlines()[-1]
        raise NotConformingError(f"{plugin.name} cannot be loaded in a process of its own: {error_line}")
    return ""


LONGEST: Final = 80
"""Maximum length of a summary, in characters, so that a list of summaries is easy to read."""
CHANNELS: Final = 4
SIZE: Final = 16
"""Height and width of the images on which an operation is tried."""
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class PluginConformance(Conformance):
    """The checks of a plugin as a whole: its declarations are correct, and its texts are readable.

    Attributes:
        plugin: Name of the plugin, or of its distribution.
    """

    plugin: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        """Set the name with which messages about the plugin begin."""
        super().__init_subclass__()
        cls.component = cls.component or cls.plugin

    def test_is_ready(self) -> None:
        """It can be loaded, and no declaration is refused."""
        self.ready()

    def test_loads_without_torch(self) -> None:
        """It can be listed without importing torch, which takes seconds."""
        importer = torch_importer(self.ready())
        self.hold(
            not importer, f"imports torch when it is listed, in {importer}: import torch in the part's module"
        )

    def test_names_can_be_typed(self) -> None:
        """Names are lower-case letters, digits and dashes."""
        wrong = [name for name, _ in self._named() if _NAME.fullmatch(name) is None]
        self.hold(not wrong, f"has names with characters other than a-z, 0-9 and dashes: {', '.join(wrong)}")

    def test_summaries_are_sentences(self) -> None:
        """Summaries are one line of at most 80 characters that ends with a full stop."""
        for name, summary in self._named():
            self.hold(summary.strip() and "\n" not in summary, f"has no summary of one line for {name}")
            self.hold(summary.endswith("."), f"has a summary of {name} without a full stop: {summary}")
            long = f"has a summary of {name} with {len(summary)} characters; at most {LONGEST} are allowed"
            self.hold(len(summary) <= LONGEST, long)

    def test_settings_are_documented(self) -> None:
        """Every setting has a description that ends with a full stop."""
        for one in self.ready().components:
            lacking = undocumented(one.config)
            self.hold(
                not lacking,
                f"has settings of {one.name} without a description that ends with a full stop: "
                f"{', '.join(lacking)}",
            )

    def test_needs_can_be_met(self) -> None:
        """Every need names existing slots and capabilities, and gives its reason."""
        for one in self.ready().components:
            for fault in needless(one, self.found()):
                raise NotConformingError(f"{self.component} has {fault}")

    def test_provides_what_is_known(self) -> None:
        """It provides only capabilities that others can need."""
        for one in self.ready().components:
            for fault in unknown(one, self.found()):
                raise NotConformingError(f"{self.component} has {fault}")

    def test_wishes_can_come_true(self) -> None:
        """Wishes name existing slots, and their settings are valid."""
        for one in self.ready().components:
            for fault in unwishable(one, self.found()):
                raise NotConformingError(f"{self.component} has {fault}")

    def test_unread_settings_are_there(self) -> None:
        """Every entry of a part's `unread` is an existing setting or slot."""
        for one in self.ready().components:
            for fault in unreadable(one, self.found()):
                raise NotConformingError(f"{self.component} has {fault}")

    def test_parts_can_be_built(self) -> None:
        """Every part can be built from its settings, and from the contributions to the hooks in `asks`."""
        for one in self.ready().components:
            self._build(one)

    def test_operations_pass_the_gradient(self) -> None:
        """An operation gives a gradient to its input and its weights if its result depends on them."""
        for one in self.ready().operations:
            for stride in one.strides or (1, 2):
                cut = self._cut_off(one, stride)
                text = f"has an operation {one.name} that passes no gradient to {', '.join(cut)}"
                self.hold(not cut, f"{text} at stride {stride}, although its output depends on it")

    def test_presets_are_recipes(self) -> None:
        """Every preset is a valid recipe, except for parts that are not installed."""
        for preset in self.ready().presets:
            try:
                settled(Request(preset=f"{preset.plugin}:{preset.name}"), self.found())
            except NascoreError as error:
                wrong = [str(one) for one in error.problems if one.verdict == "refused" and not one.of_plugin]
                self.hold(not wrong, f"has an invalid preset {preset.name}: {'; '.join(wrong)}")

    def test_says_for_which_nascore(self) -> None:
        """Its distribution declares the versions of nascore that it supports."""
        distribution = self.ready().distribution
        if not distribution or same_distribution(distribution, CORE):
            return
        required = metadata(distribution).get_all("Requires-Dist") or []
        bounded = any(re.match(r"nascore\b(?!-)[^;]*[<=~]", one) for one in required)
        self.hold(bounded, 'names no versions of nascore in its dependencies, such as "nascore>=0.1,<0.2"')

    def test_has_a_readme(self) -> None:
        """Its distribution has a README, which package indexes show."""
        distribution = self.ready().distribution
        try:
            text = str(metadata(distribution).json.get("description", "")) if distribution else "none needed"
        except PackageNotFoundError:
            return
        self.hold(text.strip(), 'has no README: write readme = "README.md" in its pyproject.toml')

    @classmethod
    def ready(cls) -> Plugin:
        """Return the plugin.

        Raises:
            NotConformingError: No plugin has this name, or it does not work.
        """
        for one in cls.found().plugins:
            if named(one, [cls.plugin]):
                cls.hold(one.status == "ready", f"is {one.status}: {one.reason.rstrip('.')}. {one.cure}")
                return one
        raise NotConformingError(f"No plugin is called {cls.plugin}.")

    def _named(self) -> Iterator[tuple[str, str]]:
        plugin = self.ready()
        for kind in (
            plugin.components,
            plugin.presets,
            plugin.translators,
            plugin.commands,
            plugin.executions,
        ):
            for one in kind:
                yield one.name, one.summary

    def _cut_off(self, one: Operation, stride: int) -> tuple[str, ...]:
        shape = (CHANNELS, CHANNELS, stride)
        try:
            return cut_off(load(one.build), tuple(one.settings.items()), shape, (SIZE, SIZE))
        except Exception:  # noqa: BLE001 - it may need other widths or sizes; OperationConformance tries them
            return ()

    def _build(self, one: Component) -> None:
        try:
            one.builder()(examined_with(one))
        except Exception as error:
            given = "its example" if one.example else "its default settings"
            text = f"{self.component} cannot build {one.slot} {one.name} with {given}"
            raise NotConformingError(f"{text}: {error_line(error).rstrip('.')}.") from error
