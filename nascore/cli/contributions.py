"""Prints the contributions of tricks that an ablation measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nascore.cli.output import echo, inline, table, wrapped
from nascore.comparison import METHOD, images_note, spans
from nascore.slots import TRICK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nascore.comparison import Ablation, Contribution
    from nascore.gallery import Metric

NONE = "-"
"""Text of a cell without a figure."""


def echo_ablation(found: Ablation) -> None:
    """Print the contributions of an ablation to stdout, and its warnings to stderr."""
    metric = found.base.metric
    heads = (
        "trick",
        "points" if metric.percent else metric.title,
        "95 % interval",
        "with",
        "without",
        "s with",
        "s without",
        "seeds",
        "verdict",
    )
    echo(table([_row(one, metric) for one in found.contributions], heads=heads, keys=1))
    echo("\n" + "\n".join(map(wrapped, _notes(found))))
    for warning in found.warnings:
        echo(f"warning: {inline(warning)}", err=True)


def points_text(difference: float, metric: Metric) -> str:
    """Return a difference of scores as printed: of shares in percentage points."""
    return f"{100 * difference:+.2f}" if metric.percent else f"{difference:+.4g}"


def choice_text(choice: Mapping[str, str]) -> tuple[str, str]:
    """Return the tricks of a variant, and its switched settings, in words."""
    settings = [f"{path}={text}" for path, text in choice.items() if path != TRICK]
    return choice.get(TRICK, "none"), ", ".join(settings) or NONE


def _row(one: Contribution, metric: Metric) -> tuple[object, ...]:
    points, interval = NONE, NONE
    if one.difference is not None:
        points = points_text(one.difference.value, metric)
        if one.difference.interval is not None:
            low, high = one.difference.interval
            interval = f"{points_text(low, metric)} to {points_text(high, metric)}"
    means = (NONE if mean is None else metric.text(mean) for mean in (one.with_mean, one.without_mean))
    seconds = (NONE if value is None else f"{value:.1f}" for value in (one.with_seconds, one.without_seconds))
    return (one.switch, points, interval, *means, *seconds, one.seeds, one.verdict)


def _notes(found: Ablation) -> Iterator[str]:
    base, plan = found.base, found.plan
    tricks, settings = choice_text(plan.variants[0].choice)
    mean = NONE if base.mean is None else base.metric.text(base.mean)
    with_settings = "" if settings == NONE else f"; {settings}"
    yield f"{base.label}: {mean}, seeds {spans(base.shares) or 'none'}; tricks: {tricks}{with_settings}"
    images = f"measured on {images_note(base)} images" if base.samples else f"measured on {plan.split} images"
    held = "; they are held back from the training images, and the test images stay closed"
    yield images + (held if plan.split != "test" else "")
    title = base.metric.title
    head = "points" if base.metric.percent else title
    yield f"{head}: mean {title} with the trick minus that without it, over the seeds that both have"
    yield "seconds: of a whole training, mean over the seeds"
    yield from found.notes
    yield f"method: {METHOD}"
