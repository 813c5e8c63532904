"""Codebooks of few dimensions and unit length that fold into the tables of a plain `EncodecModel`.

DAC (Kumar et al. 2023) looks codes up in 8 dimensions, by cosine, between two projections of their
own. A plain EnCodec knows tables and Euclidean nearest neighbours alone. So here entry v of a book
is `unit(code_v) @ out + middle`, learnt through `out` and the codes, and it is looked up as the
folded table will be: moving `out` moves all entries at once, so that none is left behind (as in
SimVQ, Zhu et al. 2024), and what is trained is exactly what is loaded.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from .quantizer import Quantized, fewer_points, flat_points, in_use, kmeans, nearest


class FactoredBooks(nn.Module):
    """K books of V unit codes in d dimensions, and each book's way into the latents."""

    def __init__(self, books: int, cardinality: int, factors: int, width: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        shape = (books, cardinality, factors)
        self.codes = nn.Parameter(torch.randn(shape, generator=generator))
        self.out = nn.Parameter(torch.randn((books, factors, width), generator=generator) * 0.1)
        self.middle = nn.Parameter(torch.zeros(books, 1, width))
        self.seed = seed

    def tables(self) -> torch.Tensor:
        """The folded books, [K, V, H]."""
        return F.normalize(self.codes, dim=-1) @ self.out + self.middle

    @torch.no_grad()
    def start(self, points: torch.Tensor, rounds: int = 10) -> None:
        """K-means over `points` [n, H], then the directions in which its centres differ most."""
        generator = torch.Generator().manual_seed(self.seed)
        rest = fewer_points(points.float(), generator)
        factors = self.codes.shape[-1]
        for number in range(len(self.codes)):
            centres = kmeans(rest, self.codes.shape[1], rounds, generator)
            middle = centres.mean(0, keepdim=True)
            axes = torch.linalg.svd(centres - middle, full_matrices=False).Vh[:factors]  # [d, H]
            places = (centres - middle) @ axes.T
            self.codes[number].copy_(places)
            self.out[number].copy_(axes * places.norm(dim=1).mean())
            self.middle[number].copy_(middle)
            table = self.tables()[number]
            rest = rest - table[nearest(table, rest)]

    def idle(self) -> torch.Tensor:
        """Zero, with a gradient of zero for every parameter: distributed training wants one."""
        return 0.0 * (self.codes.sum() + self.out.sum() + self.middle.sum())

    def forward(self, latent: torch.Tensor, used: torch.Tensor | None = None) -> Quantized:
        """As `LearningQuantizer`; commitment teaches the books as well (4 to 1, as in DAC)."""
        flat = flat_points(latent)
        scale = flat.detach().var(0).mean().clamp_min(1e-6)
        loss, codes = latent.new_zeros((), dtype=torch.float32), []
        rest, values = flat.detach(), torch.zeros_like(flat)
        for number, table in enumerate(self.tables()):
            index = nearest(table.detach(), rest)
            mask = in_use(used, number, latent)
            values = values + mask * table[index]
            commit = (mask * (flat - values.detach())).pow(2).mean()
            teach = (mask * (flat.detach() - values)).pow(2).mean()
            loss = loss + (commit + 4 * teach) / scale
            rest = rest - table.detach()[index]
            codes.append(index)
        shaped = values.detach().reshape(latent.shape[0], -1, latent.shape[1]).transpose(1, 2)
        straight = latent + (shaped - latent.float()).detach()
        return Quantized(straight, loss / len(codes), torch.stack(codes))

    @torch.no_grad()
    def fold(self, quantizer: nn.Module) -> None:
        """Writes the tables into an `EncodecResidualVectorQuantizer`."""
        for layer, table in zip(quantizer.layers, self.tables(), strict=True):  # type: ignore[arg-type]
            layer.codebook.embed.copy_(table)
            layer.codebook.embed_avg.copy_(table)
            layer.codebook.cluster_size.fill_(1.0)
