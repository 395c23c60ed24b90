"""All combinations: which there are, what is said of each, and what a component mixes with."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from types import SimpleNamespace

import pytest

import nascore
import nascore.builtin
from nascore.cli.show import mixing
from nascore.component import Component, Give, Need, hookimpl
from nascore.errors import RecipeError
from nascore.plugin import Registry
from nascore.recipe.advice import all_mixes as module
from nascore.recipe.advice.all_mixes import deciding_settings, mixes, needed_capabilities, partners
from nascore.verbs.show import partners_of

BUILTIN = Registry.of(builtin=nascore.builtin)
ESTIMATES = ("first", "unrolled", "single-level")


class Newcomer:
    """A plugin that nobody has heard of: a relaxation in two forms, and an updater that asks for one."""

    @hookimpl
    def nascore_relaxations(self):
        from nascore.builtin.components import L1Settings  # noqa: PLC0415 - any settings with a few values

        sums = Give(capability="normalized", when=lambda settings: settings.target == "theta")
        yield Component(
            name="new",
            slot="relaxation",
            summary="New.",
            build="none:None",
            config=L1Settings,
            provides=(sums,),
        )

    @hookimpl
    def nascore_updaters(self):
        need = Need(terms=("relaxation.normalized",), why="it divides by the sum.")
        yield Component(name="asks", slot="updater", summary="Asks.", build="none:None", needs=(need,))


WITH_NEWCOMER = Registry.of(builtin=nascore.builtin, newcomer=Newcomer())


def test_every_slot_that_has_a_say_is_combined_with_all_that_can_fill_it():
    found = mixes(BUILTIN)

    assert {axis.slot: [one.text for one in axis.fillings] for axis in found.axes} == {
        "space": ["planted", "tiny"],
        "growth": ["none", "random", "sweep"],
        "updater": ["sgd", "uniform"],
        "trainer": [f"alternating estimate={one}" for one in ESTIMATES],
        "relaxation": ["linear", "one-hot", "softmax"],
        "regularizer": ["none", "cost", "entropy", "l1"],
    }
    assert len(found) == len(list(found)) == 2 * 3 * 2 * 3 * 3 * 4
    assert len({mix.flags for mix in found}) == len(found)


def test_what_is_not_combined_is_said():
    assert mixes(BUILTIN).not_combined == (
        "space file: add --space file:PATH",
        "regularizer: lists of two or more",
        "task: only the default of a search",
        "dataset: only the default of a search",
        "trick: only the default of a search",
        "executor: it does not influence the result",
        "observer: it does not influence the result",
        "settings: all but those that change a component's capabilities",
    )


def test_what_was_named_is_all_that_fills_a_slot():
    found = mixes(BUILTIN, names={"space": ["tiny"], "regularizer": ["l1", "none"]})
    named = {(mix.texts["space"], mix.texts["regularizer"]) for mix in found}

    assert named == set(product(["tiny"], ["l1", "none"]))
    assert "regularizer: lists of two or more" in found.not_combined


def test_a_component_stands_once_for_each_form_that_others_can_tell():
    asked = needed_capabilities(WITH_NEWCOMER)
    new = WITH_NEWCOMER.get("relaxation", "new")
    trainer = WITH_NEWCOMER.get("trainer", "alternating")
    found = mixes(WITH_NEWCOMER, names={"updater": ["asks"], "space": ["tiny"], "growth": ["none"]})
    said = {
        mix.texts["relaxation"]: mix
        for mix in found
        if mix.texts["trainer"] == "alternating estimate=first" and mix.texts["regularizer"] == "none"
    }

    assert deciding_settings(new, asked) == {"target": ("theta", "mixture", "code")}
    assert deciding_settings(new, frozenset()) == {}
    assert deciding_settings(trainer, asked) == {"estimate": ESTIMATES}
    assert said["new target=theta"].verdict == "sound"
    assert said["new target=code"].verdict == "refused"
    (reason,) = said["new target=code"].reasons
    assert reason.startswith("asks needs a relaxation that gives non-negative weights that sum to 1")
    assert reason.endswith(": it divides by the sum")


def test_a_setting_that_was_given_is_not_varied():
    found = mixes(BUILTIN, names={"space": ["tiny"]}, sets=["trainer.estimate=single-level"])

    assert found.values("trainer") == ("alternating",)
    assert {mix.texts["trainer"] for mix in found} == {"alternating"}
    assert all("trainer.estimate=single-level" in mix.request.sets for mix in found)


def test_a_component_that_needs_a_file_can_be_named_with_it(tmp_path):
    name = f"file:{tmp_path / 'none.yaml'}"
    found = mixes(BUILTIN, names={"space": [name], "growth": ["none"]})

    assert {mix.verdict for mix in found} == {"refused"}
    assert all(any("there is no file" in reason for reason in mix.reasons) for mix in found)
    assert not any("space file" in text for text in found.not_combined)


def test_every_name_that_stands_for_nothing_is_told():
    with pytest.raises(RecipeError) as caught:
        mixes(BUILTIN, names={"updater": ["sdg"], "relaxation": ["softmx"]})
    assert [one.hint for one in caught.value.problems] == ["Did you mean sgd?", "Did you mean softmax?"]

    with pytest.raises(RecipeError, match="no slot is called spce"):
        mixes(BUILTIN, names={"spce": ["tiny"]})


def test_more_combinations_than_one_waits_for_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_MIXES", 431)

    with pytest.raises(RecipeError, match=r"432 combinations; at most 431 .*--regularizer none"):
        mixes(BUILTIN)


def test_a_verdict_is_that_of_a_search_with_the_same_parts():
    for mix in list(mixes(BUILTIN))[::7]:
        names = {one.slot: one.name for one in mix.fillings}
        settings = dict(text.split("=") for one in mix.fillings for text in one.sets)
        request = module.Request(
            scale="mini", names={slot: [name] for slot, name in names.items()}, settings=settings
        )
        recipe = module.resolve(request.layers(BUILTIN), BUILTIN)
        worst = "refused" if recipe.refused else "warned" if recipe.warned else "sound"
        assert mix.verdict == worst


def test_partners_are_judged_with_the_rest_as_it_comes():
    linear = BUILTIN.get("relaxation", "linear")
    found = {mix.fillings[0].flags: mix for mix in partners(linear, BUILTIN)}

    assert "--relaxation softmax" not in found
    assert found["--updater sgd"].verdict == "sound"
    assert found["--regularizer entropy"].verdict == "refused"
    assert found["--dataset synthetic"].verdict == "sound"
    assert found["--trainer alternating --set trainer.estimate=single-level"].verdict == "sound"


def gated(*, provides):
    """A registry with a penalty that needs the gates of a relaxation, and a relaxation that may have them."""
    need = Need(terms=("relaxation.gated.gates",), why="it moves gates")
    penalty = Component(name="drive", slot="regularizer", summary="Drives.", build="none:x", needs=(need,))
    gates = Component(
        name="gates",
        slot="relaxation",
        summary="Gates.",
        build="none:x",
        provides=("non-negative", *provides),
    )
    hooks = {"nascore_regularizers": penalty, "nascore_relaxations": gates}
    plugin = SimpleNamespace(
        **{name: hookimpl(specname=name)(lambda item=item: [item]) for name, item in hooks.items()}
    )
    return Registry.of(builtin=nascore.builtin, gated=plugin)


def test_partners_of_a_part_that_no_default_fits_are_judged_beside_the_part_that_it_needs():
    registry = gated(provides=("gated.gates",))
    drive = registry.get("regularizer", "drive")

    found = {mix.fillings[0].flags: mix for mix in partners(drive, registry)}

    assert found["--updater sgd"].verdict == "sound"
    assert [filling.flags for filling in found["--updater sgd"].fillings[1:]] == ["--relaxation gates"]
    assert found["--relaxation gates"].verdict == "sound"
    assert found["--relaxation softmax"].verdict == "refused"
    lines = list(mixing(partners_of(drive, registry)))
    assert "updater (beside relaxation gates): sgd, uniform" in lines
    assert "relaxation: gates" in lines


def test_partners_of_a_part_that_nothing_fits_are_judged_with_the_defaults():
    registry = gated(provides=())
    mixed = list(partners(registry.get("regularizer", "drive"), registry))

    assert {mix.verdict for mix in mixed} == {"refused"}
    assert {len(mix.fillings) for mix in mixed} == {1}


def test_what_is_wrong_with_a_part_alone_is_no_matter_of_mixing():
    """Without nascore-darts no space and no updater come by default, and no file is named here."""
    verdicts = {mix.fillings[0].flags: mix.verdict for mix in partners(BUILTIN.get("space", "file"), BUILTIN)}

    assert verdicts["--updater sgd"] == verdicts["--growth none"] == "sound"


def test_python_has_it_too():
    found = nascore.matrix(names={"space": "tiny", "growth": "none", "updater": "uniform"}, plugins=())

    assert found.counts == {
        verdict: sum(mix.verdict == verdict for mix in found.mixes) for verdict in found.counts
    }
    assert sum(found.counts.values()) == len(found.mixes)
    counts = found.across("updater")["growth", "none", "uniform"]
    assert counts == found.counts


def test_a_setting_that_nothing_reads_counts_where_somebody_gave_it_and_not_where_it_tells_forms_apart():
    """Growth `random` asks no relaxation, and warns who sets something of it."""
    names = {"growth": ["random"], "updater": ["uniform"], "relaxation": ["new"], "regularizer": ["none"]}

    assert {mix.verdict for mix in mixes(WITH_NEWCOMER, names=names)} == {"sound"}
    given = list(mixes(WITH_NEWCOMER, names=names, sets=["relaxation.target=code"]))
    assert {mix.verdict for mix in given} == {"warned"}
    assert all(mix.reasons[0].startswith("relaxation.target: has no effect") for mix in given)


def test_torch_is_not_imported_for_it():
    program = (
        "import nascore, sys; assert nascore.matrix(names={'growth': 'none'}).mixes; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
