"""Suggestions for unknown options, words and values of a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from attrs import frozen

from nascore.cli.habits import COMMANDS, OPTIONS, VALUES
from nascore.config import settings_of
from nascore.errors import did_you_mean
from nascore.recipe import EVALUATE_RUN, SEARCH_RUN
from nascore.run import RECIPE, is_file
from nascore.shell import command_line, quoted
from nascore.slots import SLOTS
from nascore.verbs.listing import NOTATION, PRESET, items

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nascore.cli.habits import Habit
    from nascore.plugin import Registry

RUNS: Final = {"search": SEARCH_RUN, "evaluate": EVALUATE_RUN}
"""The component of the run itself, by verb; its settings are those of the verb."""

ARCHITECTURE: Final = "architecture"
"""The argument whose value may contain spaces."""


@frozen(kw_only=True)
class _Typed:
    """The words after a command, and the installed plugins."""

    args: Sequence[str]
    registry: Registry

    def may_have(self, path: str, params: Sequence[click.Parameter]) -> bool:
        """Return whether the named component of a slot has a setting; without a name any component counts."""
        slot, _, setting = path.partition(".")
        option = next((one for one in params if one.name == slot), None)
        names = () if option is None else values_of(option, self.args)
        components = [one for one in self.registry.components(slot) if not names or one.name in names]
        return not components or any(setting in settings_of(one.config) for one in components)


def answered_command(name: str, rest: Sequence[str]) -> str:
    """Return the answer to a command of another tool; empty for an unknown one.

    Args:
        name: The typed command.
        rest: The words after it.
    """
    run = next((word for word in rest if not word.startswith("-")), "RUN")
    kind = {"algorithms": "updater", "methods": "updater"}.get(name.lower(), name.lower().removesuffix("s"))
    kind = kind if kind in {slot.name for slot in SLOTS} else "SLOT"
    return COMMANDS.get(name.lower(), "").format(run=quoted(run), name=repr(run), rest=kind)


def unknown_option(
    error: click.NoSuchOption, ctx: click.Context, args: Sequence[str], registry: Registry
) -> click.UsageError:
    """Return the error of an option that a command does not have.

    Args:
        error: The error of click.
        ctx: The context of the command.
        args: The words after the command.
        registry: The installed plugins.
    """
    token = next((one for one in args if _is_option(one, error.option_name)), error.option_name)
    name, _, value = token.lstrip("-").partition("=")
    name = name.lower().replace("_", "-")
    if not value and token in args:
        value = next((one for one in args[args.index(token) + 1 :][:1] if not one.startswith("-")), "")
    answer = (
        _habit(ctx, name, value, _Typed(args=args, registry=registry))
        or _setting(ctx, name, value, registry)
        or _near(ctx, name)
    )
    return click.UsageError(f"No such option '{token.partition('=')[0]}'. {answer}", ctx=ctx)


def extra_words(ctx: click.Context, rest: Sequence[str], registry: Registry) -> click.UsageError:
    """Return the error of words that a command does not take.

    Args:
        ctx: The context of the command, with the values of its options.
        rest: The words.
        registry: The installed plugins.
    """
    words = " ".join(map(quoted, rest))
    answer = _suggested_options(ctx, rest, registry) if ctx.command.name == "search" else ""
    if not answer:
        arguments = [one for one in ctx.command.params if isinstance(one, click.Argument)]
        taken = " ".join(one.make_metavar(ctx) for one in arguments)
        answer = f"It takes {taken or 'options only'}."
        if any(one.name == ARCHITECTURE for one in arguments):
            answer += " Put a text with spaces in quotes."
    return click.UsageError(f"{words}: unexpected after {ctx.command_path}. {answer}", ctx=ctx)


def bad_value(error: click.BadParameter, args: Sequence[str], registry: Registry) -> click.UsageError:
    """Return the error of a wrong or missing value of an option, with the right value.

    Args:
        error: The error of click.
        args: The words after the command.
        registry: The installed plugins.
    """
    param = error.param
    if param is None or error.ctx is None:
        return error
    value = next(reversed(values_of(param, args)), "")
    answer = _value(str(param.name), value)
    if isinstance(error, click.MissingParameter):
        names = sorted(one.name for one in items(registry, NOTATION)) if param.name == "to" else []
        answer = f"Write {' or '.join(f'--to {one}' for one in names)}." if names else ""
    elif param.name == "seed" and value and not value.strip("0123456789, ."):
        answer = f"Write {command_line('--seeds', value.replace(' ', ''))} for several seeds."
    return click.UsageError(f"{error.format_message()} {answer}", ctx=error.ctx) if answer else error


def given_twice(ctx: click.Context, args: Sequence[str]) -> None:
    """Raise an error if an option of one value has several values.

    Args:
        ctx: The context of the command.
        args: The words after the command.

    Raises:
        UsageError: There is such an option.
    """
    for param in ctx.command.params:
        if not isinstance(param, click.Option) or param.multiple or param.is_flag or param.nargs != 1:
            continue
        values = list(dict.fromkeys(values_of(param, args)))
        if len(values) > 1:
            flag = param.opts[0]
            text = f"{flag} is given {len(values)} values: {', '.join(map(quoted, values))}."
            raise click.UsageError(f"{text} {_once(ctx, param, values)}", ctx=ctx)


def values_of(param: click.Parameter, args: Sequence[str]) -> list[str]:
    """Return the typed values of an option, in their order."""
    words = args[: args.index("--")] if "--" in args else args
    found = []
    for at, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if flag in param.opts:
            found += [value] if equals else list(words[at + 1 : at + 2])
    return found


def _once(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> str:
    """Return the instruction to give one value, or several values as one."""
    flag = param.opts[0]
    if ctx.command.name == "search" and param.name in {slot.name for slot in SLOTS}:
        return f"Write {command_line(flag, ','.join(values))} to search with each of them, or only one."
    if ctx.command.name == "search" and param.name == "seed":
        return f"Write {command_line('--seeds', ','.join(values))} to search with each of them, or only one."
    return "Write only one."


def _is_option(word: str, option: str) -> bool:
    if option.startswith("--"):
        return word == option or word.startswith(f"{option}=")
    return word.startswith(option) and not word.startswith("--")


def _habit(ctx: click.Context, name: str, value: str, typed: _Typed) -> str:
    for habit in OPTIONS:
        if name in habit.names:
            answer = _of_settings(habit, ctx, typed) or _of_verb(habit, str(ctx.command.name))
            if answer:
                return _filled(answer, habit, value, typed.registry)
    return ""


def _of_settings(habit: Habit, ctx: click.Context, typed: _Typed) -> str:
    """Return the answer that names the settings of a habit which the verb and the named components have."""
    verb = str(ctx.command.name)
    if verb not in RUNS:
        return ""
    of_run = set(_of_run(verb))
    paths = [
        path
        for path in habit.settings
        if path in of_run or (verb == "search" and typed.may_have(path, ctx.command.params))
    ]
    if len(paths) == 1:
        return f"Write --set {paths[0]}={{value}}."
    options = ", ".join(f"--set {path}={{value}} for {habit.settings[path]}" for path in paths)
    return f"Write {options}." if options else ""


def _of_verb(habit: Habit, verb: str) -> str:
    if verb == "evaluate":
        return habit.evaluate or habit.search
    return habit.search if verb == "search" else habit.others.get(verb, "")


def _filled(answer: str, habit: Habit, value: str, registry: Registry) -> str:
    typed = quoted(value) if value and not habit.single else habit.value
    slots = [slot.name for slot in SLOTS if value in registry.names(slot.name)]
    named = [slot for slot in slots if slot in ("growth", "updater", "relaxation")]
    space = value if not value.endswith((".yaml", ".yml")) else f"file:{value}"
    return answer.format(
        value=typed,
        run=quoted(value) if value else "RUN",
        named=" or ".join(command_line(f"--{slot}", value) for slot in named) or f"--updater {typed}",
        space=command_line("--space", space) if value else "--space NAME",
    )


def _setting(ctx: click.Context, name: str, value: str, registry: Registry) -> str:
    """Return the answer that names the paths of settings with this name; empty where there is none."""
    verb = str(ctx.command.name)
    if verb not in RUNS:
        return ""
    setting = name.replace("-", "_")
    paths = [path for path in _paths(verb, registry) if path.rpartition(".")[2] == setting or path == setting]
    typed = quoted(value) if value else "VALUE"
    return f"Write {' or '.join(f'--set {path}={typed}' for path in dict.fromkeys(paths))}." if paths else ""


def _paths(verb: str, registry: Registry) -> Iterator[str]:
    for slot in SLOTS:
        of_verb = verb == "search" or slot.name == "dataset"
        for one in registry.components(slot.name) if of_verb else ():
            yield from _below(one.config, one.prefix)
    yield from _of_run(verb)


def _of_run(verb: str) -> Iterator[str]:
    """Yield the paths of the settings of a run; those of a search include the settings of its evaluation."""
    configs = dict.fromkeys((RUNS[verb].config, RUNS["evaluate"].config))
    yield from dict.fromkeys(path for config in configs for path in _below(config, ""))


def _below(config: type, prefix: str) -> Iterator[str]:
    for name, declared in settings_of(config).items():
        if declared.nested:
            yield from _below(declared.type, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _near(ctx: click.Context, name: str) -> str:
    options = [one for one in ctx.command.get_params(ctx) if isinstance(one, click.Option)]
    flags = {flag.lstrip("-"): flag for one in options for flag in one.opts}
    longer = [flag for word, flag in flags.items() if word.startswith(name)]
    near = did_you_mean(name, flags).removeprefix("Did you mean ").rstrip("?")
    candidates = longer[:1] or [flags[word] for word in (near,) if word]
    return f"Did you mean {candidates[0]}?" if candidates else f"See {ctx.command_path} --help."


def _value(name: str, value: str) -> str:
    if (name, value) in VALUES:
        return VALUES[name, value]
    kind, colon, number = value.partition(":")
    return VALUES.get((name, f"{kind}{colon}"), "").format(number=number) if colon else ""


def _suggested_options(ctx: click.Context, rest: Sequence[str], registry: Registry) -> str:
    """Return the options that words after ``nascore search`` probably stand for."""
    without_value = [text for text in ctx.params.get("sets", ()) if "=" not in text]
    if without_value:
        return f"Write {command_line('--set', f'{without_value[-1]}={rest[0]}')}."
    several = _several(ctx, rest, registry)
    if several:
        return several
    found = [option for word in rest for option in _options_of(word, registry)]
    return f"Did you mean {' '.join(dict.fromkeys(found))}?" if found else ""


def _several(ctx: click.Context, rest: Sequence[str], registry: Registry) -> str:
    """Return the instruction for several names of a slot, if its option is there and other names follow."""
    for slot in SLOTS:
        value: Any = ctx.params.get(slot.name)
        known = {*registry.names(slot.name), *registry.shown(slot.name)}
        words = [one for word in rest for one in word.split(",") if one]
        if isinstance(value, str) and words and all(one in known for one in words):
            names = [one for one in value.split(",") if one]
            return (
                f"Write {command_line(f'--{slot.name}', ','.join((*names, *words)))}: commas without spaces."
            )
    return ""


def _options_of(word: str, registry: Registry) -> list[str]:
    """Return the options that may take a word as their value."""
    if "=" in word:
        return [command_line("--set", word)]
    if word.endswith((".yaml", ".yml")):
        return [f"{command_line('--recipe', word)} or {command_line('--space', f'file:{word}')}"]
    if is_file(Path(word) / RECIPE):
        return [command_line("--recipe", Path(word) / RECIPE)]
    if word in {one.name for one in items(registry, PRESET)}:
        return [command_line("--preset", word)]
    slots = [slot.name for slot in SLOTS if word in registry.names(slot.name)]
    return [command_line(f"--{slot}", word) for slot in slots]
