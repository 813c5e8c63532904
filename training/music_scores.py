"""What music scores against a dance, and what the controls score that did not follow it.

Columns of every table:

- music: written for the dance;
- shuffled: the same music against other dances of the set, the mean over up to four;
- metronome 120: clicks at 120 BPM, the mean over eight phases;
- unconditioned: the model's music without dance, rhythm and style;
- steady grid: clicks on the steady grid that fits the dance best, an oracle: its true beats where a
  program made it, else its visible accents;
- soundtrack: the song that it was danced to; for made dances what the studio's band plays on their
  plan, which no music that has to guess the plan can pass.

Clicks are not tracked: their beats and onsets are what was clicked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from d2m_core.config import SamplingConfig
from d2m_core.grid import steady_beats
from d2m_core.metrics import (
    TOLERANCE_S,
    bas,
    bcs_bhs,
    beat_f,
    continuity,
    share_near,
    tempo_correct,
)
from d2m_core.metrics_sound import (
    clipped_share,
    cosine_distance,
    longest_loop_s,
    loudness_lufs,
    silent_pieces,
    silent_share,
    token_agreement,
)
from d2m_core.rhythm import rhythm_from_motion
from d2m_core.types import Rhythm, Waveform
from training.clock_fit import fitted
from training.music_make import Heard, Maker, Take, clicks, hear
from training.music_sets import Dance, spread, styles_for
from training.style_classifier import StyleJudge

COLUMNS = ("music", "shuffled", "metronome 120", "unconditioned", "steady grid", "soundtrack")
"""The music and its controls."""

METRONOME_BPM = 120.0
_PHASES, _OTHERS = 8, 4
_AGAIN_SEED = 1000
"""The second piece for a dance has its first seed and so much more."""
_GRID_BPM, _GRID_PHASES = np.arange(60.0, 180.25, 0.5), 24

Scores = dict[str, float]
"""Measure -> value; NaN where it cannot be said."""


@dataclass(frozen=True, eq=False)
class Case:
    """A dance with all music for it, and what was heard."""

    dance: Dance
    rhythm: Rhythm
    """What was asked for."""
    style: str
    """The style that was asked for."""
    take: Take
    again: Take
    """Another seed."""
    free: Take
    """Without dance, rhythm and style."""
    heard: Heard
    heard_free: Heard
    heard_song: Heard | None

    @property
    def duration_s(self) -> float:
        return self.dance.duration_s


@dataclass(frozen=True, eq=False)
class CaseScore:
    """All figures of one dance: `columns[column][measure]`, and the windows' embeddings."""

    case: Case
    columns: dict[str, Scores]
    embeddings: dict[str, np.ndarray]
    """float64 [windows, 32] of each column that has sound."""


def make_cases(
    dances: Sequence[Dance], maker: Maker, sampling: SamplingConfig, name: str
) -> list[Case]:
    """Writes all music of a set and listens to it."""
    styles = styles_for(dances, maker.models.model.model.config.styles)
    cases = []
    for number, dance in enumerate(tqdm(dances, desc=f"{name}: music", unit="dance")):
        rhythm = rhythm_from_motion(dance.motion, maker.models.rhythm)
        config = replace(sampling, seed=sampling.seed + number, style=styles[number])
        other = replace(config, seed=config.seed + _AGAIN_SEED)
        plain = replace(config, guidance=1.0, style=None, candidates=1)
        seconds = dance.duration_s
        take = maker.take(dance.name, dance.motion, rhythm, config, seconds)
        again = maker.take(f"{dance.name}_again", dance.motion, rhythm, other, seconds)
        free = maker.take("free", None, None, plain, seconds)
        song = dance.soundtrack
        song_kept = maker.folder / f"song_{name}_{dance.name}_{seconds:g}s"
        cases.append(
            Case(
                dance, rhythm, styles[number], take, again, free, hear(take.wave, take.kept),
                hear(free.wave, free.kept), None if song is None else hear(song, song_kept),
            )
        )  # fmt: skip
    return cases


def score_cases(cases: Sequence[Case], judge: StyleJudge) -> list[CaseScore]:
    """All columns of all dances."""
    numbered = enumerate(tqdm(cases, desc="scoring", unit="dance"))
    return [_score(case, _others(cases, number), judge) for number, case in numbered]


