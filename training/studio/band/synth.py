"""Sounds made by arithmetic alone: drums, basses, keys. No recording goes in, and no licence.

Every sound is a mono float32 array at `SAMPLE_RATE`, peak about 1 before its velocity.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.signal import butter, sosfilt

SAMPLE_RATE = 24_000

TABLE_SIZE = 2048
BRIGHTNESS_HARMONICS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Wavetables of one waveform, from dull to bright; an envelope moves between neighbours."""


@lru_cache(maxsize=16)
def _wavetables(shape: str) -> np.ndarray:
    """Band-limited single cycles, float32 [len(BRIGHTNESS_HARMONICS), TABLE_SIZE + 1]."""
    phase = np.arange(TABLE_SIZE + 1) / TABLE_SIZE * 2 * np.pi
    tables = []
    for top in BRIGHTNESS_HARMONICS:
        n = np.arange(1, top + 1)
        amplitude = {
            "saw": 1.0 / n,
            "square": (n % 2) / n,
            "organ": np.isin(n, (1, 2, 3, 4, 6, 8)) / np.sqrt(n),
            "keys": 1.0 / n**1.8,
        }[shape]
        rolloff = 0.5 * (
            1 + np.cos(np.pi * n / (top + 1))
        )  # softens the last harmonics (no ringing)
        wave = (amplitude * rolloff) @ np.sin(np.outer(n, phase))
        tables.append(wave / np.abs(wave).max())
    return np.asarray(tables, np.float32)


def tone(
    frequency_hz: float, seconds: float, shape: str, brightness: np.ndarray, detune: float = 0.0
) -> np.ndarray:
    """A pitched tone. `brightness` [n] in 0..1 is stretched over it; never above Nyquist."""
    length = max(1, int(seconds * SAMPLE_RATE))
    highest = np.log2(max(1.0, 0.45 * SAMPLE_RATE / frequency_hz))
    curve = np.interp(np.linspace(0, 1, length), np.linspace(0, 1, len(brightness)), brightness)
    level = np.minimum(curve * (len(BRIGHTNESS_HARMONICS) - 1), highest)
    out = np.zeros(length, np.float32)
    voices = (0.0,) if detune == 0 else (-detune, detune)
    for offset in voices:
        step = frequency_hz * 2 ** (offset / 12) / SAMPLE_RATE
        out += _read_tables(_wavetables(shape), step, level)
    return out / len(voices)


def _read_tables(tables: np.ndarray, step: float, level: np.ndarray) -> np.ndarray:
    place = (np.arange(len(level)) * step % 1.0) * TABLE_SIZE
    index = place.astype(np.int32)
    mix = (place - index).astype(np.float32)
    low = np.minimum(level.astype(np.int32), len(tables) - 2)
    blend = (level - low).astype(np.float32)
    dull = tables[low, index] * (1 - mix) + tables[low, index + 1] * mix
    bright = tables[low + 1, index] * (1 - mix) + tables[low + 1, index + 1] * mix
    return dull * (1 - blend) + bright * blend


def envelope(
    seconds: float, attack_s: float, decay_s: float, sustain: float, release_s: float
) -> np.ndarray:
    """ADSR gain over `seconds` plus the release."""
    total = max(2, int((seconds + release_s) * SAMPLE_RATE))
    t = np.arange(total) / SAMPLE_RATE
    gain = sustain + (1 - sustain) * np.exp(-np.maximum(t - attack_s, 0) / max(decay_s, 1e-3))
    gain *= np.minimum(t / max(attack_s, 1e-3), 1.0)
    after = np.maximum(t - seconds, 0) / max(release_s, 1e-3)
    return (gain * np.maximum(1 - after, 0) ** 2).astype(np.float32)


def midi_hz(note: float) -> float:
    return 440.0 * 2 ** ((note - 69) / 12)


def _noise(rng: np.random.Generator, seconds: float) -> np.ndarray:
    return rng.standard_normal(int(seconds * SAMPLE_RATE)).astype(np.float32)


