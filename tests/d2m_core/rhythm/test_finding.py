"""Beats from the dance, from the clip's own sound, or from both."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from d2m_core.grid import steady_beats
from d2m_core.rhythm import RhythmConfig, RhythmNet, find_rhythm, rhythm_from_audio, rhythm_from_motion
from d2m_core.rhythm.curves import BeatCurves
from d2m_core.rhythm.finding import _agreed
from d2m_core.scores import beat_f
from d2m_core.types import MotionFeatures, Rhythm, Waveform

RATE, SECONDS, FPS = 22_050, 12.0, 25.0


def clicks(times_s: np.ndarray, seconds: float = SECONDS) -> Waveform:
    samples = np.random.default_rng(0).normal(0, 1e-4, round(seconds * RATE))
    for at in (times_s * RATE).astype(int):
        size = min(1500, len(samples) - at)
        samples[at : at + size] += 0.8 * np.exp(-np.arange(size) / 250) * np.sin(np.arange(size) * 0.05)
    return Waveform(torch.from_numpy(samples.astype(np.float32))[None, None], RATE)


def net() -> RhythmNet:
    torch.manual_seed(0)
    return RhythmNet(RhythmConfig(features=3, channels=8, layers=2))


def motion(present: np.ndarray | bool = True) -> MotionFeatures:
    values = np.random.default_rng(1).normal(size=(round(SECONDS * FPS), 3)).astype(np.float32)
    values[:, 0] = present
    return MotionFeatures(values, ("present", "a", "b"))


def test_the_dance_alone_is_what_it_was() -> None:
    found = find_rhythm(motion(), net(), clicks(steady_beats(100, SECONDS)))
    plain = rhythm_from_motion(motion(), net())
    np.testing.assert_array_equal(found.rhythm.beats_s, plain.beats_s)
    np.testing.assert_array_equal(found.rhythm.curves, plain.curves)
    assert not {"no-sound", "unsure-sound"} & {notice.kind for notice in found.notices}


@pytest.mark.parametrize("beats_from", ["sound", "both"])
def test_beats_of_the_sound_under_the_curves_of_the_dance(beats_from: str) -> None:
    truth = steady_beats(112, SECONDS, 0.21)
    found = find_rhythm(motion(), net(), clicks(truth), beats_from).rhythm
    assert beat_f(truth, found.beats_s) > 0.95
    assert found.tempo_bpm == pytest.approx(112, rel=0.01)
    np.testing.assert_array_equal(found.curves, rhythm_from_motion(motion(), net()).curves)
    assert found.tempi


def test_sound_that_ends_early_is_gone_on_with() -> None:
    found = find_rhythm(motion(), net(), clicks(steady_beats(120, 7.0), 7.0), "sound").rhythm
    assert beat_f(steady_beats(120, SECONDS), found.beats_s) > 0.95
    assert found.duration_s == SECONDS


@pytest.mark.parametrize("beats_from", ["sound", "both"])
@pytest.mark.parametrize("sound", [None, Waveform(torch.zeros(1, 1, RATE * 12), RATE)])
def test_a_silent_clip_is_read_from_the_dance_and_says_so(beats_from: str, sound: Waveform | None) -> None:
    found = find_rhythm(motion(), net(), sound, beats_from)
    np.testing.assert_array_equal(found.rhythm.beats_s, rhythm_from_motion(motion(), net()).beats_s)
    assert (found.notices[0].kind, found.notices[0].text) == (
        "no-sound",
        "The clip has no sound of its own that one could hear: the beats were read from the dance.",
    )


def test_a_tempo_and_a_metre_that_are_asked_for_are_kept() -> None:
    for beats_from in ("sound", "both"):
        sound = clicks(steady_beats(112, SECONDS, 0.2))
        found = find_rhythm(motion(), net(), sound, beats_from, 100.0, 3).rhythm
        np.testing.assert_allclose(np.diff(found.beats_s), 0.6)
        assert found.metre == 3


def test_a_source_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="dance, sound, both"):
        find_rhythm(motion(), net(), None, "ear")


# --- where both have a say ---


def bumps(times_s: np.ndarray) -> np.ndarray:
    away = np.arange(round(SECONDS * FPS))[:, None] / FPS - times_s
    return 0.02 + (0.9 * np.exp(-0.5 * (away / 0.045) ** 2)).max(1, initial=0.0)


def agreed(danced_s: np.ndarray, heard_s: np.ndarray, heard_bpm: float) -> Rhythm:
    """What comes of a clear dance and of beats that were heard."""
    curves = BeatCurves(bumps(danced_s), bumps(danced_s[1::4]))
    flat = np.zeros((round(SECONDS * FPS), 2), np.float32)
    dance = Rhythm(danced_s, np.zeros(len(danced_s), bool), flat, 100.0, 0.9)
    heard = Rhythm(heard_s, np.arange(len(heard_s)) % 4 == 0, flat, heard_bpm, 0.9)
    return _agreed(dance, curves, heard, FPS, None, None)


def test_the_dance_chooses_the_octave_and_the_bars() -> None:
    danced = steady_beats(84, SECONDS, 0.3)
    found = agreed(danced, steady_beats(168, SECONDS, 0.3), 168.0)
    assert beat_f(danced, found.beats_s) > 0.95
    assert found.tempo_bpm == 84
    assert beat_f(danced[1::4], found.beats_s[found.downbeats]) > 0.9
    found = agreed(steady_beats(168, SECONDS, 0.3), danced, 84.0)
    assert found.tempo_bpm == 168
    assert beat_f(steady_beats(168, SECONDS, 0.3), found.beats_s) > 0.95


def test_the_dance_chooses_the_side_of_the_beat() -> None:
    danced = steady_beats(110, SECONDS, 0.3)
    found = agreed(danced, danced[:-1] + 30 / 110, 110.0)
    assert beat_f(danced, found.beats_s) > 0.9


def test_another_tempo_of_the_dance_does_not_move_the_sound() -> None:
    heard = steady_beats(120, SECONDS, 0.1)
    assert agreed(steady_beats(97, SECONDS, 0.3), heard, 120.0).tempo_bpm == 120


def test_an_unsure_ear_leaves_the_beats_to_a_sure_dance() -> None:
    noise = np.random.default_rng(4).normal(0, 0.2, round(SECONDS * RATE)).astype(np.float32)
    sound = Waveform(torch.from_numpy(noise)[None, None], RATE)
    assert rhythm_from_audio(sound).confidence < 0.4
    found = find_rhythm(motion(), net(), sound, "both")
    kinds = {notice.kind for notice in found.notices}
    dance = rhythm_from_motion(motion(), net())
    surer = dance.confidence > rhythm_from_audio(sound).confidence
    assert ("unsure-sound" in kinds) == surer
    assert np.array_equal(found.rhythm.beats_s, dance.beats_s) == surer


# --- where nobody is seen ---


def test_energy_and_accents_vanish_where_nobody_is_seen() -> None:
    here = np.arange(round(SECONDS * FPS)) < 150
    rhythm = rhythm_from_motion(motion(here), net())
    assert (rhythm.energy[:150] > 0).all()
    assert (rhythm.energy[150:] == 0).all()
    assert (rhythm.accent[150:] == 0).all()
