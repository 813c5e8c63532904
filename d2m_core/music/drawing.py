"""Drawing tokens from logits: guidance, temperature, top k and top p, and the only use of chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch

from ..settings import SamplingConfig
from .chances import Dice

COLD = 1e-3
"""Below this temperature the likeliest token is taken: dividing by it would overflow."""


def dice_for(rows: int, tokens: int, config: SamplingConfig, lean: Lean | None) -> Dice:
    """What so many rows are drawn from in machine code."""
    style = config.style_guidance if config.guides_style else 0.0
    warmth = 0.0 if config.temperature < COLD else config.temperature
    return Dice(
        np.zeros((rows, tokens), np.float32),
        np.zeros((rows, tokens), np.int64),
        np.zeros(tokens, np.float32),
        np.array([config.guidance, style, 0.0 if lean is None else lean.pull], np.float32),
        np.array([warmth, config.top_p], np.float32),
    )


class Numbers:
    """The chance in what is drawn: as much of `generator` as `draw` takes, and the same tokens come of it."""

    def __init__(
        self,
        rows: Sequence[int],
        tokens: int,
        columns: int,
        config: SamplingConfig,
        generator: torch.Generator,
    ) -> None:
        """For so many `columns` in all; `rows` are [C, K]."""
        self.cold = config.temperature < COLD
        self.even = draws_evenly()
        """Whether they are as `chances.pick` says: spread evenly, or exponentially."""
        self.shape = (*rows, min(config.top_k or tokens, tokens) if not self.cold else 0)
        self.left, self.generator = columns, generator
        self.ready = iter(np.zeros((0, *self.shape)))

    def arrange(self, keys: np.ndarray) -> None:
        """Brings keys [R, V] in order, or the first to its place where no other counts."""
        if self.cold:
            keys[:, 0] = keys.min(axis=1)
        else:
            keys.sort(axis=1)

    def next(self) -> np.ndarray:
        """Those of the next column, float64 [C, K, keep]."""
        row = next(self.ready, None)
        if row is None:
            many = min(self.left, max(1, _AT_ONCE // max(1, math.prod(self.shape)))) if self.even else 1
            self.left -= many
            self.ready = iter(self._drawn(many).numpy())
            row = next(self.ready)
        return row

    def _drawn(self, columns: int) -> torch.Tensor:
        if self.even:
            shape = (columns, *self.shape)
            return torch.rand(shape, dtype=torch.float64, generator=self.generator)
        noise = torch.zeros(1, math.prod(self.shape[:-1]), self.shape[-1])
        return noise.exponential_(1, generator=self.generator).double().view(1, *self.shape)


_AT_ONCE = 2**16
"""So many numbers are drawn at once: they stay near the processor."""


@cache
def draws_evenly() -> bool:
    """Whether torch's exponential numbers are made of its even ones here, one of each.

    Those take a fifth of the time, and of the others only few are ever needed.
    """
    one, other = (torch.Generator().manual_seed(1) for _ in range(2))
    for shape in ((3,), (4, 1000)):
        noise = torch.zeros(shape).exponential_(1, generator=one)
        even = torch.rand(shape, dtype=torch.float64, generator=other)
        if not torch.equal(noise, -torch.log1p(-even).float()):
            return False
    return torch.equal(one.get_state(), other.get_state())


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


def draw(logits: torch.Tensor, config: SamplingConfig, generator: torch.Generator) -> torch.Tensor:
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
