"""How well music at another tempo and phase is brought onto a dance's beats, and how far it bends.

    python -m benchmarks.align --per-style 2 --groove DIR --samples DIR

Each piece of the studio's music is played up to 12 % faster or slower than a dance of its style,
from any moment of a beat. Beats after aligning are the annotated ones, carried along, and beside
them those that madmom hears in the sound, where it is installed.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.align import Alignment, AlignSettings, align_audio
from d2m_core.align.time_map import straight_pieces
from d2m_core.band import Materials, Song, find_materials, make_plan, plan_on, play
from d2m_core.grid import tempo_of
from d2m_core.rhythm import rhythm_from_audio
from d2m_core.scores import Meeting, meeting_of
from d2m_core.styles import STYLES
from d2m_core.types import MOTION_FPS, RHYTHM_CURVES, Rhythm, Waveform
from training.figures.bootstrap import mean_interval
from training.figures.tables import table
from training.judges.madmom import installed, madmom_beats
from training.seeds import ALIGN_SEED

DETUNED = 0.12
"""Largest difference of tempo, as a share."""
DANCE_S, SONG_S = 12.0, 30.0
LIMITS = (0.2, 1.0, 8.0)
"""Settings of `most_bend` in percent."""


@dataclass(frozen=True)
class Pair:
    """The rhythm of a dance, and music that is not in time with it."""

    dance: Rhythm
    song: Song


def pair_of(style: str, index: int, materials: Materials) -> Pair:
    """A dance's grid and music of the same style at another tempo, begun anywhere in a beat."""
    seed = ALIGN_SEED + 1000 * STYLES.index(style) + index
    rng = np.random.default_rng([seed, 0xA119])
    plan = make_plan(seed, DANCE_S, style)
    curves = np.zeros((round(DANCE_S * MOTION_FPS), len(RHYTHM_CURVES)), np.float32)
    dance = Rhythm(plan.beats_s, plan.downbeats, curves, tempo_of(plan.beats_s))
    beat_s = 60 / (dance.tempo_bpm * (1 + rng.uniform(-DETUNED, DETUNED)))
    grid_s = np.arange(rng.uniform(0, beat_s), SONG_S, beat_s)
    starts = np.arange(len(grid_s)) % plan.metre == int(rng.integers(plan.metre))
    return Pair(dance, play(plan_on(grid_s, starts, SONG_S, seed, style), materials))


def carried(alignment: Alignment, beats_s: np.ndarray) -> np.ndarray:
    """When beats of the song are heard after aligning, [M], in every turn of a loop."""
    heard = []
    for piece in straight_pieces(alignment.anchors):
        inside = beats_s[(beats_s >= piece.song_s) & (beats_s < piece.song_end_s)]
        heard.append(piece.at_s + (inside - piece.song_s) / piece.rate)
    return np.concatenate(heard)


def measured(pair: Pair) -> list[dict[str, float]]:
    """Scores of one pair under every limit."""
    wave = Waveform(torch.from_numpy(pair.song.samples.mean(0))[None, None], pair.song.sample_rate)
    wanted, song_s, heard = pair.dance.beats_s, pair.song.beats_s, rhythm_from_audio(wave)
    rows = []
    for most in LIMITS:
        out, found = align_audio(wave, pair.dance, AlignSettings(most_bend=most), heard)
        row = {
            "limit": most,
            **_met("before", meeting_of(wanted, song_s[song_s < DANCE_S])),
            **_met("after", meeting_of(wanted, carried(found, song_s))),
            "bend": 100 * found.largest_bend,
            "tempo": 100 * abs(found.rate - 1),
        }
        if installed():
            row |= _met("madmom", meeting_of(wanted, madmom_beats(out)))
        rows.append(row)
    return rows


def _met(name: str, met: Meeting) -> dict[str, float]:
    return {name: met.f, f"{name} AMLt": met.amlt}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.align",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--per-style", type=int, default=2, help="pieces [%(default)s]")
    parser.add_argument("--groove", type=Path, help="folder of the Groove MIDI data set")
    parser.add_argument("--samples", type=Path, help="folder of CC0 one-shots")
    parser.add_argument("--out", type=Path, help="a JSON file for every row")
    args = parser.parse_args(argv)
    materials = find_materials((), args.groove, args.samples)
    rows: list[dict[str, Any]] = []
    for style, index in tqdm(list(product(STYLES, range(args.per_style))), unit="piece"):
        rows += [{"style": style, **row} for row in measured(pair_of(style, index, materials))]
    if args.out:
        args.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    sys.stdout.write(table([summary(rows, most) for most in LIMITS]))
    return 0


def summary(rows: list[dict[str, Any]], most: float) -> dict[str, object]:
    """The line of one limit over all pieces."""
    mine = [row for row in rows if row["limit"] == most]
    line: dict[str, object] = {"most bend %": most, "pieces": len(mine)}
    for key in ("before", "after", "madmom"):
        if key in mine[0]:
            found = mean_interval(np.array([row[key] for row in mine]))
            line[f"beat F {key}"] = f"{found.mean:.3f} ({found.low:.2f}..{found.high:.2f})"
            line[f"AMLt {key}"] = round(float(np.mean([row[f"{key} AMLt"] for row in mine])), 3)
    line["largest bend %"] = round(max(row["bend"] for row in mine), 2)
    line["tempo changed by %, mean"] = round(float(np.mean([row["tempo"] for row in mine])), 1)
    return line


if __name__ == "__main__":
    raise SystemExit(main())
