"""What music said a beat, a bar, two and four bars ago, held out to the transformer.

On a straight grid the same hit is the same token, so the best guess at a token is often the one at the
same place some bars before. The network sees those tokens before it writes, and gates raise their chance:
it says when to repeat, and need not learn to say what.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from ..straight import LAGS, NO_STEP
from .patterns import apply_delay, undo_delay

NONE = -1
"""Stands for a token that is not there: before the piece, or without a grid."""


def copied_tokens(codes: torch.Tensor, past: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
    """Tokens [B, L, K, T] at the steps that `back` [B, L, T] names, counted from the window's start.

    `codes` [B, K, T] are the window's own, `past` [B, K, P] those before it; beyond, `NONE`.
    """
    whole = torch.cat([past, codes], dim=-1)  # [B, K, P + T]
    at = back + past.shape[-1]
    there = (at >= 0) & (at < whole.shape[-1])
    index = at.clamp(0, whole.shape[-1] - 1)[:, :, None].expand(-1, -1, whole.shape[1], -1)
    found = whole[:, None].expand(-1, back.shape[1], -1, -1).gather(-1, index)
    return torch.where(there[:, :, None], found, NONE)


def delayed_copies(codes: torch.Tensor, past: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
    """`copied_tokens` where the delay pattern wants them, [B, L, K, S]."""
    copied = copied_tokens(codes, past, back)
    return apply_delay(copied.flatten(0, 1), NONE).unflatten(0, copied.shape[:2])


class Copies(nn.Module):
    """Sees the tokens of `LAGS` and raises their logits as far as gates say."""

    def __init__(self, dim: int, codebooks: int) -> None:
        super().__init__()
        self.codebooks = codebooks
        self.seen = nn.Linear(len(LAGS) * dim, dim, bias=False)
        self.gates = nn.Linear(dim, len(LAGS) * codebooks)

    def start_shut(self) -> None:
        """At first nothing is seen, and nothing raised."""
        nn.init.zeros_(self.seen.weight)
        nn.init.zeros_(self.gates.weight)

    def look(self, copied: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        """What is added at each column [B, S, dim] for the tokens `copied` [B, L, K, S] that may come next;
        `table` [K, V, dim] are the embeddings of tokens."""
        rows = torch.arange(self.codebooks, device=copied.device)[:, None] * table.shape[1]
        found = F.embedding(copied.clamp_min(0) + rows, table.flatten(0, 1))  # [B, L, K, S, dim]
        summed = (found * (copied >= 0)[..., None].to(found.dtype)).sum(2)
        return self.seen(summed.transpose(1, 2).flatten(2))

    def raised(self, logits: torch.Tensor, copied: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Logits [B, S, K, V] with those of `copied` [B, L, K, S] raised; `hidden` [B, S, dim]."""
        gates = self.gates(hidden).unflatten(-1, (self.codebooks, len(LAGS)))  # [B, S, K, L]
        index = copied.permute(0, 3, 2, 1)  # [B, S, K, L]
        gates = gates * (index >= 0).to(gates.dtype)
        return logits.scatter_add(-1, index.clamp_min(0), gates.to(logits.dtype))


class CopyReader:
    """The tokens that a window's columns look back at, while it is written."""

    def __init__(self, past: torch.Tensor, back: torch.Tensor, delayed: torch.Tensor) -> None:
        """`past` [K, P] are the tokens before the window, `back` [1, L, T] is as `windows.steps_back` gives
        it, `delayed` [C, K, S] are its columns, as far as they are known."""
        takes, books = delayed.shape[:2]
        self.before, self.steps = before, steps = past.shape[1], back.shape[2]
        self.book = torch.arange(books, device=past.device)
        # Past and window, [C, K, P + T + 1]; the last stands for what is not there.
        self.said = torch.full((takes, books, before + steps + 1), NONE, device=past.device)
        self.said[..., :before] = past
        self.said[..., before : before + steps] = undo_delay(delayed)
        at = apply_delay(back.transpose(0, 1).expand(-1, books, -1), NO_STEP).to(past.device) + before
        self.at = torch.where((at >= 0) & (at < before + steps), at, before + steps)  # [L, K, S]

    def hear(self, column: int, tokens: torch.Tensor) -> None:
        """Takes note of a column [C, K] that was drawn: of codebook k the token of step `column - k`."""
        low, high = max(0, column - self.steps + 1), min(len(self.book), column + 1)
        book = self.book[low:high]
        self.said[:, book, self.before + column - book] = tokens[:, low:high]

    def columns(self, first: int, last: int) -> torch.Tensor:
        """Tokens [C, L, K, last - first] of the same place before; `NONE` where there are none."""
        return self.said[:, self.book[:, None], self.at[..., first:last]]
