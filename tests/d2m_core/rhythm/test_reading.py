"""The network's shape, the beat decoder, beats from audio, and edits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from d2m_core.errors import Cancelled, SettingError
from d2m_core.grid import steady_beats, tempo_of
from d2m_core.rhythm import (
    RhythmConfig,
    RhythmNet,
    double,
    halve,
    rhythm_from_audio,
    rhythm_from_motion,
    scale_energy,
    shift,
    with_beats,
    with_tempo,
)
from d2m_core.rhythm.curves import BeatCurves
from d2m_core.rhythm.decoding import Asked, decode_beats
from d2m_core.rhythm.refining import cover
from d2m_core.rhythm.rises import bars
from d2m_core.scores import beat_f
from d2m_core.types import MotionFeatures, Rhythm, Waveform

FPS = 25.0


def bumps(beats_s: np.ndarray, duration_s: float, height: float = 0.9) -> np.ndarray:
    """An activation curve with a bump at each beat."""
    times = np.arange(round(duration_s * FPS)) / FPS
    away = np.abs(times[:, None] - beats_s[None]).min(1)
    return 0.02 + height * np.exp(-0.5 * (away / 0.045) ** 2)


def nearest(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.abs(found[:, None] - truth[None]).min(1)


# --- decoding ---


@settings(max_examples=12, deadline=None)
@given(bpm=st.floats(62, 178), first=st.floats(0, 0.9), duration=st.floats(6, 14))
@example(bpm=148.0, first=0.5, duration=6.0)
@example(bpm=144.5, first=0.5, duration=8.5)
def test_a_steady_pulse_is_found_finer_than_a_frame(bpm: float, first: float, duration: float) -> None:
    truth = steady_beats(bpm, duration, first)
    grid = decode_beats(BeatCurves(bumps(truth, duration)), FPS)
    if bpm > 130 and grid.tempo_bpm < 0.6 * bpm:  # some seconds do not tell a fast pulse from its half
        truth, bpm = min(truth[::2], truth[1::2], key=lambda half: -beat_f(half, grid.beats_s, 0.02)), bpm / 2
    assert grid.tempo_bpm == pytest.approx(bpm, rel=0.01)
    assert beat_f(truth, grid.beats_s, 0.02) > 0.9
    assert (np.diff(grid.beats_s) > 0).all()
    assert grid.beats_s[0] >= 0
    assert grid.beats_s[-1] < len(bumps(truth, duration)) / FPS


def test_the_grid_breathes_with_the_dancer() -> None:
    steps = 60 / np.linspace(100, 112, 34)
    truth = 0.2 + np.concatenate([[0], np.cumsum(steps)])
    grid = decode_beats(BeatCurves(bumps(truth, 20.0)), FPS)
    inside = grid.beats_s[(grid.beats_s > 1) & (grid.beats_s < truth[-1] - 1)]
    assert nearest(inside, truth).max() < 0.03


def test_missing_and_extra_accents_are_bridged() -> None:
    rng = np.random.default_rng(3)
    truth = steady_beats(118, 12.0, 0.3)
    kept = np.sort(np.append(truth[rng.random(len(truth)) > 0.3], rng.uniform(0, 12, 4)))
    assert beat_f(truth, decode_beats(BeatCurves(bumps(kept, 12.0)), FPS).beats_s) > 0.95


def test_a_fixed_tempo_is_kept_to_the_digit() -> None:
    truth = steady_beats(93.7, 10.0, 0.41)
    grid = decode_beats(BeatCurves(bumps(truth, 10.0)), FPS, Asked(93.7))
    np.testing.assert_allclose(np.diff(grid.beats_s), 60 / 93.7)
    assert nearest(grid.beats_s, truth).max() < 0.02
    assert grid.tempo_bpm == 93.7


def test_bars_of_four_and_of_three() -> None:
    for metre, first in ((4, 2), (3, 1)):
        truth = steady_beats(110, 14.0, 0.1)
        ones = bumps(truth[first::metre], 14.0)
        grid = decode_beats(BeatCurves(bumps(truth, 14.0), ones), FPS)
        np.testing.assert_array_equal(np.flatnonzero(grid.downbeats)[:3], first + metre * np.arange(3))


def test_bars_without_a_hint_are_of_four() -> None:
    assert np.diff(np.flatnonzero(bars(np.full(16, 0.4)))).tolist() == [4, 4, 4]


def test_confidence_tells_a_pulse_from_noise() -> None:
    pulse = decode_beats(BeatCurves(bumps(steady_beats(105, 12.0), 12.0)), FPS)
    noise = decode_beats(BeatCurves(np.random.default_rng(0).uniform(0, 0.4, 300)), FPS)
    assert pulse.confidence > 0.8
    assert noise.confidence < 0.4


@pytest.mark.parametrize("frames", [1, 3, 10, 25, 40])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_short_and_flat_curves_give_a_grid(frames: int, level: float) -> None:
    grid = decode_beats(BeatCurves(np.full(frames, level)), FPS)
    assert np.isfinite(grid.beats_s).all()
    assert 0 <= grid.confidence <= 0.2
    assert (grid.beats_s < frames / FPS).all()
    assert 55 < grid.tempo_bpm < 185


def test_not_a_number_is_taken_as_nothing() -> None:
    curve = bumps(steady_beats(120, 5.0), 5.0)
    curve[10] = np.nan
    assert np.isfinite(decode_beats(BeatCurves(curve), FPS).beats_s).all()


def test_cover_fills_the_clip() -> None:
    np.testing.assert_allclose(cover(np.array([1.0, 1.5]), 3.0), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
    assert len(cover(np.array([0.7]), 4.0)) == 8


# --- the network ---


def small_net(features: int = 5) -> RhythmNet:
    torch.manual_seed(0)
    return RhythmNet(RhythmConfig(features=features, channels=8, layers=3))


def test_the_default_network_is_small_and_keeps_the_length() -> None:
    net = RhythmNet(RhythmConfig(features=80))
    assert sum(p.numel() for p in net.parameters()) < 1_000_000
    out = net.eval()(torch.randn(2, 40, 80))
    assert out.beat.shape == out.downbeat.shape == out.felt.shape == out.energy.shape == (2, 40)


def test_normalisation_travels_with_the_weights() -> None:
    net = small_net()
    assert {"mean", "std"} <= set(net.state_dict())
    x = torch.randn(1, 30, 5)
    plain = net.eval()(x).beat
    net.mean.fill_(2.0)
    net.std.fill_(3.0)
    torch.testing.assert_close(net(x * 3 + 2).beat, plain, atol=1e-5, rtol=1e-4)


def test_masked_frames_do_not_speak() -> None:
    net = small_net().eval()
    x, mask = torch.randn(1, 30, 5), torch.ones(1, 30, dtype=torch.bool)
    mask[:, 10:20] = False
    other = x.clone()
    other[:, 10:20] = 50.0
    torch.testing.assert_close(net(x, mask).beat, net(other, mask).beat)


def test_the_network_can_learn_a_pulse_and_the_decoder_reads_it() -> None:
    net = small_net(2)
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    rng = np.random.default_rng(0)

    def draw() -> tuple[np.ndarray, np.ndarray]:
        beats = steady_beats(rng.uniform(80, 150), 8.0, rng.uniform(0, 0.4))
        curve = bumps(beats, 8.0).astype(np.float32)
        motion = np.stack([np.ones_like(curve), np.gradient(curve)], 1) + rng.normal(0, 0.02)
        return beats, np.concatenate([motion, curve[:, None]], 1).astype(np.float32)

    for _ in range(60):
        batch = torch.from_numpy(np.stack([draw()[1] for _ in range(8)]))
        logits = net(batch[..., :2]).beat
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, batch[..., 2].clamp(0, 1))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    beats, values = draw()
    rhythm = rhythm_from_motion(MotionFeatures(values[:, :2], ("present", "rise")), net)
    assert beat_f(beats, rhythm.beats_s) > 0.9
    assert rhythm.tempo_bpm == pytest.approx(tempo_of(beats), rel=0.03)


def motion_of(frames: int, present: bool = True) -> MotionFeatures:
    values = np.random.default_rng(1).normal(size=(frames, 5)).astype(np.float32)
    values[:, 0] = present
    return MotionFeatures(values, ("present", "a", "b", "c", "d"))


def test_nobody_gives_a_steady_grid_without_confidence() -> None:
    rhythm = rhythm_from_motion(motion_of(100, present=False), small_net())
    np.testing.assert_allclose(np.diff(rhythm.beats_s), 0.5)
    assert rhythm.confidence == 0.0
    assert (rhythm.curves == 0).all()
    assert rhythm_from_motion(motion_of(100, False), small_net(), tempo_bpm=90).tempo_bpm == 90


@pytest.mark.parametrize("frames", [1, 25, 260])
def test_any_length_gives_a_rhythm(frames: int) -> None:
    rhythm = rhythm_from_motion(motion_of(frames), small_net())
    assert rhythm.curves.shape == (frames, 2)
    assert np.isfinite(rhythm.beats_s).all()


def test_asking_for_the_wrong_thing() -> None:
    with pytest.raises(SettingError, match="choose 60 to 180"):
        rhythm_from_motion(motion_of(50), small_net(), tempo_bpm=300)
    with pytest.raises(ValueError, match="reads 7 features, got 5"):
        rhythm_from_motion(motion_of(50), small_net(7))


# --- from music ---


def drums(bpm: float, duration_s: float, first_s: float, rate: int = 24_000) -> Waveform:
    """Kick on every beat, a snare on two and four, soft hats between."""
    rng = np.random.default_rng(0)
    samples = np.zeros(round(duration_s * rate), np.float32)
    t = np.arange(rate // 8) / rate
    kick = np.sin(2 * np.pi * 60 * t) * np.exp(-t * 25) + rng.normal(0, 0.3, len(t)) * np.exp(-t * 400)
    snare = rng.normal(0, 0.5, len(t)) * np.exp(-t * 40)
    hat = rng.normal(0, 0.03, len(t)) * np.exp(-t * 120)
    for index, beat_s in enumerate(steady_beats(bpm, duration_s, first_s)):
        for sound, at_s in ((kick + snare * (index % 2), beat_s), (hat, beat_s + 30 / bpm)):
            start = round(at_s * rate)
            part = sound[: max(0, len(samples) - start)]
            samples[start : start + len(part)] += part.astype(np.float32)
    return Waveform(torch.from_numpy(samples)[None, None], rate)


@pytest.mark.parametrize(("bpm", "way"), [(96.0, 1), (112.0, 1), (133.0, 1), (165.0, 2)])
def test_beats_of_drums_to_20_ms(bpm: float, way: int) -> None:
    """Kick and snare in turn at 165 are as well a slow song at 82.5 with its snare between the beats."""
    rhythm = rhythm_from_audio(drums(bpm, 10.0, 0.23))
    truth = steady_beats(bpm, 10.0, 0.23)[way - 1 :: way]
    assert rhythm.tempo_bpm == pytest.approx(bpm / way, rel=0.01)
    assert beat_f(truth, rhythm.beats_s, 0.02) > 0.95
    assert rhythm.curves.shape == (250, 2)


def test_reading_music_tells_how_far_it_is_and_can_be_stopped() -> None:
    seen: list[tuple[int, int]] = []
    rhythm_from_audio(drums(112, 4.0, 0.1), on_progress=lambda *now: seen.append(now))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def cancel(done: int, total: int) -> None:
        raise Cancelled("stop")

    with pytest.raises(Cancelled):
        rhythm_from_audio(drums(112, 4.0, 0.1), on_progress=cancel)


def test_a_tempo_hint_is_kept() -> None:
    rhythm = rhythm_from_audio(drums(75, 8.0, 0.1), tempo_bpm=75)
    assert nearest(rhythm.beats_s, steady_beats(75, 8.0, 0.1)).max() < 0.02


def test_curves_of_music_show_accents_and_level() -> None:
    wave = drums(100, 8.0, 0.0)
    wave.samples[..., wave.samples.shape[-1] // 2 :] *= 0.02
    onset, energy = rhythm_from_audio(wave).curves.T
    assert onset[15] > 3 * onset[11]  # the beat at 0.6 s against 0.44 s
    assert energy[:75].mean() > energy[125:].mean() + 0.5


def test_silence_has_no_confidence() -> None:
    rhythm = rhythm_from_audio(Waveform(torch.zeros(1, 2, 48_000), 24_000))
    assert rhythm.confidence == 0.0
    assert (rhythm.curves == 0).all()


# --- edits ---


def plain(bpm: float = 100.0, duration_s: float = 6.0, first_s: float = 0.3) -> Rhythm:
    beats = steady_beats(bpm, duration_s, first_s)
    curves = np.full((round(duration_s * FPS), 2), 0.6, np.float32)
    return Rhythm(beats, np.arange(len(beats)) % 4 == 1, curves, bpm, 0.4)


def test_setting_a_tempo_keeps_the_bar_line() -> None:
    before, after = plain(), with_tempo(plain(), 120)
    np.testing.assert_allclose(np.diff(after.beats_s), 0.5)
    assert after.beats_s[after.downbeats] == pytest.approx(before.beats_s[1] + 2 * np.arange(3), abs=1e-9)
    assert (after.tempo_bpm, after.confidence) == (120, 1.0)
    with pytest.raises(SettingError):
        with_tempo(plain(), 20)


@settings(max_examples=30, deadline=None)
@given(seconds=st.floats(-3, 3))
def test_shifting_fills_the_clip_and_stays_inside(seconds: float) -> None:
    after = shift(plain(), seconds)
    assert after.beats_s.min() >= 0
    assert after.beats_s.max() < 6.0
    assert after.beats_s[0] < 0.61
    assert after.beats_s[-1] > 6.0 - 0.61
    np.testing.assert_allclose(np.diff(after.beats_s), 0.6)
    moved = (after.beats_s[after.downbeats] - seconds - plain().beats_s[1]) / 2.4
    np.testing.assert_allclose(moved, np.round(moved), atol=1e-6)


def test_shifting_there_and_back_changes_nothing() -> None:
    there_and_back = shift(shift(plain(), 0.1), -0.1)
    np.testing.assert_allclose(there_and_back.beats_s, plain().beats_s)
    np.testing.assert_array_equal(there_and_back.downbeats, plain().downbeats)


def test_double_and_half() -> None:
    fast = double(plain(80))
    assert fast.tempo_bpm == 160
    np.testing.assert_allclose(np.diff(fast.beats_s), 60 / 160)
    assert fast.metre == 4
    slow = halve(fast)
    np.testing.assert_allclose(slow.beats_s[slow.downbeats][0], plain(80).beats_s[1])
    np.testing.assert_allclose(np.diff(slow.beats_s), 60 / 80)
    with pytest.raises(SettingError, match="Tempo is 240"):
        double(plain(120))


def test_energy_is_scaled_within_bounds() -> None:
    before = plain()
    assert scale_energy(before, 0.5).curves[:, 1] == pytest.approx(0.3)
    assert scale_energy(before, 5).curves[:, 1] == pytest.approx(1.0)
    assert before.curves[:, 1] == pytest.approx(0.6)
    np.testing.assert_array_equal(scale_energy(before, 5).curves[:, 0], before.curves[:, 0])
    with pytest.raises(SettingError):
        scale_energy(before, -1)


def test_beats_from_a_list() -> None:
    after = with_beats(plain(), [2.0, 1.0, 3.0, 3.0, 99.0])
    assert after.beats_s.tolist() == [1.0, 2.0, 3.0]
    assert (after.tempo_bpm, after.confidence) == (pytest.approx(60), 1.0)
    assert after.downbeats.tolist() == [True, False, False]
    with pytest.raises(SettingError, match="1 of the 2 beat times"):
        with_beats(plain(), [1.0, 50.0])


def test_the_music_is_told_the_accents_that_one_sees() -> None:
    rng = np.random.default_rng(4)
    values = rng.uniform(size=(120, 5)).astype(np.float32)
    values[:, 0] = 1
    seen = rhythm_from_motion(MotionFeatures(values, ("present", "a", "accent", "c", "d")), small_net())
    np.testing.assert_array_equal(seen.accent, values[:, 2])
    blind = rhythm_from_motion(MotionFeatures(values, ("present", "a", "b", "c", "d")), small_net())
    assert (blind.accent != values[:, 2]).any()
