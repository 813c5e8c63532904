"""Residual vector quantisation with codebooks that learn, in the buffers of an `EncodecModel`.

The model's own quantiser only encodes and decodes; here its codebooks follow the data: k-means
start, exponential moving averages, unused entries moved to where data lies (van den Oord et al.
2017, Zeghidour et al. 2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from training.codec_workers import gather, rank


@dataclass(frozen=True, eq=False)
class Quantized:
    """One pass through the codebooks."""

    values: torch.Tensor
    """[B, H, T], with the gradient of the input (straight through)."""
    commitment: torch.Tensor
    """How far the input lies from its entries, relative to its variance."""
    codes: torch.Tensor
    """[K, B * T]."""


def nearest(book: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Index of the nearest row of `book` [V, H] to each of `points` [n, H]."""
    return (book.pow(2).sum(1) - 2 * points @ book.t()).argmin(1)


def kmeans(
    points: torch.Tensor, size: int, rounds: int, generator: torch.Generator
) -> torch.Tensor:
    """`size` centres of `points` [n, H]; empty clusters start again at random points."""
    pick = torch.randint(len(points), (size,), generator=generator)
    if len(points) >= size:
        pick = torch.randperm(len(points), generator=generator)[:size]
    centres = points[pick].clone()
    for _ in range(rounds):
        index = nearest(centres, points)
        count = torch.bincount(index, minlength=size)
        sums = torch.zeros_like(centres).index_add_(0, index, points)
        spare = points[torch.randint(len(points), (size,), generator=generator)]
        centres = torch.where(count[:, None] > 0, sums / count[:, None].clamp_min(1), spare)
    return centres


class LearningQuantizer:
    """Trains the codebooks of `quantizer` (an `EncodecResidualVectorQuantizer`) in place."""

    def __init__(
        self, quantizer: nn.Module, seed: int, decay: float = 0.99, revive: float = 0.1
    ) -> None:
        self.books: list[nn.Module] = [layer.codebook for layer in quantizer.layers]  # type: ignore[union-attr]
        self.decay = decay
        self.revive = revive
        self.generator = torch.Generator().manual_seed(seed)

    @torch.no_grad()
    def start(self, points: torch.Tensor, rounds: int = 10) -> None:
        """K-means over `points` [n, H], book after book on what the ones before leave over."""
        rest = points.float().cpu()
        for book in self.books:
            centres = kmeans(rest, len(book.cluster_size), rounds, self.generator)  # type: ignore[arg-type]
            index = nearest(centres, rest)
            count = torch.bincount(index, minlength=len(centres)).float().clamp_min(0.5)
            count = count / count.mean()
            self._store(book, centres, count)
            rest = rest - centres[index]

    @staticmethod
    def _store(book: nn.Module, centres: torch.Tensor, count: torch.Tensor) -> None:
        book.embed.copy_(centres)  # type: ignore[operator]
        book.cluster_size.copy_(count)  # type: ignore[operator]
        book.embed_avg.copy_(centres * count[:, None])  # type: ignore[operator]

    def __call__(self, latent: torch.Tensor, learn: bool = True) -> Quantized:
        """Quantises `latent` [B, H, T]; with `learn`, moves the codebooks towards it."""
        flat = latent.float().transpose(1, 2).reshape(-1, latent.shape[1])  # [B * T, H]
        points = gather(flat.detach())
        own = slice(rank() * len(flat), (rank() + 1) * len(flat))
        rest, codes, commitment = points, [], latent.new_zeros((), dtype=torch.float32)
        scale = points.var(0).mean().clamp_min(1e-6)
        total = torch.zeros_like(points)
        for book in self.books:
            index = nearest(book.embed, rest)  # type: ignore[arg-type]
            entry = book.embed[index]  # type: ignore[index]
            total = total + entry
            commitment = commitment + (flat - total[own]).pow(2).mean() / scale
            if learn:
                self._follow(book, rest, index)
            rest = rest - entry
            codes.append(index)
        values = total[own].reshape(latent.shape[0], -1, latent.shape[1]).transpose(1, 2)
        straight = latent + (values - latent.float()).detach()
        return Quantized(straight, commitment / len(self.books), torch.stack(codes))

    @torch.no_grad()
    def _follow(self, book: nn.Module, points: torch.Tensor, index: torch.Tensor) -> None:
        size, sums, embed = book.cluster_size, book.embed_avg, book.embed
        assert isinstance(size, torch.Tensor)
        assert isinstance(sums, torch.Tensor)
        assert isinstance(embed, torch.Tensor)
        count = torch.bincount(index, minlength=len(size)).float() * (len(size) / len(points))
        added = torch.zeros_like(sums).index_add_(0, index, points) * (len(size) / len(points))
        size.mul_(self.decay).add_(count, alpha=1 - self.decay)  # mean over entries stays 1
        sums.mul_(self.decay).add_(added, alpha=1 - self.decay)
        dead = size < self.revive
        fresh = points[torch.randint(len(points), (int(dead.sum()),), generator=self.generator)]
        size[dead] = 1.0
        sums[dead] = fresh
        embed.copy_(sums / size[:, None])


def perplexity(codes: torch.Tensor, cardinality: int) -> list[float]:
    """Effective number of entries in use, per book of `codes` [K, n]."""
    result = []
    for book in codes:
        share = torch.bincount(book, minlength=cardinality).float() / max(1, book.numel())
        result.append(float(torch.exp(-(share * (share + 1e-12).log()).sum())))
    return result
