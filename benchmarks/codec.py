"""What a codec does to music nobody trained it on: 12 pieces of the studio band, two per style.

    python -m benchmarks.codec [--codec weights/codec]

Prints the distances that training reports, how well the onsets survive (correlation of librosa's
onset envelopes) and the level of each band against the original.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys

import numpy as np
import torch

from d2m_core.codec import Codec, load_codec
from training.codec_losses import mel_scales
from training.codec_music import held_out
from training.studio.band.synth import SAMPLE_RATE
from training.train_codec import measure

BAND_EDGES_HZ = (0, 250, 1000, 4000, 8000, 12000)


def coded(codec: Codec, audio: torch.Tensor) -> torch.Tensor:
    """`audio` [B, 1, N] through the codec and back."""
    model, parts = codec.model, []
    with torch.inference_mode():
        for piece in audio.split(1):
            codes = model.encode(piece).audio_codes
            parts.append(model.decode(codes, [None]).audio_values[..., : audio.shape[-1]])
    return torch.cat(parts)


def onset_correlation(real: torch.Tensor, fake: torch.Tensor) -> float:
    """Mean correlation of the onset envelopes of [B, 1, N]."""
    from librosa.onset import onset_strength

    pairs = zip(real[:, 0].numpy(), fake[:, 0].numpy(), strict=True)
    found = [
        np.corrcoef(*(onset_strength(y=sound, sr=SAMPLE_RATE) for sound in pair))[0, 1]
        for pair in pairs
    ]
    return float(np.mean(found))


def band_levels_db(real: torch.Tensor, fake: torch.Tensor) -> list[float]:
    """Power of each band of `BAND_EDGES_HZ` against the original's, in dB."""
    bins = np.fft.rfftfreq(real.shape[-1], 1 / SAMPLE_RATE)
    power = [np.abs(np.fft.rfft(x[:, 0].numpy(), axis=-1)) ** 2 for x in (real, fake)]
    levels = []
    for low, high in itertools.pairwise(BAND_EDGES_HZ):
        inside = (bins >= low) & (bins < high)
        levels.append(float(10 * np.log10(power[1][:, inside].sum() / power[0][:, inside].sum())))
    return levels


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="What a codec does to music.")
    parser.add_argument("--codec", default="weights/codec", help="folder [%(default)s]")
    codec, audio = load_codec(parser.parse_args(argv).codec), held_out()
    decoded = coded(codec, audio)
    figures = {
        **measure(codec.model, audio, mel_scales(SAMPLE_RATE)),
        "onset_correlation": round(onset_correlation(audio, decoded), 3),
        "band_levels_db": [round(x, 1) for x in band_levels_db(audio, decoded)],
    }
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
