"""One pass through the codec while it learns: encoder, learning codebooks, decoder."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from .factored import FactoredBooks
from .network import make_codec, read_codec
from .quantizer import LearningQuantizer, Quantized, flat_points
from .settings import CodecTraining


class Passed(NamedTuple):
    """Sound that went through the codec."""

    fake: torch.Tensor
    """float32 [B, 1, N]."""
    commitment: torch.Tensor
    latent: torch.Tensor
    """float32 [B * T, H], without gradient."""


class CodecNet(nn.Module):
    """Encoder, learning codebooks and decoder in one call."""

    def __init__(self, settings: CodecTraining) -> None:
        super().__init__()
        self.model = read_codec(settings) if settings.init else make_codec(settings)
        self.factored = None
        if settings.books == "factored":
            self.factored = FactoredBooks(
                settings.codebooks, settings.cardinality, settings.factors, settings.hidden, settings.seed
            )
        self.following = LearningQuantizer(
            self.model.quantizer, settings.seed, settings.book_decay, settings.revive
        )
        self.in_half = False
        self.started_books = bool(settings.init)

    def forward(self, audio: torch.Tensor, used: torch.Tensor | None, step: int) -> Passed:
        """`audio` [B, 1, N]; before the codebooks have started, latents pass as they are."""
        with torch.autocast(audio.device.type, torch.bfloat16, enabled=self.in_half):
            latent = self.model.encoder(audio)
            quantized = self.quantize(latent, used, step)
            fake = self.model.decoder(quantized.values)
        return Passed(fake.float(), quantized.commitment, flat_points(latent.detach()))

    def quantize(self, latent: torch.Tensor, used: torch.Tensor | None, step: int) -> Quantized:
        """Through the codebooks, which follow what they see."""
        with torch.autocast(latent.device.type, enabled=False):
            if not self.started_books:
                idle = latent.new_zeros((), dtype=torch.float32)
                idle = idle if self.factored is None else self.factored.idle()
                return Quantized(latent, idle, torch.zeros((0, 0), dtype=torch.long))
            if self.factored is not None:
                return self.factored(latent, used)
            return self.following(latent, used, step)

    def start_books(self, points: torch.Tensor) -> None:
        """Starts the codebooks from latents [n, H]."""
        (self.factored or self.following).start(points)
        self.started_books = True


def in_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether to compute in bfloat16: as told, or where the machine has it.

    A CPU without it takes eight times as long as in float32.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
