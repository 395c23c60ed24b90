"""Ablations: which variants are trained, with which figures, and that no training is repeated."""

from __future__ import annotations

import json
from shutil import copytree
from statistics import fmean, stdev

import pytest
from ablation_runs import SETTINGS, written

import nascore
from nascore.comparison import read_ablation, read_plan
from nascore.errors import RecipeError, RunFailed, RunFolderError
from nascore.files import without_digest
from nascore.run import listed, read

STUDENT_1 = 12.7062
"""Half the width of a 95 % interval in standard errors, of two values."""


@pytest.fixture(scope="module")
def inside(tmp_path_factory):
    """The folder of the files, and of the ablation that the tests share."""
    return tmp_path_factory.mktemp("ablations")


@pytest.fixture(scope="module")
def ablate(inside):
    """Ablate with the small settings."""
    plugin, architecture = written(inside)

    def run(target=architecture, *, settings=None, **arguments):
        given = {"trick": ["half", "triple"], "dataset": "synthetic", "scale": "mini", "seeds": "0..1"}
        settings = {**SETTINGS, **(settings or {})}
        return nascore.ablate(target, plugins=[plugin], settings=settings, **{**given, **arguments})

    return run


@pytest.fixture(scope="module")
def full(inside, ablate):
    """Two tricks, two seeds, each trick switched off; to read only."""
    return ablate(out=inside / "full")


def result(found, variant, seed):
    by_name = {one.name: one for one in found.plan.variants}
    return read(found.path / by_name[variant].jobs[seed]).result


def timeless(found):
    return [(one.switch, one.difference, one.p, one.exact, one.verdict) for one in found.contributions]


def test_the_figures_are_those_of_the_trainings(full):
    assert [one.switch for one in full.contributions] == ["half", "triple"]
    assert len({full.base.mean, *(one.without_mean for one in full.contributions)}) > 1
    for one in full.contributions:
        with_it = [result(full, "full", seed) for seed in (0, 1)]
        without = [result(full, f"without {one.switch}", seed) for seed in (0, 1)]
        by_seed = [
            first["validation_accuracy"] - second["validation_accuracy"]
            for first, second in zip(with_it, without, strict=True)
        ]
        assert one.difference.value == pytest.approx(fmean(by_seed))
        assert one.with_mean == pytest.approx(fmean(run["validation_accuracy"] for run in with_it))
        assert one.with_seconds == pytest.approx(fmean(run["seconds"] for run in with_it))
        assert one.without_seconds == pytest.approx(fmean(run["seconds"] for run in without))
        if stdev(by_seed) > 1e-9:  # equal differences have no interval
            half = STUDENT_1 * stdev(by_seed) / 2**0.5
            low, high = one.difference.interval
            assert (low, high) == pytest.approx((fmean(by_seed) - half, fmean(by_seed) + half), rel=1e-4)
    assert any(one.difference.interval for one in full.contributions)


def test_the_recipes_differ_in_the_trick_alone(full):
    tricks = {variant.name: variant.choice["trick"] for variant in full.plan.variants}
    assert tricks == {"full": "half+triple", "without half": "triple", "without triple": "half"}
    recipes = {variant.name: read(full.path / variant.jobs[0]).recipe for variant in full.plan.variants}
    texts = {name: without_digest(text) for name, text in recipes.items()}
    for name, other in (("half", "triple"), ("triple", "half")):
        assert texts[f"without {name}"] == texts["full"].replace(f"  {name}: {{}}\n", "")
        assert f"  {other}: {{}}\n" in texts[f"without {name}"]


def test_the_test_images_stay_closed(full):
    assert {run.result["validation_count"] for run in listed(full.path)} == {12}
    for file in full.path.rglob("changes.jsonl"):
        assert "test split opened" not in file.read_text(encoding="utf-8")


def test_few_seeds_are_called_few(full):
    wide, power = full.notes
    assert wide.startswith("with 2 seeds the intervals are wide")
    assert "none of 2 differences can reach significance" in power
    assert {one.verdict for one in full.contributions} <= {"no difference shown", "helps if normal"}


