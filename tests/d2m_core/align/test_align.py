"""Music bent to a dance: which part of it, how far, and whether its sound says the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from d2m_core.align import AlignSettings, align_audio, describe, plan_alignment
from d2m_core.align.time_map import Loop, limited, straight_pieces, wrapped
from d2m_core.errors import Cancelled, SettingError
from d2m_core.grid import steady_beats
from d2m_core.rhythm import rhythm_from_audio
from d2m_core.scores import beat_f
from d2m_core.types import Rhythm, Waveform

RATE = 22_050
NEAR_S = 0.01
"""What we promise: hits land where the map says, to 10 ms."""


def rhythm(beats_s: np.ndarray, duration_s: float, first_bar: int = 0) -> Rhythm:
    """A rhythm of four beats in a bar that is equally busy everywhere."""
    curves = np.full((round(duration_s * 25), 2), 0.5, np.float32)
    downbeats = np.arange(len(beats_s)) % 4 == first_bar
    return Rhythm(beats_s, downbeats, curves, float(60 / np.median(np.diff(beats_s))))


def kick(rate: int = RATE) -> np.ndarray:
    times = np.arange(round(0.15 * rate)) / rate
    click = np.random.default_rng(0).standard_normal(len(times)) * np.exp(-times / 0.003)
    phase = 50 * times + 2 * (1 - np.exp(-times / 0.02))
    return 0.5 * np.sin(2 * np.pi * phase) * np.exp(-times / 0.05) + 0.15 * click


def kicks(times_s: np.ndarray, duration_s: float, rate: int = RATE) -> Waveform:
    """A kick drum at these times, [1, 1, N]."""
    out = np.zeros(round(duration_s * rate))
    for time_s in times_s:
        part = out[round(time_s * rate) :]
        hit = kick(rate)[: len(part)]
        part[: len(hit)] += hit
    return Waveform(torch.from_numpy(out.astype(np.float32))[None, None], rate)


def tone(hz: float, duration_s: float) -> Waveform:
    times = np.arange(round(duration_s * RATE)) / RATE
    return Waveform(torch.from_numpy(0.3 * np.sin(2 * np.pi * hz * times)).float()[None, None], RATE)


def hits(wave: Waveform) -> np.ndarray:
    """When the level of a kick track rises, in seconds, read from its samples."""
    level = np.convolve(np.abs(wave.samples[0, 0].numpy()), np.ones(64) / 64, "same")
    loud = level > 0.25 * level.max()
    rises = np.flatnonzero(loud[1:] & ~loud[:-1]) / wave.sample_rate
    return rises[np.diff(rises, prepend=-1.0) > 0.15]


def miss(wave: Waveform, beats_s: np.ndarray) -> float:
    """Furthest distance from a beat to the nearest hit, in seconds."""
    return float(np.abs(beats_s[:, None] - hits(wave)[None]).min(1).max())


SONG_S = 20.0
SONG = rhythm(steady_beats(100, SONG_S, 0.35), SONG_S)


@pytest.fixture(scope="module")
def song() -> Waveform:
    return kicks(SONG.beats_s, SONG_S)


def drifting(duration_s: float) -> np.ndarray:
    """A dancer around 108 BPM whose beats last up to 6 % more or less."""
    steps = 60 / 108 * (1 + 0.06 * np.sin(np.arange(60) / 3))
    beats = 0.2 + np.concatenate([[0], np.cumsum(steps)])
    return beats[beats < duration_s - 0.05]


# --- beats meet ---


@pytest.mark.parametrize(("bpm", "octave"), [(100, 1.0), (120, 1.0), (84, 1.0), (53, 2.0), (180, 0.5)])
def test_steady_songs_meet_steady_dances(song: Waveform, bpm: float, octave: float) -> None:
    beats = steady_beats(bpm, 9.0, 0.2)
    out, alignment = align_audio(song, rhythm(beats, 9.0), song=SONG)
    assert alignment.octave == octave
    assert alignment.met == alignment.beats == len(beats)
    assert alignment.largest_bend < 1e-6
    heard = hits(out)
    grid = np.arange(-40, 40) * (60 / bpm / octave) + 0.2
    assert np.abs(heard[1:, None] - grid[None]).min(1).max() < NEAR_S
    assert len(heard) >= int(len(beats) * octave) - 1


def test_a_drifting_dancer_is_met_on_every_beat(song: Waveform) -> None:
    beats = drifting(12.0)
    out, alignment = align_audio(song, rhythm(beats, 12.0), song=SONG)
    assert miss(out, beats) < NEAR_S
    assert 0.04 < alignment.largest_bend <= 0.08
    assert alignment.loops == 0
    steady, held = align_audio(song, rhythm(beats, 12.0), AlignSettings(strength=0), SONG)
    assert miss(steady, beats) > 2 * NEAR_S
    assert held.largest_bend == 0
    assert len(straight_pieces(held.anchors)) == 1


def test_hits_land_where_the_map_says_within_the_limits(song: Waveform) -> None:
    beats = drifting(12.0)
    out, alignment = align_audio(song, rhythm(beats, 12.0), AlignSettings(most_bend=2), SONG)
    assert alignment.largest_bend == pytest.approx(0.02, abs=1e-6)
    assert alignment.met < alignment.beats
    where = np.interp(SONG.beats_s, *alignment.anchors.T, left=-1, right=-1)
    assert miss(out, where[where > 0.05]) < NEAR_S


def test_strength_goes_from_one_tempo_to_every_beat() -> None:
    dance = rhythm(drifting(12.0), 12.0)
    bends = [
        plan_alignment(SONG, dance, AlignSettings(strength=strength)).mean_bend for strength in (0, 0.5, 1)
    ]
    assert bends[0] == 0
    assert bends[1] == pytest.approx(bends[2] / 2, rel=0.05)


def test_hits_stay_sharp(song: Waveform) -> None:
    beats = drifting(12.0)
    out, _ = align_audio(song, rhythm(beats, 12.0), song=SONG)
    samples = out.samples[0, 0].numpy()
    for time_s in beats[1:]:
        at = round(time_s * RATE)
        after = np.sqrt((samples[at : at + round(0.02 * RATE)] ** 2).mean())
        before = samples[at - round(0.03 * RATE) : at - round(0.005 * RATE)]
        assert np.sqrt((before**2).mean()) < 0.03 * after


# --- where to start ---


def test_the_start_is_a_bar_line_of_the_song() -> None:
    for first_bar in range(4):
        late = rhythm(SONG.beats_s, SONG_S, first_bar)
        dance = rhythm(steady_beats(110, 6.0, 0.3), 6.0, first_bar=2)
        for start in ("best", "beginning"):
            plan = plan_alignment(late, dance, AlignSettings(start=start))
            bar_s = np.interp(dance.beats_s[2], plan.anchors[:, 1], plan.anchors[:, 0])
            assert np.abs(bar_s - late.beats_s[late.downbeats]).min() < 1e-6
            assert plan.start_s > -0.05
        assert plan.start_s < 4 * 0.6


def test_best_finds_the_part_that_is_like_the_dance() -> None:
    curves = SONG.curves.copy()
    curves[:, 1] = 0.3
    curves[300:360, 1] = 0.9
    busy = Rhythm(SONG.beats_s, SONG.downbeats, curves, 100.0)
    energy = np.full((150, 2), 0.3, np.float32)
    energy[50:110, 1] = 0.9
    beats = steady_beats(100, 6.0, 0.0)
    dance = Rhythm(beats, np.arange(len(beats)) % 4 == 0, energy, 100.0)
    assert plan_alignment(busy, dance).start_s == pytest.approx(10.0, abs=0.75)


def test_silence_before_a_song_is_skipped() -> None:
    curves = SONG.curves.copy()
    curves[:150] = 0.0
    late = Rhythm(SONG.beats_s, SONG.downbeats, curves, 100.0)
    plan = plan_alignment(late, rhythm(steady_beats(100, 6.0), 6.0))
    assert plan.start_s >= 5.9


# --- the sound ---


def test_length_channels_and_rate_are_kept() -> None:
    rate, duration_s = 44_100, 5.3713
    left = kicks(SONG.beats_s[SONG.beats_s < 9], 9.0, rate).samples[0, 0]
    right = 0.2 * torch.sin(torch.arange(len(left)) * 0.04)
    wave = Waveform(torch.stack([left, right, 0.5 * right])[None], rate)
    before = wave.samples.clone()
    dance = rhythm(steady_beats(112, 5.4, 0.1), 5.4)
    out, _ = align_audio(wave, dance, song=SONG, duration_s=duration_s)
    assert out.sample_rate == rate
    assert out.samples.shape == (1, 3, round(duration_s * rate))
    assert torch.equal(wave.samples, before), "the input belongs to others too"
    level = out.samples[0, 1, 2000:-2000].abs()
    assert level.max() < 0.25, "kicks leaked to the other side"
    assert torch.allclose(out.samples[0, 2], 0.5 * out.samples[0, 1], atol=0.02)


@pytest.mark.parametrize("hz", [110.0, 440.0, 1500.0])
def test_pitch_is_kept_and_joins_are_smooth(hz: float) -> None:
    dance = rhythm(drifting(8.0), 8.0)
    out, alignment = align_audio(tone(hz, SONG_S), dance, song=SONG)
    assert alignment.largest_bend > 0.04
    inner = out.samples[0, 0, RATE // 2 : -RATE // 2].double().numpy()
    wave = signal.hilbert(inner)[RATE // 10 : -RATE // 10]
    heard = np.median(np.diff(np.unwrap(np.angle(wave)))) * RATE / (2 * np.pi)
    assert abs(1200 * np.log2(heard / hz)) < 10, "cents"
    level = np.abs(wave)
    assert level.min() > 0.75 * np.median(level)
    assert level.max() < 1.15 * np.median(level)


def test_what_fits_already_is_not_touched(song: Waveform) -> None:
    settings = AlignSettings(start="beginning")
    out, alignment = align_audio(song, SONG, settings, SONG)
    assert alignment.rate == pytest.approx(1)
    assert alignment.start_s == pytest.approx(0, abs=1e-9)
    inner = slice(RATE // 10, -RATE // 10)
    assert torch.allclose(out.samples[..., inner], song.samples[..., inner], atol=1e-4)


def test_a_short_song_repeats_whole_bars() -> None:
    beats = steady_beats(100, 6.0, 0.35)
    short = rhythm(beats, 6.0)
    dance_beats = steady_beats(106, 20.0, 0.2)
    out, alignment = align_audio(kicks(beats, 6.0), rhythm(dance_beats, 20.0), song=short)
    assert alignment.loops > 2
    assert miss(out, dance_beats) < NEAR_S
    jumps = np.flatnonzero(np.diff(alignment.anchors[:, 1]) == 0)
    back = alignment.anchors[jumps, 0] - alignment.anchors[jumps + 1, 0]
    np.testing.assert_allclose(back / 2.4, np.round(back / 2.4), atol=1e-6)
    assert "jumps back" in describe(alignment)


def test_without_loop_silence_follows_a_short_song() -> None:
    beats = steady_beats(100, 6.0, 0.35)
    dance = rhythm(steady_beats(100, 12.0, 0.35), 12.0)
    settings = AlignSettings(loop=False)
    out, alignment = align_audio(kicks(beats, 6.0), dance, settings, rhythm(beats, 6.0))
    assert alignment.loops == 0
    assert out.samples.shape[-1] == 12 * RATE
    assert out.samples[..., : 4 * RATE].abs().max() > 0.3
    assert out.samples[..., 7 * RATE :].abs().max() == 0


def test_music_that_stops_dead_fades() -> None:
    dance = rhythm(steady_beats(120, 8.0), 8.0)
    out, _ = align_audio(tone(440, 5.0), dance, AlignSettings(loop=False))
    level = out.samples[0, 0].abs()
    assert level[round(4.6 * RATE) : round(4.7 * RATE)].max() > 0.25
    assert level[round(4.97 * RATE) : round(4.99 * RATE)].max() < 0.05


# --- no beat, errors, progress ---


@pytest.mark.parametrize("level", [0.0, 0.1])
def test_a_song_without_a_beat_is_only_cut(level: float) -> None:
    noise = torch.from_numpy(level * np.random.default_rng(1).standard_normal(6 * RATE)).float()
    dance = rhythm(steady_beats(120, 8.0), 8.0)
    out, alignment = align_audio(Waveform(noise[None, None], RATE), dance)
    assert alignment.octave == 0
    assert alignment.rate == 1
    assert out.samples.shape[-1] == 8 * RATE
    assert "no steady beat" in describe(alignment)
    assert bool((out.samples[..., 7 * RATE : -RATE // 10].abs().amax() > 0) == (level > 0))


def test_a_tempo_out_of_reach_is_refused_in_a_sentence() -> None:
    dance = rhythm(steady_beats(140, 8.0), 8.0)
    with pytest.raises(SettingError, match=r"100 BPM.*30% slower.*140 BPM.*change is 10 %"):
        plan_alignment(SONG, dance, AlignSettings(most_tempo_change=10))


@settings(max_examples=30, deadline=None)
@given(bpm=st.floats(60, 180))
def test_the_default_reaches_every_tempo(bpm: float) -> None:
    plan = plan_alignment(SONG, rhythm(steady_beats(bpm, 8.0), 8.0))
    assert abs(plan.rate - 1) <= 0.35


@pytest.mark.parametrize(
    "bad", [{"strength": 1.5}, {"most_bend": -1}, {"most_tempo_change": 80}, {"start": "middle"}]
)
def test_settings_refuse_nonsense(bad: dict[str, float | str]) -> None:
    with pytest.raises(SettingError):
        AlignSettings(**bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("samples", "reason"),
    [(torch.zeros(1, 1, 0), "no samples"), (torch.full((1, 1, RATE), torch.nan), "not numbers")],
)
def test_empty_and_broken_music_is_refused(samples: torch.Tensor, reason: str) -> None:
    with pytest.raises(SettingError, match=reason):
        align_audio(Waveform(samples, RATE), SONG)


@pytest.mark.parametrize("count", [1, 700, 30_000])
def test_a_snippet_of_music_is_enough(count: int) -> None:
    dance = rhythm(steady_beats(120, 2.0), 2.0)
    out, alignment = align_audio(Waveform(0.1 * torch.ones(1, 2, count), RATE), dance)
    assert out.samples.shape == (1, 2, 2 * RATE)
    assert bool(torch.isfinite(out.samples).all())
    assert alignment.octave == 0


def test_progress_reaches_its_total_and_cancels(song: Waveform) -> None:
    seen: list[tuple[int, int]] = []
    dance = rhythm(drifting(6.0), 6.0)
    align_audio(song, dance, song=SONG, on_progress=lambda *step: seen.append(step))
    assert seen[0] == (0, 0)
    assert seen[-1][0] == seen[-1][1] == len(seen) - 1

    def cancel(done: int, _total: int) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        align_audio(song, dance, song=SONG, on_progress=cancel)


# --- arithmetic ---


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), most=st.floats(0.005, 0.2))
def test_limits_hold_and_the_rest_stays_near(seed: int, most: float) -> None:
    rng = np.random.default_rng(seed)
    heard = np.cumsum(rng.uniform(0.4, 0.6, 30))
    song_s = 1.1 * heard + np.cumsum(rng.normal(0, 0.01, 30))
    found = limited(song_s, heard, 1.1, most)
    rates = np.diff(found) / np.diff(heard) / 1.1
    assert np.abs(rates - 1).max() <= most + 1e-9
    line = 1.1 * heard + (song_s - 1.1 * heard).mean()
    assert np.abs(found - song_s).sum() <= np.abs(line - song_s).sum() + 1e-6


@settings(max_examples=60, deadline=None)
@given(start=st.floats(0, 3.9), rate=st.floats(0.7, 1.4), low=st.floats(0, 2), length=st.floats(2, 5))
def test_loops_go_on_where_they_should(start: float, rate: float, low: float, length: float) -> None:
    loop = Loop(low, low + length)
    heard = np.linspace(0, 17, 23)
    anchors = wrapped(min(start, loop.end_s - 0.01) + rate * heard, heard, loop)
    assert anchors[0, 1] == 0
    assert anchors[-1, 1] == pytest.approx(17)
    assert (np.diff(anchors[:, 1]) >= 0).all()
    assert anchors[:, 0].max() <= loop.end_s + 1e-6
    jumps = np.diff(anchors[:, 1]) == 0
    np.testing.assert_allclose(np.diff(anchors[:, 0])[jumps], -length)
    np.testing.assert_allclose(
        np.diff(anchors[:, 0])[~jumps], rate * np.diff(anchors[:, 1])[~jumps], atol=1e-5
    )
    assert sum(piece.end_s - piece.at_s for piece in straight_pieces(anchors)) == pytest.approx(17)


# --- music ---


def test_the_studio_band_follows_a_dancer() -> None:
    from d2m_core.band import installed_materials, soundfont
    from d2m_core.band.synth import SAMPLE_RATE
    from training.codec.band_music import make_song

    if not installed_materials().soundfonts or soundfont.library() is None:
        pytest.skip("no soundfont from packages, or no libfluidsynth, on this machine")
    samples = torch.from_numpy(make_song(7000, 12.0)).float()[None, None] / 32767
    dance = rhythm(drifting(8.0), 8.0)
    out, alignment = align_audio(Waveform(samples, SAMPLE_RATE), dance)
    assert alignment.met == alignment.beats
    assert 0.03 < alignment.largest_bend <= 0.08
    cut = Waveform(samples[..., : 8 * SAMPLE_RATE], SAMPLE_RATE)
    before = beat_f(dance.beats_s, rhythm_from_audio(cut).beats_s)
    after = beat_f(dance.beats_s, rhythm_from_audio(out).beats_s)
    assert after > 0.85 > before
