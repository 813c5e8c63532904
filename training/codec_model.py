"""Settings of a codec training, and the fresh codec they describe."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from training.studio.band.synth import SAMPLE_RATE

RATIOS = (8, 5, 4, 3)
"""Upsampling from token steps to samples."""

HOP = math.prod(RATIOS)
"""Samples per token step: 50 steps per second at 24 kHz."""


@dataclass(frozen=True)
class CodecTraining:
    """Settings of one run; the command line is made from these fields."""

    out: str = "weights/codec"
    """Folder that receives config.json and model.safetensors."""
    folder: str = "runs/codec"
    """Folder of the pool, the checkpoint and the log."""
    minutes: float = 45.0
    """Training time in all, by the wall clock, resumed parts counted."""
    resume: bool = False
    device: str = "auto"
    seed: int = 0
    filters: int = 16
    hidden: int = 128
    lstm_layers: int = 1
    residual_layers: int = 1
    codebooks: int = 4
    cardinality: int = 1024
    batch: int = 8
    segment_frames: int = 32
    """Length of a training segment in token steps."""
    rate: float = 1.5e-3
    """Highest learning rate; it falls as a cosine of the time spent."""
    continuous_steps: int = 250
    """Steps before the codebooks start."""
    judges_from: float = 1.0
    """Share of the time after which the judges join; 1 leaves them out (a CPU is slow at them)."""
    judge_weight: float = 0.5
    match_weight: float = 2.0
    mel_weight: float = 20.0
    linear_weight: float = 0.5
    balance_weight: float = 6.0
    wave_weight: float = 5.0
    ramp: float = 0.4
    """Share of the time in which the mel weight rises from a fifth, the waveform's falls to one."""
    commitment_weight: float = 0.2
    scales_per_step: int = 3
    """How many of the spectral window lengths each step looks through."""
    pool_minutes: float = 60.0
    """Minutes of band music to train on."""
    held_out_s: float = 6.0
    """Length of each piece that measures the codec, in seconds."""
    report_every: int = 100
    save_s: float = 240.0
    """Seconds between checkpoints with a measurement."""


def make_codec(settings: CodecTraining) -> nn.Module:
    """A fresh `EncodecModel`: 24 kHz mono, 50 token steps per second, causal."""
    from transformers import EncodecConfig, EncodecModel

    bits_per_s = settings.codebooks * math.log2(settings.cardinality) * SAMPLE_RATE / HOP
    config = EncodecConfig(
        sampling_rate=SAMPLE_RATE,
        audio_channels=1,
        upsampling_ratios=list(RATIOS),
        target_bandwidths=[bits_per_s / 1000],
        num_filters=settings.filters,
        hidden_size=settings.hidden,
        codebook_size=settings.cardinality,
        num_lstm_layers=settings.lstm_layers,
        num_residual_layers=settings.residual_layers,
        use_conv_shortcut=False,
        pad_mode="constant",  # zeros before the start: a stream needs no look ahead
    )
    return EncodecModel(config)


@torch.no_grad()
def settle(model: nn.Module) -> None:
    """Orthogonal starting weights without biases, so that sound passes through a fresh codec.

    As they come, signals halve at every layer and biases drown them: for hundreds of steps nothing
    is learnt.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv1d | nn.ConvTranspose1d):
            # the weight norm splits what it is given into size and direction
            module.weight = orthogonal_like(module)
            assert module.bias is not None
            module.bias.zero_()
    for module in model.modules():
        if hasattr(module, "shortcut"):
            last = module.block[-1].conv  # type: ignore[union-attr, index]
            last.weight = last.weight * 0.2


def orthogonal_like(module: nn.Conv1d | nn.ConvTranspose1d) -> torch.Tensor:
    """Weights that keep a signal's energy; strided ones overlap two steps with equal halves."""
    first, second, width = module.weight.shape
    stride = module.stride[0]
    if stride == 1:
        return nn.init.orthogonal_(torch.empty(first, second * width)).view(first, second, width)
    half = nn.init.orthogonal_(torch.empty(first, second * stride)).view(first, second, stride)
    return torch.cat((half, half), -1) * 0.5**0.5
