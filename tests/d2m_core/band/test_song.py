"""The band: what it plays is what it says it plays, in every style, with and without materials."""

from __future__ import annotations

import itertools
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from d2m_core.band import (
    Materials,
    Plan,
    find_materials,
    licences_of,
    make_plan,
    plan_on,
    play,
    record,
    soundfont,
)
from d2m_core.band.arrange import arrange, compose
from d2m_core.band.mix import loudness
from d2m_core.band.music_book import MUSIC_BOOK
from d2m_core.band.notes import Note
from d2m_core.band.plan import Hit, Stop
from d2m_core.band.synth import SAMPLE_RATE
from d2m_core.band.voices import play_roles
from d2m_core.errors import SettingError
from d2m_core.grid import steady_beats
from d2m_core.styles import STYLES

NOTHING = Materials()
SECONDS = 6.0


def plain_plan(style: str, kind_energy: float = 0.9, seconds: float = SECONDS, seed: int = 5) -> Plan:
    """Even beats, one long drop, no hits or stops."""
    plan = make_plan(seed, seconds, style)
    drop = replace(plan.sections[0], kind="drop", first_bar=0, bars=plan.bars, energy=kind_energy)
    energy = np.full(plan.frames, kind_energy, np.float32)
    return replace(plan, sections=(drop,), hits=(), stops=(), energy=energy)


def level(samples: np.ndarray, times_s: np.ndarray, width_s: float = 0.05) -> float:
    width = int(width_s * SAMPLE_RATE)
    starts = (np.asarray(times_s) * SAMPLE_RATE).astype(int)
    pieces = [samples[max(0, s) : s + width] for s in starts if s + width <= len(samples)]
    return float(np.sqrt(np.mean([np.mean(p**2) for p in pieces])))


@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_sound_and_truth_of_one_length(style: str) -> None:
    plan = make_plan(2, SECONDS, style)
    song = play(plan, NOTHING)
    assert song.samples.shape == (2, round(SECONDS * SAMPLE_RATE))
    assert song.samples.dtype == np.float32
    assert np.isfinite(song.samples).all()
    assert np.abs(resample_poly(song.samples, 4, 1, axis=1)).max() < 0.99
    assert np.abs(song.samples.mean(1)).max() < 1e-3
    assert loudness(song.samples) == pytest.approx(MUSIC_BOOK[style].lufs, abs=1.5)
    assert song.onset.shape == song.energy.shape == (plan.frames,)
    assert 0 <= song.onset.min() <= song.onset.max() <= 1
    np.testing.assert_array_equal(song.beats_s, plan.beats_s)
    for rows in song.onsets.values():
        assert (np.diff(rows[:, 0]) > 0).all()
        assert rows[:, 0].min() >= 0
        assert rows[:, 0].max() < SECONDS
        assert ((rows[:, 1] > 0) & (rows[:, 1] <= 1)).all()
    for spans in (song.chords, song.sections):
        assert spans[0].start_s == 0
        assert spans[-1].end_s == SECONDS
        assert all(a.end_s == b.start_s for a, b in itertools.pairwise(spans))
    assert song.sources == ("synth",)


@pytest.mark.parametrize("style", STYLES)
def test_the_beat_is_heard(style: str) -> None:
    plan = plain_plan(style)
    song = play(plan, NOTHING)
    mono = song.samples.mean(0)
    period_s = 60.0 / plan.tempo_bpm
    off = level(mono, plan.beats_s[:-1] + 0.37 * period_s, 0.03)
    assert level(mono, plan.beats_s[:-1], 0.03) > 1.05 * off
    at = np.round(plan.beats_s * 25).astype(int)
    on_beats = [song.onset[max(0, k - 1) : k + 2].max() for k in at]
    assert np.mean(on_beats) > 0.35
    assert np.mean(on_beats) > 1.2 * song.onset.mean()


def test_annotated_strokes_are_where_they_sound() -> None:
    plan = plain_plan("funk")
    score = arrange(plan, NOTHING)
    stems, _ = record(plan, score, NOTHING)
    onsets = play(plan, NOTHING).onsets
    for part, stem in (("kick", stems["kick"]), ("snare", stems["snare"])):
        loud = onsets[part][onsets[part][:, 1] > 0.5, 0]
        loud = loud[(loud > 0.1) & (loud < SECONDS - 0.2)]
        assert len(loud) >= 5
        after = [level(stem, np.array([t - 0.001]), 0.008) for t in loud]
        before = [level(stem, np.array([t - 0.009]), 0.007) for t in loud]
        assert np.mean(np.array(after) > 1.5 * np.array(before)) > 0.9


