"""Scores of beat grids found in dances, each beside grids that did not look at the dance.

A *case* is one dance or clip, a *grid* one answer to it. Every measure is taken of the network's
grid ("found") and of its controls:

- rotated: the found grid at 16 phases, spread over four beats;
- other clip: grids found in up to 16 other clips of the set, cut or continued to this one's length;
- metronome: a steady pulse at 16 phases that is told the reference's tempo (the found tempo where
  there is no reference);
- naive: no network; the same decoder on how hard all joints brake (`total_decel`);
- reference: the true beats themselves, for the measures of accents.

Where a case's clock is loose, the fit turns a rotated grid back and gives the metronome its phase:
beat F and continuity then tell of tempo and steadiness, and only "other clip" and "naive" are their
controls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace

import numpy as np
from tqdm import tqdm

from d2m_core.grid import steady_beats, tempo_of
from d2m_core.rhythm import RhythmNet, rhythm_from_motion
from d2m_core.rhythm.curves import BeatCurves
from d2m_core.rhythm.decoding import BeatGrid, decode_beats
from d2m_core.rhythm.refining import cover
from d2m_core.scores import beat_f, tempo_correct
from d2m_core.scores.metrics import continuity, eighths, phase_rotated, share_near
from d2m_core.types import METRE, MotionFeatures, metre_of_bars
from training.judges.clocks import fitted

from .cuts import Tempi

CONTROLS = ("rotated", "other clip", "metronome", "naive", "reference")
_PHASES = 16
_OTHERS = 16
_TOP_PERCENT = 95.0
"""The naive curve is 1 where this percentile lies."""


@dataclass(frozen=True, eq=False)
class Case:
    """One dance or clip to find the beats of."""

    name: str
    motion: MotionFeatures
    accents_s: np.ndarray
    """float64 [A]: the strong accents that one sees."""
    beats_s: np.ndarray | None = None
    """float64 [M], where a reference exists."""
    downbeats_s: np.ndarray | None = None
    loose: bool = False
    """Whether the reference's clock is only known up to an offset and a drift: every grid, controls
    as well, is then fitted to it before it is scored (never for accents or the tempo)."""
    pieces: Mapping[str, MotionFeatures] = field(default_factory=dict)
    """What is left of it after each cut of `training.scoreboard.cuts`."""
    heard: Tempi | None = None
    """The tempo of its song, whole and after the same cuts, where one was listened to."""

    @property
    def duration_s(self) -> float:
        return self.motion.duration_s


@dataclass(frozen=True)
class Measures:
    """What one grid scores, each 0..1; NaN where it cannot be said. Tolerance 70 ms."""

    beat_f: float = np.nan
    cmlt: float = np.nan
    amlt: float = np.nan
    tempo: float = np.nan
    """1 where the tempo is within 4 %."""
    tempo_octaves: float = np.nan
    """As `tempo`; double, triple, half and third count as well."""
    downbeat_f: float = np.nan
    on_beat: float = np.nan
    """Share of accents on a beat of the grid."""
    on_eighth: float = np.nan
    """Share of accents on a beat or halfway between two."""
    beats_hit: float = np.nan
    """Share of the grid's beats that carry an accent."""


@dataclass(frozen=True)
class CaseScore:
    """All that was measured of one case."""

    name: str
    tempo_bpm: float
    """The reference's; NaN without one."""
    found_bpm: float
    confidence: float
    accents: int
    found: Measures
    controls: dict[str, Measures]
    """One per name in `CONTROLS`."""
    cut_bpm: dict[str, float] = field(default_factory=dict)
    """The tempo found after each cut."""
    heard: Tempi | None = None
    """The song's, whole and after the same cuts."""


def score_cases(cases: Sequence[Case], net: RhythmNet) -> list[CaseScore]:
    """Finds the beats of all cases and scores them, with the controls."""
    grids = [found_grid(case, net) for case in tqdm(cases, desc="finding", unit="clip")]
    numbered = enumerate(tqdm(cases, desc="scoring", unit="clip"))
    return [
        replace(score_case(case, grids[k], _others(grids, k)), cut_bpm=cut_tempi(case, net), heard=case.heard)
        for k, case in numbered
    ]


def cut_tempi(case: Case, net: RhythmNet) -> dict[str, float]:
    """The tempo in BPM that is found after each cut."""
    return {name: rhythm_from_motion(piece, net).tempo_bpm for name, piece in case.pieces.items()}


def found_grid(case: Case, net: RhythmNet) -> BeatGrid:
    """The network's grid."""
    rhythm = rhythm_from_motion(case.motion, net)
    return BeatGrid(rhythm.beats_s, rhythm.downbeats, rhythm.tempo_bpm, rhythm.confidence)


