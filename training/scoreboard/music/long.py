"""Long music: does it hold to the end, and can one hear where windows join?

A drawn dance of a minute or more goes through pixels and MediaPipe like any other. Music is written
in windows (`d2m_core.music.sampling`); at every join the same things are measured as at moments that are
no joins, which are the control.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from d2m_core.music import SamplingConfig
from d2m_core.music.windows import plan_windows
from d2m_core.rhythm import rhythm_from_motion
from d2m_core.scores import Meeting, meeting_of
from d2m_core.styles import metre_of_style
from d2m_core.types import Waveform
from training.scoreboard.rhythm_sets import drawn_dance, read_back

from .controls import loop_s
from .making import Heard, Maker, hear
from .sets import SPREAD, Dance, SetOptions, dance_of, styles_for

LAST_S = 15.0
DANCE = 9
"""Number of the drawn dance: one of a middle tempo."""

_NEAR_S = 0.5
"""So far before and after a join one looks for it."""
_PHASE_S = 4.0
_EPS = 1e-12


@dataclass(frozen=True)
class Seams:
    """Means at the joins of windows, and at all other moments."""

    joins: int
    onsets_per_s: float
    onsets_per_s_elsewhere: float
    jump_db: float
    """Mean size of the change of level from the half second before to the one after."""
    jump_db_elsewhere: float
    phase_step_ms: float
    """Mean size of the change of the beats' offset from the grid, 4 s before to 4 s after."""
    phase_step_ms_elsewhere: float


@dataclass(frozen=True)
class LongScore:
    """A long dance and its music."""

    name: str
    seconds: float
    style: str
    asked: Meeting
    """How the beats heard meet those asked for."""
    asked_last: Meeting
    """In the last 15 s."""
    dance: Meeting
    """How they meet the dance's own."""
    dance_last: Meeting
    parts: tuple[Meeting, ...]
    """`asked` in each 15 s in turn."""
    steady: float
    """Share of the intervals between heard beats within 10 % of those asked for."""
    loop_s: float
    seams: Seams


def long_dance(seconds: float, options: SetOptions) -> Dance:
    """A drawn dance of so many seconds, read back by MediaPipe; its poses are kept."""
    truth = drawn_dance(DANCE, SPREAD, seconds)
    poses = read_back(truth, options.poses)
    name = f"long_{seconds:g}s_{truth.seed}"
    return dance_of(name, poses, truth.plan.beats_s, made=True, style=truth.plan.style)


def score_long(dance: Dance, maker: Maker, sampling: SamplingConfig) -> LongScore:
    """Writes music for a long dance and looks at its parts and joins."""
    models, seconds = maker.models, dance.duration_s
    config = models.model.model.config
    sampling = replace(sampling, style=styles_for([dance], config.styles)[0])
    metre = metre_of_style(sampling.style)
    rhythm = rhythm_from_motion(dance.motion, models.rhythm, metre=metre)
    take = maker.take(dance.name, dance.motion, rhythm, sampling, seconds)
    heard = hear(take.wave, take.kept)
    rate = models.model.spec.token_rate
    windows = plan_windows(take.codes.shape[1], models.model.spec, config.window_s, sampling.overlap_s)
    joins = [(window.first + window.known) / rate for window in windows[1:]]
    true_s = rhythm.beats_s if dance.beats_s is None else dance.beats_s
    edges = np.arange(0, seconds - LAST_S / 2, LAST_S)
    return LongScore(
        name=dance.name,
        seconds=round(seconds, 2),
        style=str(sampling.style),
        asked=meeting_of(rhythm.beats_s, heard.beats_s),
        asked_last=_between(rhythm.beats_s, heard.beats_s, seconds - LAST_S, seconds),
        dance=meeting_of(true_s, heard.beats_s),
        dance_last=_between(true_s, heard.beats_s, seconds - LAST_S, seconds),
        parts=tuple(_between(rhythm.beats_s, heard.beats_s, t, t + LAST_S) for t in edges),
        steady=steadiness(heard.beats_s, rhythm.beats_s),
        loop_s=loop_s(take),
        seams=seams(take.wave, heard, rhythm.beats_s, joins),
    )