def test_swing_is_in_the_annotation() -> None:
    plan = replace(plain_plan("house"), swing=0.3)
    straight = arrange(replace(plan, swing=0.0), NOTHING)
    onsets = play(plan, NOTHING).onsets
    moved = 0
    for part in ("kick", "hat", "bass", "chords"):
        even = np.unique([n.beat for n in straight.notes if n.part == part])
        expected = plan.seconds(plan.swung(even))
        inside = (expected >= 0) & (expected < SECONDS)
        np.testing.assert_allclose(onsets[part][:, 0], expected[inside], atol=1e-9)
        moved += int((np.abs(plan.swung(even) - even) > 0.05).sum())
    assert moved >= 10


def test_the_same_seed_repeats_and_another_does_not() -> None:
    first = play(make_plan(1, 4, "funk"), NOTHING)
    play(make_plan(9, 4, "techno"), NOTHING)
    again = play(make_plan(1, 4, "funk"), NOTHING)
    other = play(make_plan(2, 4, "funk"), NOTHING)
    np.testing.assert_array_equal(first.samples, again.samples)
    assert first.sources == again.sources
    assert abs(np.corrcoef(first.samples[0], other.samples[0])[0, 1]) < 0.5


def test_two_styles_share_neither_key_nor_rhythm_by_seed() -> None:
    keys = {compose(make_plan(3, 2, style)).key for style in ("house", "pop", "rock", "funk")}
    assert len(keys) > 1


def test_it_follows_a_grid_that_breathes() -> None:
    beats_s = np.cumsum(np.r_[0.31, 0.5 + 0.03 * np.sin(np.arange(16))])
    energy = np.ones(200, np.float32)
    plan = plan_on(beats_s, np.arange(17) % 4 == 2, 8.0, 5, "techno", energy)
    song = play(replace(plan, stops=()), NOTHING)
    np.testing.assert_allclose(song.beats_s, beats_s[beats_s < 8], atol=1e-9)
    struck = np.concatenate([rows[:, 0] for rows in song.onsets.values()])
    gaps = [np.abs(struck - t).min() for t in song.beats_s]
    assert np.mean(np.array(gaps) < 0.002) > 0.9


def test_hits_are_struck_by_all_and_stops_are_silent() -> None:
    plan = plain_plan("funk", seconds=10.0)
    metre = plan.metre
    hit, stop = Hit(metre + 1.5, 1.0), Stop(2.0 * metre + 2, 2.0)
    plan = replace(plan, hits=(hit,), stops=(stop,))
    song = play(plan, NOTHING)
    hit_s = float(plan.seconds(plan.swung(hit.beat)))
    for part in ("kick", "snare", "bass"):
        assert np.abs(song.onsets[part][:, 0] - hit_s).min() < 1e-6
    low, high = (float(plan.seconds(b)) for b in (stop.beat, stop.beat + stop.beats))
    quiet = level(song.samples[0], np.linspace(low + 0.12, high - 0.08, 8))
    assert quiet < 0.01 * level(song.samples[0], plan.beats_s[:4])
    for rows in song.onsets.values():
        assert not ((rows[:, 0] > low - 0.005) & (rows[:, 0] < high - 0.02)).any()


def test_a_break_has_no_kick_and_a_build_rolls() -> None:
    plan = plain_plan("house", seconds=16.0)
    first = plan.sections[0]
    parts = (
        replace(first, kind="break", bars=2, energy=0.3),
        replace(first, kind="build", first_bar=2, bars=2, energy=0.6),
        replace(first, kind="drop", first_bar=4, bars=plan.bars - 4),
    )
    score = arrange(replace(plan, sections=parts), NOTHING)
    bar = np.array([n.beat for n in score.notes]) / plan.metre
    part = np.array([n.part for n in score.notes])
    assert not ((part == "kick") & (bar < 1.99)).any()
    rolls = [((part == "snare") & (bar > k - 0.01) & (bar < k + 0.99)).sum() for k in (2, 3)]
    assert rolls[1] > rolls[0] >= 4
    assert ((part == "crash") & (np.abs(bar - 4) < 0.01)).any()
    assert ((part == "kick") & (bar > 3.99)).sum() >= 4


def test_little_energy_means_fewer_players() -> None:
    calm, wild = (arrange(plain_plan("house", level), NOTHING) for level in (0.15, 0.95))
    assert len(calm.notes) < 0.6 * len(wild.notes)
    assert len({n.part for n in calm.notes}) < len({n.part for n in wild.notes})


