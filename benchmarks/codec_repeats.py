"""How often a codec says the same again, on music whose beats lie on token steps and on other music.

    python -m benchmarks.codec_repeats --codec weights/codec_2 [--styles house rock] [--pieces 3]

Pieces of each style's own band (seeds from `training.seeds.STRAIGHT_HELD_OUT_SEED`), once straight and once
played freely. Prints Markdown: the share of tokens per codebook that equal those a bar and four bars before.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import torch
from tqdm import tqdm

from d2m_core.band import installed_materials, make_plan, play
from d2m_core.codec import Codec, encode_audio, load_codec
from d2m_core.styles import STYLES
from d2m_core.types import Waveform
from training.codec.repeats import mean_rates
from training.seeds import STRAIGHT_HELD_OUT_SEED

BARS = (1, 4)


def rates(
    codec: Codec, style: str, straight: bool, pieces: int, seconds: float, books: int
) -> list[list[float]]:
    """Repeats per book for each of `BARS`, mean over pieces."""
    codes, lags = [], []
    for seed in range(STRAIGHT_HELD_OUT_SEED, STRAIGHT_HELD_OUT_SEED + pieces):
        plan = replace(make_plan(seed, seconds, style, straight=straight), band=0)
        song = play(plan, installed_materials())
        wave = Waveform(torch.from_numpy(song.samples.mean(0))[None, None], song.sample_rate)
        codes.append(encode_audio(codec, wave).codes[0, :books])
        lags.append(plan.metre * 60 / plan.tempo_bpm * codec.spec.token_rate)
    return [mean_rates(codes, [round(bars * lag) for lag in lags]) for bars in BARS]


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--codec", default="weights/codec_2", help="name or folder [%(default)s]")
    parser.add_argument("--styles", nargs="+", choices=STYLES, default=STYLES, metavar="STYLE")
    parser.add_argument("--pieces", type=int, default=3, help="of each style [%(default)s]")
    parser.add_argument("--seconds", type=float, default=40.0, help="of each piece [%(default)g]")
    parser.add_argument("--books", type=int, default=4, help="codebooks that are told [%(default)s]")
    args = parser.parse_args(argv)
    codec = load_codec(args.codec)
    lines = [
        "| style | straight: a bar before | four bars | as played: a bar before | four bars |",
        "|---|" + "---|" * 4,
    ]
    for style in tqdm(args.styles, desc="styles"):
        cells = [
            " ".join(f"{rate:.2f}" for rate in row)
            for straight in (True, False)
            for row in rates(codec, style, straight, args.pieces, args.seconds, args.books)
        ]
        lines.append(f"| {style} | {' | '.join(cells)} |")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
