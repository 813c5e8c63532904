"""Anybody's MIDI file: opened, and its notes, tempi, bars and cues on one clock."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import MediaError
from .score import DRUM_CHANNEL, Named, SoundingNote
from .tempo_map import Signature, TempoMap
from .writing import ACCENT, BAR_CUE, BEATS_TRACK

if TYPE_CHECKING:
    from mido import Message, MidiFile, MidiTrack

RawNote = tuple[int, int | None, int, int, str, bool]
"""(tick, tick of its end, pitch, velocity, track, whether a drum); no end where the file lacks it."""

MIDI_FORMATS = (".mid", ".midi")
_HEADER = b"MThd"
_USUAL_US = 500_000
"""The tempo where a file names none, by the standard."""
_LONGEST_S = 24 * 3600.0
_MOST_TICKS = 1 << 37
"""More would not fit the sums of whole numbers, and is longer than any music."""
_HELD_S = 0.25
"""How long a note sounds whose end the file lacks."""


@dataclass(frozen=True, eq=False)
class MidiContent:
    """What stands in a file."""

    tempi: TempoMap
    signatures: tuple[Signature, ...]
    notes: tuple[SoundingNote, ...]
    """In the order of their starts."""
    note_ticks: np.ndarray
    """int64 [n]: where each of the notes starts."""
    cues: tuple[tuple[int, bool], ...]
    """(tick, whether a bar starts) of files that this package wrote."""
    markers: tuple[Named, ...]
    duration_s: float
    end: int
    """The last tick."""
    has_tempo: bool
    """Whether it names a tempo or a time signature, in beats and not in frames of film."""


def open_midi(source: Path | str | bytes) -> MidiFile:
    """Opens a file of type 0 or 1. Raises `MediaError` with one sentence for anything else."""
    import mido

    name = "The MIDI data" if isinstance(source, bytes) else Path(source).name
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as error:
        raise MediaError(f"{name} cannot be read ({error.strerror}); check the path.") from error
    start = data.find(_HEADER)  # some files stand in a RIFF envelope
    if start < 0:
        raise MediaError(f"{name} is no MIDI file; choose one that ends in .mid or .midi.")
    try:
        midi = mido.MidiFile(file=io.BytesIO(data[start:]), charset="latin1", clip=True)
    except Exception as error:  # mido raises whatever the broken place leads to
        raise MediaError(f"{name} is cut short or damaged; save it again where it was made.") from error
    return check_midi(midi, name)


def check_midi(midi: MidiFile, name: str = "The MIDI file") -> MidiFile:
    """Raises `MediaError` for what has no common clock or no ticks."""
    if midi.type not in (0, 1):
        raise MediaError(f"{name} is of type {midi.type}, whose tracks share no clock; save it as type 1.")
    if midi.ticks_per_beat == 0:
        raise MediaError(f"{name} has 0 ticks per beat; save it again where it was made.")
    return midi


def midi_notes(midi: MidiFile) -> tuple[SoundingNote, ...]:
    """All notes in seconds, in the order of their starts."""
    return content_of(midi).notes


def midi_sections(midi: MidiFile) -> tuple[Named, ...]:
    """The markers that are no accents: a song's sections."""
    return tuple(m for m in content_of(midi).markers if not m.name.startswith(f"{ACCENT} "))


@dataclass
class _Events:
    """What the tracks of a file hold, in ticks."""

    tempi: dict[int, int] = field(default_factory=dict)
    signatures: dict[int, Signature] = field(default_factory=dict)
    marks: list[tuple[int, str]] = field(default_factory=list)
    cues: list[tuple[int, bool]] = field(default_factory=list)
    notes: list[RawNote] = field(default_factory=list)
    end: int = 0

    def add_meta(self, message: Message, tick: int, track: str) -> None:
        """Takes what concerns the clock, the bars or the form."""
        if message.type == "set_tempo":
            self.tempi[tick] = max(message.tempo, 1)
        elif message.type == "time_signature" and message.numerator > 0:
            self.signatures[tick] = (tick, message.numerator, message.denominator)
        elif message.type == "marker":
            self.marks.append((tick, message.text))
        elif message.type == "cue_marker" and track == BEATS_TRACK:
            self.cues.append((tick, message.text == BAR_CUE))


