"""How far a training is: its budget, its clock, its learning rate. For every network here."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from accelerate import Accelerator


FINAL_RATE = 0.02
"""Share of the learning rate left at the end of the cosine."""


class Run:
    """Where in its budget a training is; every trainer is one.

    The budget is `minutes` by the wall clock, or `steps` where above 0. The clock runs inside
    `on_the_clock` alone, so that measuring and saving are not paid for with training, and goes on
    where an earlier part of the run stopped it. Of several `workers` the first one's clock counts.
    """

    def __init__(self, minutes: float, steps: int = 0, workers: Accelerator | None = None) -> None:
        self._minutes, self._steps, self._clocks = minutes, steps, workers
        self.step = 0
        """Steps taken."""
        self.spent_s = 0.0
        """Seconds of training, earlier parts included."""

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0..1."""
        if self._steps:
            return min(1.0, self.step / self._steps)
        return min(1.0, self.spent_s / (60 * self._minutes))

    @contextmanager
    def on_the_clock(self) -> Iterator[None]:
        """Counts the time of what is done inside, waiting included."""
        start = time.perf_counter()
        yield
        self.spent_s = of_first(self._clocks, self.spent_s + time.perf_counter() - start)


def rate_factor(step: int, warm_steps: int, progress: float) -> float:
    """Share 0..1 of the learning rate: a linear rise, then a cosine over `progress` 0..1."""
    warm = min(1.0, (step + 1) / max(1, warm_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * progress))
    return warm * (FINAL_RATE + (1 - FINAL_RATE) * cosine)


def of_first(workers: Accelerator | None, value: float) -> float:
    """The first process's value, in every process: its clock decides when all of them stop."""
    if workers is None or workers.num_processes == 1:
        return value
    from accelerate.utils import broadcast

    return float(broadcast(torch.tensor([value], dtype=torch.float64, device=workers.device)))
