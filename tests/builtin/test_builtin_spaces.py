"""The built-in spaces: they are open, fit their data, and plant where their seed says."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from attrs import evolve

from nascore.api import DescriptionError, Op, choose, derive, dump, expand, final, load
from nascore.builtin.components import FileSettings, PlantedSpaceSettings, TinySettings
from nascore.builtin.operations import OPERATIONS
from nascore.builtin.spaces import MORE_NOISE, USEFUL, File, Planted, Tiny, excludes
from nascore.contract import DataFacts
from nascore.nn import compile  # noqa: A004 - the name of the compiler

CATALOGUE = {entry.name: entry for entry in OPERATIONS}
FACTS = DataFacts(channels=1, height=8, width=8, classes=7, train=10, test=10, mean=(0.5,), std=(0.25,))
SPACES = {
    "tiny": Tiny(TinySettings()),
    "chain": Planted(PlantedSpaceSettings(form="chain")),
    "cell": Planted(PlantedSpaceSettings(form="cell")),
    "residual": Planted(PlantedSpaceSettings(form="residual")),
}


@pytest.mark.parametrize("name", SPACES)
def test_a_space_is_open_survives_yaml_and_runs(name):
    description = SPACES[name].describe(FACTS)
    assert description.is_open
    assert (description.in_channels, description.classes) == (1, 7)
    assert load(dump(description)) == description
    layouts = expand(description, CATALOGUE).layouts
    mixture = {name: torch.full((len(group.rows), len(group.ops)), 0.25) for name, group in layouts.items()}
    net = compile(description, CATALOGUE)
    images = torch.rand(3, 1, 8, 8)
    assert net(images, mixture).shape == (3, 7)
    strength = {name: weights.tolist() for name, weights in mixture.items()}
    closed = final(derive(description, choose(description, strength)))
    assert compile(closed, CATALOGUE)(images).shape == (3, 7)


def test_the_chain_has_a_group_for_each_layer():
    layouts = expand(SPACES["chain"].describe(FACTS)).layouts
    assert list(layouts) == ["layer0", "layer1", "layer2"]
    assert all((len(group.rows), group.replicas) == (1, 1) for group in layouts.values())


def test_the_cell_has_one_group_of_three_edges_used_twice():
    (group,) = expand(SPACES["cell"].describe(FACTS)).layouts.values()
    assert (len(group.rows), group.replicas) == (3, 2)


OTHERS = {"chain": {"noise": 2, "none": 1}, "cell": {"noise": 2, "none": 1}, "residual": {"noise": 3}}


@pytest.mark.parametrize("form", OTHERS)
def test_there_is_one_useful_candidate_whose_place_the_seed_draws(form):
    places = Counter()
    for seed in range(40):
        description = Planted(PlantedSpaceSettings(form=form, seed=seed)).describe(FACTS)
        assert description == Planted(PlantedSpaceSettings(form=form, seed=seed)).describe(FACTS)
        for group in description.groups.values():
            assert Counter(op.name for op in group.ops) == {"conv_3x3": 1, **OTHERS[form]}
            places[group.ops.index(USEFUL)] += 1
    assert set(places) == {0, 1, 2, 3}


def test_without_the_useful_candidate_nothing_of_the_image_passes():
    description = SPACES["chain"].describe(FACTS)
    chosen = {name: [(0, group.ops.index(Op("none")))] for name, group in description.groups.items()}
    net = compile(derive(description, chosen), CATALOGUE)
    one, other = torch.rand(2, 1, 8, 8), torch.rand(2, 1, 8, 8)
    assert torch.equal(net(one), net(other))


def test_around_each_place_of_the_residual_form_there_is_a_way():
    """With noise in all other places the image reaches the output, and the gradient the useful operation."""
    description = SPACES["residual"].describe(FACTS)
    groups = description.groups
    one, other = torch.rand(2, 2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for place in groups:
        kept = {name: USEFUL if name == place else MORE_NOISE for name in groups}
        picks = {name: [(0, group.ops.index(kept[name]))] for name, group in groups.items()}
        net = compile(final(derive(description, picks)), CATALOGUE)
        outputs = []
        for images in (one, other):
            torch.manual_seed(1)
            outputs.append(net(images))
        assert not torch.equal(*outputs)
        outputs[0].square().sum().backward()
        convolved = [value.grad for name, value in net.named_parameters() if place[-1] in name.split(".")[0]]
        assert all(grad is not None and bool((grad != 0).any()) for grad in convolved)


def test_a_file_is_read_for_the_data_at_hand(tmp_path):
    written = SPACES["tiny"].describe(evolve(FACTS, channels=3, classes=10))
    path = tmp_path / "space.yaml"
    path.write_text(dump(written), encoding="utf-8")
    assert File(FileSettings(path=path)).describe(FACTS) == SPACES["tiny"].describe(FACTS)


def test_a_file_excludes_what_its_groups_never_keep(tmp_path):
    file = tmp_path / "chain.yaml"
    text = dump(SPACES["chain"].describe(FACTS))
    file.write_text(text, encoding="utf-8")
    assert not excludes(FileSettings(path=file))
    # Written anew under the same name: what was read before is not what counts.
    group = text.index("ops: [")
    closed = text.index("]", group) + 1
    file.write_text(f"{text[:closed]}, never: [none]{text[closed:]}", encoding="utf-8")
    assert excludes(FileSettings(path=file))
    file.write_text("{", encoding="utf-8")
    for path in (file, tmp_path, tmp_path / "none.yaml", None):
        assert not excludes(FileSettings(path=path))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DescriptionError, match="there is no file"):
        File(FileSettings(path=tmp_path / "none.yaml")).describe(FACTS)


def test_a_mistake_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("nascore: 1\nchannls: 4\n", encoding="utf-8")
    with pytest.raises(DescriptionError, match=r"wrong\.yaml"):
        File(FileSettings(path=path)).describe(FACTS)
