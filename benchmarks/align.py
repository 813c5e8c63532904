"""How well music at another tempo and phase is brought onto a dance's beats, and how far it bends.

    python -m benchmarks.align --per-style 4 --groove DIR --samples DIR

Each piece of the studio's music is played up to 12 % faster or slower than a dance of its style,
from any moment of a beat. Beats after aligning are the annotated ones, carried along, and beside
them those that madmom hears in the sound, where it is installed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.align import Alignment, AlignSettings, align_audio
from d2m_core.grid import tempo_of
from d2m_core.metrics import beat_f
from d2m_core.types import RHYTHM_CURVES, Rhythm, Waveform
from training.bootstrap import mean_interval
from training.madmom_beats import installed, madmom_beats
from training.seeds import ALIGN_SEED
from training.studio.band.song import Song, play
from training.studio.materials import Materials, find_materials
from training.studio.plan import make_plan, plan_on
from training.studio.styles import STYLES
from training.tables import table

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
    beats_s, downbeats = plan.beats_s, plan.downbeats
    frames = round(DANCE_S * 25)
    curves = np.zeros((frames, len(RHYTHM_CURVES)), np.float32)
    dance = Rhythm(beats_s, downbeats, curves, tempo_of(beats_s))
    beat_s = 60 / (dance.tempo_bpm * (1 + rng.uniform(-DETUNED, DETUNED)))
    grid_s = np.arange(rng.uniform(0, beat_s), SONG_S, beat_s)
    starts = np.arange(len(grid_s)) % plan.metre == int(rng.integers(plan.metre))
    return Pair(dance, play(plan_on(grid_s, starts, SONG_S, seed, style), materials))


def carried(alignment: Alignment, beats_s: np.ndarray) -> np.ndarray:
    """When beats of the song are heard after aligning, [M], in every turn of a loop."""
    heard = []
    for (song_s, at_s), (song_end_s, end_s) in zip(
        alignment.anchors[:-1], alignment.anchors[1:], strict=True
    ):
        if end_s > at_s and song_end_s > song_s:
            inside = beats_s[(beats_s >= song_s) & (beats_s < song_end_s)]
            heard.append(at_s + (inside - song_s) * (end_s - at_s) / (song_end_s - song_s))
    return np.unique(np.concatenate(heard)) if heard else np.zeros(0)


def measured(pair: Pair, most_bend: float) -> dict[str, float]:
    """Scores of one alignment."""
    mono = torch.from_numpy(pair.song.samples.mean(0))[None, None]
    wave = Waveform(mono, pair.song.sample_rate)
    out, alignment = align_audio(wave, pair.dance, AlignSettings(most_bend=most_bend))
    wanted, song_s = pair.dance.beats_s, pair.song.beats_s
    row = {
        "before": beat_f(wanted, song_s[song_s < DANCE_S]),
        "after": beat_f(wanted, carried(alignment, song_s)),
        "bend": 100 * alignment.largest_bend,
        "tempo": 100 * abs(alignment.rate - 1),
    }
    if installed():
        row["madmom"] = beat_f(wanted, madmom_beats(out))
    return row


def pairs(per_style: int, materials: Materials) -> Iterator[tuple[str, Pair]]:
    for style in STYLES:
        for index in range(per_style):
            yield style, pair_of(style, index, materials)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.align", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--per-style", type=int, default=4, help="pieces [%(default)s]")
    parser.add_argument("--groove", type=Path, help="folder of the Groove MIDI data set")
    parser.add_argument("--samples", type=Path, help="folder of CC0 one-shots")
    parser.add_argument("--out", type=Path, help="a JSON file for every row")
    args = parser.parse_args(argv)
    materials = find_materials((), args.groove, args.samples)
    rows = []
    with tqdm(total=args.per_style * len(STYLES), unit="piece") as bar:
        for style, pair in pairs(args.per_style, materials):
            for most in LIMITS:
                rows.append({"style": style, "limit": most, **measured(pair, most)})
            bar.update()
    if args.out:
        args.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    sys.stdout.write(table([summary(rows, most) for most in LIMITS]))
    return 0


def summary(rows: list[dict[str, float]], most: float) -> dict[str, object]:
    """The line of one limit over all pieces."""
    mine = [row for row in rows if row["limit"] == most]
    line: dict[str, object] = {"most bend %": most, "pieces": len(mine)}
    for key in ("before", "after", "madmom"):
        if key in mine[0]:
            found = mean_interval(np.array([row[key] for row in mine]))
            line[f"beat F {key}"] = f"{found.mean:.3f} ({found.low:.2f}..{found.high:.2f})"
    line["largest bend %"] = round(max(row["bend"] for row in mine), 2)
    line["tempo changed by %, mean"] = round(float(np.mean([row["tempo"] for row in mine])), 1)
    return line


if __name__ == "__main__":
    raise SystemExit(main())
