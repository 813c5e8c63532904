"""The rhythm of a MIDI file: its bars where it has some, else what its notes sound like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy
import torch

from ..errors import MediaError
from ..grid import tempo_of
from ..rhythm import rhythm_from_audio
from ..types import METRE, MOTION_FPS, Progress, Rhythm, Waveform
from .reading import MidiContent, check_midi, content_of
from .score import SoundingNote

if TYPE_CHECKING:
    from mido import MidiFile

_ENOUGH = 32
"""From so many moments with notes on one can tell whether they lie on the beats."""
_ON_GRID = 0.3
"""How well notes keep to parts of the beat, 0..1, where a tempo map is taken for true."""
_RATE = 22050
_RING_S = 0.12
_ENERGY_S = 0.5


def rhythm_from_midi(
    midi: MidiFile, duration_s: float | None = None, on_progress: Progress | None = None
) -> Rhythm:
    """Beats, bars and accents of a file, as the same object that a dance gives.

    Beats are those that this package wrote, else those of tempo map and time signatures (dotted
    quarters in 6/8). Where the file names neither, or its notes do not keep to them, the beats of
    its notes are heard as in music. Velocities give accents and energy. `duration_s` sets the
    length, else the file's. Raises `MediaError`.
    """
    found = content_of(check_midi(midi))
    length_s = found.duration_s if duration_s is None else duration_s
    frames = max(1, int(np.ceil(length_s * MOTION_FPS - 1e-6)))
    if not found.notes and not found.has_tempo and not found.cues:
        raise MediaError("The MIDI file has neither notes nor a tempo; choose another.")
    curves = _curves(found.notes, frames)
    if not found.cues and not (found.has_tempo and _keeps_time(found)) and found.notes:
        heard = rhythm_from_audio(_sound(found.notes, frames / MOTION_FPS), on_progress=on_progress)
        return Rhythm(heard.beats_s, heard.downbeats, curves, heard.tempo_bpm, heard.confidence)
    beats_s, downbeats = _written(found) if found.cues else _counted(found, frames / MOTION_FPS)
    inside = (beats_s >= 0) & (beats_s < frames / MOTION_FPS)
    beats_s, downbeats = beats_s[inside], downbeats[inside]
    tempo = tempo_of(beats_s) if len(beats_s) > 1 else 6e7 / float(found.tempi.tempi_us[0])
    return Rhythm(beats_s, downbeats, curves, tempo)


def _written(found: MidiContent) -> tuple[np.ndarray, np.ndarray]:
    """The beats of a file of this package."""
    ticks = dict(found.cues)
    return found.tempi.seconds(np.array([*ticks], np.int64)), np.array([*ticks.values()], bool)


def _counted(found: MidiContent, length_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Beats [M] and downbeats [M] by tempo map and time signatures, to `length_s`."""
    signatures = list(found.signatures)
    if not signatures or signatures[0][0] > 0:
        signatures.insert(0, (0, METRE, 4))
    last = max(found.end, int(found.tempi.ticks_at(np.array([length_s]))[0]) + 1)
    edges = [tick for tick, _, _ in signatures[1:]] + [last]
    ticks, bars = [], []
    for (tick, beats, unit), end in zip(signatures, edges, strict=True):
        step, count = _beat(beats, unit, found.tempi.ticks_per_beat)
        places = np.arange(tick, end, step)
        ticks.append(np.round(places).astype(np.int64))
        bars.append(np.arange(len(places)) % count == 0)
    return found.tempi.seconds(np.concatenate(ticks)), np.concatenate(bars)


def _beat(beats: int, unit: int, ticks_per_beat: int) -> tuple[float, int]:
    """Ticks of a beat, and beats of a bar: three eighths are one beat in 6/8, 9/8 and 12/8."""
    step = 4 * ticks_per_beat / unit
    if unit >= 8 and beats % 3 == 0 and beats > 3:
        return max(1.0, 3 * step), beats // 3
    return max(1.0, step), beats


def _keeps_time(found: MidiContent) -> bool:
    """Whether the notes lie on beats, halves, thirds or quarters of them; few notes say nothing."""
    ticks = np.unique(found.note_ticks)
    if len(ticks) < _ENOUGH:
        return True
    turns = 2j * np.pi * ticks / found.tempi.ticks_per_beat
    return max(abs(np.exp(parts * turns).mean()) for parts in (1, 2, 3, 4)) > _ON_GRID


def _curves(notes: tuple[SoundingNote, ...], frames: int) -> np.ndarray:
    """Accents and energy, float32 [F, 2]: how hard notes are struck, and how much is played."""
    accent, played = np.zeros(frames + 1), np.zeros(frames + 1)
    places = np.array([note.start_s for note in notes]) * MOTION_FPS
    strengths = np.array([note.velocity for note in notes]) / 127
    inside = places < frames
    places, strengths = places[inside], strengths[inside]
    low = places.astype(int)
    for frame, share in ((low, 1 - (places - low)), (low + 1, places - low)):
        np.maximum.at(accent, frame, share * strengths)
        np.add.at(played, frame, share * strengths)
    energy = scipy.ndimage.gaussian_filter1d(played[:frames], _ENERGY_S * MOTION_FPS, mode="nearest")
    energy = energy / max(float(energy.max()), 1e-9)
    return np.stack([accent[:frames], energy], 1).clip(0, 1).astype(np.float32)


def _sound(notes: tuple[SoundingNote, ...], length_s: float) -> Waveform:
    """The notes as short tones and bursts of noise, to be heard by what finds beats in music."""
    out = np.zeros(round(length_s * _RATE) + 1, np.float32)
    time_s = np.arange(round(_RING_S * _RATE)) / _RATE
    decay = np.exp(-time_s * 30).astype(np.float32)
    noise = np.random.default_rng(0).standard_normal(len(time_s)).astype(np.float32) * decay
    for note in notes:
        start = round(note.start_s * _RATE)
        hertz = 440 * 2 ** ((note.pitch - 69) / 12)
        tone = noise if note.drum and note.pitch > 36 else np.sin(2 * np.pi * hertz * time_s) * decay
        part = out[start : start + len(tone)]
        part += np.float32(note.velocity / 127) * tone[: len(part)].astype(np.float32)
    samples = out / max(float(np.abs(out).max()), 1e-9)
    return Waveform(torch.from_numpy(samples)[None, None], _RATE)