def band_pass(sound: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """Second-order band pass; either edge may lie outside the audible range to switch it off."""
    nyquist = SAMPLE_RATE / 2
    if low_hz > 20:
        sound = sosfilt(butter(2, low_hz / nyquist, "high", output="sos"), sound)
    if high_hz < 0.95 * nyquist:
        sound = sosfilt(butter(2, high_hz / nyquist, "low", output="sos"), sound)
    return sound.astype(np.float32)


def _time(seconds: float) -> np.ndarray:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _peak(sound: np.ndarray) -> np.ndarray:
    sound = sound - sound[-1]
    sound[-64:] *= np.linspace(1, 0, 64)
    return (sound / (np.abs(sound).max() + 1e-9)).astype(np.float32)


def kick(rng: np.random.Generator, length_s: float, low_hz: float, punch: float) -> np.ndarray:
    """A sine that falls in pitch, with a click in front."""
    t = _time(length_s + 0.08)
    sweep = low_hz * (1 + (3 + 3 * punch) * np.exp(-t / (0.012 + 0.015 * rng.random())))
    body = np.sin(2 * np.pi * np.cumsum(sweep) / SAMPLE_RATE) * np.exp(-t / (length_s / 3))
    click = np.exp(-t / 0.004) * rng.standard_normal(len(t)) * (0.25 + 0.35 * punch)
    return _peak(np.tanh((1 + punch) * body) + click)


def snare(rng: np.random.Generator, length_s: float, tone_hz: float, snap: float) -> np.ndarray:
    t = _time(length_s)
    shell = np.sin(2 * np.pi * tone_hz * t) + 0.6 * np.sin(2 * np.pi * tone_hz * 1.58 * t)
    wires = band_pass(_noise(rng, length_s), 900 + 900 * snap, 9_500)
    return _peak(
        shell * np.exp(-t / 0.06) * 0.6 + wires * np.exp(-t / (length_s / 3.5)) * (0.5 + snap)
    )


def clap(rng: np.random.Generator, length_s: float) -> np.ndarray:
    t = _time(length_s)
    gate = np.exp(-t / (length_s / 4))
    for k, start_s in enumerate((0.0, 0.011, 0.021)):
        gate = gate + (t >= start_s) * np.exp(-np.maximum(t - start_s, 0) / 0.005) * (1.2 - 0.2 * k)
    return _peak(band_pass(_noise(rng, length_s), 700, 5_500 + 2_000 * rng.random()) * gate)


def hat(rng: np.random.Generator, length_s: float, metal: float) -> np.ndarray:
    """Noise with inharmonic squares mixed in, high-passed."""
    t = _time(length_s)
    partials = np.array([2.0, 3.0, 4.16, 5.43, 6.79, 8.21]) * (520 + 160 * rng.random())
    ring = np.sign(np.sin(2 * np.pi * np.outer(partials, t))).mean(0)
    sound = metal * ring * 2 + (1 - metal) * _noise(rng, length_s)[: len(t)]
    return _peak(band_pass(sound, 6_200, 20_000) * np.exp(-t / (length_s / 4)))


def membrane(rng: np.random.Generator, length_s: float, pitch_hz: float) -> np.ndarray:
    """Tom, conga, bongo: two modes and a slap."""
    t = _time(length_s)
    bend = pitch_hz * (1 + 0.25 * np.exp(-t / 0.03))
    body = np.sin(2 * np.pi * np.cumsum(bend) / SAMPLE_RATE) * np.exp(-t / (length_s / 4))
    over = np.sin(2 * np.pi * 1.59 * pitch_hz * t) * np.exp(-t / 0.04) * 0.4
    slap = band_pass(_noise(rng, length_s), 800, 6_000) * np.exp(-t / 0.006) * 0.5
    return _peak(body + over + slap)


def shaker(rng: np.random.Generator, length_s: float) -> np.ndarray:
    t = _time(length_s)
    swell = np.minimum(t / (0.25 * length_s), 1) * np.exp(
        -np.maximum(t - 0.25 * length_s, 0) / 0.02
    )
    return _peak(band_pass(_noise(rng, length_s), 4_500, 20_000) * swell)


def block(rng: np.random.Generator, pitch_hz: float) -> np.ndarray:
    """Rim, clave, cowbell: two short partials."""
    t = _time(0.16)
    ratio = 1.48 + 0.1 * rng.random()
    sound = np.sin(2 * np.pi * pitch_hz * t) + 0.7 * np.sin(2 * np.pi * ratio * pitch_hz * t)
    return _peak(np.tanh(1.5 * sound) * np.exp(-t / 0.025))


def crash(rng: np.random.Generator) -> np.ndarray:
    t = _time(1.6)
    return _peak(band_pass(_noise(rng, 1.6), 3_000, 20_000) * np.exp(-t / 0.4))


@dataclass(frozen=True)
class Kit:
    """One drum kit: every piece a ready sound."""

    pieces: dict[str, np.ndarray]


def make_kit(style: str, rng: np.random.Generator) -> Kit:
    """A kit in the manner of `style`; another `rng`, another kit."""
    long_kick = {"hiphop": 0.45, "techno": 0.32, "latin": 0.3, "house": 0.28}.get(style, 0.22)
    u = rng.random
    return Kit(
        {
            "kick": kick(rng, long_kick * (0.8 + 0.5 * u()), 44 + 14 * u(), 0.3 + 0.7 * u()),
            "snare": snare(rng, 0.18 + 0.14 * u(), 165 + 60 * u(), u()),
            "ghost": snare(rng, 0.1, 190 + 40 * u(), 0.2),
            "clap": clap(rng, 0.2 + 0.15 * u()),
            "hat": hat(rng, 0.06 + 0.04 * u(), u()),
            "open": hat(rng, 0.28 + 0.2 * u(), u()),
            "shaker": shaker(rng, 0.08 + 0.03 * u()),
            "tom": membrane(rng, 0.4, 85 + 30 * u()),
            "conga": membrane(rng, 0.25, 190 + 60 * u()),
            "bongo": membrane(rng, 0.16, 340 + 80 * u()),
            "rim": block(rng, 1_500 + 400 * u()),
            "cowbell": block(rng, 540 + 60 * u()),
            "crash": crash(rng),
        }
    )


@dataclass(frozen=True)
class Patch:
    """How a pitched instrument sounds."""

    shape: str
    attack_s: float
    decay_s: float
    sustain: float
    release_s: float
    bright_start: float
    bright_end: float
    detune: float = 0.0

    def play(self, note: float, seconds: float, velocity: float) -> np.ndarray:
        gain = envelope(seconds, self.attack_s, self.decay_s, self.sustain, self.release_s)
        decay = np.exp(-np.linspace(0, 5, 12))
        sweep = (
            self.bright_end + (self.bright_start * (0.5 + 0.5 * velocity) - self.bright_end) * decay
        )
        sound = tone(midi_hz(note), len(gain) / SAMPLE_RATE + 1e-4, self.shape, sweep, self.detune)
        return sound[: len(gain)] * gain[: len(sound)] * velocity


def make_patches(style: str, rng: np.random.Generator) -> dict[str, Patch]:
    """Bass, chords, pad and lead in the manner of `style`."""
    u = rng.random
    bass_shape = {"hiphop": "keys", "latin": "keys"}.get(
        style, ("saw", "square", "keys")[rng.integers(3)]
    )
    chord_shape = ("organ", "keys", "saw", "square")[rng.integers(4)]
    return {
        "bass": Patch(
            bass_shape, 0.004, 0.12 + 0.2 * u(), 0.45, 0.04, 0.35 + 0.4 * u(), 0.15 + 0.1 * u()
        ),
        "chords": Patch(
            chord_shape, 0.004, 0.15 + 0.25 * u(), 0.25, 0.08, 0.45 + 0.4 * u(), 0.3, 0.06
        ),
        "pad": Patch("saw", 0.25, 1.0, 0.8, 0.4, 0.35 + 0.2 * u(), 0.35, 0.09),
        "lead": Patch(
            ("square", "saw", "keys")[rng.integers(3)], 0.005, 0.3, 0.4, 0.12, 0.7, 0.4, 0.03
        ),
    }
