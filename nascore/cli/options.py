"""Shared options of commands: those of a recipe (made from the slot table), and paths."""

from __future__ import annotations

import json
from functools import wraps
from os import fsdecode
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import click

from nascore.cli.completion import completing
from nascore.component import SCALES
from nascore.files import given_path
from nascore.plugin import Selection
from nascore.recipe import Request
from nascore.verbs.listing import PRESET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from nascore.slots import Slot


class GivenPath(click.Path):
    """A path in which ``~`` is the home folder, even if the shell has not expanded it."""

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """Return the path."""
        return given_path(fsdecode(super().convert(value, param, ctx)))


GIVEN = GivenPath()


F = TypeVar("F", bound="Callable[..., Any]")
Names: TypeAlias = tuple[str, ...]

RUN_FLAGS = ("seed", "threads", "device", "precision")
"""Settings of the run that have their own option."""

_PLUGIN_OPTIONS = (
    click.option(
        "--with",
        "files",
        multiple=True,
        type=GIVEN,
        metavar="FILE",
        help="A Python file with hooks, used like an installed plugin; repeatable.",
    ),
    click.option(
        "--without",
        multiple=True,
        metavar="NAME",
        help="Leave out an installed plugin, by its name or its distribution's; repeatable. The variable "
        "NASCORE_WITHOUT does this permanently, with commas between names.",
    ),
    click.option(
        "--only",
        multiple=True,
        metavar="NAME",
        help="Use only this installed plugin, and nascore's own parts; repeatable.",
    ),
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

entry_option = click.option(
    "--entry",
    type=click.IntRange(min=1),
    metavar="ID",
    help="An architecture of the run, by its id in nascore gallery. Default: the best.",
)

out_option = click.option(
    "--out",
    type=GIVEN,
    metavar="DIR",
    help="Folder of the run, new or empty. Default: a new one in NASCORE_RUNS, or runs/.",
)


budget_option = click.option(
    "--budget",
    metavar="AMOUNT",
    help="Stop and save the run after this much: 2h, 30m, 500steps or 20jobs. Default: no budget.",
)

checkpoint_option = click.option(
    "--checkpoint-every",
    metavar="TIME",
    help="Time between two checkpoints, from which nascore resume continues: 5m, 1h. Default: 10m.",
)

on_nan_option = click.option(
    "--on-nan",
    type=click.Choice(["stop", "rewind"]),
    help="If a loss is not finite: stop; or rewind to the last checkpoint and halve the learning rate, at "
    "most three times. Default: stop.",
)


def data_options(function: F) -> F:
    """Add ``--data-root`` and ``--download``, which :func:`data_sets` turns into settings."""
    root = click.option(
        "--data-root",
        type=GIVEN,
        metavar="DIR",
        help="Folder of the data sets that read files; short for --set dataset.root=DIR. Default: "
        "NASCORE_DATA, or data/.",
    )
    download = click.option(
        "--download",
        is_flag=True,
        help="Download missing files of the data set; short for --set dataset.download=true.",
    )
    return root(download(function))


def data_sets(root: Path | None, *, download: bool) -> tuple[str, ...]:
    """Return the texts of ``--set`` for which the options of :func:`data_options` are short."""
    path = () if root is None else (f"dataset.root={json.dumps(str(root), ensure_ascii=False)}",)
    return (*path, "dataset.download=true") if download else path


proxy_option = click.option(
    "--proxy",
    metavar="SETTINGS",
    help="Search on fewer, smaller images: fraction=0.2,size=16,classes=10, or fewer of these; short for "
    "--set proxy.fraction=0.2 and so on. evaluate uses the whole data set.",
)


def proxy_sets(text: str | None) -> tuple[str, ...]:
    """Return the texts of ``--set`` for which ``--proxy`` is short.

    Raises:
        click.BadParameter: An item has no value.
    """
    items = [] if text is None else text.split(",")
    wrong = [item for item in items if not item.partition("=")[2].strip()]
    if wrong:
        hint = "write --proxy fraction=0.2,size=16,classes=10, or fewer of these."
        raise click.BadParameter(f"{wrong[0]!r} has no value: {hint}", param_hint="'--proxy'")
    return tuple(f"proxy.{item.strip()}" for item in items)


def plugins_option(function: F) -> F:
    """Add ``--with``, ``--without`` and ``--only``, which the function gets as one argument `plugins`.

    Args:
        function: Takes `plugins`, a selection.
    """

    @wraps(function)
    def selecting(*args: Any, files: tuple[Path, ...], without: Names, only: Names, **given: Any) -> Any:  # noqa: ANN401 - click's own
        return function(*args, plugins=Selection(files=files, without=without, only=only), **given)

    for option in reversed(_PLUGIN_OPTIONS):
        selecting = option(selecting)
    return cast("F", selecting)


def recipe_options(slots: Sequence[Slot]) -> Callable[[F], F]:
    """Return the decorator that adds the options of a recipe, and those of :func:`plugins_option`.

    Args:
        slots: The slots that have an option.
    """

    def add(function: F) -> F:
        for option in reversed([*_files(), *map(_slot, slots), *_values(), data_options, plugins_option]):
            function = option(function)
        return function

    return add


def request(slots: Sequence[Slot], given: dict[str, Any]) -> Request:
    """Return the request that the options of :func:`recipe_options` make.

    Args:
        slots: The slots with an option.
        given: Values of the options, by name.
    """
    named = {slot.name: given[slot.name] for slot in slots}
    return Request(
        recipe=given["recipe"],
        preset=given["preset"],
        scale=given["scale"],
        names={
            slot: [names] if isinstance(names, str) else names
            for slot, names in named.items()
            if names not in {None, ()}
        },
        run={name: given[name] for name in RUN_FLAGS if given[name] is not None},
        sets=(
            *given["sets"],
            *data_sets(given["data_root"], download=given["download"]),
            *proxy_sets(given.get("proxy")),
        ),
    )


def _files() -> list[Callable[[F], F]]:
    path = GIVEN
    scales = click.Choice(SCALES)
    return [
        click.option("--recipe", type=path, metavar="FILE", help="A recipe in YAML."),
        click.option(
            "--preset",
            metavar="NAME",
            help="A recipe provided by a plugin; see nascore list preset.",
            shell_complete=completing(PRESET),
        ),
        click.option(
            "--scale",
            type=scales,
            help="mini: a quick check on a laptop; small: an hour on one small device; paper: the values of "
            "the papers.",
        ),
    ]


def _slot(slot: Slot) -> Callable[[F], F]:
    text = f"{slot.summary[0].upper()}{slot.summary[1:]}."
    if slot.many:
        text += " Repeatable; none: no component."
    return click.option(
        f"--{slot.name}",
        multiple=slot.many,
        metavar="NAME",
        help=text,
        shell_complete=completing(slot.name),
    )


def _values() -> list[Callable[[F], F]]:
    sets = (
        "A setting, such as trainer.epochs=5; repeatable. nascore show NAME lists those of a component, "
        "nascore show run those of the run."
    )
    devices = click.Choice(["auto", "cpu", "cuda"])
    precisions = click.Choice(["float32", "bf16", "fp16"])
    return [
        click.option("--set", "sets", multiple=True, metavar="PATH=VALUE", help=sets),
        click.option("--seed", type=int, metavar="N", help="Seed of all random numbers. Default: 0."),
        click.option(
            "--threads",
            type=int,
            metavar="N",
            help="CPU threads; results depend on their number. Default: 1.",
        ),
        click.option("--device", type=devices, help="Default: auto, CUDA if available."),
        click.option("--precision", type=precisions, help="Number type of training. Default: float32."),
    ]
