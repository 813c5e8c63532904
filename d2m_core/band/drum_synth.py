"""Drums made by arithmetic alone: every function draws one sound, float32 [n], from an `rng`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy

from .synth import SAMPLE_RATE


def band_pass(sound: np.ndarray, low_hz: float, high_hz: float, rate: int) -> np.ndarray:
    """Second-order band pass; either edge may lie outside the audible range to switch it off."""
    nyquist = rate / 2
    if low_hz > 20:
        sound = scipy.signal.sosfilt(scipy.signal.butter(2, low_hz / nyquist, "high", output="sos"), sound)
    if high_hz < 0.95 * nyquist:
        sound = scipy.signal.sosfilt(scipy.signal.butter(2, high_hz / nyquist, "low", output="sos"), sound)
    return sound.astype(np.float32)


def _time(seconds: float, rate: int) -> np.ndarray:
    return np.arange(int(seconds * rate)) / rate


Drum = Callable[[np.random.Generator, int], np.ndarray]
"""`draw(rng, rate)`: one sound."""


def _air(usual: float, open_: float, rate: int) -> float:
    """`usual` at the studio's rate, `open_` where there is room above."""
    return usual if rate <= SAMPLE_RATE else open_


def _noise(rng: np.random.Generator, t: np.ndarray) -> np.ndarray:
    return rng.standard_normal(len(t)).astype(np.float32)


def kick(rng: np.random.Generator, rate: int = SAMPLE_RATE, long: float = 1.0) -> np.ndarray:
    """A sine that falls in pitch, with a click in front."""
    length_s, low_hz, punch = (long * rng.uniform(0.2, 0.34), rng.uniform(43, 58), rng.uniform(0.3, 1))
    t = _time(length_s + 0.1, rate)
    sweep = low_hz * (1 + (3 + 3 * punch) * np.exp(-t / rng.uniform(0.012, 0.028)))
    body = np.sin(2 * np.pi * np.cumsum(sweep) / rate) * np.exp(-t / (length_s / 3))
    click = np.exp(-t / 0.004) * _noise(rng, t) * (0.2 + 0.3 * punch)
    return (np.tanh((1 + punch) * body) + click).astype(np.float32)


def snare(rng: np.random.Generator, rate: int = SAMPLE_RATE) -> np.ndarray:
    length_s, tone_hz, snap = rng.uniform(0.18, 0.34), rng.uniform(165, 235), rng.random()
    t = _time(length_s, rate)
    shell = np.sin(2 * np.pi * tone_hz * t) + 0.6 * np.sin(2 * np.pi * tone_hz * 1.58 * t)
    wires = band_pass(_noise(rng, t), 900 + 900 * snap, _air(10_500, 16_000, rate), rate)
    tail = wires * np.exp(-t / (length_s / 3.5)) * (0.5 + snap)
    return (shell * np.exp(-t / 0.06) * 0.6 + tail).astype(np.float32)


def clap(rng: np.random.Generator, rate: int = SAMPLE_RATE) -> np.ndarray:
    length_s = rng.uniform(0.2, 0.36)
    t = _time(length_s, rate)
    gate = np.exp(-t / (length_s / 4))
    for k, start_s in enumerate((0.0, 0.011, 0.021)):
        gate = gate + (t >= start_s) * np.exp(-np.maximum(t - start_s, 0) / 0.005) * (1.2 - 0.2 * k)
    return band_pass(_noise(rng, t), 700, _air(1, 1.6, rate) * rng.uniform(5_500, 8_500), rate) * gate.astype(
        np.float32
    )


def snap(rng: np.random.Generator, rate: int = SAMPLE_RATE) -> np.ndarray:
    t = _time(0.12, rate)
    return band_pass(_noise(rng, t), rng.uniform(1_200, 1_800), 4_500, rate) * np.exp(-t / 0.012)


def hat(rng: np.random.Generator, rate: int = SAMPLE_RATE, long: float = 1.0) -> np.ndarray:
    """Noise with inharmonic squares mixed in, high-passed."""
    length_s, metal = long * rng.uniform(0.06, 0.1), rng.random()
    t = _time(length_s, rate)
    partials = np.array([2.0, 3.0, 4.16, 5.43, 6.79, 8.21]) * rng.uniform(520, 680)
    ring = np.sign(np.sin(2 * np.pi * np.outer(partials, t))).mean(0)
    sound = metal * ring * 2 + (1 - metal) * _noise(rng, t)
    return band_pass(sound, 6_200, 20_000, rate) * np.exp(-t / (length_s / 4)).astype(np.float32)


def open_hat(rng: np.random.Generator, rate: int = SAMPLE_RATE) -> np.ndarray:
    return hat(rng, rate, rng.uniform(4.0, 6.0))