def content_of(midi: MidiFile) -> MidiContent:
    """Everything in a file on one clock. Raises `MediaError` where it lasts longer than a day."""
    found = _Events()
    for number, track in enumerate(midi.tracks):
        _read_track(track, _name(track.name, number), found)
    if found.end > _MOST_TICKS:
        raise MediaError(f"The MIDI file has {found.end} ticks; cut it to 24 hours or less.")
    return _content(_clock(midi.ticks_per_beat, found.tempi), found, midi.ticks_per_beat > 0)


def _read_track(track: MidiTrack, name: str, found: _Events) -> None:
    """Adds a track's events; of notes that sound twice on one key, the first to begin ends first."""
    tick = 0
    sounding: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for message in track:
        tick += message.time
        if message.is_meta:
            found.add_meta(message, tick, name)
        elif message.type in ("note_on", "note_off"):
            key = (message.channel, message.note)
            if message.type == "note_on" and message.velocity > 0:
                sounding.setdefault(key, []).append((tick, message.velocity))
            elif sounding.get(key):
                on, velocity = sounding[key].pop(0)
                found.notes.append((on, tick, message.note, velocity, name, key[0] == DRUM_CHANNEL))
    for (channel, pitch), held in sounding.items():
        found.notes += [(on, None, pitch, velocity, name, channel == DRUM_CHANNEL) for on, velocity in held]
    found.end = max(found.end, tick)


def _content(clock: TempoMap, found: _Events, in_beats: bool) -> MidiContent:
    raw = sorted(found.notes, key=lambda note: (note[0], note[2]))
    ons = np.array([note[0] for note in raw], np.int64)
    starts = clock.seconds(ons)
    ends = clock.seconds(np.array([note[1] or 0 for note in raw], np.int64))
    duration_s = float(clock.seconds(np.array([found.end]))[0])
    if duration_s > _LONGEST_S:
        raise MediaError(f"The MIDI file lasts {duration_s / 3600:.0f} hours; cut it to 24 hours or less.")
    notes = tuple(
        SoundingNote(float(on), float(off) if note[1] is not None else float(on) + _HELD_S, *note[2:])
        for note, on, off in zip(raw, starts, ends, strict=True)
    )
    places = clock.seconds(np.array([tick for tick, _ in found.marks], np.int64))
    return MidiContent(
        tempi=clock,
        signatures=tuple(found.signatures[tick] for tick in sorted(found.signatures)) if in_beats else (),
        notes=notes,
        note_ticks=ons,
        cues=tuple(sorted(found.cues)),
        markers=tuple(Named(float(at), text) for at, (_, text) in zip(places, found.marks, strict=True)),
        duration_s=duration_s,
        end=found.end,
        has_tempo=in_beats and bool(found.tempi or found.signatures),
    )


def _name(name: str, number: int) -> str:
    return name.strip("\0 ") or f"track {number + 1}"


def _clock(division: int, tempi: dict[int, int]) -> TempoMap:
    """The map of tempi; a negative division counts frames of film, and no tempo changes these."""
    if division > 0:
        ticks = sorted({0, *tempi})
        values = [tempi.get(tick, _USUAL_US) for tick in ticks]
        return TempoMap(np.array(ticks, np.int64), np.array(values, np.int64), division)
    frames, parts = -(division >> 8), division & 0xFF
    second_us = 1_001_000 if frames == 29 else 1_000_000  # 29 stands for 30 000 / 1001
    frames = 30 if frames == 29 else frames
    return TempoMap(np.zeros(1, np.int64), np.array([second_us], np.int64), max(1, frames * parts))
