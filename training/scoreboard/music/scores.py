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

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from d2m_core.music import SamplingConfig
from d2m_core.rhythm import rhythm_from_motion
from d2m_core.scores import beat_f, tempo_correct
from d2m_core.scores.metrics import bas, bcs_bhs, continuity, share_near
from d2m_core.styles import metre_of_style
from d2m_core.types import Rhythm, Waveform
from training.judges.clocks import fitted
from training.judges.ears import ears_figures
from training.judges.sound import bars_apart_db, cosine_distance, token_agreement
from training.judges.style import StyleJudge
from training.judges.style_spectra import Pulse

from .controls import Scores, best_steady_grid, loop_s, mean_of, metronomes, sound
from .making import Heard, Maker, Take, clicks, hear
from .sets import Dance, spread, styles_for

COLUMNS = ("music", "shuffled", "metronome 120", "unconditioned", "steady grid", "soundtrack")
"""The music and its controls."""

_OTHERS = 4
_AGAIN_SEED = 1000
"""The second piece for a dance has its first seed and so much more."""


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


def make_cases(dances: Sequence[Dance], maker: Maker, sampling: SamplingConfig, name: str) -> list[Case]:
    """Writes all music of a set and listens to it."""
    styles = styles_for(dances, maker.models.model.model.config.styles)
    cases = []
    for number, dance in enumerate(tqdm(dances, desc=f"{name}: music", unit="dance")):
        metre = metre_of_style(styles[number])
        rhythm = rhythm_from_motion(dance.motion, maker.models.rhythm, metre=metre)
        config = replace(sampling, seed=sampling.seed + number, style=styles[number])
        other = replace(config, seed=config.seed + _AGAIN_SEED)
        plain = replace(config, guidance=1.0, style=None, candidates=1)
        seconds = dance.duration_s
        take = maker.take(dance.name, dance.motion, rhythm, config, seconds)
        again = maker.take(dance.name, dance.motion, rhythm, other, seconds)
        free = maker.take("free", None, None, plain, seconds)
        song = dance.soundtrack
        song_kept = maker.folder / f"song_{name}_{dance.name}_{seconds:g}s"
        cases.append(
            Case(
                dance,
                rhythm,
                styles[number],
                take,
                again,
                free,
                hear(take.wave, take.kept),
                hear(free.wave, free.kept),
                None if song is None else hear(song, song_kept),
            )
        )
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
        "metronome 120": mean_of([timing(_clicked(t), case) for t in metronomes(case.duration_s)]),
        "unconditioned": timing(case.heard_free, case),
        "steady grid": timing(_clicked(grid), case),
        "soundtrack": {} if case.heard_song is None else timing(case.heard_song, case),
    }
    sounds = {"music": case.take.wave, "unconditioned": case.free.wave}
    if song is not None:
        sounds["soundtrack"] = song
    embeddings = {name: judge.embed(wave, pulse_of(case, name)) for name, wave in sounds.items()}
    beats = metronomes(case.duration_s)[0]
    embeddings["metronome 120"] = judge.embed(clicks(beats, case.duration_s), Pulse(beats))
    columns["music"] |= _of_takes(case, case.again, case, judge)
    columns["shuffled"] |= mean_of([_of_takes(case, each.take, each, judge) for each in others])
    for name, wave in sounds.items():
        wanted, pulse = _wanted(case, name), pulse_of(case, name)
        columns[name] |= sound(wave) | ears_figures(wave, case.take.kept.parent)
        columns[name] |= {"style": agrees(judge, wave, pulse, wanted), "bars_apart_db": bars_of(wave, pulse)}
    columns["music"]["loop_s"] = loop_s(case.take)
    columns["unconditioned"]["loop_s"] = loop_s(case.free)
    said, asked = judge.style_of(case.take.wave, pulse_of(case)), [other.style for other in others]
    columns["shuffled"]["style"] = float(np.mean([said == a for a in asked])) if asked else np.nan
    return CaseScore(case, columns, embeddings)


def _wanted(case: Case, column: str) -> str | None:
    """The style that a column's sound should have; real songs have none that the studio knows."""
    if column != "soundtrack":
        return case.style
    return case.dance.style if case.dance.made else None


def pulse_of(case: Case, column: str = "music") -> Pulse:
    """What a column is heard on: the beats asked for, a soundtrack on the beats it has."""
    dance = case.dance
    if column == "soundtrack" and dance.beats_s is not None:
        return Pulse(dance.beats_s, dance.downbeats)
    return Pulse(case.rhythm.beats_s, case.rhythm.downbeats)


def bars_of(wave: Waveform, pulse: Pulse) -> float:
    """How far bars are apart; where nobody knows where they begin, every fourth beat."""
    if pulse.downbeats is None or not pulse.downbeats.any():
        return bars_apart_db(wave, pulse.beats_s[::4])
    return bars_apart_db(wave, pulse.beats_s[pulse.downbeats])


def agrees(judge: StyleJudge, wave: Waveform, pulse: Pulse, wanted: str | None) -> float:
    """1 where a piece is heard as the style `wanted`, else 0; NaN for one that the judge does not know."""
    return float(judge.style_of(wave, pulse) == wanted) if wanted in judge.styles else np.nan


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
        "asked_f": beat_f(wanted, heard.beats_s),
        "asked_cmlt": kept.cmlt,
        "asked_amlt": kept.amlt,
        "asked_tempo": right,
        "asked_octaves": free,
    }


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
            "dance_f": beat_f(dance.beats_s, moved),
            "dance_cmlt": kept.cmlt,
            "dance_amlt": kept.amlt,
            "dance_tempo": _tempo(true_bpm, heard, False),
            "dance_octaves": _tempo(true_bpm, heard, True),
        }
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
        "bcs_gan": gan.bcs,
        "bcs_loris": loris.bcs,
        "bhs_loris": loris.bhs,
        "bcs_5hz": fine.bcs,
        "bhs_5hz": fine.bhs,
        "td_bpm": abs(heard.tempo_bpm - song.tempo_bpm),
    }


def _tempo(wanted_bpm: float, heard: Heard, octaves: bool) -> float:
    return float(tempo_correct(wanted_bpm, heard.tempo_bpm, octaves=octaves))


def _against(case: Case, other: Case) -> Scores:
    """The music of one dance against another, as far as both last."""
    return timing(case.heard.until(other.duration_s), other)


def _clicked(times_s: np.ndarray) -> Heard:
    return Heard(times_s, times_s)


def _target(dance: Dance) -> np.ndarray:
    return dance.beats_s if dance.made and dance.beats_s is not None else dance.accents_s


# --- sound ---


def _of_takes(case: Case, other: Take, its: Case, judge: StyleJudge) -> Scores:
    """How alike the music of a case and another piece are, which was made for the case `its`."""
    one = judge.embed(case.take.wave, pulse_of(case)).mean(0)
    apart = cosine_distance(one, judge.embed(other.wave, pulse_of(its)).mean(0))
    return {"token_agreement": token_agreement(case.take.codes, other.codes), "apart": apart}
