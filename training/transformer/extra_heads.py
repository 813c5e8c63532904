"""Heads that only a training has: what sounds now, and the steps to come.

A decoder that must say the chroma and the loudness of the moment, and the first codebook's tokens some
steps further on, finds harmony and bars sooner (Silent Metronome, arXiv 2609.07688; several tokens at once:
Gloeckle et al. 2024). What is exported has none of this.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from d2m_core.music import DanceToMusic
from d2m_core.music.model import Conditions

from .items import SOUND, TrainItem
from .losses import token_losses

AHEAD = (1, 2)
"""How many steps further on tokens are said."""

EVERY = 2
"""Tokens ahead are said at every so many columns: half the cost, and the lesson is much the same."""

CHROMA = SOUND - 1
_LEVEL_DB = 20.0
"""Loudness is told in so many decibels."""

_QUIET_DB = -80.0


class Learner(nn.Module):
    """A transformer and the heads that it learns with."""

    def __init__(self, net: DanceToMusic) -> None:
        super().__init__()
        self.net = net
        dim = net.config.dim
        self.sound = nn.Linear(dim, SOUND)
        ahead = [nn.Linear(dim, dim, bias=False) for _ in AHEAD]
        for each in ahead:
            nn.init.eye_(each.weight)
        self.ahead = nn.ModuleList(ahead)

    def forward(
        self, tokens: torch.Tensor, given: Conditions, copied: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """As `DanceToMusic.forward` [B, K, S, V]; then the sound [B, S, `SOUND`], and logits of the first
        codebook `AHEAD` of every second column [A, B, S / 2, V]."""
        hidden = self.net.window(tokens, given, copied)
        first = self.net.heads.weight[: self.net.config.cardinality]
        some = hidden[:, ::EVERY]
        ahead = torch.stack([F.linear(each(some), first) for each in self.ahead])
        return self.net.said(hidden, copied), self.sound(hidden), ahead


def heads_losses(
    sound: torch.Tensor, ahead: torch.Tensor, wanted: torch.Tensor, first_book: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Means of what the heads of `Learner` miss. `wanted` [B, T, `SOUND`] is `sound_wanted`'s,
    `first_book` [B, T] the tokens."""
    steps = wanted.shape[1]
    sound = sound[:, :steps].float()
    known = wanted[..., CHROMA].isfinite()
    share = known.float().mean().clamp_min(1e-6)
    wanted = torch.where(known[..., None], wanted, 0.0)
    chroma = -(wanted[..., :CHROMA] * sound[..., :CHROMA].log_softmax(-1)).sum(-1)
    level = F.smooth_l1_loss(sound[..., CHROMA], wanted[..., CHROMA], reduction="none")
    said = []
    for logits, far in zip(ahead, AHEAD, strict=True):
        coming = first_book[:, far::EVERY]
        each = token_losses(logits[:, : coming.shape[1]].flatten(0, 1), coming.flatten())
        said.append(each.mean())
    return {
        "chroma": (chroma * known).mean() / share,
        "level": (level * known).mean() / share,
        "ahead": torch.stack(said).mean(),
    }


def sound_wanted(item: TrainItem, first: int, steps: int) -> torch.Tensor:
    """Chroma (its sum is 1, or 0 in silence) and loudness of a window, float32 [T, `SOUND`]; NaN where the
    item does not know."""
    if item.sound is None:
        return torch.full((steps, SOUND), torch.nan)
    found = torch.from_numpy(item.sound[first : first + steps].astype("float32"))
    found[:, CHROMA] = (found[:, CHROMA].clamp_min(_QUIET_DB) - _QUIET_DB / 2) / _LEVEL_DB
    return found
