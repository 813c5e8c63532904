"""How often a codec says the same again where music does: tokens equal to those a bar before.

What a model of its tokens can copy, and what it has to guess.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch


def repeat_rate(codes: torch.Tensor, lag: int) -> torch.Tensor:
    """Share [K] of codes [K, T] that equal those `lag` steps before. A lag must leave a step."""
    if not 0 < lag < codes.shape[1]:
        raise ValueError(f"lag is {lag}; use 1 to {codes.shape[1] - 1}")
    return (codes[:, lag:] == codes[:, :-lag]).float().mean(1)


def mean_rates(pieces: Sequence[torch.Tensor], lags: Sequence[int]) -> list[float]:
    """Mean `repeat_rate` per book over pieces of codes [K, T], each at its own lag."""
    rates = [repeat_rate(codes, lag) for codes, lag in zip(pieces, lags, strict=True)]
    return [round(float(rate), 3) for rate in torch.stack(rates).mean(0)]
