"""Spectrograms to look at, original above decoded."""

from __future__ import annotations

import numpy as np
import torch

from training.codec.settings import SAMPLE_RATE
from training.codec.spectra import MelScale

HEIGHT, WIDTH, GAP = 160, 900, 6
"""Size of one spectrogram in pixels, and the line between two."""

RANGE_DB = 80.0
"""From the loudest to black."""


def spectrogram_pair(real: torch.Tensor, fake: torch.Tensor) -> np.ndarray:
    """Mel spectrograms of two sounds [N], uint8 [H, W, 3], on one scale; `real` is above."""
    scale = MelScale(SAMPLE_RATE, 1024, HEIGHT)
    levels = [_levels(scale, sound) for sound in (real, fake)]
    top = max(float(levels[0].max()), -RANGE_DB)
    rows = [_coloured(level, top) for level in levels]
    line = np.full((GAP, WIDTH, 3), 255, np.uint8)
    return np.concatenate([rows[0], line, rows[1]])


def _levels(scale: MelScale, sound: torch.Tensor) -> np.ndarray:
    """dB [bands, frames] of one sound [N]."""
    with torch.no_grad():
        mel = scale.filters @ scale.magnitude(sound[None].float().cpu())[0]
    return 20 * mel.clamp_min(1e-6).log10().numpy()


def _coloured(level_db: np.ndarray, top_db: float) -> np.ndarray:
    import cv2

    share = np.clip((level_db - top_db) / RANGE_DB + 1, 0, 1)
    grey = np.ascontiguousarray((share[::-1] * 255).astype(np.uint8))
    wide = cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(cv2.applyColorMap(wide, cv2.COLORMAP_MAGMA)[..., ::-1])
