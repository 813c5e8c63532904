"""Two builds on the same dances: what each scores, the band beside them, and the band through codecs."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.codec import Codec, decode_tokens, encode_audio
from d2m_core.media import to_mono
from d2m_core.music import SamplingConfig, decode_music, generate_tokens
from d2m_core.types import AudioTokens, Waveform
from training.figures.bootstrap import mean_interval
from training.figures.tables import markdown_row, number
from training.judges.ears import ears_figures
from training.judges.sound import frechet_distance
from training.judges.style import StyleJudge

from .controls import Scores, sound
from .making import Maker
from .report import FAD, LABELS
from .scores import Case, CaseScore, agrees, bars_of, make_cases, pulse_of, score_cases
from .sets import Dance

TODAY, NEW, BAND = "today", "new", "band"

ROUNDS = 3
"""So often each build writes the first dance, in turn, to be timed."""


@dataclass(frozen=True)
class Bar:
    """What the new build must reach in one measure."""

    name: str
    """As in `LABELS`, or `FAD`."""
    least: float = -math.inf
    most: float = math.inf
    no_worse: float = 0.0
    """Direction in which it must not fall behind today's: 1 up, -1 down, 0 does not matter."""
    of_today: float = math.inf
    """At most this share of today's."""
    way: float = 0.0
    """At least this share of the way from today's to the band's own."""


BARS = (
    Bar("asked_f", no_worse=1), Bar("dance_f", no_worse=1), Bar("style", least=0.90),
    Bar("accents_met", least=0.78), Bar("token_agreement", most=0.05), Bar("loop_s", no_worse=-1),
    Bar("bars_apart_db", way=0.5), Bar(FAD, of_today=0.5), Bar("notes_in_key", way=0.8),
    Bar("clear_tones_db", way=0.8), Bar("between_hits_db", way=0.8), Bar("seconds", of_today=1.0),
)  # fmt: skip
"""What is asked of music on a straight grid before it ships."""


@dataclass(frozen=True, eq=False)
class Build:
    """A build and what it scored: one entry for each dance and seed."""

    maker: Maker
    scores: list[CaseScore]


def build_scores(
    dances: Sequence[Dance], maker: Maker, seeds: Sequence[int], judge: StyleJudge, name: str
) -> Build:
    """Music of one build for all dances and seeds, scored."""
    found: list[CaseScore] = []
    for seed in seeds:
        cases = make_cases(dances, maker, SamplingConfig(seed=seed), f"{name}, seed {seed}")
        found += score_cases(cases, judge)
    return Build(maker, found)


def seconds_of(builds: Mapping[str, Build]) -> dict[str, float]:
    """Seconds of the processor that a second of music takes, from rhythm to sound: the quickest of `ROUNDS`
    turns of each build."""
    found: dict[str, list[float]] = {name: [] for name in builds}
    for _ in range(ROUNDS):
        for name, build in builds.items():
            case, models = build.scores[0].case, build.maker.models
            begun_s = time.process_time()
            tokens = generate_tokens(
                models.model, case.dance.motion, case.rhythm, models.codec.spec,
                SamplingConfig(style=case.style), duration_s=case.duration_s,
            )  # fmt: skip
            decode_music(models.codec, tokens, case.duration_s)
            found[name].append((time.process_time() - begun_s) / case.duration_s)
    return {name: min(times) for name, times in found.items()}


@torch.no_grad()
def through(codec: Codec, wave: Waveform, books: int, finish: bool) -> Waveform:
    """Music through a codec, with so many codebooks; mixed to one channel, as all that is scored."""
    tokens = encode_audio(codec, wave)
    fewer = AudioTokens(tokens.codes[:, :books], replace(tokens.codec, codebooks=books))
    return to_mono(decode_tokens(codec, fewer, wave.duration_s, finish=finish))


def band_through(
    cases: Sequence[Case], codec: Codec, books: int, finish: bool, judge: StyleJudge, folder: Path, name: str
) -> list[tuple[Scores, np.ndarray]]:
    """Figures and embeddings of each dance's soundtrack through a codec."""
    found = []
    for case in tqdm([c for c in cases if c.dance.soundtrack is not None], desc=name, unit="dance"):
        assert case.dance.soundtrack is not None
        wave = through(codec, case.dance.soundtrack, books, finish)
        pulse = pulse_of(case, "soundtrack")
        figures = sound(wave) | ears_figures(wave, folder) | {"bars_apart_db": bars_of(wave, pulse)}
        if case.dance.made:
            figures["style"] = agrees(judge, wave, pulse, case.dance.style)
        found.append((figures, judge.embed(wave, pulse)))
    return found


