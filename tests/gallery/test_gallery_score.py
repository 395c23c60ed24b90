"""Metrics and scores: their direction, their files, and the order of architectures by them."""

from __future__ import annotations

import pytest

from nascore.comparison.rows import OTHER_IMAGES, Row, pairs_of
from nascore.comparison.sample import Measured, Sample
from nascore.gallery import ACCURACY, Entry, Gallery, Metric, Score, figures_of_scores, metric_of, wilson

ERROR = Metric(name="mean_absolute_error", best=0.0, larger_is_better=False)
PRECISION = Metric(name="mean_average_precision", percent=True)


def entry(number, error, params, metric=ERROR, **more):
    return Entry(
        id=number,
        description=f"architectures/{number:04d}.yaml",
        error=error,
        count=50,
        costs={"params": params, "macs": params},
        metric=metric,
        scores={metric.name: metric.value(error)},
        **more,
    )


def test_the_error_is_the_distance_from_the_best_value():
    assert PRECISION.error(0.75) == 0.25
    assert ERROR.error(3.5) == 3.5
    assert [each.value(each.error(0.5)) for each in (ACCURACY, PRECISION, ERROR)] == [0.5] * 3


def test_values_are_printed_as_shares_or_numbers():
    assert ACCURACY.text(0.9754) == "97.54%"
    assert ERROR.text(1.326444) == "1.3264"
    assert (ERROR.title, ERROR.key("test")) == ("mean absolute error", "test_mean_absolute_error")


def test_a_metric_is_read_as_it_was_written():
    assert metric_of({"metric": ERROR.plain()}) == ERROR
    assert metric_of({}) == ACCURACY
    with pytest.raises(ValueError, match="metric: best is missing; metric: name is 3, not a text"):
        metric_of({"metric": {"name": 3, "larger_is_better": True, "percent": True}})


def test_figures_name_the_metric_unless_it_is_the_accuracy():
    share = Score(metric=ACCURACY, value=0.5, count=10, interval=(0.2, 0.8))
    assert figures_of_scores((share,), "test") == {
        "test_accuracy": 0.5,
        "test_count": 10,
        "interval": [0.2, 0.8],
    }
    found = figures_of_scores((Score(metric=ERROR, value=2.0, count=10),), "validation")
    assert found["metric"] == ERROR.plain()
    assert found["scores"] == {"mean_absolute_error": 2.0}
    assert (found["validation_mean_absolute_error"], found["interval"]) == (2.0, None)


def test_an_entry_is_read_as_it_was_written():
    found = entry(1, 2.5, 100, error_interval=(2.0, 3.0))
    plain = found.plain()
    assert plain["mean_absolute_error"] == plain["error"] == 2.5
    assert Entry.of(plain) == found
    assert "accuracy" not in plain
    unknown = entry(2, 0.25, 100, PRECISION)
    assert Entry.of(unknown.plain()) == unknown
    assert unknown.score_interval is None
    bounds = entry(3, 0.25, 100, PRECISION, error_interval=(0.125, 0.5))
    assert bounds.score_interval == (0.5, 0.875)


def test_an_entry_of_a_classification_has_no_new_values():
    found = Entry(id=1, description="a.yaml", error=0.25, count=8, costs={"params": 1, "macs": 2})
    assert [*found.plain()] == [
        *("id", "parent", "wave", "description", "weights", "error", "count", "costs", "steps", "guided"),
        *("values", "accuracy", "interval"),
    ]
    assert found.plain()["interval"] == list(wilson(0.25, 8))


def test_a_wrong_entry_names_its_faults():
    plain = entry(1, 2.5, 100).plain()
    with pytest.raises(ValueError, match="error is -1, not a finite number, 0 or more"):
        Entry.of({**plain, "error": -1})
    with pytest.raises(ValueError, match=r"error is 2\.5, not a share"):
        Entry.of({name: value for name, value in plain.items() if name != "metric"})


def test_smaller_errors_are_better_whatever_their_size():
    gallery = Gallery((entry(1, 5.0, 100), entry(2, 3.0, 200), entry(3, 4.0, 300), entry(4, 1.0, 400)))
    assert gallery.best.id == 4
    assert [one.id for one in gallery.front()] == [1, 2, 4]
    assert gallery.reference() == (pytest.approx(5.5), pytest.approx(440))
    assert 0 < gallery.hypervolume() < 1
    again = Gallery.from_json(gallery.to_json())
    assert (again.best.score, again.metric) == (1.0, ERROR)


def row(label, values, metric=ERROR):
    samples = [
        Sample(
            name=f"{label}{seed}",
            status="done",
            seed=seed,
            kind="search",
            recipe={"updater": label},
            measured={
                "validation": Measured(
                    share=value, count=9, split="validation", params=1, macs=1, metric=metric
                )
            },
        )
        for seed, value in enumerate(values)
    ]
    return Row(label=label, samples=tuple(samples), by="validation")


def test_the_better_row_of_a_difference_comes_first():
    low, high = row("low", (1.0, 1.2, 1.1)), row("high", (2.0, 2.4, 2.1))
    (pair,) = pairs_of([high, low])
    assert (pair.first, pair.second) == ("low", "high")
    assert pair.difference.value == pytest.approx(-3.2 / 3)
    assert high.interval[1] > 1
    (share,) = pairs_of([row("low", (0.1, 0.2), PRECISION), row("high", (0.5, 0.4), PRECISION)])
    assert share.first == "high"


def test_rows_with_different_metrics_are_not_compared():
    (pair,) = pairs_of([row("one", (0.5, 0.5)), row("other", (0.5, 0.6), PRECISION)])
    assert (pair.verdict, pair.difference) == (OTHER_IMAGES, None)
