"""Settings at the ends of what they allow: each declared bound and choice, the others as they were."""

from __future__ import annotations

from enum import EnumType
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

from attrs import evolve

from nascore.config import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nascore.config import Declared

NEAR: Final = 1e-6
"""How near to an excluded bound a fraction is tried; relative to the bound where that is large."""


def extremes(settings: Any, *, largest: float) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - a plugin's class
    """Yield a text such as ``lr=0.0`` and the settings with that value.

    Args:
        settings: An instance of a settings class.
        largest: Bounds above it are left out: they would be slow to try.
    """
    for name, declared in settings_of(type(settings)).items():
        if declared.nested:
            for text, inner in extremes(getattr(settings, name), largest=largest):
                yield f"{name}.{text}", evolve(settings, **{name: inner})
            continue
        for value in _values(declared):
            if not (isinstance(value, (int, float)) and abs(value) > largest):
                yield f"{name}={value}", evolve(settings, **{name: value})


def _values(declared: Declared) -> Iterator[Any]:
    if declared.setting.choices:
        yield from declared.setting.choices
        return
    expected = declared.type
    for arm in get_args(expected) if get_origin(expected) in (Union, UnionType) else (expected,):
        yield from _arm(arm, declared)


def _arm(arm: Any, declared: Declared) -> Iterator[Any]:  # noqa: ANN401 - a type, or what typing makes of one
    if get_origin(arm) is Annotated:
        arm = get_args(arm)[0]
    if arm is bool:
        yield from (False, True)
    elif arm in (None, NoneType):
        yield None
    elif arm in (int, float):
        for kind, limit in declared.setting.bounds:
            yield _at(arm, kind, limit)
    elif get_origin(arm) is Literal:
        yield from get_args(arm)
    elif isinstance(arm, EnumType):
        yield from arm


def _at(arm: type, kind: str, limit: float) -> float:
    if kind in ("ge", "le"):
        return arm(limit)  # type: ignore[no-any-return]  # int or float
    step = 1 if arm is int else NEAR * max(1.0, abs(limit))
    return arm(limit + step if kind == "gt" else limit - step)  # type: ignore[no-any-return]  # the same
