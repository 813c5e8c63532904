"""Styles stand in one place, whoever plays or names them."""

from __future__ import annotations

import pytest

from d2m_core.band import make_plan
from d2m_core.band import styles as played
from d2m_core.band.drum_book import DRUM_BOOK
from d2m_core.band.music_book import MUSIC_BOOK
from d2m_core.styles import STYLES, metre_of_style


def test_every_style_is_played_in_the_same_order() -> None:
    assert tuple(played.STYLE_TABLE) == STYLES
    assert all(name == style.name for name, style in played.STYLE_TABLE.items())
    assert played._PLAYED.keys() == set(STYLES)  # and none that cannot be asked for


@pytest.mark.parametrize(
    ("file", "written"), [("drum_book", DRUM_BOOK), ("machine_music or played_music", MUSIC_BOOK)]
)
def test_every_style_stands_in_the_books(file: str, written: dict[str, object]) -> None:
    assert written.keys() == set(STYLES), f"what is played in each style stands in band/{file}.py"


@pytest.mark.parametrize("style", STYLES)
def test_the_band_plays_a_style_in_its_metre(style: str) -> None:
    metre = metre_of_style(style)
    assert metre == (3 if style == "waltz" else 4)
    assert played.STYLE_TABLE[style].metre == metre
    assert make_plan(1, 6.0, style).metre == metre


def test_nobody_knows_the_metre_of_a_style_that_is_not_there() -> None:
    assert metre_of_style(None) is None
    assert metre_of_style("polka") is None
    with pytest.raises(AssertionError, match="polka"):
        _ = played.Style("polka", (100, 120)).metre