def naive_grid(motion: MotionFeatures) -> BeatGrid:
    """The decoder's grid where summed joint speed falls fastest; no network."""
    braking = motion.values[:, motion.names.index("total_decel")]
    top = max(float(np.percentile(braking, _TOP_PERCENT)), 1e-6)
    return decode_beats(BeatCurves(np.clip(braking / top, 0.0, 1.0)), motion.fps)


def score_case(case: Case, found: BeatGrid, others: Sequence[BeatGrid]) -> CaseScore:
    """One case with its controls; `others` are the grids of other clips."""
    tempo = np.nan if case.beats_s is None else tempo_of(case.beats_s)
    told = found.tempo_bpm if np.isnan(tempo) else tempo
    duration_s = case.duration_s
    turns = np.arange(_PHASES)
    shifts = (turns + 0.5) / _PHASES + turns % METRE  # in beats
    controls = {
        "rotated": [_rotated(found, duration_s, s * 60 / found.tempo_bpm) for s in shifts],
        "other clip": [carried(other, duration_s) for other in others],
        "metronome": [_metronome(told, duration_s, shift) for shift in shifts],
        "naive": [naive_grid(case.motion)],
    }
    means = {name: _mean([measure(g, case) for g in grids]) for name, grids in controls.items()}
    means["reference"] = _of_reference(case)
    return CaseScore(
        case.name, tempo, found.tempo_bpm, found.confidence, len(case.accents_s), measure(found, case), means
    )


def measure(grid: BeatGrid, case: Case) -> Measures:
    """All measures of one grid."""
    on_beat, on_eighth, hit = accent_measures(grid.beats_s, case.accents_s)
    if case.beats_s is None:
        return Measures(on_beat=on_beat, on_eighth=on_eighth, beats_hit=hit)
    reference, tempo = case.beats_s, tempo_of(case.beats_s)
    beats = fitted(grid.beats_s, reference) if case.loose else grid.beats_s
    kept = continuity(reference, beats)
    down = case.downbeats_s
    return Measures(
        beat_f(reference, beats),
        kept.cmlt,
        kept.amlt,
        float(tempo_correct(tempo, grid.tempo_bpm)),
        float(tempo_correct(tempo, grid.tempo_bpm, octaves=True)),
        np.nan if down is None else beat_f(down, beats[grid.downbeats]),
        on_beat,
        on_eighth,
        hit,
    )


def accent_measures(beats_s: np.ndarray, accents_s: np.ndarray) -> tuple[float, float, float]:
    """Shares of accents on a beat and on an eighth, and of beats with an accent."""
    return (
        share_near(accents_s, beats_s),
        share_near(accents_s, eighths(beats_s)),
        share_near(beats_s, accents_s),
    )


def carried(grid: BeatGrid, duration_s: float) -> BeatGrid:
    """A grid cut or continued to another length, its bars as well."""
    beats = cover(grid.beats_s, duration_s)
    starts = np.flatnonzero(grid.downbeats)
    metre = metre_of_bars(grid.downbeats) or METRE
    first = int(starts[0]) if len(starts) else 0
    added = int((beats < grid.beats_s[0] - 1e-9).sum()) if len(grid.beats_s) else 0
    downbeats = (np.arange(len(beats)) - added - first) % metre == 0
    return BeatGrid(beats, downbeats, grid.tempo_bpm, grid.confidence)


def _others(grids: Sequence[BeatGrid], index: int) -> list[BeatGrid]:
    """Grids of up to `_OTHERS` other clips, spread evenly over the set."""
    count = len(grids)
    if count < 2:
        return []
    steps = np.unique(np.linspace(1, count - 1, min(_OTHERS, count - 1)).round().astype(int))
    return [grids[(index + step) % count] for step in steps]


def _rotated(grid: BeatGrid, duration_s: float, shift_s: float) -> BeatGrid:
    moved = (grid.beats_s + shift_s) % duration_s
    beats = phase_rotated(grid.beats_s, duration_s, shift_s)
    return BeatGrid(beats, grid.downbeats[np.argsort(moved)], grid.tempo_bpm, grid.confidence)


def _metronome(tempo_bpm: float, duration_s: float, shift: float) -> BeatGrid:
    """A steady pulse, a bar of four starting `shift` beats after the clip."""
    beats = steady_beats(tempo_bpm, duration_s, shift * 60 / tempo_bpm)
    downbeats = (np.arange(len(beats)) - int(shift)) % METRE == 0
    return BeatGrid(beats, downbeats, tempo_bpm, 0.0)


def _of_reference(case: Case) -> Measures:
    if case.beats_s is None or case.loose:
        return Measures()
    on_beat, on_eighth, hit = accent_measures(case.beats_s, case.accents_s)
    return Measures(on_beat=on_beat, on_eighth=on_eighth, beats_hit=hit)


def _mean(scores: Sequence[Measures]) -> Measures:
    if not scores:
        return Measures()
    return Measures(*(float(value) for value in np.mean([astuple(s) for s in scores], axis=0)))
