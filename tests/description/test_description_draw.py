"""Drawings say what the description says."""

from __future__ import annotations

from descriptions import CHAIN, DARTS, PETRIDISH

from nascore.description import draw, load, to_dot


def test_the_text_of_a_closed_cell():
    lines = draw(load(PETRIDISH)).splitlines()
    assert "cell normal(in0, in1), used by a x3, b x3, c x3" in lines
    assert "  pre0 = fit(in0)" in lines
    assert "  x    = sep_conv_3x3(pre1) + skip_connect(pre1) + gate*(project(x+1))" in lines
    assert "  x    = sep_conv_3x3(pre1) + skip_connect(pre1)   [reduction 2]" in lines
    assert any(
        line.startswith("  x+1  = concat(sep_conv_3x3(affine=false)(pre0), max_pool") for line in lines
    )
    assert "network(images), 16 channels, 10 classes, closed" in lines
    assert lines[-1] == "  auxiliary head: aux"


def test_the_text_of_choices_counts_candidates():
    lines = draw(load(CHAIN)).splitlines()
    assert "  l2   = layers{2}(-1)   [width 3, reduction 2]" in lines
    assert "  n0   = normal{8}(pre0) + normal{8}(pre1)" in draw(load(DARTS)).splitlines()


def test_a_description_is_printed_as_its_drawing():
    description = load(CHAIN)
    assert str(description) == draw(description)
    assert repr(description).startswith("Description(channels=")


def test_dot_has_an_arrow_for_every_edge():
    text = to_dot(load(PETRIDISH))
    assert text.count("->") == 5 + 3 + 1 + 9 * 2 + 2 * 2 + 2 + 1
    assert '"normal/x+1" -> "normal/x" [label="gate project"];' in text
    assert '"network/b-2" -> "network/r2" [label=""];' in text
    assert text.count("{") == text.count("}")
    open_one = to_dot(load(CHAIN))
    assert '"network/stem" -> "network/l0" [label="layers: 2 candidates", style=dotted];' in open_one
