"""Any music, warped so that its beats meet the dancer's.

Three steps, each of which a setting can hold back: where in the song to start, one tempo for all
of it (a song at about half or double the dance's tempo keeps its own), then beat by beat. A song
without a steady beat is only cut (or looped) to the dance's length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..errors import require
from ..grid import position
from ..rhythm import rhythm_from_audio
from ..types import Progress, Rhythm, Waveform
from .matching import BeatLoop, audible, choose_octave, find_loop, matched_beats, song_seconds
from .stretch import stretch
from .time_map import Loop, limited, to_edges, wrapped

STARTS = ("best", "beginning")
"""Where in the song to start."""

_LEAST_CONFIDENCE = 0.2
"""Below, a song has no steady beat. Six seconds of noise give 0.12, a metronome 0.97."""
_MET_S = 0.02
"""A beat of the song so near to the dancer's meets it."""


@dataclass(frozen=True)
class AlignSettings:
    """How far music may be bent."""

    strength: float = 1.0
    """0: only start and global tempo; 1: every beat exactly, within the limits."""
    most_bend: float = 8.0
    """How far the tempo of one beat may differ from the global one, in percent."""
    most_tempo_change: float = 35.0
    """How far the global tempo may differ from the song's own, in percent; 34 always suffices."""
    start: str = "best"
    """One of `STARTS`: where it fits the dance best, or as early as possible."""
    loop: bool = True
    """Repeat whole bars where the song is too short; else silence follows."""

    def __post_init__(self) -> None:
        require(0 <= self.strength <= 1, f"strength is {self.strength:g}; use 0 to 1.")
        require(0 <= self.most_bend <= 50, f"most_bend is {self.most_bend:g} %; use 0 to 50.")
        require(
            0 <= self.most_tempo_change <= 50,
            f"most_tempo_change is {self.most_tempo_change:g} %; use 0 to 50.",
        )
        require(self.start in STARTS, f"start is {self.start!r}; choose {', '.join(STARTS)}.")


@dataclass(frozen=True, eq=False)
class Alignment:
    """Which part of a song is heard when, and how far it is bent."""

    anchors: np.ndarray
    """float64 [A, 2]: rows of (time in the song, time in the dance) in seconds; straight between.
    Two rows with one time in the dance are a jump back to where a loop starts."""
    octave: float
    """Song beats per beat of the dance: 0.5, 1 or 2; 0 where the song has no steady beat."""
    rate: float
    """Global seconds of the song per second of the dance."""
    bends: np.ndarray
    """float64 [M - 1]: how much faster than `rate` each beat of the dance plays, as a share."""
    met: int
    """Beats of the dance that one of the song meets within 20 ms."""
    beats: int
    """Beats of the dance."""
    loops: int
    """How often the song jumps back."""
    confidence: float
    """0..1: the lower one of the two rhythms'."""

    @property
    def start_s(self) -> float:
        """Where the song starts; below 0 after so much silence."""
        return float(self.anchors[0, 0])

    @property
    def largest_bend(self) -> float:
        return float(np.abs(self.bends).max(initial=0.0))

    @property
    def mean_bend(self) -> float:
        return float(np.abs(self.bends).mean()) if len(self.bends) else 0.0


def align_audio(
    wave: Waveform,
    dance: Rhythm,
    settings: AlignSettings | None = None,
    song: Rhythm | None = None,
    duration_s: float | None = None,
    on_progress: Progress | None = None,
) -> tuple[Waveform, Alignment]:
    """The music warped to the dance, exactly as long, at its own rate with its own channels.

    Args:
        wave: Any music, [B, C, N].
        dance: The rhythm to meet.
        settings: How far the music may be bent.
        song: The music's rhythm; found in the music where not given.
        duration_s: Length of the clip where it is not a whole number of motion frames.
        on_progress: Called before each step; it may raise to cancel.

    Raises `SettingError` where the music is empty or broken, or cannot reach the dance's tempo.
    """
    require(wave.samples.numel() > 0, "The music has no samples; connect music to align.")
    finite = bool(torch.isfinite(wave.samples).all())
    require(finite, "The music has values that are not numbers; make it again.")
    if on_progress is not None:
        on_progress(0, 0)
    duration_s = duration_s or dance.duration_s
    alignment = plan_alignment(song or rhythm_from_audio(wave), dance, settings, duration_s)
    return stretch(wave, alignment.anchors, duration_s, on_progress), alignment