def ride(rng: np.random.Generator, rate: int = SAMPLE_RATE) -> np.ndarray:
    t = _time(1.2, rate)
    partials = np.array([1.0, 1.47, 2.09, 2.56, 3.17, 4.21]) * rng.uniform(1_900, 2_400)
    ring = np.sin(2 * np.pi * np.outer(partials, t) + rng.uniform(0, 6, (6, 1))).mean(0)
    stick = band_pass(_noise(rng, t), 4_000, 20_000, rate) * np.exp(-t / 0.02)
    return (1.4 * ring * np.exp(-t / 0.35) + 0.7 * stick).astype(np.float32)


def crash(rng: np.random.Generator, rate: int = SAMPLE_RATE) -> np.ndarray:
    t = _time(2.0, rate)
    return band_pass(_noise(rng, t), 2_600, 20_000, rate) * np.exp(-t / rng.uniform(0.35, 0.6))


def membrane(pitch_hz: float, length_s: float) -> Drum:
    """Tom, conga, bongo: two modes and a slap."""

    def draw(rng: np.random.Generator, rate: int = SAMPLE_RATE) -> np.ndarray:
        t, hz = _time(length_s, rate), pitch_hz * rng.uniform(0.88, 1.12)
        bend = hz * (1 + 0.25 * np.exp(-t / 0.03))
        body = np.sin(2 * np.pi * np.cumsum(bend) / rate) * np.exp(-t / (length_s / 4))
        over = np.sin(2 * np.pi * 1.59 * hz * t) * np.exp(-t / 0.04) * 0.4
        slap = band_pass(_noise(rng, t), 800, 6_000, rate) * np.exp(-t / 0.006) * 0.5
        return (body + over + slap).astype(np.float32)

    return draw


def block(pitch_hz: float, decay_s: float = 0.025) -> Drum:
    """Rim, clave, cowbell, triangle: two short partials."""

    def draw(rng: np.random.Generator, rate: int = SAMPLE_RATE) -> np.ndarray:
        t, hz = _time(min(1.0, 7 * decay_s), rate), pitch_hz * rng.uniform(0.92, 1.08)
        sound = np.sin(2 * np.pi * hz * t) + 0.7 * np.sin(2 * np.pi * rng.uniform(1.48, 1.58) * hz * t)
        return (np.tanh(1.5 * sound) * np.exp(-t / decay_s)).astype(np.float32)

    return draw


def shaker(rng: np.random.Generator, rate: int = SAMPLE_RATE) -> np.ndarray:
    length_s = rng.uniform(0.06, 0.1)
    t = _time(length_s, rate)
    rise = 0.12 * length_s
    swell = np.minimum(t / rise, 1) * np.exp(-np.maximum(t - rise, 0) / 0.022)
    return band_pass(_noise(rng, t), 4_500, 20_000, rate) * swell.astype(np.float32)


def jingle(rng: np.random.Generator, rate: int = SAMPLE_RATE) -> np.ndarray:
    t = _time(0.22, rate)
    partials = np.array([1.0, 1.13, 1.31, 1.42]) * rng.uniform(6_300, 7_400)
    ring = np.sin(2 * np.pi * np.outer(partials, t)).mean(0) * np.exp(-t / 0.05)
    return (ring + 0.5 * band_pass(_noise(rng, t), 5_000, 20_000, rate) * np.exp(-t / 0.02)).astype(
        np.float32
    )


def scrape(rng: np.random.Generator, rate: int = SAMPLE_RATE) -> np.ndarray:
    t = _time(0.18, rate)
    teeth = (np.sin(2 * np.pi * rng.uniform(70, 100) * t) > 0.2) * np.minimum(t / 0.03, 1)
    return band_pass(_noise(rng, t) * teeth, 2_500, 8_000, rate) * np.exp(-t / 0.09).astype(np.float32)


DRUM_SYNTHS: dict[str, Drum] = {
    "kick": kick, "snare": snare, "clap": clap, "snap": snap, "hat": hat, "open": open_hat,
    "pedal": hat, "ride": ride, "bell": block(2_300, 0.12), "crash": crash, "splash": crash,
    "tom_hi": membrane(170, 0.4), "tom_mid": membrane(125, 0.45), "tom_lo": membrane(90, 0.5),
    "conga_hi": membrane(290, 0.22), "conga_lo": membrane(205, 0.28),
    "conga_slap": membrane(330, 0.1), "bongo_hi": membrane(480, 0.14),
    "bongo_lo": membrane(350, 0.16), "timbale_hi": membrane(420, 0.25),
    "timbale_lo": membrane(300, 0.3), "agogo_hi": block(1_050, 0.06), "agogo_lo": block(760, 0.06),
    "rim": block(1_700), "clave": block(2_500, 0.03), "block": block(950, 0.03),
    "cowbell": block(560, 0.06), "triangle": block(4_700, 0.14), "shaker": shaker,
    "tambourine": jingle, "guiro": scrape,
}  # fmt: skip
"""A synthesiser for every piece of the kit."""
