"""Spectrograms to look at, original above decoded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from .settings import SAMPLE_RATE
from .spectra import MelScale

HEIGHT, WIDTH, GAP = 160, 900, 6
"""Size of one spectrogram in pixels, and the line between two."""

TITLE = 34
"""Pixels above a pair for its name."""

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


def contact_sheet(pieces: Sequence[tuple[str, torch.Tensor, torch.Tensor]], columns: int = 2) -> np.ndarray:
    """Named pairs of sounds (name, original [N], decoded [N]) as one picture, uint8 [H, W, 3]."""
    import cv2

    tiles = []
    for name, real, fake in pieces:
        tile = np.full((2 * HEIGHT + GAP + TITLE + GAP, WIDTH + 2 * GAP, 3), 255, np.uint8)
        tile[TITLE : TITLE + 2 * HEIGHT + GAP, GAP : GAP + WIDTH] = spectrogram_pair(real, fake)
        place = (GAP, TITLE - 9)
        cv2.putText(tile, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (30, 30, 30), 2, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)


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
