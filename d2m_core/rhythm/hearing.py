"""The rhythm of music, as the same object that a dance gives, by an ear of one's choice."""

from __future__ import annotations

import numpy as np
import scipy

from ..ear import EAR_FPS, EarCurves, default_ear, listen
from ..grid import check_tempo
from ..media import resample, to_mono
from ..types import MOTION_FPS, Progress, Rhythm, Waveform
from .ears import OURS, ear_of
from .heard import beats_of_ear
from .rises import evened

_LEVEL_RATE = 12_000
_STAGES = 4
_HIGH = 99.0
"""Percentile of what is said of onsets, over some seconds, that counts as a full accent: two frames of
200, however sparse the music; at 95 bare clicks would be all floor."""


def rhythm_from_audio(
    wave: Waveform, tempo_bpm: float | None = None, on_progress: Progress | None = None, *, ear: str = OURS
) -> Rhythm:
    """Beats, accents and loudness of music, as the same object that a dance gives.

    The confidence is the probability that the beats are right.

    Args:
        wave: Any music; of several sounds the first is heard, all its channels together.
        tempo_bpm: A tempo to keep exactly; only its phase is then looked for.
        on_progress: Called at each of four stages; it may raise to cancel.
        ear: Who counts the beats, one of `EARS`. Accents are always our own ear's.

    Raises `SettingError` for another tempo or ear than there is, `ModelError` where weights are missing.
    """
    stage = on_progress or (lambda done, total: None)
    tempo_bpm = None if tempo_bpm is None else check_tempo(tempo_bpm)
    other = None if ear == OURS else ear_of(ear)
    frames = max(1, round(wave.duration_s * MOTION_FPS))
    stage(1, _STAGES)
    said = listen(wave, default_ear())
    stage(2, _STAGES)
    grid = beats_of_ear(said, tempo_bpm) if other is None else other.hear(wave, tempo_bpm)
    stage(3, _STAGES)
    inside = grid.beats_s < frames / MOTION_FPS
    curves = np.stack([_accents(said, frames), _loudness(wave, frames)], 1).astype(np.float32)  # [F, R]
    stage(4, _STAGES)
    return Rhythm(grid.beats_s[inside], grid.downbeats[inside], curves, grid.tempo_bpm, grid.confidence)


def _accents(said: EarCurves, frames: int) -> np.ndarray:
    """How strongly something begins to sound around each motion frame, 0..1 [frames]."""
    wide = scipy.ndimage.maximum_filter1d(evened(said.onset, EAR_FPS, _HIGH), int(EAR_FPS / MOTION_FPS) | 1)
    return np.interp(np.arange(frames) / MOTION_FPS, np.arange(len(wide)) / EAR_FPS, wide)


def _loudness(wave: Waveform, frames: int) -> np.ndarray:
    """Level of the music over about a second, 1 at its loudest and 0 at 40 dB less, [frames]."""
    samples = to_mono(resample(wave, _LEVEL_RATE)).samples[0, 0].numpy()
    size = round(_LEVEL_RATE / MOTION_FPS)
    padded = np.pad(samples, (0, max(0, frames * size - len(samples))))[: frames * size]
    power = scipy.ndimage.gaussian_filter1d((padded.reshape(frames, size) ** 2).mean(1), MOTION_FPS / 2)
    decibels = 10 * np.log10(power / max(float(power.max()), 1e-10) + 1e-10)
    return np.clip(1 + decibels / 40, 0, 1) * (power.max() > 1e-8)
