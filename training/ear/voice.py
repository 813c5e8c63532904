"""Somebody sings: vowels on a scale that come early, late, or not on any beat, as in real songs."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from d2m_core.band import Plan
from d2m_core.band.synth import SAMPLE_RATE

_VOWELS = ((800, 1150, 2900), (350, 2000, 2800), (270, 2140, 2950), (450, 800, 2830), (325, 700, 2700))
"""Formants in Hz of a, e, i, o, u."""
_SCALE = (0, 2, 4, 5, 7, 9, 11)
_STRENGTH = 0.3
"""How strongly a syllable counts as an onset: it hardly has an edge."""


def sing(plan: Plan, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A voice float32 [N], and when its syllables begin: float64 [n, 2] of seconds and strength."""
    length = round(plan.duration_s * SAMPLE_RATE)
    out = np.zeros(length, np.float32)
    low = rng.uniform(45, 62)
    loose = rng.choice([0.0, 0.03, 0.08, 0.2])  # in beats; a fifth of a beat is hardly in time at all
    at, degree, starts = float(plan.beat(0.0)), int(rng.integers(7)), []
    while plan.seconds(at) < plan.duration_s:
        if rng.random() < 0.15:  # a breath
            at += float(rng.integers(1, 5))
        beats = float(rng.choice([0.5, 0.5, 1.0, 1.5, 2.0]))
        degree = int(np.clip(degree + rng.integers(-2, 3), 0, 13))
        start_s = float(plan.seconds(at + loose * rng.standard_normal()))
        seconds = max(0.08, float(plan.seconds(at + beats)) - float(plan.seconds(at))) * rng.uniform(
            0.7, 1.05
        )
        first = round(start_s * SAMPLE_RATE)
        if 0 <= first < length:
            pitch = low + 12 * (degree // 7) + _SCALE[degree % 7]
            sound = _syllable(pitch, seconds, rng)[: length - first]
            out[first : first + len(sound)] += sound
            starts.append((start_s, _STRENGTH))
        at += beats
    sos = butter(2, [120, 7000], "bandpass", fs=SAMPLE_RATE, output="sos")
    return sosfilt(sos, out).astype(np.float32), np.array(sorted(starts), np.float64).reshape(-1, 2)


def _syllable(pitch: float, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """A vowel, with a consonant's noise before it now and then, float32 [n]."""
    count = max(600, round(seconds * SAMPLE_RATE))
    time = np.arange(count) / SAMPLE_RATE
    glide = -rng.uniform(0, 2) * np.exp(-time / 0.06)
    vibrato = (
        rng.uniform(0, 0.4) * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * time) * np.clip(time / 0.3, 0, 1)
    )
    hz = 440 * 2 ** ((pitch + glide + vibrato - 69) / 12)
    phase = np.cumsum(hz) / SAMPLE_RATE
    source = 2 * (phase % 1) - 1 + 0.08 * rng.standard_normal(count)
    vowel = _VOWELS[int(rng.integers(len(_VOWELS)))]
    sound = sum(_resonance(source, f * rng.uniform(0.9, 1.1), 1 / (k + 1)) for k, f in enumerate(vowel))
    rise = rng.uniform(0.02, 0.12)
    envelope = np.clip(time / rise, 0, 1) * np.clip((time[-1] - time) / 0.08, 0, 1)
    sound = np.asarray(sound) * envelope
    if rng.random() < 0.4:
        burst = min(count, round(rng.uniform(0.02, 0.07) * SAMPLE_RATE))
        noise = rng.standard_normal(burst) * np.linspace(1, 0, burst)
        sound[:burst] += np.diff(noise, prepend=0.0) * 0.3 * np.abs(sound).max()
    return sound.astype(np.float32)


def _resonance(source: np.ndarray, hz: float, gain: float) -> np.ndarray:
    """The source through one resonance."""
    radius = np.exp(-np.pi * 90.0 / SAMPLE_RATE)
    angle = 2 * np.pi * hz / SAMPLE_RATE
    return gain * lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], source)
