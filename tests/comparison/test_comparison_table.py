"""The table of several runs: rows, names, differences, and what it warns of."""

from __future__ import annotations

import json

import pytest
from comparison_runs import made, many, written

import nascore
from nascore.errors import RecipeError, RunFolderError

GOOD = (0.90, 0.92, 0.91, 0.93, 0.90, 0.92, 0.91, 0.90)
BAD = (0.50, 0.55, 0.52, 0.51, 0.54, 0.53, 0.50, 0.52)
LIKE = (0.92, 0.90, 0.92, 0.92, 0.91, 0.91, 0.90, 0.92)


def warned(found, *texts):
    """Say whether there is one warning that holds all these texts."""
    return any(all(text in warning for text in texts) for warning in found.warnings)


def test_runs_that_differ_by_their_seed_are_one_row(tmp_path):
    found = nascore.compare(*many(tmp_path, darts=GOOD, xnas=LIKE))
    assert [row.label for row in found.rows] == ["darts", "xnas"]
    assert found.paths == ("updater",)
    first = found.rows[0]
    assert first.mean == pytest.approx(sum(GOOD) / 8)
    assert list(first.shares) == list(range(8))
    assert (first.average("params"), first.average("macs")) == (100, 1000)
    assert first.average("steps") == 13  # 8 to search and 5 to train: the last line of each phase
    assert found.warnings == ()


def test_a_difference_is_told_and_another_is_not(tmp_path):
    found = nascore.compare(*many(tmp_path, darts=GOOD, xnas=LIKE, uniform=BAD))
    verdicts = {(pair.first, pair.second): pair.verdict for pair in found.pairs}
    assert verdicts[("darts", "uniform")] == "significant"
    assert verdicts[("xnas", "uniform")] == "significant"
    assert verdicts[("xnas", "darts")] == "not significant"
    assert found.conclusions[0] == "significant: darts is better than uniform"
    assert found.conclusions[2].startswith("1 of 3 differences is not significant")


def test_few_seeds_tell_only_who_assumes_normal_accuracies(tmp_path):
    found = nascore.compare(*many(tmp_path, darts=GOOD[:5], uniform=BAD[:5]))
    (pair,) = found.pairs
    assert pair.verdict == "significant if normal"
    assert pair.difference.exact == 2 / 32
    assert "with 5 seeds, the difference cannot reach significance unless" in found.conclusions[-1]
    assert found.conclusions[-1].endswith("with 6 seeds it could")


def test_the_correction_counts_what_is_compared(tmp_path):
    runs = many(tmp_path, darts=GOOD, xnas=LIKE, uniform=BAD)
    every, against = nascore.compare(*runs), nascore.compare(*runs, against="uniform")
    assert (len(every.pairs), len(against.pairs)) == (3, 2)
    assert {"uniform"} <= {pair.second for pair in against.pairs}
    ours = next(pair for pair in against.pairs if pair.first == "darts")
    same = next(pair for pair in every.pairs if (pair.first, pair.second) == ("darts", "uniform"))
    assert ours.exact == pytest.approx(2 * 2 / 256)
    assert same.exact == pytest.approx(3 * 2 / 256)


def test_a_row_that_there_is_not(tmp_path):
    with pytest.raises(RecipeError, match=r"no row of this comparison is called drats. Did you mean darts\?"):
        nascore.compare(*many(tmp_path, darts=GOOD, xnas=LIKE), against="drats")


def test_seeds_that_are_not_shared_are_compared_unpaired(tmp_path):
    one = many(tmp_path / "a", darts=GOOD)
    other = [
        made(tmp_path / f"b{seed}", share, updater="uniform", seed=seed)
        for seed, share in enumerate(BAD, start=20)
    ]
    found = nascore.compare(*one, *other)
    assert not found.pairs[0].shared
    assert found.pairs[0].verdict == "significant"
    assert warned(found, "rows have different seeds", "0..7", "20..27")


def test_pairs_count_the_seeds_that_both_have(tmp_path):
    found = nascore.compare(*many(tmp_path, darts=GOOD[:6], uniform=BAD[:4]))
    assert (found.pairs[0].seeds, found.pairs[0].shared) == (4, True)


