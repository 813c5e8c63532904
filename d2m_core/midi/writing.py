"""A MIDI file of type 1: a conductor's track with tempi, bars and markers, then a track for each player."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SettingError
from ..files import not_written, replacing
from ..types import Rhythm
from .score import DRUM_CHANNEL, Moment, Note
from .tempo_map import TICKS_PER_BEAT, BeatTicks, TempoMap, tempo_map_of

if TYPE_CHECKING:
    from mido import MidiFile, MidiTrack

BEATS_TRACK = "Beats"
"""Silent: a cue point at each beat, by which the beats are read back as they were."""
BAR_CUE, BEAT_CUE = "bar", "beat"
ACCENT = "accent"
"""How the markers of accents begin, before their strength in percent."""

PROGRAMS = {
    "bass": 33,
    "chords": 4,
    "harmony": 4,
    "pad": 89,
    "lead": 80,
    "melody": 80,
    "arp": 81,
    "horns": 61,
    "effects": 96,
    "fx": 96,
}
"""General MIDI programs, from 0: finger bass, electric piano, warm pad, square lead, saw, brass, rain.
Whoever is not here plays piano."""
DRUM_PLAYERS = {"drums", "percussion", "kit", "perc"}
"""Who plays on the drum channel."""
CLICK_BAR, CLICK_BEAT = 76, 77
"""High and low wood block of the General MIDI kit."""
_CLICK_S = 0.05

Event = tuple[int, int, Any]
"""(tick, order within the tick, message)."""


def make_midi(
    rhythm: Rhythm,
    duration_s: float | None = None,
    *,
    notes: Sequence[Note] = (),
    sections: Iterable[Moment] = (),
    chords: Iterable[Moment] = (),
    accents: Iterable[tuple[float, float]] = (),
    click: bool = False,
    programs: dict[str, int] | None = None,
    drums: Iterable[str] = DRUM_PLAYERS,
) -> MidiFile:
    """A type 1 file whose tempo map meets every beat of `rhythm` within 0.1 ms.

    Args:
        rhythm: Beats and bars.
        duration_s: Where the file ends; the rhythm's length where not given.
        notes: Everything that sounds, in any order; a track for each player, or for each `part` that
            notes name, with the General MIDI `program` of their own where they have one.
        sections: Become markers.
        chords: Become text in a track of their own.
        accents: (seconds, strength 0..1); become markers with the strength in percent.
        click: Adds a track of wood blocks on the beats.
        programs: General MIDI programs by track, from 0, over the notes' own and `PROGRAMS`.
        drums: Players whose pitches are pieces of the kit.

    Raises `SettingError` where beats are too far apart, or velocities and pitches out of range.
    """
    import mido

    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    grid = tempo_map_of(rhythm)
    end = int(grid.tempi.ticks_at(np.array([rhythm.duration_s if duration_s is None else duration_s]))[0])
    file.tracks.append(_conductor(grid, sections, accents, end))
    file.tracks.append(_beats(grid, rhythm.downbeats, end))
    named = [*chords]
    if named:
        events = [(tick, 0, mido.MetaMessage("text", text=name)) for tick, name in _placed(named, grid.tempi)]
        file.tracks.append(_track("Chords", events, end))
    if click:
        file.tracks.append(_click(grid, rhythm.downbeats, end))
    _add_players(file, notes, grid.tempi, programs or {}, set(drums), end)
    return file


def save_midi(midi: MidiFile, path: Path | str) -> Path:
    """Writes the file, whole or not at all. Raises `MediaError`."""
    path = Path(path)
    try:
        with replacing(path) as partial:
            midi.save(str(partial))
    except OSError as error:
        raise not_written(path, error) from error
    return path


def _placed(moments: Iterable[Moment], tempi: TempoMap) -> list[tuple[int, str]]:
    found = [(moment.start_s, moment.name) for moment in moments]
    ticks = tempi.ticks_at(np.array([start_s for start_s, _ in found]))
    return [(int(tick), name) for tick, (_, name) in zip(ticks, found, strict=True)]


def _track(name: str, events: list[Event], end: int) -> MidiTrack:
    """Events in the order of time, none after `end`, each with the ticks since the one before."""
    import mido

    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        tick = min(tick, end)
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=end - now))
    return track


def _conductor(
    grid: BeatTicks, sections: Iterable[Moment], accents: Iterable[tuple[float, float]], end: int
) -> MidiTrack:
    import mido

    events: list[Event] = [
        (int(tick), 1, mido.MetaMessage("set_tempo", tempo=int(tempo)))
        for tick, tempo in zip(grid.tempi.ticks, grid.tempi.tempi_us, strict=True)
    ]
    for tick, beats, unit in grid.signatures:
        bar = mido.MetaMessage("time_signature", numerator=beats, denominator=unit)
        events.append((tick, 0, bar))
    for tick, name in _placed(sections, grid.tempi):
        events.append((tick, 2, mido.MetaMessage("marker", text=name)))
    felt = [*accents]
    ticks = grid.tempi.ticks_at(np.array([time_s for time_s, _ in felt]))
    for tick, (_, strength) in zip(ticks, felt, strict=True):
        events.append((int(tick), 3, mido.MetaMessage("marker", text=f"{ACCENT} {100 * strength:.0f}")))
    return _track("Dance to Music", [event for event in events if event[0] <= end], end)


def _beats(grid: BeatTicks, downbeats: np.ndarray, end: int) -> MidiTrack:
    import mido

    events: list[Event] = [
        (int(tick), 0, mido.MetaMessage("cue_marker", text=BAR_CUE if bar else BEAT_CUE))
        for tick, bar in zip(grid.beats, downbeats, strict=True)
    ]
    return _track(BEATS_TRACK, events, max(end, int(grid.beats[-1]) if len(grid.beats) else 0))


def _click(grid: BeatTicks, downbeats: np.ndarray, end: int) -> MidiTrack:
    events: list[Event] = []
    for tick, bar in zip(grid.beats, downbeats, strict=True):
        off = int(grid.tempi.ticks_at(grid.tempi.seconds(tick) + _CLICK_S))
        pitch, velocity = (CLICK_BAR, 112) if bar else (CLICK_BEAT, 80)
        events += _struck(DRUM_CHANNEL, pitch, velocity, int(tick), off)
    return _track("Click", events, end)


def _struck(channel: int, pitch: int, velocity: int, on: int, off: int) -> list[Event]:
    import mido

    start = mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)
    stop = mido.Message("note_off", channel=channel, note=pitch, velocity=0)
    return [(on, 2, start), (off, 1, stop)]  # what ends at a tick does so before anything begins there


def _add_players(
    file: MidiFile,
    notes: Sequence[Note],
    tempi: TempoMap,
    programs: dict[str, int],
    drums: set[str],
    end: int,
) -> None:
    import mido

    free = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    lines: dict[str, list[Note]] = {}
    for note in sorted(notes, key=lambda note: note.start_s):
        lines.setdefault(_line(note, drums), []).append(note)
    pitched = [line for line in lines if line not in drums]
    for line, own in lines.items():
        channel = DRUM_CHANNEL if line in drums else free[pitched.index(line) % len(free)]
        usual = 0 if line in drums else PROGRAMS.get(line, 0)
        program = programs.get(line, getattr(own[0], "program", usual))
        events: list[Event] = [(0, 0, mido.Message("program_change", channel=channel, program=program))]
        file.tracks.append(_track(line, events + _strokes(own, tempi, channel, end), end))


def _line(note: Note, drums: set[str]) -> str:
    """Whose track it stands in: the player's, or the instrument's where a player has several."""
    return note.player if note.player in drums else getattr(note, "part", note.player)


def _strokes(notes: list[Note], tempi: TempoMap, channel: int, end: int) -> list[Event]:
    """A player's notes; one that is struck again ends there, else its end would cut the next one off."""
    notes = sorted(notes, key=lambda note: (note.start_s, note.pitch))
    ons = tempi.ticks_at(np.array([note.start_s for note in notes]))
    offs = tempi.ticks_at(np.array([note.end_s for note in notes]))
    following: dict[int, int] = {}
    events: list[Event] = []
    for note, on, off in reversed(list(zip(notes, ons.tolist(), offs.tolist(), strict=True))):
        if not (0 <= note.pitch <= 127 and 1 <= note.velocity <= 127):
            raise SettingError(
                f"A note of {note.player} has pitch {note.pitch} and velocity {note.velocity}; "
                "use 0 to 127 and 1 to 127."
            )
        off = min(max(off, on + 1), following.get(note.pitch, off + 1))
        if off > on and on < end:
            events += _struck(channel, note.pitch, note.velocity, on, off)
            following[note.pitch] = on
    return events
