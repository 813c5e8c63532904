"""What stereo would cost: the side signal through the same codec, at fewer and fewer codebooks.

    python -m benchmarks.codec_stereo [--codec weights/codec_2] [--seconds 12]

The mid signal (L + R) / 2 always takes the whole bit rate; the side (L - R) / 2 takes what the row
says, and none means the same sound on both sides. Held-out studio music, one piece of each style.
Prints Markdown: mel distance of left and right, and how much side level is left.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.codec_scores import mel_distance
from d2m_core.codec import load_codec
from training.codec.band_music import held_out_stereo
from training.codec.settings import SAMPLE_RATE

if TYPE_CHECKING:
    from transformers import EncodecModel


def side_level_db(stereo: torch.Tensor) -> float:
    """Level of the side against the mid of [B, 2, N]."""
    mid, side = stereo.mean(1), (stereo[:, 0] - stereo[:, 1]) / 2
    return 10 * math.log10(float(side.pow(2).mean() / mid.pow(2).mean().clamp_min(1e-12)) + 1e-12)


@torch.inference_mode()
def through(model: EncodecModel, audio: torch.Tensor, books: int) -> torch.Tensor:
    """[B, N] coded with so many codebooks and decoded; silence for none."""
    if books == 0:
        return torch.zeros_like(audio)
    out = []
    for piece in audio:
        codes = model.quantizer.encode(model.encoder(piece[None, None]))  # [K, 1, T]
        sound = model.decoder(model.quantizer.decode(codes[:books]))
        out.append(sound[0, 0, : audio.shape[-1]])
    return torch.stack(out)


def stereo_rows(
    code: Callable[[torch.Tensor, int], torch.Tensor], audio: torch.Tensor, books: int
) -> list[tuple[int, float, float]]:
    """(codebooks of the side, mel distance of left and right, side level in dB) of [B, 2, N]."""
    mid, side = audio.mean(1), (audio[:, 0] - audio[:, 1]) / 2
    coded_mid = code(mid, books)
    counts = sorted({0, 1, books // 4, books // 2, books})
    rows = []
    for count in counts:
        coded_side = code(side, count)
        fake = torch.stack([coded_mid + coded_side, coded_mid - coded_side], 1)
        distances = [
            mel_distance(real, made)
            for real, made in zip(audio.flatten(0, 1), fake.flatten(0, 1), strict=True)
        ]
        rows.append((count, float(np.mean(distances)), side_level_db(fake)))
    return rows


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--codec", default="weights/codec_2", help="folder [%(default)s]")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each piece [%(default)s]")
    flags = parser.parse_args(argv)
    codec = load_codec(flags.codec)
    audio = held_out_stereo(flags.seconds)
    spec = codec.spec
    rows = stereo_rows(lambda x, n: through(codec.model, x, n), audio, spec.codebooks)
    per_book = math.log2(spec.cardinality) * spec.token_rate / 1000
    level_db = side_level_db(audio)
    lines = [
        f"{len(audio)} pieces at {SAMPLE_RATE} Hz, side against mid {level_db:.1f} dB\n",
        "| codebooks for the side | kbit/s in all | mel of left and right | side level dB |",
        "|---" * 4 + "|",
        *(
            f"| {count} | {per_book * (spec.codebooks + count):.1f} | {mel:.3f} | {level:.1f} |"
            for count, mel, level in rows
        ),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