def test_a_difference_without_spread_is_not_told_apart_by_who_assumes_normal_ones(tmp_path):
    """Student says nothing of it: it counts by its permutation p, in both of Holm's lists."""
    even = (0.500, 0.750, 0.250, 0.500, 0.750, 0.250)
    wide = (0.325, 0.565, 0.085, 0.325, 0.555, 0.095)
    runs = many(tmp_path, darts=[share + 0.125 for share in even], sgd=even, uniform=wide)
    pairs = {one.second: one for one in nascore.compare(*runs, against="darts").pairs}
    assert (pairs["sgd"].difference.p, pairs["sgd"].p, pairs["sgd"].exact) == (None, None, 2 * 2 / 64)
    assert pairs["sgd"].verdict == "not significant"
    assert pairs["uniform"].verdict == "significant if normal"


def test_the_better_one_is_so_on_the_seeds_that_were_compared(tmp_path):
    """Seeds that only one has may raise its mean above the other's, which says nothing of the two."""
    early = (0.80, 0.82, 0.81, 0.83, 0.80, 0.82, 0.81)
    found = nascore.compare(*many(tmp_path, darts=(*early, *[0.99] * 10), xnas=LIKE[:7]))
    (pair,) = found.pairs
    assert found.rows[0].mean > found.rows[1].mean
    assert (pair.first, pair.second, pair.seeds) == ("xnas", "darts", 7)
    assert pair.difference.value > 0
    assert found.conclusions[0] == "significant: xnas is better than darts"


def test_rows_are_named_by_a_setting_where_components_are_the_same(tmp_path):
    runs = [made(tmp_path / f"{lr}", 0.9, lr=lr) for lr in (0.1, 0.2)]
    assert [row.label for row in nascore.compare(*runs).rows] == ["updater.lr=0.1", "updater.lr=0.2"]


def test_rows_are_named_by_as_many_paths_as_it_takes(tmp_path):
    runs = [
        made(tmp_path / f"{updater}{growth}", 0.9, updater=updater, growth=growth)
        for updater in ("darts", "xnas")
        for growth in ("none", "random")
    ]
    labels = [row.label for row in nascore.compare(*runs).rows]
    assert labels == ["darts none", "darts random", "xnas none", "xnas random"]


def test_what_differs_beside_the_compared_slot_is_said(tmp_path):
    one = made(tmp_path / "a", 0.9, updater="darts")
    other = made(tmp_path / "b", 0.9, updater="xnas", sequence="weights-first", epochs=20)
    found = nascore.compare(one, other)
    assert warned(found, "rows differ in more than updater: ranking.epochs: 10 (darts); 20 (xnas)")
    (text,) = found.brought
    assert text == "trainer.sequence: architecture-first (darts); weights-first (xnas)"


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"packages": {"nascore": "0.1.0", "torch": "2.6.0"}}, "version of torch"),
        ({"device": "NVIDIA H100"}, "device"),
        ({"threads": 2}, "threads"),
        ({"packages": {"torch": "2.14.1"}}, "version of nascore"),
    ],
)
def test_other_versions_devices_and_threads_are_warned_of(tmp_path, more, text):
    one, other = made(tmp_path / "a", 0.9), made(tmp_path / "b", 0.8, seed=1, environment=more)
    assert warned(nascore.compare(one, other), "runs differ in", text)


def test_one_seed_is_warned_of_and_tells_nothing(tmp_path):
    found = nascore.compare(*many(tmp_path, darts=[0.9], xnas=[0.1]))
    assert found.pairs[0].verdict == "too few seeds"
    assert (found.pairs[0].seeds, found.pairs[0].shared) == (1, True)
    assert found.rows[0].interval is None
    assert found.conclusions == ("no difference was tested",)
    assert warned(found, "only one seed: darts, xnas", "--seeds 0..4")


