"""Finds the published weights of an architecture on this machine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from nascore.description import Pretrained
from nascore.errors import NascoreError, PluginError, Problem, RecipeError, error_line
from nascore.plugin.guard import attempt
from nascore.recipe.sources.run_settings import EVALUATION_PATH
from nascore.verbs.architecture import notation_of_target, read_architecture

if TYPE_CHECKING:
    from nascore.description import Translator
    from nascore.plugin import Registry
    from nascore.recipe import Request
    from nascore.verbs.architecture import Target

FILE = "weights.file"
HEAD = "weights.head"
ANY_FILE = "--weights FILE takes any file of weights."


def with_pretrained(request: Request, target: Target, registry: Registry) -> Request:
    """Return a request whose training begins with the published weights of the target.

    A classifier for another number of outputs begins with new weights, unless the request decides on it.

    Raises:
        RecipeError: The target does not exist, has no published weights, or they are not on this machine.
        PluginError: The notation of the target cannot look for them.
    """
    # Without the architecture its own error is the answer.
    read_architecture(target, registry)
    settings = {FILE: str(pretrained_file(target, registry).absolute()), "weights.sha256": ""}
    named = (*(text.partition("=")[0].strip() for text in request.sets), *request.settings)
    if HEAD not in {path.removeprefix(EVALUATION_PATH) for path in named}:
        settings[HEAD] = "auto"
    return evolve(request, settings={**request.settings, **settings})


def pretrained_file(target: Target, registry: Registry) -> Path:
    """Return the file with the published weights of a target; see :func:`with_pretrained`."""
    translator, text = notation_of_target(target, registry)
    if translator is None or translator.pretrained is None:
        kind = (
            "this architecture"
            if translator is None
            else f"an architecture in the notation {translator.name}"
        )
        offering = [name for name, one in registry.translators().items() if one.pretrained is not None]
        known = f"Networks of {' and '.join(sorted(offering))} have them. " if offering else ""
        raise _refused(f"{kind} has no published weights.", f"{known}{ANY_FILE}")
    found = _looked_for(translator, text)
    if found is None:
        raise _refused(f"{text.strip()} has no published weights.", ANY_FILE)
    if found.file is None:
        places = ", ".join(found.places) or "nowhere"
        message = f"the published weights of {text.strip()} are not on this machine. Looked for: {places}."
        raise _refused(message, f"{found.hint} {ANY_FILE}".strip())
    return found.file


def _looked_for(translator: Translator, text: str) -> Pretrained | None:
    """Return the result of a notation's `pretrained`, checked.

    Raises:
        DescriptionError: The notation gives the reason why there are no weights.
        PluginError: It raises something else, or returns something else.
    """
    assert translator.pretrained is not None
    found: Any = attempt(partial(translator.pretrained, text), partial(_failed, translator))
    if found is None:
        return None
    if not isinstance(found, Pretrained) or not isinstance(found.file, (Path, type(None))):
        raise _fault(translator, f"returned {found!r}, not a Pretrained with a Path or None.")
    return found


def _failed(translator: Translator, error: BaseException) -> Pretrained | None:
    if isinstance(error, NascoreError):
        raise error
    raise _fault(translator, f"raised {error_line(error).rstrip('.')}.") from error


def _fault(translator: Translator, text: str) -> PluginError:
    message = f"`pretrained` of the notation {translator.name} {text}"
    hint = "This is a fault of the plugin: tell its authors."
    return PluginError([Problem(path=FILE, text=message, hint=hint, of_plugin=True)])


def _refused(text: str, hint: str) -> RecipeError:
    return RecipeError([Problem(path=FILE, text=text, hint=hint)])