def plan_alignment(
    song: Rhythm, dance: Rhythm, settings: AlignSettings | None = None, duration_s: float | None = None
) -> Alignment:
    """Which part of the song is heard when. Raises `SettingError` where the tempi are too far off.

    Args:
        song: Beats and curves of the music.
        dance: Beats and curves to meet.
        settings: How far the music may be bent.
        duration_s: Length of the clip where it is not a whole number of motion frames.
    """
    settings = settings or AlignSettings()
    duration_s = duration_s or dance.duration_s
    if len(song.beats_s) < 2 or song.confidence < _LEAST_CONFIDENCE or len(dance.beats_s) < 2:
        return _only_cut(song, dance, settings, duration_s)
    octave = choose_octave(song.tempo_bpm, dance.tempo_bpm, settings.most_tempo_change)
    beats = matched_beats(song, dance, octave, settings.start)
    end = beats[0] + octave * float(position(dance.beats_s, np.array([duration_s]))[0])
    loop = find_loop(song, beats, octave, end) if settings.loop else None
    wanted = song_seconds(song, beats, loop)
    rate, offset = np.polyfit(dance.beats_s, wanted, 1)
    steady = rate * dance.beats_s + offset
    if settings.strength == 0 or settings.most_bend == 0:
        times = steady
    else:
        times = steady + settings.strength * (wanted - steady)
        times = limited(times, dance.beats_s, rate, settings.most_bend / 100)
    bends = np.round(np.diff(times) / np.diff(dance.beats_s) / rate - 1, 9)
    met = int((np.abs(times - wanted) <= _MET_S * rate).sum())
    anchors = wrapped(*to_edges(times, dance.beats_s, duration_s), _in_seconds(song, loop))
    return _alignment(anchors, octave, float(rate), bends, met, song, dance)


def describe(alignment: Alignment) -> str:
    """What was done, in a few sentences for the artist."""
    if alignment.octave == 0:
        text = "The song has no steady beat, so it was only cut to the dance's length."
    else:
        change = 100 * (alignment.rate - 1)
        per_beat = {1.0: "one song beat", 2.0: "two song beats", 0.5: "half a song beat"}
        text = (
            f"{alignment.met} of {alignment.beats} beats meet, {per_beat[alignment.octave]} to each"
            f" of the dance. The song plays {abs(change):.1f} %"
            f" {'faster' if change >= 0 else 'slower'} and bends by up to"
            f" {100 * alignment.largest_bend:.1f} % a beat ({100 * alignment.mean_bend:.1f} % on"
            f" average). Confidence {alignment.confidence:.2f}."
        )
    text += f" It starts at {max(alignment.start_s, 0.0):.2f} s of the song"
    return text + (f" and jumps back {alignment.loops} times." if alignment.loops else ".")


def _alignment(
    anchors: np.ndarray, octave: float, rate: float, bends: np.ndarray, met: int, song: Rhythm, dance: Rhythm
) -> Alignment:
    loops = int((np.diff(anchors[:, 1]) <= 0).sum())
    confidence = min(song.confidence, dance.confidence)
    return Alignment(anchors, octave, rate, bends, met, len(dance.beats_s), loops, confidence)


def _in_seconds(song: Rhythm, loop: BeatLoop | None) -> Loop | None:
    if loop is None:
        return None
    return Loop(float(song.beats_s[loop.start]), float(song.beats_s[loop.end]))


def _only_cut(song: Rhythm, dance: Rhythm, settings: AlignSettings, duration_s: float) -> Alignment:
    first_s, last_s = audible(song)
    start_s = first_s if settings.start == "best" else 0.0
    loop = Loop(start_s, last_s) if settings.loop and last_s - start_s > 1.0 else None
    anchors = wrapped(np.array([start_s, start_s + duration_s]), np.array([0.0, duration_s]), loop)
    return _alignment(anchors, 0.0, 1.0, np.zeros(0), 0, song, dance)
