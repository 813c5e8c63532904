"""Scores of music as means, deviations and intervals: Markdown tables, and all of it as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from d2m_core.scores.metrics import bin_f1
from training.figures.bootstrap import Interval, draws, mean_interval
from training.figures.tables import markdown_row, number, plain
from training.judges.sound import frechet_distance
from training.judges.style import EMBEDDING, StyleJudge

from .scores import COLUMNS, CaseScore

LABELS = {
    "asked_f": "rhythm-following: beat F",
    "asked_cmlt": "rhythm-following: CMLt",
    "asked_amlt": "rhythm-following: AMLt",
    "asked_tempo": "rhythm-following: tempo within 4 %",
    "asked_octaves": "rhythm-following: tempo, octaves free",
    "dance_f": "dance-following: beat F",
    "dance_cmlt": "dance-following: CMLt",
    "dance_amlt": "dance-following: AMLt",
    "dance_tempo": "dance-following: tempo within 4 %",
    "dance_octaves": "dance-following: tempo, octaves free",
    "accents_met": "visible accents with an onset",
    "onsets_met": "onsets with a visible accent",
    "bas_aist": "BAS (AIST++)",
    "bas_bailando": "BAS (Bailando)",
    "bcs_gan": "BCS, 1 s, D2M-GAN",
    "bcs_loris": "BCS, 1 s, LORIS",
    "bhs_loris": "BHS, 1 s, both",
    "bcs_5hz": "BCS, 5 Hz",
    "bhs_5hz": "BHS, 5 Hz",
    "td_bpm": "TD, BPM",
    "style": "style heard as asked",
    "token_agreement": "tokens equal to another seed's",
    "apart": "embedding distance to another seed's",
    "lufs": "loudness, LUFS",
    "clipped": "clipped share",
    "silent": "silent share",
    "clear_tones_db": "tones above 1 kHz stand out by, dB",
    "between_hits_db": "level falls between hits by, dB",
    "bars_apart_db": "bars differ from the next by, dB",
    "notes_in_key": "notes in one key (basic-pitch)",
    "notes_per_s": "notes per second (basic-pitch)",
    "note_s": "notes last, s (basic-pitch)",
    "chords_in_key": "chords in the key (madmom)",
    "chords_per_s": "chord changes per second (madmom)",
    "no_chord": "share without chords (madmom)",
    "key_sure": "chance of the key heard (madmom)",
    "loop_s": "longest token loop, s",
}
"""Measures that every dance has by itself, in the order of the tables."""

_BINS = {
    "1 s, D2M-GAN": ("bcs_gan", "bhs_loris"),
    "1 s, LORIS": ("bcs_loris", "bhs_loris"),
    "5 Hz": ("bcs_5hz", "bhs_5hz"),
}

FAD = f"FAD ({EMBEDDING})"


def set_figures(scores: Sequence[CaseScore], judge: StyleJudge) -> dict[str, Any]:
    """Of each measure and column: mean, deviation over clips, 95 % interval, and the paired
    difference of music and shuffled."""
    found: dict[str, Any] = {}
    for name, label in LABELS.items():
        columns = {c: _values(scores, c, name) for c in COLUMNS}
        if np.isnan(columns["music"]).all():
            continue
        apart = columns["music"] - columns["shuffled"]
        found[label] = {
            **{c: _figure(v) for c, v in columns.items() if not np.isnan(v).all()},
            "music minus shuffled": _figure(apart),
        }
    found |= _over_the_set(scores)
    found[FAD] = _distances(scores, judge)
    return found


def _values(scores: Sequence[CaseScore], column: str, measure: str) -> np.ndarray:
    return np.array([score.columns[column].get(measure, np.nan) for score in scores])


def _figure(values: np.ndarray) -> dict[str, float | int]:
    known = values[~np.isnan(values)]
    deviation = float(known.std()) if len(known) else math.nan
    return {**asdict(mean_interval(values)), "sd": deviation}


def _over_the_set(scores: Sequence[CaseScore]) -> dict[str, Any]:
    """F1 of the mean scores, and CSD and HSD, which single clips do not have."""
    figures = {"F1": _f1, "CSD": lambda p: p[..., 0].std(1), "HSD": lambda p: p[..., 1].std(1)}
    found: dict[str, Any] = {}
    for form, (coverage, hits) in _BINS.items():
        for column in COLUMNS:
            pairs = np.stack([_values(scores, column, n) for n in (coverage, hits)], 1)
            pairs = pairs[~np.isnan(pairs).any(1)]  # [clips, 2]
            for name, figure in figures.items() if len(pairs) else ():
                drawn = figure(pairs[draws(len(pairs))])  # [ROUNDS]
                low, high = np.percentile(drawn, (2.5, 97.5))
                value = Interval(float(figure(pairs[None])[0]), float(low), float(high), len(pairs))
                found.setdefault(f"{name}, {form}", {})[column] = asdict(value)
    return found


def _f1(pairs: np.ndarray) -> np.ndarray:
    """F1 of the means over clips, [sets] of [sets, clips, 2]."""
    return bin_f1(*pairs.mean(1).T)


def _distances(scores: Sequence[CaseScore], judge: StyleJudge) -> dict[str, Any]:
    """Fréchet distances to held-out studio music. Without intervals: drawing clips again makes a
    set poorer, and so every distance larger."""
    found = {}
    for column in COLUMNS:
        parts = [s.embeddings[column] for s in scores if column in s.embeddings]
        if parts and sum(map(len, parts)) > 1:
            windows = np.concatenate(parts)
            spread = np.cov(windows, rowvar=False)
            away = frechet_distance(windows.mean(0), spread, judge.mean, judge.covariance)
            found[column] = asdict(Interval(away, math.nan, math.nan, len(parts)))
    return found


# --- text ---


def set_markdown(name: str, about: str, figures: Mapping[str, Any], clips: int) -> str:
    """A heading, what the set is, and its table."""
    head = ["measure", "music", "sd", "95 %", *COLUMNS[1:], "music - shuffled, 95 %"]
    lines = [
        f"## {name}\n",
        f"{about}; {clips} dances.\n",
        markdown_row(head),
        markdown_row(["---"] * len(head)),
    ]
    for label, columns in figures.items():
        music, apart = columns.get("music"), columns.get("music minus shuffled")
        if music is None:
            continue
        controls = [number(columns.get(c, {}).get("mean")) for c in COLUMNS[1:]]
        cells = [number(music["mean"]), number(music.get("sd")), _span(music), *controls]
        lines.append(markdown_row([label, *cells, _span(apart)]))
    return "\n".join(lines) + "\n\n"


def _span(figure: Mapping[str, float] | None) -> str:
    if figure is None or math.isnan(figure["low"]):
        return "-"
    return f"{number(figure['low'])} .. {number(figure['high'])}"


def set_json(about: str, figures: Mapping[str, Any], scores: Sequence[CaseScore]) -> dict[str, Any]:
    """The same and every dance, as JSON allows it: null where a figure does not exist."""
    cases = [
        {
            "name": score.case.dance.name,
            "style": score.case.style,
            "asked_bpm": score.case.rhythm.tempo_bpm,
            "confidence": score.case.rhythm.confidence,
            "heard_bpm": score.case.heard.tempo_bpm,
            "accents": len(score.case.dance.accents_s),
            "scores": score.columns,
        }
        for score in scores
    ]
    return plain({"about": about, "clips": len(scores), "figures": figures, "cases": cases})