@pytest.mark.parametrize("other", [{"guided": False}, {"images": 90}, {"dataset": "synthetic"}])
def test_accuracies_of_other_images_are_not_compared(tmp_path, other):
    runs = [made(tmp_path / f"a{seed}", share, seed=seed) for seed, share in enumerate(GOOD)]
    runs += [
        made(tmp_path / f"b{seed}", share, seed=seed, updater="uniform", **other)
        for seed, share in enumerate(BAD)
    ]
    found = nascore.compare(*runs)
    (pair,) = found.pairs
    assert pair.verdict == "not comparable"
    assert pair.plain()["difference"] is None
    assert warned(found, "accuracies are not comparable", "nascore search --evaluate")


def test_the_best_of_several_says_so(tmp_path):
    found = nascore.compare(made(tmp_path / "a", 0.9, guided=False, entries=4))
    assert found.rows[0].plain()["best_of"] == 4


def test_a_run_that_failed_does_not_count_and_is_named(tmp_path):
    runs = [made(tmp_path / "a", 0.9), made(tmp_path / "b", 0.0, seed=1, status="failed")]
    found = nascore.compare(*runs)
    (row,) = found.rows
    assert (len(row.samples), len(row.lost)) == (1, 1)
    assert warned(found, f"{runs[1]} (darts) does not count: the loss is not finite")


def test_a_run_that_is_there_twice_counts_once(tmp_path):
    one, other = made(tmp_path / "a", 0.9), made(tmp_path / "b", 0.9)
    found = nascore.compare(one, other)
    assert len(found.rows[0].samples) == 1
    assert warned(found, f"{other} has the same recipe and seed as {one}")


def test_a_run_that_is_named_twice_counts_once(tmp_path):
    one = made(tmp_path / "a", 0.9)
    found = nascore.compare(one, one)
    assert len(found.rows[0].samples) == 1
    assert warned(found, f"{one} is named 2 times; it counts once")


def test_an_evaluation_beside_a_search_says_why_it_does_not_count(tmp_path):
    search, evaluation = made(tmp_path / "a", 0.9), made(tmp_path / "b", 0.9)
    result = json.loads((evaluation / "result.json").read_text())
    del result["validation_accuracy"]
    result |= {"kind": "evaluate", "test_accuracy": 0.9, "test_count": 50}
    written(evaluation / "result.json", result)
    found = nascore.compare(search, evaluation)
    assert warned(found, f"{evaluation} ", "is on test images, and this table compares validation images")


def test_of_files_that_runs_keep_the_content_counts(tmp_path):
    runs = [made(tmp_path / name, 0.9) for name in ("a", "b", "c")]
    for run, text in zip(runs, ("one", "two", "one"), strict=True):
        (run / "files").mkdir()
        (run / "files" / "chain.yaml").write_text(text, encoding="utf-8")
        recipe = (run / "recipe.yaml").read_text(encoding="utf-8")
        recipe = recipe.replace("  name: tiny\n", "  name: file\n  path: files/chain.yaml\n")
        (run / "recipe.yaml").write_text(recipe, encoding="utf-8")
    found = nascore.compare(*runs)
    assert [len(row.samples) for row in found.rows] == [1, 1]
    assert all(row.label.startswith('space.path="chain.yaml@') for row in found.rows)


def test_a_damaged_result_is_named(tmp_path):
    run = made(tmp_path / "a", 0.9)
    written(run / "result.json", {"kind": "search", "status": "done", "validation_accuracy": 0.9})
    with pytest.raises(RunFolderError, match=r"result\.json cannot be read: .*params is missing"):
        nascore.compare(run)


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunFolderError, match="is not a run"):
        nascore.compare(tmp_path)
    with pytest.raises(RunFolderError, match="compare needs at least one run"):
        nascore.compare()


def test_the_json_holds_the_whole_table(tmp_path):
    found = nascore.compare(*many(tmp_path, darts=GOOD, uniform=BAD))
    plain = json.loads(json.dumps(found.plain()))
    assert plain["rows"][0]["by_seed"]["3"] == 0.93
    assert plain["rows"][0]["guided"] is True
    assert plain["differences"][0]["verdict"] == "significant"
    assert plain["differences"][0]["paired"] is True
    assert "Holm" in plain["method"]
