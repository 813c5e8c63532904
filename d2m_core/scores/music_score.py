"""How well music keeps time with a dance, in figures that each have a control beside them.

The scores are those of `metrics`; the control of each is the same score for the dance's beats or
accents moved to other phases of the beat, which music that ignores the dancer reaches too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy

from ..errors import require
from ..media import fit_length
from ..motion import dance_accents
from ..motion.accents import STRONG_ACCENT
from ..rhythm import rhythm_from_audio
from ..types import PoseSequence, Rhythm, Waveform
from .meeting import Meeting, meeting_of
from .metrics import (
    BasForm,
    bas,
    beat_f_chance,
    continuity,
    motion_beats,
    onsets,
    phase_rotated,
    share_near,
    tempo_correct,
)

_ROTATIONS = 8
_PEAK = 0.4
"""Height from which a peak of `Rhythm.accent` counts as one."""
_APART_S = 0.12
_OFF_BEAT = (
    "The music keeps the dance's pulse, but was heard {way}. In a few seconds of music the ear itself "
    "can be wrong: score a longer part."
)
_UNSURE = 0.5
"""Confidence of the ear under which its figures are said to be unsure."""


@dataclass(frozen=True)
class Score:
    """One figure and what chance reaches."""

    name: str
    value: float
    chance: float
    """The same at other phases of the beat; NaN where there is none."""


@dataclass(frozen=True, eq=False)
class MusicScore:
    """How music meets a dance."""

    music: Rhythm
    """What was heard."""
    accents_s: np.ndarray
    """float64 [A]: the dance's accents that were looked for."""
    scores: tuple[Score, ...]
    tempo_bpm: float
    """Tempo of the dance."""
    meeting: Meeting
    """How the beats heard meet the dance's."""

    @property
    def beat_f(self) -> float:
        return self.meeting.f

    @property
    def off_beat(self) -> bool:
        """Whether the music was heard on the dance's pulse, but beside its beats: on the off-beat,
        or at half or double time."""
        return bool(self.meeting.way)


def score_music(
    wave: Waveform, dance: Rhythm, poses: PoseSequence | None = None, duration_s: float | None = None
) -> MusicScore:
    """Scores of music [B = 1] against the rhythm of a dance, and against its poses if given.

    The music is cut or filled to the dance's length (or `duration_s`). Without poses, accents are
    the peaks of `Rhythm.accent`. Raises `SettingError` for music without samples.
    """
    require(wave.samples.numel() > 0, "The music has no samples; connect music to score.")
    duration_s = duration_s or dance.duration_s
    wave = fit_length(wave, duration_s)
    music = rhythm_from_audio(wave)
    hits = onsets(wave)
    accents = _accents_of(dance, poses)
    inside = dance.beats_s[dance.beats_s < duration_s]
    met = meeting_of(inside, music.beats_s)
    scores = [
        Score("beat F", met.f, beat_f_chance(inside, music.beats_s, duration_s)),
        Score("beats in a row (CMLt)", continuity(inside, music.beats_s).cmlt, float("nan")),
        Score("also half, double, off-beat (AMLt)", met.amlt, float("nan")),
        _near("accents met by an onset", accents, hits, dance, duration_s),
        _near("onsets that meet an accent", accents, hits, dance, duration_s, turned=True),
    ]
    if poses is not None:
        scores += _alignment(poses, music, dance, duration_s)
    return MusicScore(music, accents, tuple(scores), dance.tempo_bpm, met)


def describe_score(score: MusicScore) -> str:
    """The figures as lines of text, each with its control."""
    heard, asked = score.music.tempo_bpm, score.tempo_bpm
    if tempo_correct(asked, heard):
        verdict = "the same"
    elif tempo_correct(asked, heard, octaves=True):
        verdict = "the same but for half, double or triple time"
    else:
        verdict = "another"
    sure = score.music.confidence
    lines = [
        f"Tempo: {heard:.1f} BPM heard, {asked:.1f} in the dance ({verdict}).",
        f"How sure the ear is of the music's beats: {sure:.2f}"
        + (" (unsure: what follows may be its error)" if sure < _UNSURE else ""),
    ]
    for each in score.scores:
        chance = "" if np.isnan(each.chance) else f" (other phases {each.chance:.2f})"
        value = "none" if np.isnan(each.value) else f"{each.value:.2f}"
        lines.append(f"{each.name[0].upper()}{each.name[1:]}: {value}{chance}")
    if score.off_beat:
        lines.append(_OFF_BEAT.format(way=score.meeting.way))
    return "\n".join(lines)


def _accents_of(dance: Rhythm, poses: PoseSequence | None) -> np.ndarray:
    """Times of the dance's accents, float64 [A]."""
    if poses is not None:
        return dance_accents(poses).stronger_than(STRONG_ACCENT).times_s
    curve = dance.accent
    apart = max(1, round(_APART_S * dance.fps))
    padded = np.pad(curve, 1)  # a peak may stand at an end
    peaks, _ = scipy.signal.find_peaks(padded, height=_PEAK, distance=apart, prominence=_PEAK / 2)
    return (peaks - 1) / dance.fps


def _near(
    name: str,
    accents_s: np.ndarray,
    hits_s: np.ndarray,
    dance: Rhythm,
    duration_s: float,
    turned: bool = False,
) -> Score:
    """Share of accents near a hit, or with `turned` of hits near an accent, and its control."""

    def share(accents: np.ndarray) -> float:
        return share_near(hits_s, accents) if turned else share_near(accents, hits_s)

    return Score(name, share(accents_s), _other_phases(share, accents_s, dance, duration_s))


def _alignment(poses: PoseSequence, music: Rhythm, dance: Rhythm, duration_s: float) -> list[Score]:
    """Beat alignment in both published forms, of the person who is there most."""
    person = int(poses.present.sum(0).argmax())
    scores = []
    forms: tuple[tuple[BasForm, str], ...] = (("aist++", "AIST++"), ("bailando", "Bailando"))
    for form, name in forms:
        moments = motion_beats(poses.world[:, person].astype(np.float64), poses.fps, form)

        at = partial(bas, moments, form=form)
        chance = _other_phases(at, music.beats_s, dance, duration_s)
        scores.append(Score(f"beat alignment ({name})", at(music.beats_s), chance))
    return scores


def _other_phases(
    share: Callable[[np.ndarray], float], times_s: np.ndarray, dance: Rhythm, duration_s: float
) -> float:
    """Mean of `share(times)` over evenly spread phases of the dance's beat."""
    if len(times_s) == 0:
        return float("nan")
    shifts = (np.arange(_ROTATIONS) + 0.5) / _ROTATIONS * 60 / dance.tempo_bpm
    return float(np.mean([share(phase_rotated(times_s, duration_s, shift)) for shift in shifts]))
