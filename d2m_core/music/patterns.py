"""The delay pattern: codebook k lags k steps behind, so one step predicts all codebooks at once.

    time-aligned          delayed (K = 3, T = 4, . is `pad`)
    k=0   a0 a1 a2 a3     a0 a1 a2 a3  .  .
    k=1   b0 b1 b2 b3      . b0 b1 b2 b3  .
    k=2   c0 c1 c2 c3      .  . c0 c1 c2 c3

Column `p` of codebook `k` holds the token of time `p - k`. (MusicGen, https://arxiv.org/abs/2306.05284,
section 2.2.)
"""

from __future__ import annotations

import torch


def apply_delay(codes: torch.Tensor, pad: int) -> torch.Tensor:
    """Delays codebook k of `codes` [B, K, T] by k steps: [B, K, T + K - 1], the rest `pad`."""
    batch, codebooks, steps = codes.shape
    delayed = codes.new_full((batch, codebooks, steps + codebooks - 1), pad)
    for k in range(codebooks):
        delayed[:, k, k : k + steps] = codes[:, k]
    return delayed  # [B, K, T + K - 1]


def undo_delay(delayed: torch.Tensor) -> torch.Tensor:
    """The inverse of `apply_delay`: [B, K, T + K - 1] to [B, K, T]; drops what pads hold."""
    codebooks = delayed.shape[1]
    steps = delayed.shape[2] - codebooks + 1
    if steps < 0:
        raise ValueError(f"{delayed.shape[2]} columns cannot hold {codebooks} delayed codebooks")
    return torch.stack([delayed[:, k, k : k + steps] for k in range(codebooks)], dim=1)  # [B, K, T]
