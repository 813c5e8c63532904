"""The rhythm of a clip: beats from the dance, from the clip's own sound, or from both."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..grid import TEMPO_RANGE_BPM
from ..notices import Notice
from ..settings import BEATS_FROM
from ..types import MotionFeatures, PoseSequence, Progress, Rhythm, TempoGuess, Waveform, metre_of_bars
from .curves import BeatCurves, read_at
from .doubts import UNSURE_BELOW, rhythm_notices
from .gains import gains_of
from .hearing import rhythm_from_audio
from .network import RhythmNet
from .reading import read_dance
from .refining import cover
from .search import every, likeliest_bars
from .tempo import chance_of, chances, evidence_of

_QUIET = 1e-3
"""Sound that never gets louder is silence."""
_BETTER = 4.0
"""By this factor the dance has to prefer another octave, or the other half of a beat."""


@dataclass(frozen=True, eq=False)
class FoundRhythm:
    """A rhythm, and what is to be said about it."""

    rhythm: Rhythm
    """To be replaced by an edited one, so that notices are about what is used in the end."""
    told: tuple[Notice, ...] = ()
    """What is to be said about the clip's sound: kinds "no-sound" and "unsure-sound"."""
    poses: PoseSequence | None = None

    @property
    def notices(self) -> list[Notice]:
        """Everything that is doubtful: `told`, and what `rhythm_notices` says."""
        return [*self.told, *rhythm_notices(self.rhythm, self.poses)]


def find_rhythm(
    motion: MotionFeatures,
    net: RhythmNet,
    sound: Waveform | None = None,
    beats_from: str = "dance",
    tempo_bpm: float | None = None,
    metre: int | None = None,
    *,
    poses: PoseSequence | None = None,
    on_progress: Progress | None = None,
) -> FoundRhythm:
    """The rhythm of a clip by its dance and its own sound, with all that is doubtful about it.

    Accents and energy are always those of the movement. `beats_from` says whose beats they meet:
    `dance` reads them from the movement, `sound` hears them in `sound`, and `both` hears them there
    too, but lets the dance choose between tempo, half and double, the side of the beat and the bars,
    and falls back to the dance where the sound's beats are unsure. Without a sound it is the dance,
    and a notice says so.

    Args:
        sound: The clip's own sound, begun where the clip begins.
        tempo_bpm: A tempo to keep exactly.
        metre: Beats in a bar; else whichever fits better.
        poses: Whom the motion was taken from, for notices about the dancer.
        on_progress: Counts the stages of listening.

    Raises `SettingError` for a tempo out of range.
    """
    if beats_from not in BEATS_FROM:
        raise ValueError(f"beats_from is {beats_from!r}; use one of {', '.join(BEATS_FROM)}")
    rhythm, curves = read_dance(motion, net, tempo_bpm, metre)
    told: list[Notice] = []
    if beats_from != "dance":
        heard = None if sound is None else _heard(sound, rhythm.duration_s, tempo_bpm, on_progress)
        if heard is None:
            text = "The clip has no sound of its own that one could hear: the beats were read from the dance."
            told = [Notice(None, text, "no-sound")]
        elif beats_from == "sound":
            rhythm = _with_beats_of(rhythm, heard)
            rhythm = rhythm if metre is None else _in_bars(rhythm, heard.downbeats, metre)
        elif heard.confidence < UNSURE_BELOW and heard.confidence < rhythm.confidence:
            text = (
                f"The beats of the clip's own sound are unsure (confidence {heard.confidence:.2f}): those of "
                "the dance were taken."
            )
            told = [Notice(None, text, "unsure-sound")]
        else:
            rhythm = _agreed(rhythm, curves, heard, motion.fps, tempo_bpm, metre)
    return FoundRhythm(rhythm, tuple(told), poses)


