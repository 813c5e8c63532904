"""A band that plays on a given beat grid: music made by program, its truth and licence known.

`play` is the one verb: a style, a grid and a seed in; sound, beats and rhythm curves out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve

from d2m_core.config import STYLES
from d2m_core.errors import SettingError
from d2m_core.grid import position, seconds_at, steady_beats
from d2m_core.types import MOTION_FPS

from .arrange import STEPS, Note, bar_notes, write_score
from .synth import SAMPLE_RATE, Kit, Patch, band_pass, make_kit, make_patches

BEATS_PER_BAR = 4

GAIN = {
    "kick": 1.0, "snare": 0.62, "ghost": 0.16, "clap": 0.5, "hat": 0.17, "open": 0.13,
    "shaker": 0.09, "tom": 0.5, "conga": 0.3, "bongo": 0.25, "rim": 0.2, "cowbell": 0.14,
    "crash": 0.3, "bass": 0.42, "chords": 0.09, "pad": 0.06, "lead": 0.16,
}  # fmt: skip
"""Level of each part in the mix."""

ACCENT = {
    "kick": 1.0, "snare": 0.9, "clap": 0.8, "tom": 0.6, "crash": 0.8, "chords": 0.5, "bass": 0.45,
    "open": 0.4, "conga": 0.4, "bongo": 0.35, "cowbell": 0.35, "rim": 0.35, "lead": 0.4, "hat": 0.2,
    "ghost": 0.2, "shaker": 0.15, "pad": 0.3,
}  # fmt: skip
"""How strongly a part's onset counts in the onset curve."""

SEND = {
    "snare": 0.15,
    "clap": 0.25,
    "chords": 0.3,
    "pad": 0.4,
    "lead": 0.35,
    "conga": 0.15,
    "rim": 0.3,
}
"""Share of a part that goes to the reverb."""

Clock = Callable[[float], float]
"""Seconds at a place in sixteenths."""

DUCKED = ("bass", "chords", "pad")
"""Parts that give way to the kick."""


@dataclass(frozen=True, eq=False)
class Song:
    """A piece of music and all that is true of it."""

    samples: np.ndarray
    """float32 [N] mono at `sample_rate`, peak below 1."""
    beats_s: np.ndarray
    downbeats: np.ndarray
    onset: np.ndarray
    """float32 [F] at `MOTION_FPS`: onset strength 0..1."""
    energy: np.ndarray
    """float32 [F]: the arrangement's level 0..1."""
    style: str
    tempo_bpm: float
    sample_rate: int = SAMPLE_RATE


def play(
    style: str,
    tempo_bpm: float,
    duration_s: float,
    seed: int,
    beats_s: np.ndarray | None = None,
    downbeats: np.ndarray | None = None,
    energy: np.ndarray | None = None,
) -> Song:
    """Plays `duration_s` seconds of `style`; a steady grid and a random form where none are given.

    `beats_s`, `downbeats` [M]: the grid to play on (it may breathe). `energy` [F] 0..1 at 25 fps
    decides who plays.
    """
    if style not in STYLES:
        raise SettingError(f"Style is {style!r}; choose one of {', '.join(STYLES)}.")
    rng = np.random.default_rng([seed, STYLES.index(style)])
    frames = max(1, round(duration_s * MOTION_FPS))
    if beats_s is None:
        first_s = rng.uniform(0, 60.0 / tempo_bpm)
        beats_s = steady_beats(tempo_bpm, duration_s, first_s)
        downbeats = random_downbeats(len(beats_s), rng)
    elif downbeats is None:
        downbeats = np.arange(len(beats_s)) % BEATS_PER_BAR == 0
    if energy is None:
        energy = random_form(frames, tempo_bpm, rng)
    assert downbeats is not None
    to_seconds = _clock(beats_s, downbeats, tempo_bpm)
    notes = _compose(style, to_seconds, duration_s, energy, rng)
    return Song(
        samples=_render(style, notes, to_seconds, duration_s, rng),
        beats_s=beats_s,
        downbeats=downbeats,
        onset=_onset_curve(notes, to_seconds, frames),
        energy=energy.astype(np.float32),
        style=style,
        tempo_bpm=tempo_bpm,
    )


def random_downbeats(beats: int, rng: np.random.Generator) -> np.ndarray:
    """Marks, bool [beats], of a bar that starts on a random one of the first beats."""
    return (np.arange(beats) - rng.integers(BEATS_PER_BAR)) % BEATS_PER_BAR == 0


def random_form(frames: int, tempo_bpm: float, rng: np.random.Generator) -> np.ndarray:
    """An energy curve float32 [frames] that changes every two to eight bars."""
    bar_frames = MOTION_FPS * 60.0 / tempo_bpm * BEATS_PER_BAR
    levels: list[np.ndarray] = []
    while sum(map(len, levels)) < frames:
        length = int(bar_frames * rng.choice((2, 4, 4, 8)))
        levels.append(np.full(length, rng.choice((0.25, 0.45, 0.6, 0.75, 0.9, 1.0))))
    return np.concatenate(levels)[:frames].astype(np.float32)


