"""Every setting, in frozen dataclasses that refuse nonsense when they are made.

Command lines are generated from these fields (`training.train` and friends), and checkpoints store
them as JSON, so a setting has one name everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import SettingError

STYLES = ("house", "techno", "disco", "funk", "hiphop", "latin")
"""Styles the default model knows; a checkpoint carries its own list."""

TEMPO_RANGE_BPM = (60.0, 180.0)
"""Tempi that can be found in a dance or asked for."""


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise SettingError(sentence)


@dataclass(frozen=True)
class RhythmConfig:
    """Shape of the rhythm network: a dilated convolutional network over motion features."""

    features: int = 0
    """Motion features per frame (D)."""
    channels: int = 64
    layers: int = 8
    """Residual blocks; block i has dilation 2 ** (i % 8)."""
    kernel: int = 5
    dropout: float = 0.1

    def __post_init__(self) -> None:
        _require(self.features > 0, f"features is {self.features}; give the number of motion features.")
        _require(self.kernel % 2 == 1, f"kernel is {self.kernel}; choose an odd number.")


@dataclass(frozen=True)
class ModelConfig:
    """Shape of the transformer."""

    features: int
    """Motion features per frame (D)."""
    codebooks: int
    cardinality: int
    styles: tuple[str, ...] = STYLES
    dim: int = 256
    heads: int = 4
    encoder_layers: int = 3
    decoder_layers: int = 6
    ffn: int = 1024
    dropout: float = 0.1
    window_s: float = 10.0
    """Longest stretch the decoder has seen in training, in seconds."""

    def __post_init__(self) -> None:
        _require(
            self.dim % self.heads == 0 and (self.dim // self.heads) % 2 == 0,
            f"dim {self.dim} must be an even multiple of heads {self.heads}.",
        )
        _require(self.window_s > 1.0, f"window_s is {self.window_s}; use more than one second.")
        _require(len(set(self.styles)) == len(self.styles), f"styles repeat: {self.styles}.")


@dataclass(frozen=True)
class SamplingConfig:
    """How tokens are drawn."""

    seed: int = 0
    temperature: float = 1.0
    """0 takes the likeliest token at every step."""
    top_k: int = 200
    """Keep the k likeliest tokens; 0 keeps all."""
    top_p: float = 1.0
    """Keep the likeliest tokens that together reach this probability; 1 keeps all."""
    guidance: float = 2.0
    """Classifier-free guidance: 1 follows the dance as trained, more follows it harder."""
    style: str | None = None
    """One of the checkpoint's styles; None lets the model choose."""
    overlap_s: float = 3.0
    """Seconds of known music each further window of a long clip starts from."""

    def __post_init__(self) -> None:
        _require(self.temperature >= 0, f"temperature is {self.temperature}; use 0 or more.")
        _require(self.top_k >= 0, f"top_k is {self.top_k}; use 0 (all) or more.")
        _require(0 < self.top_p <= 1, f"top_p is {self.top_p}; use more than 0 and at most 1.")
        _require(self.guidance >= 0, f"guidance is {self.guidance}; use 0 or more.")
        _require(self.overlap_s > 0, f"overlap_s is {self.overlap_s}; use more than 0.")
        _require(0 <= self.seed < 2**64, f"seed is {self.seed}; use 0 to 2**64 - 1.")


def check_tempo(tempo_bpm: float) -> float:
    """Returns `tempo_bpm`, or raises `SettingError` where it lies outside `TEMPO_RANGE_BPM`."""
    low, high = TEMPO_RANGE_BPM
    _require(low <= tempo_bpm <= high, f"Tempo is {tempo_bpm:g} BPM; choose {low:g} to {high:g}.")
    return tempo_bpm
