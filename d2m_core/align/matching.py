"""Which beats of a song meet which of a dance: how many to one, where to start, what to repeat."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..errors import SettingError
from ..grid import position, seconds_at
from ..types import Rhythm

OCTAVES = (1.0, 2.0, 0.5)
"""Song beats per beat of the dance."""
_OTHER_OCTAVE = 0.15
"""So many octaves nearer to the dance another than the same number of beats has to be."""
_QUIET = 0.02
"""Energy (0..1) below which a song has not begun, or has ended."""
_BARS, _LIKENESS, _MISSING, _BEND = 1.0, 0.5, 2.0, 5.0
"""Weights in choosing the start: bar lines that meet, curves alike, no music there, bending."""
_SLACK_S = 0.05
"""So much silence before the song's first sample is no reason to start a beat later."""


class BeatLoop(NamedTuple):
    """A stretch of a song that repeats, from one beat to another, by number."""

    start: int
    end: int


def choose_octave(song_bpm: float, dance_bpm: float, most_percent: float) -> float:
    """Song beats per beat of the dance so that the song's speed changes least.

    Raises `SettingError` where every choice changes it by more than `most_percent`.
    """
    rates = {octave: dance_bpm * octave / song_bpm for octave in OCTAVES}
    cost = {o: abs(np.log2(r)) + _OTHER_OCTAVE * (o != 1) for o, r in rates.items()}
    allowed = [o for o in OCTAVES if abs(rates[o] - 1) <= most_percent / 100 + 1e-6]
    if allowed:
        return min(allowed, key=lambda octave: cost[octave])
    change = min((rate - 1 for rate in rates.values()), key=abs)
    raise SettingError(
        f"The song ({song_bpm:.0f} BPM) would have to play {abs(change):.0%}"
        f" {'faster' if change > 0 else 'slower'} to meet the dance ({dance_bpm:.0f} BPM), but"
        f" most_tempo_change is {most_percent:g} %; raise it, or choose a song nearer in tempo."
    )


def matched_beats(song: Rhythm, dance: Rhythm, octave: float, start: str) -> np.ndarray:
    """Which beat of the song is meant at each beat of the dance, float64 [M]: numbers from 0 on.

    They may lie outside the song, and between its beats where `octave` is 0.5.
    """
    # Where the dance's first bar line meets beat `choice` of the song, all others follow by counting.
    bar_line = int(np.argmax(dance.downbeats)) if dance.downbeats.any() else 0
    shape = octave * (np.arange(len(dance.beats_s)) - bar_line)
    # There must be a whole bar of the song from there on ...
    last_s = audible(song)[1]
    bar_ends = np.arange(len(song.beats_s)) + song.metre
    choices = np.flatnonzero(seconds_at(song.beats_s, bar_ends) <= last_s)
    choices = choices if len(choices) else np.arange(len(song.beats_s))
    # ... and as much song before it as there is dance before its bar line, else silence comes first.
    lead = octave * (position(dance.beats_s, np.zeros(1)) - bar_line)
    starts_s = seconds_at(song.beats_s, choices + lead)
    whole = starts_s >= -_SLACK_S
    choices = choices[whole] if whole.any() else choices[-1:]
    # From the beginning, only the place in the bar is left to choose.
    if start == "beginning":
        choices = choices[: song.metre]
        scores = [_bars_met(song, dance, choice + shape) for choice in choices]
    else:
        scores = [_score(song, dance, choice + shape, octave) for choice in choices]
    return choices[int(np.argmax(scores))] + shape


def _score(song: Rhythm, dance: Rhythm, beats: np.ndarray, octave: float) -> float:
    """How well a song fits a dance when these of its beats meet the dancer's."""
    # What would be heard in every frame of the dance: is there music, and does it go as the dance goes?
    times = np.arange(len(dance.curves)) / dance.fps
    heard = seconds_at(song.beats_s, beats[0] + octave * position(dance.beats_s, times))
    first_s, last_s = audible(song)
    missing = 1 - ((heard >= first_s - _SLACK_S) & (heard < last_s)).mean()
    frames = np.arange(len(song.curves)) / song.fps
    likeness = 0.0
    for music, movement in ((song.accent, dance.accent), (song.energy, dance.energy)):
        likeness += _likeness(np.interp(heard, frames, music, 0.0, 0.0), movement)
    # How unevenly the song would have to play, beat by beat, beside its mean rate.
    rates = np.diff(seconds_at(song.beats_s, beats)) / np.diff(dance.beats_s)
    bend = np.abs(rates / rates.mean() - 1).mean()
    bars = _bars_met(song, dance, beats)
    return _BARS * bars + _LIKENESS * likeness - _MISSING * missing - _BEND * bend


def _bars_met(song: Rhythm, dance: Rhythm, beats: np.ndarray) -> float:
    """Share of the dance's bar lines within the song that meet one of the song's."""
    lines = beats[dance.downbeats]
    lines = lines[(lines >= 0) & (lines < len(song.beats_s)) & (lines % 1 == 0)].astype(int)
    return float(song.downbeats[lines].mean()) if len(lines) else 0.0


def _likeness(a: np.ndarray, b: np.ndarray) -> float:
    if a.std() < 1e-6 or b.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def find_loop(song: Rhythm, beats: np.ndarray, octave: float, end: float) -> BeatLoop | None:
    """Whole bars of the song to repeat where it is over before its beat number `end`.

    Args:
        song: Its audible part is what can repeat.
        beats: From `matched_beats`; the loop keeps their place in the bar.
        octave: Song beats per beat of the dance.
        end: Which beat of the song the dance's last instant needs.
    """
    first_s, last_s = audible(song)
    if seconds_at(song.beats_s, np.array([end]))[0] <= last_s:
        return None
    # Beats between which music can be heard, and of them those that stand where bars begin.
    inside = np.flatnonzero((song.beats_s >= first_s - _SLACK_S) & (song.beats_s <= last_s))
    bar_line = int(np.ceil(beats[0]))
    if song.downbeats.any():
        bar_line = int(np.argmax(song.downbeats))
    every = int(np.lcm(song.metre, max(1, int(octave))))
    for step in (every, max(1, int(octave))):  # by beats where there is no whole bar
        # As long a loop as can be: from the first such line to the last, if the song starts before.
        lines = inside[(inside - bar_line) % step == 0]
        if len(lines) > 1 and lines[-1] > beats[0]:
            return BeatLoop(int(lines[0]), int(lines[-1]))
    return None


def song_seconds(song: Rhythm, beats: np.ndarray, loop: BeatLoop | None) -> np.ndarray:
    """Times of beats in a song, which goes on past the end of a loop with its start, for ever."""
    if loop is None:
        return seconds_at(song.beats_s, beats)
    # Beats count on through the repeats; each turn takes them back by the loop's length.
    length = loop.end - loop.start
    turns = np.maximum(0.0, np.floor((beats - loop.start) / length))
    length_s = song.beats_s[loop.end] - song.beats_s[loop.start]
    return seconds_at(song.beats_s, beats - turns * length) + turns * length_s


def audible(song: Rhythm) -> tuple[float, float]:
    """From when to when the song is heard, in seconds; all of it where it is silent."""
    loud = np.flatnonzero(song.energy > _QUIET)
    if len(loud) == 0:
        return 0.0, song.duration_s
    return float(loud[0] / song.fps), float((loud[-1] + 1) / song.fps)