def _clock(beats_s: np.ndarray, downbeats: np.ndarray, tempo_bpm: float) -> Clock:
    """A function from sixteenths after the last bar line at or before zero to seconds."""
    if len(beats_s) < 2:
        first_s = float(beats_s[0]) if len(beats_s) else 0.0
        beats_s, downbeats = first_s + np.array([0.0, 60.0 / tempo_bpm]), np.array([True, False])
    starts = np.flatnonzero(downbeats)
    first_bar = int(starts[0]) if len(starts) else 0
    beat_at_zero = float(position(beats_s, np.zeros(1))[0])
    bars_before = int(np.ceil((first_bar - beat_at_zero) / BEATS_PER_BAR - 1e-6))
    step_zero = first_bar - bars_before * BEATS_PER_BAR

    def to_seconds(step: float) -> float:
        beat = step_zero + step * BEATS_PER_BAR / STEPS
        return float(seconds_at(beats_s, np.array([beat]))[0])

    return to_seconds


def _compose(
    style: str, to_seconds: Clock, duration_s: float, energy: np.ndarray, rng: np.random.Generator
) -> list[Note]:
    score = write_score(style, rng)
    notes: list[Note] = []
    bar, previous = 0, None
    while to_seconds(bar * STEPS) < duration_s:
        here = _mean_energy(energy, to_seconds(bar * STEPS), to_seconds((bar + 1) * STEPS))
        there = _mean_energy(energy, to_seconds((bar + 1) * STEPS), to_seconds((bar + 2) * STEPS))
        fill = abs(there - here) > 0.12 or bar % 8 == 7
        notes += bar_notes(score, bar, here, fill, rng)
        if previous is not None and here - previous > 0.12:
            notes.append(Note("crash", bar * STEPS, 0.8))
        previous = here
        bar += 1
    return notes


def _mean_energy(energy: np.ndarray, start_s: float, end_s: float) -> float:
    low = int(np.clip(start_s * MOTION_FPS, 0, len(energy) - 1))
    high = int(np.clip(end_s * MOTION_FPS, low + 1, len(energy)))
    return float(energy[low:high].mean())


def _onset_curve(notes: list[Note], to_seconds: Clock, frames: int) -> np.ndarray:
    curve = np.zeros(frames + 1, np.float32)
    for note in notes:
        place = to_seconds(note.step) * MOTION_FPS
        low = int(np.floor(place))
        for frame, share in ((low, 1 - (place - low)), (low + 1, place - low)):
            if 0 <= frame < frames:
                curve[frame] = max(curve[frame], share * ACCENT[note.part] * note.velocity)
    return np.clip(curve[:frames], 0, 1)


def _render(
    style: str, notes: list[Note], to_seconds: Clock, duration_s: float, rng: np.random.Generator
) -> np.ndarray:
    length = round(duration_s * SAMPLE_RATE)
    dry = np.zeros(length + SAMPLE_RATE * 4, np.float32)
    ducked, wet = np.zeros_like(dry), np.zeros_like(dry)
    kit, patches = make_kit(style, rng), make_patches(style, rng)
    kicks: list[float] = []
    for note in notes:
        at_s = to_seconds(note.step) + (0.0 if note.part == "kick" else rng.normal(0, 0.002))
        sound, start = _sound(note, at_s, to_seconds, kit, patches)
        if start >= length or start + len(sound) <= 0:
            continue
        sound = sound[max(0, -start) :]
        place = slice(max(0, start), max(0, start) + len(sound))
        bus = ducked if note.part in DUCKED else dry
        bus[place] += sound
        wet[place] += sound * SEND.get(note.part, 0.0)
        if note.part == "kick":
            kicks.append(at_s)
    duck = _duck(kicks, len(dry), depth=0.2 + 0.5 * rng.random() * (style in ("house", "techno")))
    mix = dry + ducked * duck + _reverb(wet, rng) * duck
    return _master(mix[:length])


def _sound(
    note: Note, at_s: float, to_seconds: Clock, kit: Kit, patches: dict[str, Patch]
) -> tuple[np.ndarray, int]:
    """The note's sound at its level, and the sample it starts at."""
    start = round(at_s * SAMPLE_RATE)
    if not note.pitches:
        return kit.pieces[note.part] * (note.velocity**1.5 * GAIN[note.part]), start
    seconds = max(0.03, to_seconds(note.step + note.length) - to_seconds(note.step))
    patch = patches[note.part]
    voices = [patch.play(pitch, seconds, note.velocity) for pitch in note.pitches]
    return np.sum(voices, axis=0) * GAIN[note.part], start


def _duck(kicks_s: list[float], length: int, depth: float) -> np.ndarray:
    """Gain that dips at each kick and swells back within 0.2 s."""
    gain = np.ones(length, np.float32)
    dip = 1 - depth * np.exp(-np.arange(int(0.25 * SAMPLE_RATE)) / (0.07 * SAMPLE_RATE))
    for at_s in kicks_s:
        start = max(0, int(at_s * SAMPLE_RATE))
        stop = min(length, start + len(dip))
        gain[start:stop] = np.minimum(gain[start:stop], dip[: stop - start])
    return gain


def _reverb(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    seconds = rng.uniform(0.4, 1.2)
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    response = rng.standard_normal(len(t)) * np.exp(-t / (seconds / 5))
    response = band_pass(response.astype(np.float32), 250, 6_000)
    response /= np.sqrt((response**2).sum()) + 1e-9
    return fftconvolve(sound, response)[: len(sound)].astype(np.float32) * 0.5


def _master(mix: np.ndarray) -> np.ndarray:
    """Common loudness, then a soft limiter."""
    loud = np.sqrt(np.mean(mix**2)) + 1e-6
    driven = mix * (0.16 / loud)
    return (0.95 * np.tanh(driven)).astype(np.float32)
