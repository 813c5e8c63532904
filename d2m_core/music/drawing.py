"""Drawing tokens from logits: guidance, temperature, top k and top p, and the only use of chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ..settings import SamplingConfig
from .kernel import compiled, numba_is_there

COLD = 1e-3
"""Below this temperature the likeliest token is taken: dividing by it would overflow."""

Draw = Callable[[torch.Tensor], torch.Tensor]
"""One token per candidate and codebook [C, K] from logits float32 [sides C, K, V]."""


def drawer(logits: torch.Tensor, config: SamplingConfig, generator: torch.Generator) -> Draw:
    """What draws from logits like these, by the chances of `generator`."""
    if config.temperature < COLD or logits.device.type != "cpu" or not numba_is_there():
        return lambda logits: _drawn(logits, config, generator)
    return CompiledDraw(logits, config, generator)


class CompiledDraw:
    """`kernel.rank` and `kernel.pick` around numpy's sort: what `_drawn` does in a third of the time.

    The same seed gives the same tokens, but for chances that are equal within the noise of float32.
    """

    def __init__(self, logits: torch.Tensor, config: SamplingConfig, generator: torch.Generator) -> None:
        batch, self.books, tokens = logits.shape
        rows = batch // config.sides * self.books
        self.config, self.generator = config, generator
        self.values = np.zeros((rows, tokens), np.float32)
        self.keys = np.zeros((rows, tokens), np.int64)
        self.noise = torch.zeros(rows, min(config.top_k or tokens, tokens))
        self.chances = np.zeros(tokens, np.float32)
        self.drawn = torch.zeros(rows, dtype=torch.long)

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        """As `Draw`."""
        config, run = self.config, compiled()
        style = config.style_guidance if config.guides_style else 0.0
        flat = logits.reshape(-1, logits.shape[-1]).numpy()
        run.rank(flat, float(config.guidance), float(style), self.values, self.keys)
        self.keys.sort(axis=1)
        self.noise.exponential_(1, generator=self.generator)
        warmth, most = float(config.temperature), float(config.top_p)
        drawn = self.drawn.numpy()
        run.pick(self.values, self.keys, self.noise.numpy(), warmth, most, self.chances, drawn)
        return self.drawn.view(-1, self.books).clone()


MOST_LEAN = 1e3
"""A pull that leaves no other token a chance."""


class Lean:
    """Pulls what is drawn towards tokens of other music: a variation of it comes."""

    def __init__(self, near: torch.Tensor, pull: float) -> None:
        """`near` are delayed columns [K, S] of the other music, below 0 where there is none; to logits as
        they are guided `pull` is added."""
        self.near, self.pull = near, pull
        self.book = torch.arange(len(near), device=near.device)

    def __call__(self, logits: torch.Tensor, column: int) -> None:
        """Raises the logits [B, K, V] of one column, in place; alike on every side of guidance, so that
        guidance leaves the pull as it is."""
        token = self.near[:, column]
        there = token >= 0
        logits[:, self.book[there], token[there]] += self.pull


def _drawn(logits: torch.Tensor, config: SamplingConfig, generator: torch.Generator) -> torch.Tensor:
    """One token per candidate and codebook [C, K]; logits [sides C, K, V], sides as
    `guidance_sides` has them."""
    logits = _guided(logits, config)
    if config.temperature < COLD:
        return logits.argmax(-1)
    keep = config.top_k or logits.shape[-1]
    top, index = logits.flatten(0, 1).topk(min(keep, logits.shape[-1]))  # falling
    chances = torch.softmax((top - top[:, :1]) / config.temperature, dim=-1)
    if config.top_p < 1:
        before = chances.cumsum(-1) - chances  # what likelier tokens reach together
        chances = chances.masked_fill(before >= config.top_p, 0.0)
    chosen = torch.multinomial(chances, 1, generator=generator)
    return index.gather(-1, chosen).view(logits.shape[:2])


def _guided(logits: torch.Tensor, config: SamplingConfig) -> torch.Tensor:
    """Logits [C, K, V] of all sides together."""
    asked, *others = logits.chunk(config.sides)
    guided = asked
    if config.guidance != 1:
        guided = others[0] + config.guidance * (asked - others[0])
    if config.guides_style:
        guided = guided + config.style_guidance * (asked - others[-1])
    return guided