def test_waltz_has_three_beats_and_a_low_one() -> None:
    plan = plain_plan("waltz", seconds=12.0)
    song = play(plan, NOTHING)
    place = np.round(plan.beat(song.onsets["kick"][:, 0])).astype(int) % 3
    strength = song.onsets["kick"][:, 1]
    assert strength[place == 0].sum() > strength[place != 0].sum()
    assert np.diff(np.flatnonzero(song.downbeats)).tolist() == [3] * (song.downbeats.sum() - 1)


def test_mono_keeps_what_stereo_has() -> None:
    song = play(plain_plan("pop"), NOTHING)
    left, right = song.samples
    assert not np.array_equal(left, right)
    mono = float(np.mean(((left + right) / 2) ** 2))
    assert mono > 0.6 * float(np.mean((left**2 + right**2) / 2))


def test_highs_reach_the_top_of_the_band() -> None:
    power = np.abs(np.fft.rfft(play(plain_plan("techno"), NOTHING).samples[0])) ** 2
    hz = np.fft.rfftfreq(round(SECONDS * SAMPLE_RATE), 1 / SAMPLE_RATE)
    share_db = 10 * np.log10(power[(hz > 9_500) & (hz < 11_000)].sum() / power.sum())
    assert share_db > -40


def test_without_the_library_it_says_so_once_and_plays(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(name: str) -> None:
        raise ImportError(f"no {name} here")

    monkeypatch.setattr(soundfont.importlib, "import_module", refuse)
    soundfont.library.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            given = Materials(soundfonts=(Path("/none/FluidR3_GM.sf2"),))
            song = play(make_plan(1, 3, "rock"), given)
            play(make_plan(2, 3, "rock"), given)
    finally:
        soundfont.library.cache_clear()
    assert song.sources == ("synth",)
    assert sum("FluidSynth" in r.message for r in caplog.records) == 1


def test_a_soundfont_plays_and_repeats_bit_for_bit() -> None:
    fonts = find_materials().soundfonts
    if not fonts or soundfont.library() is None:
        pytest.skip("no soundfont from packages, or no libfluidsynth, on this machine")
    given = Materials(soundfonts=(min(fonts, key=lambda f: f.suffix),))  # .sf2 is quick to decode
    plan = make_plan(4, 4, "swing")
    first = play(plan, given)
    play(make_plan(7, 3, "rock"), given)
    again = play(plan, given)
    np.testing.assert_array_equal(first.samples, again.samples)
    assert given.soundfonts[0].name in first.sources
    assert set(licences_of(first.sources).values()) <= {"MIT"}


def test_an_unknown_style_is_named() -> None:
    with pytest.raises(SettingError, match="polka"):
        play(make_plan(0, 4, "polka"), NOTHING)


def test_a_plan_on_few_beats_still_plays() -> None:
    plan = plan_on(steady_beats(120, 1.2), np.array([True, False, False]), 1.2, 0, "house")
    assert play(plan, NOTHING).samples.shape == (2, 28_800)


def test_a_band_keeps_its_key_its_players_and_its_sound() -> None:
    plans = [replace(make_plan(seed, SECONDS, "pop"), band=3) for seed in (11, 12)]
    one, two = (compose(plan) for plan in plans)
    assert (one.key, one.roles, one.centre) == (two.key, two.roles, two.centre)
    assert one.motif != two.motif  # another piece
    assert compose(replace(plans[0], band=None)).key == compose(make_plan(11, SECONDS, "pop")).key
    keys = {compose(replace(plans[0], band=number)).key for number in range(6)}
    assert len(keys) > 2
    line = (Note("bass", 0.0, 1.0, (36,), 1.0),)
    same = [play_roles(replace(plans[0], seed=seed), line, NOTHING)[0].samples for seed in (1, 2)]
    np.testing.assert_array_equal(*same)
    others = play_roles(replace(plans[0], band=4), line, NOTHING)[0].samples
    assert not np.array_equal(same[0], others)


@pytest.mark.parametrize("style", ["house", "funk", "swing", "waltz"])
def test_a_straight_piece_begins_all_its_notes_on_token_steps(style: str) -> None:
    plan = make_plan(4, SECONDS, style, straight=True)
    starts = plan.seconds(np.array([note.beat for note in arrange(plan, NOTHING).notes])) * 50
    np.testing.assert_allclose(starts, starts.round(), atol=1e-6)
    loose = arrange(make_plan(4, SECONDS, style), NOTHING).notes
    assert len(loose) > 20
    assert {n.part for n in loose} == {n.part for n in arrange(plan, NOTHING).notes}
