"""A loaded plugin, or why it could not be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import Factory, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nascore.component import Command, Component, Preset
    from nascore.description import Operation
    from nascore.description.translate import Translator

Status = Literal["ready", "blocked", "clash", "broken", "foreign"]


@frozen(kw_only=True, eq=False)
class Plugin:
    """One plugin and what it brings.

    Attributes:
        name: The name of its entry point, or of its file.
        value: Its module or file.
        distribution: The installed distribution that it came with; empty for a file.
        version: That distribution's version.
        status: ``ready``; or it brings nothing, being ``blocked`` (switched off), in a ``clash`` (another has
            its name), ``broken`` (it cannot be loaded) or ``foreign`` (made for another version of nascore).
        reason: Why it is not ready.
        cure: What to do about that.
        trace: The traceback, where an exception broke it.
        remarks: What its code did to the process when it was imported, put back since: a verb and its object.
        components: What fills slots.
        operations: Entries of the catalogue of operations.
        presets: Recipes.
        translators: Other notations for architectures.
        commands: Verbs.
        added: What it brings through hooks that other plugins added, by hook.
    """

    name: str
    value: str
    distribution: str = ""
    version: str = ""
    status: Status = "ready"
    reason: str = ""
    cure: str = ""
    trace: str = ""
    remarks: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    operations: tuple[Operation, ...] = ()
    presets: tuple[Preset, ...] = ()
    translators: tuple[Translator, ...] = ()
    commands: tuple[Command, ...] = ()
    added: Mapping[str, tuple[Any, ...]] = Factory(dict)

    @property
    def package(self) -> str:
        """The top-level package that its module is in; for a file, its path."""
        return self.value if self.is_file else self.value.partition(":")[0].partition(".")[0].strip()

    @property
    def is_file(self) -> bool:
        """Whether it is a single file that was named, not something installed."""
        return not self.distribution and self.value.endswith(".py")