def test_the_folder_has_the_figures(full):
    plain = json.loads((full.path / "ablation.json").read_text(encoding="utf-8"))
    assert plain == json.loads(json.dumps(full.plain()))
    assert plain["format"] == 1
    assert read_ablation(full.path) == full


@pytest.fixture(scope="module")
def extended(full, inside, ablate):
    """The other direction in a copy of the folder; to read only."""
    return ablate(base="bare", out=copytree(full.path, inside / "extended"))


def test_the_other_direction_trains_what_is_missing(full, extended, inside, ablate):
    found, out = extended, copytree(extended.path, inside / "more")
    assert [variant.name for variant in found.plan.variants] == ["bare", "only half", "only triple"]
    before, after = read_plan(full.path).jobs, read_plan(out).jobs
    assert after[: len(before)] == before
    assert [(job.choice["trick"], job.seed) for job in after[len(before) :]] == [("none", 0), ("none", 1)]
    # Alone is the same recipe as without the other.
    for alone, other in (("half", "triple"), ("triple", "half")):
        assert result(found, f"only {alone}", 1) == result(full, f"without {other}", 1)
    (first, _) = found.contributions
    bare = fmean(result(found, "bare", seed)["validation_accuracy"] for seed in (0, 1))
    assert first.difference.value == pytest.approx(first.with_mean - bare)
    ablate(out=out, trick="half,triple,doubled", seeds=[0, 1, 2])
    assert [job.seed for job in read_plan(out).jobs[len(after) :]] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]


def test_the_same_again_trains_nothing(full, inside, ablate):
    out = copytree(full.path, inside / "again")
    assert timeless(ablate(out=out)) == timeless(full)
    assert read_plan(out) == read_plan(full.path)


def test_settings_are_switched(ablate, inside):
    found = ablate(
        trick=["half"], keep="half", switch="training.label_smoothing", seeds=[3], out=inside / "switched"
    )
    (one,) = found.contributions
    choices = [variant.choice["training.label_smoothing"] for variant in found.plan.variants]
    assert (one.switch, choices) == ("training.label_smoothing", ["0.1", "0.0"])
    assert all(variant.choice["trick"] == "half" for variant in found.plan.variants)
    assert (one.verdict, one.difference.interval) == ("one seed, not tested", None)
    assert found.notes == ("with one seed a contribution has no interval. Add seeds: --seeds 0..4",)
    assert "label_smoothing: 0.0\n" in read(found.path / found.plan.variants[1].jobs[3]).recipe


def test_stopped_and_resumed_it_is_as_if_it_had_never_stopped(full, inside, ablate):
    stopped = ablate(out=inside / "stopped", budget="2jobs")
    assert [one.verdict for one in stopped.contributions] == ["one seed, not tested", "not trained"]
    resumed = nascore.resume(stopped.path, plugins=[inside / "tricks.py"])
    assert timeless(resumed) == timeless(full)
    with pytest.raises(RunFolderError, match="is done"):
        nascore.resume(stopped.path, plugins=[inside / "tricks.py"])


def test_processes_give_the_same(full, extended, inside, ablate):
    out = copytree(full.path, inside / "processes")
    workers = {"executor.workers": 1}
    found = ablate(base="bare", seeds=[0], out=out, executor="processes", settings=workers)
    times = {"seconds": 0.0}
    assert {**result(found, "bare", 0), **times} == {**result(extended, "bare", 0), **times}


def test_test_images_are_counted(ablate, inside):
    found = ablate(trick="half", seeds=[0], test=True, out=inside / "tested")
    opened = [result(found, variant.name, 0)["test_opened"] for variant in found.plan.variants]
    assert (found.plan.split, opened) == ("test", [1, 2])


