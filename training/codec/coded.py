"""Music with its codes: what a decoder learns from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from training.run.kept import kept, recipe
from training.run.provenance import tensors_sha256, versions_of

from .band_music import FULL_SCALE


def encode_pool(model: nn.Module, pool: dict[str, np.ndarray], folder: Path) -> list[torch.Tensor]:
    """Codes [K, T] of every piece of music, kept in `folder`; the decoder has no part in them."""
    encoder = {name: t for name, t in model.state_dict().items() if not name.startswith("decoder.")}
    config = {k: v for k, v in model.config.to_dict().items() if k != "_name_or_path"}  # type: ignore[operator, union-attr]
    codec = {"encoder": tensors_sha256(encoder), "config": config, **versions_of(("transformers",))}
    return [_kept_codes(model, codec, name, song, folder) for name, song in pool.items()]


def _kept_codes(
    model: nn.Module, codec: dict[str, Any], name: str, song: np.ndarray, folder: Path
) -> torch.Tensor:
    return kept(
        folder,
        f"codes_{name}.npy",
        recipe(encode_pool, codec=codec, song=song),
        lambda path: np.save(path, _codes(model, song)),
        lambda path: torch.from_numpy(np.load(path)).long(),
    )


def _codes(model: nn.Module, song: np.ndarray) -> np.ndarray:
    """Codes int16 [K, T] of a piece int16 [N], at the codec's highest bandwidth."""
    bandwidth = max(model.config.target_bandwidths)  # type: ignore[union-attr, arg-type]
    audio = torch.from_numpy(song.astype(np.float32) / FULL_SCALE)[None, None]
    audio = audio.to(next(model.parameters()).device)
    with torch.inference_mode():
        codes = model.encode(audio, bandwidth=bandwidth).audio_codes[0, 0]  # type: ignore[operator]
    return codes.cpu().numpy().astype(np.int16)


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