# --- figures ---


def values_of(scores: Sequence[CaseScore], column: str, measure: str) -> np.ndarray:
    return np.array([score.columns[column].get(measure, np.nan) for score in scores])


def distance(windows: Sequence[np.ndarray], judge: StyleJudge) -> float:
    """Fréchet distance of embeddings to studio music; NaN of none."""
    if sum(map(len, windows)) < 2:
        return math.nan
    all_of_them = np.concatenate(list(windows))
    spread = np.cov(all_of_them, rowvar=False)
    return frechet_distance(all_of_them.mean(0), spread, judge.mean, judge.covariance)


def compared(
    builds: Mapping[str, Build],
    coded: Mapping[str, list[tuple[Scores, np.ndarray]]],
    seconds: Mapping[str, float],
    judge: StyleJudge,
) -> dict[str, Any]:
    """Of each measure: every column's mean, and the paired difference of the builds with its interval."""
    found: dict[str, Any] = {}
    some = builds[NEW].scores
    for measure in LABELS:
        parts = {name: values_of(build.scores, "music", measure) for name, build in builds.items()}
        parts[BAND] = values_of(some, "soundtrack", measure)
        for name, rows in coded.items():
            parts[name] = np.array([figures.get(measure, np.nan) for figures, _ in rows])
        if np.isnan(parts[NEW]).all():
            continue
        row: dict[str, Any] = {name: _mean(values) for name, values in parts.items()}
        if len(parts[NEW]) == len(parts[TODAY]):
            apart = mean_interval(parts[NEW] - parts[TODAY])
            row["difference"] = {"mean": apart.mean, "low": apart.low, "high": apart.high}
        found[measure] = row
    columns = {name: [s.embeddings["music"] for s in build.scores] for name, build in builds.items()}
    columns[BAND] = [s.embeddings["soundtrack"] for s in some if "soundtrack" in s.embeddings]
    columns |= {name: [windows for _, windows in rows] for name, rows in coded.items()}
    found[FAD] = {name: distance(windows, judge) for name, windows in columns.items()}
    found["seconds"] = dict(seconds)
    return found


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def judged(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each of `BARS`: what is asked, the figures, and whether it is reached; None where nobody can say."""
    return [_judge(bar, figures.get(bar.name, {})) for bar in BARS]


def _judge(bar: Bar, row: Mapping[str, Any]) -> dict[str, Any]:
    today, new, band = (row.get(name, math.nan) for name in (TODAY, NEW, BAND))
    asked, reached, way = "", None, math.nan
    if bar.way:
        way = (new - today) / (band - today) if band != today else math.nan
        asked, reached = f"{bar.way:.0%} of the way to the band", way >= bar.way
        known = not math.isnan(way)
    else:
        known = not math.isnan(new)
        if bar.no_worse:
            asked, reached = "not behind today", (new - today) * bar.no_worse >= -1e-9
            known = known and not math.isnan(today)
        elif bar.of_today < math.inf:
            asked, reached = f"at most {bar.of_today:g} of today", new <= bar.of_today * today
            known = known and not math.isnan(today)
        else:
            asked = f"at least {bar.least:g}" if bar.least > -math.inf else f"at most {bar.most:g}"
            reached = bar.least <= new <= bar.most
    label = LABELS.get(bar.name, bar.name)
    found = {"measure": label, "asked": asked, TODAY: today, NEW: new, BAND: band, "way": way}
    return {**found, "reached": bool(reached) if known else None}


# --- text ---


def figures_markdown(figures: Mapping[str, Any], columns: Sequence[str]) -> str:
    """The table of all measures."""
    lines = [markdown_row(["measure", *columns, "new - today, 95 %"])]
    lines.append(markdown_row(["---"] * (len(columns) + 2)))
    for name, row in figures.items():
        apart = row.get("difference")
        span = "-" if apart is None else f"{number(apart['low'])} .. {number(apart['high'])}"
        label = LABELS.get(name, "seconds of work per second" if name == "seconds" else name)
        lines.append(markdown_row([label, *(number(row.get(c)) for c in columns), span]))
    return "\n".join(lines) + "\n\n"


def bars_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table of what is asked."""
    names = ("measure", "asked", TODAY, NEW, BAND, "way", "reached")
    said = {True: "yes", False: "no", None: "-"}
    lines = [markdown_row(names), markdown_row(["---"] * len(names))]
    for row in rows:
        numbers = [number(row[name]) for name in (TODAY, NEW, BAND, "way")]
        lines.append(markdown_row([row["measure"], row["asked"], *numbers, said[row["reached"]]]))
    return "\n".join(lines) + "\n\n"