def test_a_variant_that_fails_leaves_the_others(ablate, inside):
    found = ablate(trick="half,fails", base="bare", seeds=[0], out=inside / "failing")
    verdicts = {one.switch: one.verdict for one in found.contributions}
    assert verdicts == {"half": "one seed, not tested", "fails": "failed"}
    assert any("this trick fails" in text for text in found.warnings)
    with pytest.raises(RunFailed, match="all 2 jobs failed"):
        ablate(trick="half,fails", keep="fails", seeds=[0], out=inside / "all-failing")


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (
            {"trick": "hlaf", "switch": "label_smoothing", "keep": "triple", "seeds": "2..0"},
            [
                "no trick is called hlaf. Did you mean half?",
                "Did you mean training.label_smoothing?",
                "triple is no trick of the recipe",
                "2..0 ends before it begins",
            ],
        ),
        ({"switch": "training.drop_path"}, ["it is 0.0 in this recipe, so it cannot be switched off"]),
        ({"switch": "half"}, ["half is a trick of the recipe: it is measured anyway"]),
        ({"switch": "xyz"}, ["xyz is no setting that can be switched off. The settings are"]),
        ({"trick": None}, ["the recipe has no trick. Name tricks (trick='cutout,ema'; "]),
        ({"keep": ["half", "triple"]}, ["nothing is measured: the recipe has no trick beside those"]),
        ({"settings": {"measure": "test"}}, ["measure on the test images with test=True"]),
        ({"seed": 1}, ["is given together with seeds"]),
        ({"trick": "half,half"}, ["the same component is named twice"]),
        (
            {"trick": "doubled,leans"},
            ["[without doubled]", "it leans on the loss of another trick", "Add keep='doubled'."],
        ),
        ({"trick": "doubled,leans", "base": "bare"}, ["[only leans]"]),
        ({"settings": {"training.batch": 49}}, ["a batch of 49 is larger than the 48 available images"]),
        ({"seeds": range(400)}, ["3 variants and 400 seeds make 1,200 trainings, more than 1,000"]),
    ],
)
def test_mistakes_are_refused_before_anything_is_trained(ablate, inside, arguments, texts):
    out = inside / "refused"
    with pytest.raises(RecipeError) as raised:
        ablate(**arguments, out=out)
    found = str(raised.value)
    assert [text for text in texts if text not in found] == []
    assert not out.exists()


def test_a_problem_of_all_variants_is_named_once(ablate):
    with pytest.raises(RecipeError) as raised:
        ablate(settings={"training.batch": 49})
    assert str(raised.value).count("a batch of 49") == 1


def test_a_folder_is_that_of_one_architecture(full, inside, ablate):
    other = inside / "other.yaml"
    other.write_text((inside / "tiny.yaml").read_text(encoding="utf-8").replace("conv_3x3", "nor_conv_1x1"))
    with pytest.raises(RunFolderError, match="is an ablation of another architecture"):
        ablate(other, out=full.path)
    with pytest.raises(RunFolderError, match="is not empty"):
        ablate(out=inside)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"format": 2}, "has format 2, and this version of nascore reads formats up to 1"),
        ({"from": "half"}, "ablation.json cannot be read: from"),
        ({"variants": []}, "its variants contradict each other"),
        ({"variants": [{"name": "full"}]}, "variant 1 cannot be read"),
        ({"twice": True}, "its variants contradict each other"),
        ({"variants": [{"name": "full", "switch": "", "choice": {}, "jobs": {"a": "jobs/1"}}]}, "no seed"),
    ],
)
def test_a_damaged_file_is_refused(full, tmp_path, change, text):
    out = copytree(full.path, tmp_path / "damaged")
    file = out / "ablation.json"
    plain = json.loads(file.read_text(encoding="utf-8"))
    (out / "checksums.jsonl").unlink()
    if "twice" in change:
        change = {"variants": plain["variants"][:2] + plain["variants"][1:]}
    file.write_text(json.dumps({**plain, **change}), encoding="utf-8")
    with pytest.raises(RunFolderError, match=text):
        read_ablation(out)


def test_trainings_of_other_versions_are_not_mixed(full, tmp_path, ablate):
    out = copytree(full.path, tmp_path / "older")
    file = out / "environment.json"
    plain = json.loads(file.read_text(encoding="utf-8"))
    (out / "checksums.jsonl").unlink()
    packages = {**plain["packages"], "torch": "1.0"}
    file.write_text(json.dumps({**plain, "packages": packages}), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"torch: 1\.0 when .* began") as raised:
        ablate(out=out, base="bare")
    assert "Name another folder with --out" in str(raised.value)
    assert read_plan(out) == read_plan(full.path)
