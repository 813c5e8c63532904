"""Music with its codes: what a decoder learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from d2m_core.files import replacing

from .band_music import FULL_SCALE


def encode_pool(model: nn.Module, pool: dict[str, np.ndarray], folder: Path) -> list[torch.Tensor]:
    """Codes [K, T] of every piece of music, kept in `folder`."""
    out = []
    bandwidth = max(model.config.target_bandwidths)  # type: ignore[union-attr, arg-type]
    for name, song in pool.items():
        path = folder / f"codes_{name}.npy"
        if not path.exists():
            audio = torch.from_numpy(song.astype(np.float32) / FULL_SCALE)[None, None]
            with torch.inference_mode():
                codes = model.encode(audio, bandwidth=bandwidth).audio_codes[0, 0]  # type: ignore[operator]
            with replacing(path) as partial:
                np.save(partial, codes.numpy().astype(np.int16))
        out.append(torch.from_numpy(np.load(path)).long())
    return out


def draw(
    pool: list[np.ndarray],
    codes: list[torch.Tensor],
    batch: int,
    steps: int,
    hop: int,
    rng: np.random.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Matching segments: codes [B, K, steps] and sound [B, N], `hop` samples per step."""
    tokens, sounds = [], []
    for _ in range(batch):
        number = int(rng.integers(len(pool)))
        start = int(rng.integers(min(codes[number].shape[1], len(pool[number]) // hop) - steps))
        tokens.append(codes[number][:, start : start + steps])
        sounds.append(pool[number][start * hop : (start + steps) * hop].astype(np.float32))
    return torch.stack(tokens), torch.from_numpy(np.stack(sounds) / FULL_SCALE)
