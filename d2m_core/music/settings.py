"""How tokens are drawn: settings in a frozen dataclass that refuses nonsense.

Nodes and command lines take names and defaults from its fields, so a setting is one thing everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import require

MOST_CANDIDATES = 64
"""Pieces of music that may be written at once for one to be chosen."""


@dataclass(frozen=True)
class SamplingConfig:
    """How tokens are drawn."""

    seed: int = 0
    temperature: float = 1.0
    """0 takes the likeliest token at every step."""
    top_k: int = 0
    """Keep the k likeliest tokens; 0 keeps all."""
    top_p: float = 1.0
    """Keep the likeliest tokens that together reach this probability; 1 keeps all."""
    guidance: float = 2.5
    """Classifier-free guidance: 1 follows the dance as trained, more follows it harder."""
    style: str | None = None
    """One of the checkpoint's styles; None lets the model choose."""
    style_guidance: float = 2.0
    """How much further from music in any style, where a style is asked for; 0 is none."""
    overlap_s: float = 3.0
    """Seconds of known music each further window of a long clip starts from."""
    candidates: int = 1
    """So many are written at once, and the one whose hits agree best with the rhythm is taken."""

    def __post_init__(self) -> None:
        require(
            1 <= self.candidates <= MOST_CANDIDATES,
            f"candidates is {self.candidates}; use 1 to {MOST_CANDIDATES}.",
        )
        require(self.temperature >= 0, f"temperature is {self.temperature}; use 0 or more.")
        require(self.top_k >= 0, f"top_k is {self.top_k}; use 0 (all) or more.")
        require(0 < self.top_p <= 1, f"top_p is {self.top_p}; use more than 0 and at most 1.")
        require(self.guidance >= 0, f"guidance is {self.guidance}; use 0 or more.")
        require(self.style_guidance >= 0, f"style_guidance is {self.style_guidance}; use 0 or more.")
        require(self.overlap_s > 0, f"overlap_s is {self.overlap_s}; use more than 0.")
        require(0 <= self.seed < 2**64, f"seed is {self.seed}; use 0 to 2**64 - 1.")

    @property
    def guides_style(self) -> bool:
        """Whether the style is guided by itself."""
        return self.style is not None and self.style_guidance > 0

    @property
    def sides(self) -> int:
        """How many windows are written side by side for one."""
        return 1 + (self.guidance != 1) + self.guides_style
