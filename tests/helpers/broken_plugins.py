"""Plugins that are broken, each in its own way, written as wheels; and two that are sound."""

from __future__ import annotations

import zipfile
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "from nascore.api import Command, Component, Operation, Preset, hookimpl\n"


def updaters(*names: str, mark: str = "@hookimpl", hook: str = "nascore_updaters", takes: str = "") -> str:
    """Return the source of a module that brings updaters."""
    yields = "".join(
        f"    yield Component(name={name!r}, slot='updater', summary='Steps.', "
        "build='nascore.builtin.updaters:Uniform')\n"
        for name in names
    )
    return f"{HEAD}\n{mark}\ndef {hook}({takes}):\n{yields}"


SHARED = updaters("shared") + dedent("""\

    @hookimpl
    def nascore_operations():
        yield Operation(name='shared_op', build='torch.nn:Identity')

    @hookimpl
    def nascore_presets():
        text = 'nascore: 1\\nspace: tiny\\nupdater: uniform'
        yield Preset(name='shared-preset', summary='Nothing.', text=text)

    @hookimpl
    def nascore_commands():
        yield Command(name='shared-verb', summary='Nothing.', build='nascore.cli.listing:command')
    """)

MODULES = {
    "import-error": "import nothing_of_the_kind\n",
    "exits": "raise SystemExit('no licence')\n",
    "syntax": "def\n",
    "unknown-hook": updaters("lost", hook="nascore_updatters"),
    "wrong-arguments": updaters("lost", takes="registry"),
    "raises-at-once": HEAD + "@hookimpl\ndef nascore_updaters():\n    raise RuntimeError('no network')\n",
    "raises-midway": updaters("half") + "    raise RuntimeError('half way')\n",
    "endless": updaters("endless").replace("    yield", "    while True: yield"),
    "no-package": None,
    "no-hook": HEAD,
    "unmarked": updaters("lost", mark=""),
    "bad-name": updaters("Bad Name"),
    "twice": updaters("same", "same"),
    "borrowed": "from nascore.builtin import nascore_updaters\n",
    "foreign": updaters("lost"),
    "twin-a": updaters("left"),
    "twin-b": updaters("right"),
    "share-a": SHARED,
    "share-b": SHARED,
    "sound": updaters("sound"),
}
"""By distribution, less its beginning `nb-`: what stands in the module; None: a package without any."""

NAMES = {"twin-a": "twin", "twin-b": "twin"}
"""Names of the plugins, where they are not those of the distributions."""

REQUIRES = {"foreign": "nascore>=99,<100", "sound": "nascore>=0.1"}
"""What the distributions ask for."""


def write_wheels(folder: Path) -> list[Path]:
    """Write one wheel for each module; they are installed by pip as those of anybody."""
    return [_write(folder, key, text) for key, text in MODULES.items()]


def _write(folder: Path, key: str, text: str | None) -> Path:
    distribution = f"nb-{key}"
    package = distribution.replace("-", "_")
    metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
    if key in REQUIRES:
        metadata += f"Requires-Dist: {REQUIRES[key]}\n"
    info = f"{package}-1.0.dist-info"
    files = {
        f"{package}/{'notes.txt' if text is None else '__init__.py'}": text or "",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[nascore]\n{NAMES.get(key, distribution)} = {package}\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    wheel = folder / f"{package}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, content)
    return wheel
