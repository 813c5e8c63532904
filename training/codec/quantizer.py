"""Residual vector quantisation with codebooks that learn, in the buffers of an `EncodecModel`.

The model's own quantiser only encodes and decodes; here its codebooks follow the data: k-means
start, exponential moving averages, unused entries moved to where data lies (van den Oord et al.
2017, Zeghidour et al. 2021), and entries of a batch that use fewer books (quantiser dropout).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from accelerate import PartialState
from accelerate.utils import gather
from torch import nn

START_POINTS = 65_536
"""Latents that k-means looks at, at most."""


@dataclass(frozen=True, eq=False)
class Quantized:
    """One pass through the codebooks."""

    values: torch.Tensor
    """[B, H, T], with the gradient of the input (straight through)."""
    commitment: torch.Tensor
    """How far the input lies from its entries, relative to its variance."""
    codes: torch.Tensor
    """[K, B * T]; of all processes together where books follow all."""


def nearest(book: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Index of the nearest row of `book` [V, H] to each of `points` [n, H]."""
    return (book.pow(2).sum(1) - 2 * points @ book.t()).argmin(1)


def kmeans(points: torch.Tensor, size: int, rounds: int, generator: torch.Generator) -> torch.Tensor:
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


def fewer_points(points: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """At most `START_POINTS` of `points` [n, H], at random."""
    if len(points) <= START_POINTS:
        return points
    return points[torch.randperm(len(points), generator=generator)[:START_POINTS]]


def flat_points(latent: torch.Tensor) -> torch.Tensor:
    """[B, H, T] -> float32 [B * T, H]."""
    return latent.float().transpose(1, 2).reshape(-1, latent.shape[1])


def in_use(used: torch.Tensor | None, book: int, latent: torch.Tensor) -> torch.Tensor | float:
    """Which of [B * T] points use this book, as 1 and 0 in [B * T, 1]; `used` counts books [B]."""
    if used is None:
        return 1.0
    return (used > book).float().repeat_interleave(latent.shape[-1])[:, None]


class LearningQuantizer:
    """Trains the codebooks of `quantizer` (an `EncodecResidualVectorQuantizer`) in place.

    Every process sees the points of all, so that all hold the same books. What it draws follows
    from seed and step.
    """

    def __init__(self, quantizer: nn.Module, seed: int, decay: float = 0.99, revive: float = 0.1) -> None:
        self.books: list[nn.Module] = [layer.codebook for layer in quantizer.layers]  # type: ignore[union-attr]
        self.seed = seed
        self.decay = decay
        self.revive = revive

    def generator(self, step: int) -> torch.Generator:
        """Chance of one step, the same in every process."""
        return torch.Generator().manual_seed(self.seed * 1_000_003 + step)

    @torch.no_grad()
    def start(self, points: torch.Tensor, rounds: int = 10) -> None:
        """K-means over `points` [n, H], book after book on what the ones before leave over."""
        generator = self.generator(-1)
        rest = fewer_points(points.float(), generator)
        for book in self.books:
            centres = kmeans(rest, len(book.cluster_size), rounds, generator)  # type: ignore[arg-type]
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

    def __call__(
        self, latent: torch.Tensor, used: torch.Tensor | None = None, step: int = 0, learn: bool = True
    ) -> Quantized:
        """Quantises `latent` [B, H, T]; with `learn`, moves the codebooks towards it.

        `used` [B] limits how many books each entry sounds by; the books still see everything.
        """
        flat = flat_points(latent)  # [B * T, H]
        points = gather(flat.detach())
        first = PartialState().process_index * len(flat)
        own = slice(first, first + len(flat))
        generator = self.generator(step)
        rest, codes, commitment = points, [], latent.new_zeros((), dtype=torch.float32)
        scale = points.var(0).mean().clamp_min(1e-6)
        values = torch.zeros_like(flat)
        for number, book in enumerate(self.books):
            index = nearest(book.embed, rest)  # type: ignore[arg-type]
            entry = book.embed[index]  # type: ignore[index]
            mask = in_use(used, number, latent)
            values = values + mask * entry[own]
            commitment = commitment + (mask * (flat - values)).pow(2).mean() / scale
            if learn:
                self._follow(book, rest, index, generator)
            rest = rest - entry
            codes.append(index)
        values = values.reshape(latent.shape[0], -1, latent.shape[1]).transpose(1, 2)
        straight = latent + (values - latent.float()).detach()
        return Quantized(straight, commitment / len(self.books), torch.stack(codes))

    @torch.no_grad()
    def _follow(
        self, book: nn.Module, points: torch.Tensor, index: torch.Tensor, generator: torch.Generator
    ) -> None:
        size, sums, embed = book.cluster_size, book.embed_avg, book.embed
        assert isinstance(size, torch.Tensor)
        assert isinstance(sums, torch.Tensor)
        assert isinstance(embed, torch.Tensor)
        count = torch.bincount(index, minlength=len(size)).float() * (len(size) / len(points))
        added = torch.zeros_like(sums).index_add_(0, index, points) * (len(size) / len(points))
        size.mul_(self.decay).add_(count, alpha=1 - self.decay)  # mean over entries stays 1
        sums.mul_(self.decay).add_(added, alpha=1 - self.decay)
        fresh = points[torch.randint(len(points), (len(size),), generator=generator)]
        dead = size < self.revive
        size.masked_fill_(dead, 1.0)
        sums.copy_(torch.where(dead[:, None], fresh, sums))
        embed.copy_(sums / size[:, None])

    def perplexities(self) -> list[float]:
        """Effective number of entries in use lately, per book."""
        return [_perplexity(book.cluster_size) for book in self.books]  # type: ignore[arg-type]


def perplexity(codes: torch.Tensor, cardinality: int) -> list[float]:
    """Effective number of entries in use, per book of `codes` [K, n]."""
    return [_perplexity(torch.bincount(book, minlength=cardinality).float()) for book in codes]


def _perplexity(counts: torch.Tensor) -> float:
    share = counts / counts.sum().clamp_min(1e-9)
    return float(torch.exp(-(share * (share + 1e-12).log()).sum()))
