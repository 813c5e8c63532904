"""Parts sound the same however they are cut into blocks; soundfonts start on their sample."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.band import installed_materials, master
from d2m_core.band.effects import make_room
from d2m_core.band.font_player import font_library, play_font
from d2m_core.band.patches import PATCHES, Played
from d2m_core.band.sources import Part, font_part, stroke_part, synth_part
from d2m_core.band.strip import Echo, Filter, Room, Strip
from d2m_core.mastering import loudness_of, true_peak_db

RATE = 24_000
NOTES = [Played(k * 3_001 - 500, 5_000, 48 + k, 0.4 + 0.05 * k) for k in range(10)]


def in_blocks(part: Part, size: int, length: int = 40_000) -> np.ndarray:
    lows = range(0, length, size)
    return np.concatenate([part.render(low, min(length, low + size)) for low in lows], axis=1)


def test_blocks_join_without_a_seam() -> None:
    whole, cut = (in_blocks(synth_part(PATCHES["pluck"], NOTES, RATE), size) for size in (40_000, 1_777))
    assert np.abs(whole).max() > 0.1
    assert np.allclose(whole, cut, atol=1e-6)


def test_strips_rooms_and_echoes_keep_their_state() -> None:
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 0.1, 20_000).astype(np.float32)

    def through(size: int) -> np.ndarray:
        room, echo = Room(make_room(0.3, 5_000, np.random.default_rng(1), RATE)), Echo(0.11, 0.4, RATE)
        clean = Filter("high", 100.0, 1, RATE)
        strip = Strip(stroke_part(np.array([0]), lambda k: sound), 60.0, 0.5, 0.3, 0.4, RATE)
        out = []
        for low in range(0, len(sound), size):
            block = sound[low : low + size]
            wet = room(clean(block[None])[0]) + echo(block)
            out.append(wet + strip.render(low, low + len(block))[0])
        return np.concatenate(out, axis=1)

    assert np.allclose(through(20_000), through(3_000), atol=1e-4)


def test_master_reaches_its_loudness_and_keeps_under_its_ceiling() -> None:
    rng = np.random.default_rng(3)
    mix = (rng.normal(0, 0.05, (2, 4 * 48_000))).astype(np.float32)
    mix[:, ::9_600] += 0.9
    master(mix, 48_000)
    assert loudness_of(mix, 48_000) == pytest.approx(-14.0, abs=1.0)
    assert true_peak_db(mix, 8) < -1.0
    silence = np.zeros((2, 48_000), np.float32)
    master(silence, 48_000)
    assert not silence.any()


@pytest.mark.skipif(
    font_library() is None or not installed_materials().soundfonts, reason="no symusic 0.5 or no soundfont"
)
def test_soundfonts_start_on_their_very_sample_and_join() -> None:
    font = installed_materials().soundfonts[0]
    first = play_font(font, 0, False, [Played(480, 9_600, 60, 0.7)], RATE)
    later = play_font(font, 0, False, [Played(493, 9_600, 60, 0.7)], RATE)
    assert np.array_equal(first[:, :12_000], later[:, 13:12_013])
    whole, cut = (in_blocks(font_part(font, 33, NOTES, RATE), size) for size in (40_000, 2_500))
    assert np.allclose(whole, cut, atol=0.03 * np.abs(whole).max())  # a render ends with its last release
    assert np.sqrt(((whole - cut) ** 2).mean()) < 1e-3 * np.abs(whole).max()
