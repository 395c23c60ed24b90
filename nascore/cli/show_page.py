"""What is shown of components, in Markdown: a section each, and the page of all."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from nascore.cli.echo import inline
from nascore.cli.verb import as_typed, markdown_table
from nascore.component import SLOTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.verbs.partners import Partners
    from nascore.verbs.showing import Shown

REST: Final = "the rest as wishes and defaults bring it"

_HEAD: Final = f"""\
# Components

What is installed, by slot: what each component is, where it comes from, what it gives the others and needs of
them, its settings, and what it mixes with, {REST}. `nascore show NAME` prints the same
of one; `nascore matrix` goes through all combinations."""


def mixing(found: Sequence[Partners]) -> Iterator[str]:
    """Yield lines that say what goes with a component: by slot what is sound, then what is not, and why."""
    for slot, of_slot in groupby(found, key=lambda one: one.slot):
        for number, one in enumerate(of_slot):
            names = ", ".join(one.names)
            if one.verdict == "sound":
                yield f"{slot}: {names}"
                continue
            if not number:
                yield f"{slot}: nothing that is sound"
            yield f"  {one.verdict} {names}: {one.why}"


def page(found: Sequence[Shown]) -> str:
    """Return the page of components that come sorted by slot."""
    blocks = [_HEAD]
    summaries = {slot.name: slot.summary for slot in SLOTS}
    for slot, of_slot in groupby(found, key=lambda one: one.slot):
        summary = summaries[slot]
        blocks += [f"## {slot}", f"{summary[0].upper()}{summary[1:]}.", *map(section, of_slot)]
    return "\n\n".join(blocks)


def section(shown: Shown) -> str:
    """Return the section of one thing."""
    blocks = [f"### {shown.name}", inline(shown.summary)]
    facts = {"plugin": shown.plugin, "paper": shown.paper}
    lines = [f"{name}: {fact}" for name, fact in facts.items() if fact]
    lines += [*shown.facts, *(f"gives {one}" for one in shown.provides)]
    lines += [f"needs {one}" for one in shown.needs]
    blocks.append("\n".join(f"- {line}" for line in lines))
    if shown.settings:
        blocks.append(_settings(shown))
    if shown.mixes:
        blocks.append("\n".join([f"Mixes with ({REST}):\n", *map(_item, mixing(shown.mixes))]))
    if shown.text:
        blocks.append(f"```yaml\n{shown.text.rstrip()}\n```")
    return "\n\n".join(blocks)


def _item(line: str) -> str:
    text = line.lstrip()
    return f"{' ' * (len(line) - len(text))}- {text}"


def _settings(shown: Shown) -> str:
    rows = [
        (f"`{one.path}`", f"`{as_typed(one.default)}`", _mini(one.default, one.mini), one.expected, one.help)
        for one in shown.settings
    ]
    return markdown_table(rows, heads=("setting", "default", "mini", "must be", "is"))


def _mini(default: object, mini: object) -> str:
    return "" if mini == default else f"`{as_typed(mini)}`"