def _heard(
    sound: Waveform, duration_s: float, tempo_bpm: float | None, on_progress: Progress | None
) -> Rhythm | None:
    """What the ear says of a sound, gone on with to the clip's end; None of silence."""
    if sound.samples.shape[-1] == 0 or float(sound.samples.abs().max()) < _QUIET:
        return None
    heard = rhythm_from_audio(sound, tempo_bpm, on_progress)
    if len(heard.beats_s) < 2:
        return None
    beats = cover(heard.beats_s, duration_s)
    if len(beats) < 2:
        return None
    starts = np.flatnonzero(heard.downbeats)
    first_s = heard.beats_s[starts[0]] if len(starts) else heard.beats_s[0]
    first = int(np.abs(beats - first_s).argmin())
    if len(beats) == len(heard.beats_s):
        return replace(heard, beats_s=beats)
    return replace(heard, beats_s=beats, downbeats=every(len(beats), first, heard.metre))


def _with_beats_of(rhythm: Rhythm, heard: Rhythm) -> Rhythm:
    """The dance's curves under the beats that were heard."""
    return replace(
        rhythm,
        beats_s=heard.beats_s,
        downbeats=heard.downbeats,
        tempo_bpm=heard.tempo_bpm,
        confidence=heard.confidence,
        tempi=heard.tempi or (TempoGuess(heard.tempo_bpm, heard.confidence),),
    )


def _in_bars(rhythm: Rhythm, downbeats: np.ndarray, metre: int) -> Rhythm:
    """Bars of so many beats from the first bar line on."""
    if metre_of_bars(downbeats) == metre:
        return rhythm
    starts = np.flatnonzero(downbeats)
    first = int(starts[0]) if len(starts) else 0
    return replace(rhythm, downbeats=every(len(rhythm.beats_s), first, metre))


# --- where both have a say ---


def _agreed(
    dance: Rhythm, curves: BeatCurves, heard: Rhythm, fps: float, tempo_bpm: float | None, metre: int | None
) -> Rhythm:
    """The beats that were heard, in the octave, on the side and in the bars that the dance prefers."""
    fine = curves.fine(fps)
    rhythm = _with_beats_of(dance, heard)
    if tempo_bpm is None:
        rhythm = _in_octave(rhythm, fine)
    if dance.confidence < UNSURE_BELOW:  # it cannot tell where in a beat or in a bar it is
        return rhythm if metre is None else _in_bars(rhythm, rhythm.downbeats, metre)
    on, off = _strength(fine, rhythm.beats_s), _strength(fine, _halfway(rhythm.beats_s))
    if off > _BETTER * on:
        moved = cover(_halfway(rhythm.beats_s), dance.duration_s)
        rhythm = replace(rhythm, beats_s=moved, downbeats=np.zeros(len(moved), bool))
    bars = likeliest_bars(rhythm.beats_s, gains_of(fine, known_tempo=True).bar, metre)
    return replace(rhythm, downbeats=bars)


def _in_octave(rhythm: Rhythm, fine: BeatCurves) -> Rhythm:
    """At half or double tempo where the dance clearly prefers that."""
    likely = chances(evidence_of(fine))
    low, high = TEMPO_RANGE_BPM
    here = max(chance_of(likely, rhythm.tempo_bpm), 1e-3)
    for factor in (0.5, 2.0):
        tempo = rhythm.tempo_bpm * factor
        if low <= tempo <= high and chance_of(likely, tempo) > _BETTER * here:
            beats = _halved(rhythm.beats_s, fine) if factor < 1 else _doubled(rhythm)
            starts = every(len(beats), 0, rhythm.metre)
            guesses = tuple(TempoGuess(g.bpm * factor, g.probability) for g in rhythm.tempi)
            return replace(rhythm, beats_s=beats, downbeats=starts, tempo_bpm=tempo, tempi=guesses)
    return rhythm


def _halved(beats_s: np.ndarray, fine: BeatCurves) -> np.ndarray:
    """Every other beat: those on which the dance has more."""
    return max((beats_s[::2], beats_s[1::2]), key=lambda beats: _strength(fine, beats))


def _doubled(rhythm: Rhythm) -> np.ndarray:
    beats = np.sort(np.concatenate([rhythm.beats_s, _halfway(rhythm.beats_s)]))
    return cover(beats, rhythm.duration_s)


def _halfway(beats_s: np.ndarray) -> np.ndarray:
    return (beats_s[1:] + beats_s[:-1]) / 2


def _strength(fine: BeatCurves, beats_s: np.ndarray) -> float:
    """How strong the dance's beat curve is on beats, on average."""
    return float(read_at(fine.beat, beats_s).mean()) if len(beats_s) else 0.0
