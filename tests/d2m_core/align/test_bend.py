"""Bending back: clicks land on the dance's beats, tones keep or change their pitch as said."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from d2m_core.align import bend
from d2m_core.align.bend import bend_back, plan_bend
from d2m_core.straight import lay_out
from d2m_core.types import Waveform

RATE = 24_000


def click_track(straight_s: np.ndarray, length_s: float) -> Waveform:
    sound = np.zeros(round(length_s * RATE), np.float32)
    for at in straight_s:
        start = round(float(at) * RATE)
        part = sound[start : start + 120]
        part += np.exp(-np.arange(len(part)) / 30).astype(np.float32)
    return Waveform(torch.from_numpy(sound)[None, None], RATE)


def heard_s(wave: Waveform, beats_s: np.ndarray) -> np.ndarray:
    """Where near each beat the sound is loudest."""
    sound, found = wave.samples[0, 0].abs().numpy(), []
    for beat in beats_s:
        low = max(0, round((beat - 0.1) * RATE))
        found.append((low + int(sound[low : low + round(0.2 * RATE)].argmax())) / RATE)
    return np.array(found)


def dance(bpm: float, drift: float = 0.0, jitter_s: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(4)
    period = 60 / bpm * (1 + drift * np.sin(np.arange(20) / 5))
    beats = 0.4 + np.concatenate([[0], np.cumsum(period)])
    return beats + rng.uniform(-jitter_s, jitter_s, len(beats))


@pytest.mark.parametrize(
    ("beats_s", "stretched", "off_s"),
    [
        (dance(118.3), False, 0.0005),
        (dance(97.1, jitter_s=0.003), False, 0.0065),
        (dance(118.3, drift=0.006), False, 0.0065),
        (dance(140.0, drift=0.05), True, 0.013),
    ],
)
def test_hits_come_out_on_the_beats(beats_s: np.ndarray, stretched: bool, off_s: float) -> None:
    grid, way = lay_out(beats_s, np.zeros(len(beats_s), bool), 50.0)
    duration_s = float(beats_s[-1]) + 0.5
    wave = click_track(grid.beats / 50, float(way.to_straight(duration_s)) + 0.02)
    assert (plan_bend(way.anchors, duration_s).stretched is not None) == stretched
    bent = bend_back(wave, way.anchors, duration_s)
    assert bent.samples.shape == (1, 1, round(duration_s * RATE))
    assert np.abs(heard_s(bent, beats_s) - beats_s).max() < off_s
    assert float(bent.samples.abs().max()) == pytest.approx(1.0, abs=0.35), "hits stay whole"


def test_a_steady_dance_is_another_pitch_and_nothing_else() -> None:
    beats_s = dance(118.3)
    _, way = lay_out(beats_s, np.zeros(len(beats_s), bool), 50.0)
    bend = plan_bend(way.anchors, 10.0)
    assert bend.rate == pytest.approx(118.3 / (3000 / 26), rel=1e-6)
    assert bend.semitones == pytest.approx(12 * np.log2(118.3 * 26 / 3000), abs=1e-6)
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(12 * RATE) / RATE).repeat(1, 2, 1)
    bent = bend_back(Waveform(tone, RATE), way.anchors, 10.0).samples[0]
    assert torch.equal(bent[0], bent[1])
    spectrum = np.abs(np.fft.rfft(bent[0, RATE : 9 * RATE].numpy() * np.hanning(8 * RATE)))
    assert spectrum.argmax() / 8 == pytest.approx(1000 * bend.rate, abs=0.2)
    assert spectrum[: 8 * 900].max() < 1e-3 * spectrum.max()


def test_beyond_the_music_there_is_silence() -> None:
    beats_s = dance(125.0)
    _, way = lay_out(beats_s, np.zeros(len(beats_s), bool), 50.0)
    bent = bend_back(Waveform(torch.ones(1, 1, RATE), RATE), way.anchors, 3.0)
    assert bent.samples.shape[-1] == 3 * RATE
    assert not bent.samples[..., round(1.1 * RATE) :].any()


def test_a_long_sound_is_read_in_pieces_as_if_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 2, 3 * 24_000)).astype(np.float32)
    wave, beats_s = Waveform(torch.from_numpy(noise), 24_000), np.arange(0.1, 2.9, 0.48)
    anchors = np.stack([0.02 + 1.03 * beats_s, beats_s], axis=1)
    whole = bend_back(wave, anchors, 3.5).samples  # longer than the sound
    monkeypatch.setattr(bend, "_PIECE_S", 0.4)
    pieces = bend_back(wave, anchors, 3.5).samples
    assert float(whole.std()) > 0.05
    assert float((whole - pieces).abs().max()) < 1e-5
