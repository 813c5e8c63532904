"""Waves of the beat in hips, chest and head: bounce, sway, lean, twist, roll, shrug and nod."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from d2m_core import grid


def _zeros() -> np.ndarray:
    return np.zeros(0)


@dataclass
class Trunk:
    """Per frame, metres and radians; dip is how far the hips are lowered."""

    dip: np.ndarray = field(default_factory=_zeros)
    hip_left: np.ndarray = field(default_factory=_zeros)
    hip_forward: np.ndarray = field(default_factory=_zeros)
    pelvis_yaw: np.ndarray = field(default_factory=_zeros)
    pelvis_roll: np.ndarray = field(default_factory=_zeros)
    chest_yaw: np.ndarray = field(default_factory=_zeros)
    chest_pitch: np.ndarray = field(default_factory=_zeros)
    chest_roll: np.ndarray = field(default_factory=_zeros)
    head_yaw: np.ndarray = field(default_factory=_zeros)
    head_pitch: np.ndarray = field(default_factory=_zeros)
    head_roll: np.ndarray = field(default_factory=_zeros)
    shrug: np.ndarray = field(default_factory=_zeros)


CHANNELS = tuple(Trunk.__dataclass_fields__)

LAYERS: tuple[tuple[str, str, float, float, float, float], ...] = (
    ("hip_left", "sway", 0.02, 0.07, 0.45, 1.0), ("pelvis_roll", "sway", 0.05, 0.16, 0.4, 1.0),
    ("pelvis_yaw", "sway", 0.08, 0.3, 0.3, 1.0), ("hip_forward", "pulse", 0.01, 0.06, 0.2, 1.0),
    ("chest_roll", "sway", 0.05, 0.22, 0.4, 2.0), ("chest_yaw", "sway", 0.08, 0.4, 0.4, 1.0),
    ("chest_pitch", "pulse", 0.04, 0.22, 0.35, 1.0), ("chest_pitch", "sway", 0.05, 0.2, 0.15, 2.0),
    ("shrug", "pulse", 0.01, 0.035, 0.25, 1.0), ("head_pitch", "pulse", 0.08, 0.32, 0.55, 1.0),
    ("head_roll", "sway", 0.05, 0.22, 0.3, 1.0), ("head_yaw", "sway", 0.1, 0.5, 0.25, 2.0),
)  # fmt: skip
"""(channel, shape, least, most, how often, beats per swing at the usual rate)."""


def write_trunk(
    beats_s: np.ndarray,
    times: np.ndarray,
    bars: np.ndarray,
    energy: np.ndarray,
    rng: np.random.Generator,
) -> Trunk:
    """All trunk channels [F], layer by layer; layers change at bar lines (`bars`, in beats)."""
    beat = grid.position(beats_s, times) - rng.normal(0.0, 0.012) * 60 / _bpm(beats_s) / 0.5
    trunk = Trunk(**{name: np.zeros(len(times)) for name in CHANNELS})
    trunk.chest_pitch += rng.uniform(0.0, 0.12)
    trunk.head_pitch += rng.uniform(-0.08, 0.08)
    stress = _stress(bars, beat, rng)
    beat_s = 60.0 / _bpm(beats_s)
    for channel, start, end, wave, amount in _segments(bars, beat, beat_s, rng):
        inside = _window(beat, start, end)
        getattr(trunk, channel)[:] += inside * amount * wave * stress * (0.3 + 0.9 * energy)
    return trunk


def _bpm(beats_s: np.ndarray) -> float:
    return float(60.0 * (len(beats_s) - 1) / (beats_s[-1] - beats_s[0]))


def _segments(
    bars: np.ndarray, beat: np.ndarray, beat_s: float, rng: np.random.Generator
) -> list[tuple[str, float, float, np.ndarray, float]]:
    """(channel, first beat, last beat, wave [F], amount) of every layer of every phrase."""
    out = []
    first = 0
    while first < len(bars) - 1:
        last = min(len(bars) - 1, first + int(rng.choice([2, 4, 8], p=[0.2, 0.5, 0.3])))
        start, end = float(bars[first]), float(bars[last])
        for wave, amount in _bounce(beat, beat_s, rng):
            out.append(("dip", start, end, wave, amount))
        for channel, shape, least, most, often, swing in LAYERS:
            if rng.random() > often:
                continue
            wave = _wave(shape, beat - start, swing * _factor(beat_s, rng), rng)
            out.append((channel, start, end, wave, rng.uniform(least, most)))
        first = last
    return out


def _bounce(
    beat: np.ndarray, beat_s: float, rng: np.random.Generator
) -> list[tuple[np.ndarray, float]]:
    """Hip lowering: most are low on the beat, some between; sometimes in half or double time."""
    off = 0.5 * (rng.random() < 0.22)
    amount = rng.uniform(0.015, 0.075) * min(1.0, 0.55 + 0.9 * beat_s)
    if rng.random() < 0.12:
        amount *= 0.2
    layers = [(_pulse(beat - off, 1.0, rng.uniform(1.0, 2.5)), amount)]
    draw = rng.random()
    if draw < 0.15:
        layers.append((_pulse(beat, 2.0, 1.2), rng.uniform(0.02, 0.06)))
    elif draw < 0.27 and beat_s > 0.42:
        layers.append((_pulse(beat, 0.5, 1.0), rng.uniform(0.008, 0.025)))
    return layers


def _factor(beat_s: float, rng: np.random.Generator) -> float:
    draw = rng.random()
    if draw < 0.18 or (beat_s < 0.4 and draw < 0.4):
        return 2.0
    if draw > 0.93 and beat_s > 0.45:
        return 0.5
    return 1.0


def _pulse(beat: np.ndarray, period: float, sharp: float) -> np.ndarray:
    """0..1 with its top on every multiple of `period` beats."""
    return (0.5 + 0.5 * np.cos(2 * np.pi * beat / period)) ** sharp


def _wave(shape: str, beat: np.ndarray, swing: float, rng: np.random.Generator) -> np.ndarray:
    """A pulse on every swing, or a sway that reaches a side at every swing."""
    if shape == "pulse":
        return _pulse(beat - 0.5 * (rng.random() < 0.12), swing, rng.uniform(1.0, 2.5))
    sharp = rng.uniform(0.3, 2.5)
    side = rng.choice([-1.0, 1.0])
    return side * np.tanh(sharp * np.cos(np.pi * beat / swing)) / np.tanh(sharp)


def _window(beat: np.ndarray, start: float, end: float) -> np.ndarray:
    """1 between two beats, with ramps of half a beat to either side."""
    rise = np.clip((beat - start) + 0.5, 0.0, 1.0)
    fall = np.clip((end - beat) + 0.5, 0.0, 1.0)
    return (rise * rise * (3 - 2 * rise)) * (fall * fall * (3 - 2 * fall))


def _stress(bars: np.ndarray, beat: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How much more (or less) than usual each beat gets: the one is larger, or two and four are."""
    distance = np.abs(beat[:, None] - bars).min(1) if len(bars) else np.ones(len(beat))
    one = np.where(distance < 0.75, 0.5 + 0.5 * np.cos(np.pi * distance / 0.75), 0.0)
    amount = rng.choice([0.0, rng.uniform(0.2, 0.8)], p=[0.25, 0.75])
    stress = 1.0 + amount * one
    if rng.random() < 0.3:
        bar_start = bars[np.clip(np.searchsorted(bars, beat, "right") - 1, 0, len(bars) - 1)]
        stress += rng.uniform(0.15, 0.5) * (0.5 - 0.5 * np.cos(np.pi * (beat - bar_start)))
    return stress