def _between(reference_s: np.ndarray, found_s: np.ndarray, start_s: float, end_s: float) -> Meeting:
    """How beats meet in a stretch, found ones up to 70 ms outside it as well."""
    wanted = reference_s[(reference_s >= start_s) & (reference_s < end_s)]
    return meeting_of(wanted, found_s[(found_s >= start_s - 0.07) & (found_s < end_s + 0.07)])


def steadiness(heard_s: np.ndarray, asked_s: np.ndarray) -> float:
    """Share of the intervals between heard beats within 10 % of the interval asked for there."""
    if len(heard_s) < 2 or len(asked_s) < 2:
        return 0.0
    middles = (heard_s[1:] + heard_s[:-1]) / 2
    at = np.clip(np.searchsorted(asked_s, middles) - 1, 0, len(asked_s) - 2)
    wanted = np.diff(asked_s)[at]
    return float((np.abs(np.diff(heard_s) / wanted - 1) <= 0.1).mean())


def seams(wave: Waveform, heard: Heard, asked_s: np.ndarray, joins_s: Sequence[float]) -> Seams:
    """What is measured at the joins, and the same at moments half a second apart elsewhere."""
    moments = np.arange(_NEAR_S, wave.duration_s - _NEAR_S, _NEAR_S)
    joins = np.array(joins_s, np.float64)
    apart = np.abs(moments[:, None] - joins).min(1, initial=np.inf)
    elsewhere = moments[apart > 2 * _NEAR_S]
    pairs = [
        (
            _mean([of(wave, heard, asked_s, t) for t in joins]),
            _mean([of(wave, heard, asked_s, t) for t in elsewhere]),
        )
        for of in (_density, _jump_db, _phase_step_ms)
    ]
    return Seams(len(joins), *(value for pair in pairs for value in pair))


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _density(wave: Waveform, heard: Heard, asked_s: np.ndarray, at_s: float) -> float:
    return float((np.abs(heard.onsets_s - at_s) < _NEAR_S).sum() / (2 * _NEAR_S))


def _jump_db(wave: Waveform, heard: Heard, asked_s: np.ndarray, at_s: float) -> float:
    middle, size = round(at_s * wave.sample_rate), round(_NEAR_S * wave.sample_rate)
    sides = (wave.samples[..., max(0, middle - size) : middle], wave.samples[..., middle : middle + size])
    before, after = (10 * np.log10(float(side.square().mean()) + _EPS) for side in sides)
    return abs(after - before)


def _phase_step_ms(wave: Waveform, heard: Heard, asked_s: np.ndarray, at_s: float) -> float:
    """How far the heard beats shift against the grid from before to after a moment."""
    if len(asked_s) == 0:
        return float("nan")
    away = heard.beats_s - at_s
    sides = []
    for side in ((away >= -_PHASE_S) & (away < 0), (away >= 0) & (away < _PHASE_S)):
        beats = heard.beats_s[side]
        if len(beats) == 0:
            return float("nan")
        nearest = asked_s[np.abs(beats[:, None] - asked_s).argmin(1)]
        sides.append(float(np.median(beats - nearest)))
    return 1000 * abs(sides[1] - sides[0])


def long_markdown(scores: Sequence[LongScore]) -> str:
    """A line for each dance, and one for its joins."""
    lines = [
        "## long\n",
        "Drawn dances through pixels and MediaPipe; beat F and AMLt, in parts of 15 s too.\n",
    ]
    for score in scores:
        seam, parts = score.seams, "; ".join(map(str, score.parts))
        lines.append(
            f"- {score.seconds:g} s, {score.style}: rhythm-following {score.asked}; in the last 15 s "
            f"{score.asked_last} (parts: {parts}). Dance-following {score.dance}; in the last 15 s "
            f"{score.dance_last}. Steady intervals {score.steady:.3f}; longest token loop "
            f"{score.loop_s:.2f} s.\n"
            f"  {seam.joins} joins against elsewhere: onsets per second {seam.onsets_per_s:.2f} "
            f"({seam.onsets_per_s_elsewhere:.2f}), jump of level {seam.jump_db:.2f} dB "
            f"({seam.jump_db_elsewhere:.2f}), step of the beats' phase {seam.phase_step_ms:.1f} ms "
            f"({seam.phase_step_ms_elsewhere:.1f})."
        )
    return "\n".join(lines) + "\n\n"


def long_json(scores: Sequence[LongScore]) -> list[dict[str, Any]]:
    """The same as JSON."""
    return [asdict(score) for score in scores]
