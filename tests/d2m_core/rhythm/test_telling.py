"""A rhythm in words and as the header of a score: every word has a reason in the rhythm."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2m_core.grid import steady_beats
from d2m_core.rhythm import abc_header, caption, with_tempo
from d2m_core.types import MOTION_FPS, Rhythm

SECONDS = 12.0
FRAMES = round(SECONDS * MOTION_FPS)


def dance(
    energy: float | np.ndarray, accent: float = 0.2, tempo_bpm: float = 120.0, metre: int = 4
) -> Rhythm:
    beats = steady_beats(tempo_bpm, SECONDS)
    curves = np.empty((FRAMES, 2), np.float32)
    curves[:, 0], curves[:, 1] = accent, energy
    return Rhythm(beats, np.arange(len(beats)) % metre == 0, curves, tempo_bpm)


def test_a_caption_names_tempo_metre_and_energy() -> None:
    assert caption(dance(0.7, tempo_bpm=124.6)) == "125 BPM, 4/4, energetic"
    assert caption(dance(0.1, metre=3)) == "120 BPM, 3/4, calm"
    assert caption(dance(0.5, accent=0.8)) == "120 BPM, 4/4, relaxed, strong accents"
    assert caption(dance(0.6)) == "120 BPM, 4/4, lively"


def test_without_a_curve_it_says_tempo_and_metre_alone() -> None:
    assert caption(dance(0.0)) == "120 BPM, 4/4"
    none = Rhythm(np.array([0.5]), np.array([True]), np.zeros((0, 2), np.float32), 90.0)
    assert caption(none) == "90 BPM, 4/4"


@pytest.mark.parametrize(
    ("first", "last", "word"), [(0.2, 0.7, "builds up"), (0.7, 0.2, "dies away"), (0.4, 0.5, "")]
)
def test_it_tells_of_a_build_and_of_a_fade(first: float, last: float, word: str) -> None:
    words = caption(dance(np.linspace(first, last, FRAMES))).split(", ")
    assert [one for one in words if one in ("builds up", "dies away")] == [word] * bool(word)


def test_it_counts_stops_but_not_the_clip_s_own_ends() -> None:
    energy = np.full(FRAMES, 0.6, np.float32)
    energy[:20] = energy[-20:] = 0.0
    assert "stop" not in caption(dance(energy))
    energy[100:130] = 0.0
    assert caption(dance(energy)).endswith("1 stop")
    energy[180:205] = 0.0
    assert caption(dance(energy)).endswith("2 stops")
    energy[150:155] = 0.0  # a fifth of a second
    assert caption(dance(energy)).endswith("2 stops")


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.floats(60.0, 180.0), st.floats(0, 1), st.floats(0, 1))
def test_a_header_is_whole_and_in_order(metre: int, tempo_bpm: float, energy: float, accent: float) -> None:
    rhythm = dance(energy, accent, tempo_bpm, metre)
    lines = abc_header(rhythm).splitlines()
    assert [line[:2] for line in lines] == ["X:", "T:", "M:", "L:", "Q:", "K:"]
    (tempo,) = (re.fullmatch(r"Q:1/4=(\d+(?:\.\d)?)", line) for line in lines if line.startswith("Q"))
    assert tempo is not None
    assert float(tempo[1]) == pytest.approx(tempo_bpm, abs=0.051)
    assert f"M:{rhythm.metre}/4" in lines
    told = re.match(r"(\d+) BPM, (\d+)/4", caption(rhythm))
    assert told is not None
    assert int(told[1]) == pytest.approx(tempo_bpm, abs=0.51)
    assert int(told[2]) == rhythm.metre


def test_both_follow_an_edit() -> None:
    edited = with_tempo(dance(0.7), 98.0)
    assert caption(edited).startswith("98 BPM")
    assert "Q:1/4=98" in abc_header(edited).splitlines()
