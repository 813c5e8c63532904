"""How much arithmetic a training step is, and what a GPU could do: model FLOPs utilisation.

Counted as usual (Chowdhery et al., 2022, appendix B): products of matrices and attention, a
multiplication and an addition each, three times the forward pass for a step. What is computed twice
to save memory, and all that is not a product, counts for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from d2m_core.grid import PHASE_NAMES
from d2m_core.music import ModelConfig
from d2m_core.music.model import FRONT_TOKENS
from d2m_core.types import MOTION_FPS, RHYTHM_CURVES

PEAKS = {
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "A10": 125e12,
    "RTX 4090": 165e12,
    "RTX 3090": 71e12,
    "T4": 65e12,
}
"""Dense bfloat16 (T4: float16) operations per second by the makers' data sheets; the first name
that is part of the GPU's counts."""


def peak_flops(device: torch.device) -> float | None:
    """The peak of a GPU; None for a CPU and for GPUs that are not listed."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in PEAKS.items() if part in name), None)


def step_flops(config: ModelConfig, shape: Sequence[int], token_rate: float) -> float:
    """Operations of a training step, forward and backward, on codes of `shape` [B, K, T]."""
    return 3 * forward_flops(config, shape, token_rate)


def forward_flops(config: ModelConfig, shape: Sequence[int], token_rate: float) -> float:
    """Operations of one forward pass on codes of `shape` [B, K, T], so many steps per second."""
    batch, books, steps = shape
    columns = steps + books - 1
    frames = max(1, math.ceil(steps / token_rate * MOTION_FPS))
    memory, dim, ffn, phases = frames + FRONT_TOKENS, config.dim, config.ffn, len(PHASE_NAMES)
    block = 4 * dim * dim + 2 * dim * ffn  # weights that each position meets
    enters = (config.features + len(RHYTHM_CURVES) + phases) * dim * frames + (1 + dim) * dim
    encoder = config.encoder_layers * (block * memory + 2 * dim * memory * memory)
    adds = (dim * dim + phases * dim + dim * dim) * columns
    own = block * columns + 2 * dim * columns * columns
    cross = 2 * dim * dim * (columns + memory) + 2 * dim * columns * memory
    heads = dim * books * config.cardinality * columns
    return 2.0 * batch * (enters + encoder + adds + config.decoder_layers * (own + cross) + heads)
