"""Music as it is handed over: it ends, follows the dance, and is as loud as all."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyloudnorm
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from d2m_core.errors import SettingError
from d2m_core.grid import steady_beats
from d2m_core.mastering import LOUDNESS_LUFS, master_music
from d2m_core.mastering.dynamics import level_curve, with_dynamics
from d2m_core.mastering.ending import ended, last_hit_s
from d2m_core.mastering.level import at_level, loudness_lufs
from d2m_core.settings import ENDINGS, SoundSettings
from d2m_core.types import Rhythm, Waveform

RATE, TEMPO = 24_000, 120.0


def rhythm_of(energy: np.ndarray) -> Rhythm:
    """Beats at `TEMPO` from 0 on, a bar line every four, and this energy [F]."""
    beats = steady_beats(TEMPO, len(energy) / 25)
    curves = np.stack([np.zeros(len(energy)), energy], 1).astype(np.float32)
    return Rhythm(beats, np.arange(len(beats)) % 4 == 0, curves, TEMPO)


def music(seconds: float, level: float = 0.2, channels: int = 1, seed: int = 3) -> Waveform:
    """A bed of noise with a hit on every beat, as long as asked."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    sound = 0.3 * rng.standard_normal((channels, count))
    decay = np.exp(-np.arange(RATE // 4) / (0.05 * RATE))
    for beat_s in steady_beats(TEMPO, seconds):
        first = round(beat_s * RATE)
        part = sound[:, first : first + len(decay)]
        part += 3 * decay[: part.shape[1]] * rng.standard_normal(part.shape)
    sound *= level / np.sqrt((sound**2).mean())
    return Waveform(torch.from_numpy(sound.astype(np.float32))[None], RATE)


def short_term(wave: Waveform) -> np.ndarray:
    """Loudness in LUFS of every 3 s, ten times a second (EBU Tech 3342)."""
    meter = pyloudnorm.Meter(wave.sample_rate, block_size=3.0)
    samples = wave.samples[0].T.double().numpy()
    starts = range(0, len(samples) - 3 * wave.sample_rate + 1, wave.sample_rate // 10)
    return np.array([meter.integrated_loudness(samples[s : s + 3 * wave.sample_rate]) for s in starts])


def true_peak_db(wave: Waveform) -> float:
    return 20 * float(np.log10(np.abs(resample_poly(wave.samples.numpy(), 16, 1, axis=-1)).max()))


CHANGING = np.where(np.arange(600) < 300, 0.35, 0.65)


# --- dynamics ---


def test_a_dance_that_changes_gets_four_loudness_units_and_more() -> None:
    wave, rhythm = music(24.0), rhythm_of(CHANGING)
    assert np.ptp(short_term(wave)) < 1
    out = master_music(wave, rhythm, SoundSettings("cut"))
    low, high = np.percentile(short_term(out), (10, 95))
    assert 4 <= high - low <= 9
    half = out.samples.shape[-1] // 2
    assert out.samples[..., half:].pow(2).mean() > 2 * out.samples[..., :half].pow(2).mean()


def test_a_dance_that_stays_keeps_its_level() -> None:
    waving = 0.5 + 0.03 * np.sin(np.arange(600) / 40)
    for energy in (np.full(600, 0.2), np.full(600, 0.9), waving):
        assert not level_curve(rhythm_of(energy)).any()
    wave = music(24.0)
    assert with_dynamics(wave, rhythm_of(waving)) is wave
    assert with_dynamics(wave, rhythm_of(CHANGING), 0.0) is wave


@given(st.integers(0, 2**16), st.floats(0.1, 2.0))
@settings(max_examples=25, deadline=None)
def test_the_level_never_pumps(seed: int, amount: float) -> None:
    """Whatever the energy does from frame to frame, within a beat the level moves by a few dB at most."""
    energy = np.random.default_rng(seed).uniform(0, 1, 500)
    energy[:250] *= 0.1
    curve = level_curve(rhythm_of(energy), amount)
    assert abs(curve.mean()) < 1e-9
    assert np.ptp(curve) <= 8.0 * amount + 1e-9
    within_a_beat = np.abs(curve[12:] - curve[:-12]).max()
    assert within_a_beat <= 3.0 * amount


def test_more_is_more() -> None:
    rhythm = rhythm_of(CHANGING)
    ranges = [np.ptp(level_curve(rhythm, amount)) for amount in (0.0, 0.5, 1.0, 2.0)]
    np.testing.assert_allclose(ranges, np.array([0, 0.5, 1, 2]) * ranges[2])


# --- endings ---


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("seconds", [1.0, 3.3, 10.017])
def test_endings_keep_the_length_and_what_is_before(ending: str, seconds: float) -> None:
    wave, rhythm = music(seconds, channels=2), rhythm_of(np.full(round(seconds * 25), 0.5))
    out = ended(wave, rhythm, ending)
    assert out.samples.shape == wave.samples.shape
    early = round((seconds - 2.1) * RATE)
    if early > 0:
        assert torch.equal(out.samples[..., :early], wave.samples[..., :early])
    if ending == "cut":
        assert out is wave
    else:
        assert out.samples[..., -1].abs().max() < 1e-6
        assert out.samples[..., -RATE // 50 :].pow(2).mean() < 1e-3 * wave.samples.pow(2).mean()


def test_a_hit_is_the_last_and_rings_out() -> None:
    wave, rhythm = music(9.3), rhythm_of(np.full(232, 0.5))
    assert last_hit_s(wave.samples[0], RATE, rhythm) == pytest.approx(8.5)  # 8 is a bar line, 1.3 s before
    out = ended(wave, rhythm, "hit").samples[0, 0].numpy()

    def heard(sound: np.ndarray, time_s: float) -> float:
        return float(np.sqrt((sound[round(time_s * RATE) :][: RATE // 20] ** 2).mean()))

    loud = [heard(out, time_s) for time_s in (8.5, 8.75, 9.0, 9.2)]
    assert loud[0] == pytest.approx(heard(wave.samples[0, 0].numpy(), 8.5), rel=0.3)
    assert loud[0] == pytest.approx(
        float(wave.samples[0, 0, round(8.5 * RATE) :][: RATE // 20].pow(2).mean() ** 0.5), rel=0.3
    )
    assert all(later < 0.7 * before for before, later in pairwise(loud))
    assert loud[3] > 1e-5  # it rings, and is not cut off


def test_the_last_hit_is_a_bar_line_where_one_sounds() -> None:
    wave, rhythm = music(9.0), rhythm_of(np.full(225, 0.5))
    assert last_hit_s(wave.samples[0], RATE, rhythm) == pytest.approx(8.0)
    quiet = wave.samples.clone()
    quiet[..., round(7.9 * RATE) : round(8.2 * RATE)] *= 0.01
    assert last_hit_s(quiet[0], RATE, rhythm) == pytest.approx(8.5)


def test_where_nothing_sounds_on_a_beat_it_fades() -> None:
    wave, rhythm = music(9.0), rhythm_of(np.full(225, 0.5))
    none = replace(rhythm, beats_s=rhythm.beats_s[:4], downbeats=rhythm.downbeats[:4])
    assert last_hit_s(wave.samples[0], RATE, none) is None
    assert torch.equal(ended(wave, none, "hit").samples, ended(wave, none, "fade").samples)


def test_pieces_of_a_batch_end_by_themselves() -> None:
    one, other = music(9.0, seed=1), music(9.0, seed=2)
    rhythm = rhythm_of(CHANGING[:225])
    both = master_music(Waveform(torch.cat([one.samples, other.samples]), RATE), rhythm)
    assert torch.equal(both.samples[:1], master_music(one, rhythm).samples)
    assert torch.equal(both.samples[1:], master_music(other, rhythm).samples)


# --- level ---


@pytest.mark.parametrize(
    ("level", "asked"),
    [(0.06, SoundSettings()), (0.2, SoundSettings("cut", 0.0)), (0.9, SoundSettings("fade", 2.0))],
)
def test_music_has_one_loudness_and_room_above_it(level: float, asked: SoundSettings) -> None:
    out = master_music(music(6.0, level), rhythm_of(CHANGING[225:375]), asked)
    assert loudness_lufs(out) == pytest.approx(LOUDNESS_LUFS, abs=0.5)
    assert true_peak_db(out) <= -1.0


def test_silence_stays_and_what_hardly_sounds_is_no_noise() -> None:
    silence = Waveform(torch.zeros(1, 1, RATE), RATE)
    assert torch.equal(at_level(silence).samples, silence.samples)
    assert loudness_lufs(silence) is None
    faint = music(2.0, 1e-4)
    assert at_level(faint).samples.pow(2).mean() < 20 * faint.samples.pow(2).mean()


def test_settings_of_the_sound_are_checked_together() -> None:
    with pytest.raises(SettingError, match=r"Ending is 'bang'.*hit, fade, cut.*\nDynamics are 7") as caught:
        SoundSettings("bang", 7.0)
    assert str(caught.value).count("\n") == 1
