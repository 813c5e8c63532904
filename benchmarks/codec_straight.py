"""Codecs on straight music that none has heard, beside Opus: unheard pieces of the bands they trained on.

    python -m benchmarks.codec_straight --codecs weights/codec_2 runs/codec/d2m-3 --books 8 4

One piece of 8 s of each style. Prints Markdown. "Tones" is how far what is a tone in the original stands out,
between 250 Hz and 6 kHz; repeats are tokens that equal those one bar before.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import torch

from benchmarks.codec_rivals import OPUS_KBITS, opus
from d2m_core.codec.loading import read_folder
from training.codec.figures import measure, spectral_figures
from training.codec.settings import SAMPLE_RATE
from training.codec.straight_music import StraightMusic, held_out_straight
from training.codec.tones import tone_contrast_db
from training.figures.tables import markdown_row

HEAD = ("codec", "kbit/s", "mel", "linear", "tones dB", "SI-SDR dB", "hum dB", "repeats")


def ours(folder: Path, books: int, heard: StraightMusic) -> list[str]:
    """A row of one of our codecs with so many codebooks."""
    model = read_folder(folder)
    kbits = books * math.log2(model.config.codebook_size) * model.config.frame_rate / 1000
    model.config.target_bandwidths = [kbits]
    found = measure(model, heard.mono, heard.bar_steps)
    repeats = " ".join(f"{rate:.2f}" for rate in found["repeats"][:4])
    figures = [found[name] for name in ("mel", "linear")] + [found["tones_db"][0]]
    return [
        folder.resolve().name,
        f"{kbits:.1f}",
        *(f"{x:.3f}" for x in figures[:2]),
        f"{figures[2]:.1f}",
        f"{found['si_sdr_db']:.1f}",
        f"{found['hum_db']:.1f}",
        repeats,
    ]


def theirs(kbits: int, heard: StraightMusic) -> list[str]:
    """A row of Opus."""
    coded = opus(heard.mono, kbits)
    found = spectral_figures(heard.mono, coded.sound)
    tones = tone_contrast_db(coded.sound[:, 0], heard.mono[:, 0], SAMPLE_RATE)
    row = [
        f"Opus {kbits}",
        f"{coded.kbits:.1f}",
        f"{found['mel']:.3f}",
        f"{found['linear']:.3f}",
        f"{tones:.1f}",
    ]
    return [*row, "", "", ""]


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--codecs", type=Path, nargs="+", default=[Path("weights/codec_2")], metavar="FOLDER")
    parser.add_argument("--books", type=int, nargs="+", default=[8, 4], help="codebooks [%(default)s]")
    parser.add_argument("--store", type=Path, default=Path("runs/codec"), help="the music [%(default)s]")
    args = parser.parse_args(argv)
    torch.set_flush_denormal(True)
    heard = held_out_straight(args.store)
    real = tone_contrast_db(heard.mono[:, 0], heard.mono[:, 0], SAMPLE_RATE)
    rows = [HEAD, ["---"] * len(HEAD)]
    rows += [ours(folder, books, heard) for folder in args.codecs for books in args.books]
    rows += [theirs(kbits, heard) for kbits in (*OPUS_KBITS, 16)]
    rows.append(["the music itself", "", "", "", f"{real:.1f}", "", "", ""])
    sys.stdout.write("\n".join(markdown_row(row) for row in rows) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
