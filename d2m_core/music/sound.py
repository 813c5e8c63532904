"""Tokens to music: decoded and, where it was written in straight time, bent back to its dance."""

from __future__ import annotations

from dataclasses import replace

from ..align.bend import bend_back
from ..codec import Codec, decode_tokens
from ..media.limiter import limit
from ..types import AudioTokens, Progress, Waveform
from .straightening import way_of


def decode_music(
    codec: Codec,
    tokens: AudioTokens,
    duration_s: float | None = None,
    on_progress: Progress | None = None,
    *,
    finish: bool = True,
) -> Waveform:
    """Sound of `tokens` in the time of their dance; exactly `duration_s` long, where that is given.

    `finish` as of `decode_tokens`: off, a codec with a finisher gives its own plain sound.
    """
    if tokens.bend is None:
        return decode_tokens(codec, tokens, duration_s, on_progress, finish=finish)
    if duration_s is None:
        duration_s = float(way_of(tokens).to_dance(tokens.duration_s))
    wave = bend_back(
        decode_tokens(codec, replace(tokens, bend=None), None, on_progress, finish=finish),
        tokens.bend,
        duration_s,
        on_progress,
    )
    limit(wave.samples, wave.sample_rate)  # samples read between those that were limited may lie above them
    return wave
