"""How the learning rate goes over a run, and whose clock counts: for every network here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from accelerate import Accelerator


FINAL_RATE = 0.02
"""Share of the learning rate left at the end of the cosine."""


def rate_factor(step: int, warm_steps: int, progress: float) -> float:
    """Share 0..1 of the learning rate: a linear rise, then a cosine over `progress` 0..1."""
    warm = min(1.0, (step + 1) / max(1, warm_steps))
    cosine = 0.5 * (1 + math.cos(math.pi * progress))
    return warm * (FINAL_RATE + (1 - FINAL_RATE) * cosine)


def of_first(workers: Accelerator, value: float) -> float:
    """The first process's value, in every process: its clock decides when all of them stop."""
    if workers.num_processes == 1:
        return value
    from accelerate.utils import broadcast

    return float(broadcast(torch.tensor([value], dtype=torch.float64, device=workers.device)))