def _others(cases: Sequence[Case], number: int) -> list[Case]:
    """Up to four other dances, evenly spread over the set."""
    steps = spread(len(cases) - 1, _OTHERS) if len(cases) > 1 else []
    return [cases[(number + 1 + step) % len(cases)] for step in steps]


def _score(case: Case, others: Sequence[Case], judge: StyleJudge) -> CaseScore:
    song, grid = case.dance.soundtrack, best_steady_grid(_target(case.dance), case.duration_s)
    columns = {
        "music": timing(case.heard, case),
        "shuffled": mean_of([_against(case, other) for other in others]),
        "metronome 120": mean_of([timing(_clicked(t), case) for t in _metronomes(case.duration_s)]),
        "unconditioned": timing(case.heard_free, case),
        "steady grid": timing(_clicked(grid), case),
        "soundtrack": {} if case.heard_song is None else timing(case.heard_song, case),
    }
    sounds = {"music": case.take.wave, "unconditioned": case.free.wave}
    if song is not None:
        sounds["soundtrack"] = song
    embeddings = {name: judge.embed(wave) for name, wave in sounds.items()}
    embeddings["metronome 120"] = judge.embed(
        clicks(next(iter(_metronomes(case.duration_s))), case.duration_s)
    )
    columns["music"] |= _of_takes(case.take, case.again, judge)
    columns["shuffled"] |= mean_of([_of_takes(case.take, other.take, judge) for other in others])
    for name, wave in sounds.items():
        columns[name] |= sound(wave) | {"style": _agrees(judge, wave, _wanted(case, name))}
    columns["music"]["loop_s"] = loop_s(case.take)
    columns["unconditioned"]["loop_s"] = loop_s(case.free)
    said = judge.style_of(case.take.wave)
    columns["shuffled"]["style"] = float(
        np.mean([said == other.style for other in others] or [np.nan])
    )
    return CaseScore(case, columns, embeddings)


def _wanted(case: Case, column: str) -> str | None:
    """The style that a column's sound should have; real songs have none that the studio knows."""
    if column != "soundtrack":
        return case.style
    return case.dance.style if case.dance.made else None


def _agrees(judge: StyleJudge, wave: Waveform, wanted: str | None) -> float:
    return float(judge.style_of(wave) == wanted) if wanted in judge.styles else np.nan


# --- time ---


def timing(heard: Heard, case: Case) -> Scores:
    """Every measure of when things sound."""
    return {**_following(heard, case), **_dancing(heard, case), **_in_bins(heard, case)}


def _following(heard: Heard, case: Case) -> Scores:
    """Against the rhythm asked for."""
    wanted = case.rhythm.beats_s
    kept = continuity(wanted, heard.beats_s)
    right, free = (_tempo(case.rhythm.tempo_bpm, heard, octaves) for octaves in (False, True))
    return {
        "asked_f": beat_f(wanted, heard.beats_s), "asked_cmlt": kept.cmlt, "asked_amlt": kept.amlt,
        "asked_tempo": right, "asked_octaves": free,
    }  # fmt: skip


def _dancing(heard: Heard, case: Case) -> Scores:
    """Against the dance's true beats, or its song's, and against what one sees."""
    dance, beats = case.dance, heard.beats_s
    slow = dance.motion_beats_s
    scores = {
        "accents_met": share_near(dance.accents_s, heard.onsets_s),
        "onsets_met": share_near(heard.onsets_s, dance.accents_s),
        "bas_aist": bas(slow["aist++"], beats, "aist++"),
        "bas_bailando": bas(slow["bailando"], beats, "bailando"),
    }
    if dance.beats_s is not None:
        moved = fitted(beats, dance.beats_s) if dance.loose else beats
        kept = continuity(dance.beats_s, moved)
        true_bpm = Heard(dance.beats_s, dance.beats_s).tempo_bpm
        scores |= {
            "dance_f": beat_f(dance.beats_s, moved), "dance_cmlt": kept.cmlt,
            "dance_amlt": kept.amlt, "dance_tempo": _tempo(true_bpm, heard, False),
            "dance_octaves": _tempo(true_bpm, heard, True),
        }  # fmt: skip
    return scores


def _in_bins(heard: Heard, case: Case) -> Scores:
    """Against the soundtrack's onsets and tempo: the published forms."""
    song = case.heard_song
    if song is None:
        return {}
    seconds, hits = case.duration_s, heard.onsets_s
    gan = bcs_bhs(song.onsets_s, hits, seconds, "d2m-gan")
    loris = bcs_bhs(song.onsets_s, hits, seconds, "loris")
    fine = bcs_bhs(song.onsets_s, hits, seconds, "loris", bin_s=0.2)
    return {
        "bcs_gan": gan.bcs, "bcs_loris": loris.bcs, "bhs_loris": loris.bhs, "bcs_5hz": fine.bcs,
        "bhs_5hz": fine.bhs, "td_bpm": abs(heard.tempo_bpm - song.tempo_bpm),
    }  # fmt: skip


def _tempo(wanted_bpm: float, heard: Heard, octaves: bool) -> float:
    return float(tempo_correct(wanted_bpm, heard.tempo_bpm, octaves=octaves))


def _against(case: Case, other: Case) -> Scores:
    """The music of one dance against another, as far as both last."""
    return timing(case.heard.until(other.duration_s), other)


def _clicked(times_s: np.ndarray) -> Heard:
    return Heard(times_s, times_s)


def _metronomes(duration_s: float) -> list[np.ndarray]:
    period_s = 60 / METRONOME_BPM
    return [steady_beats(METRONOME_BPM, duration_s, period_s * n / _PHASES) for n in range(_PHASES)]


def _target(dance: Dance) -> np.ndarray:
    return dance.beats_s if dance.made and dance.beats_s is not None else dance.accents_s


def best_steady_grid(times_s: np.ndarray, duration_s: float) -> np.ndarray:
    """Of all steady grids of 60 to 180 BPM the one with the best F against `times_s`.

    A time counts once it lies within 70 ms of the grid. Without times, a metronome.
    """
    times_s = np.asarray(times_s, np.float64)
    if len(times_s) == 0:
        return steady_beats(METRONOME_BPM, duration_s)
    best, grid = -1.0, times_s
    for tempo in _GRID_BPM:
        period = 60 / tempo
        firsts = np.arange(_GRID_PHASES) / _GRID_PHASES * period
        away = np.abs((times_s - firsts[:, None] + period / 2) % period - period / 2)
        hits = (away <= TOLERANCE_S).sum(1)
        number = int(hits.argmax())
        found = steady_beats(tempo, duration_s, float(firsts[number]))
        score = 2 * hits[number] / (len(times_s) + len(found))
        if score > best:
            best, grid = score, found
    return grid


# --- sound ---


def sound(wave: Waveform) -> Scores:
    """Level and faults."""
    return {
        "lufs": loudness_lufs(wave), "clipped": clipped_share(wave), "silent": silent_share(wave)
    }  # fmt: skip


def loop_s(take: Take) -> float:
    """The longest stuck loop of tokens that one can hear."""
    steps = take.codes.shape[1]
    rate = steps / take.wave.duration_s
    pieces = ~silent_pieces(take.wave)
    at = np.minimum((np.arange(steps) / rate * 10).astype(int), len(pieces) - 1)
    return longest_loop_s(take.codes, rate, pieces[at])


def _of_takes(one: Take, other: Take, judge: StyleJudge) -> Scores:
    """How alike two pieces are."""
    apart = cosine_distance(judge.embed(one.wave).mean(0), judge.embed(other.wave).mean(0))
    return {"token_agreement": token_agreement(one.codes, other.codes), "apart": apart}


def mean_of(scores: Sequence[Mapping[str, float]]) -> Scores:
    """Mean of each measure over the scores that have it; nothing where there are none."""
    names = dict.fromkeys(name for each in scores for name in each)
    known: Callable[[str], list[float]] = lambda name: [  # noqa: E731
        each[name] for each in scores if name in each and not np.isnan(each[name])
    ]
    return {name: float(np.mean(known(name) or [np.nan])) for name in names}
