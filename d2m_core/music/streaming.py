"""Music that can be heard while it is written.

A thread writes tokens; whoever iterates decodes them. The pieces together are, sample by sample, what
`decode_music` makes of the whole.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import torch

from ..codec import Codec
from ..codec.finish import Finisher
from ..errors import Cancelled
from ..media.limiter import REACH_S, limit
from ..settings import SamplingConfig
from ..types import AudioTokens, MotionFeatures, Progress, Rhythm, Waveform
from .sampling import generate_tokens
from .sound import decode_music
from .weights import LoadedModel

_PIECE_STEPS = 25
"""Token steps that a codec with a finisher decodes at a time, beside those that they depend on."""


def stream_music(
    model: LoadedModel,
    codec: Codec,
    motion: MotionFeatures | None,
    rhythm: Rhythm | None,
    config: SamplingConfig,
    duration_s: float,
    on_progress: Progress | None = None,
    *,
    known: AudioTokens | None = None,
) -> Iterator[Waveform]:
    """Yields the sound of `generate_tokens` piece by piece (B = 1), `duration_s` in all.

    The first comes after a fraction of a second of music. Where pieces cannot be joined exactly (a codec that
    is not causal, music in straight time) one piece comes at the end. Leaving the loop stops the writer.
    """
    tokens: queue.SimpleQueue[AudioTokens | BaseException | None] = queue.SimpleQueue()
    left = threading.Event()

    def take(piece: AudioTokens) -> None:
        if left.is_set():
            raise Cancelled("Nobody listens any more.")
        tokens.put(piece)

    def write() -> None:
        try:
            generate_tokens(
                model,
                motion,
                rhythm,
                codec.spec,
                config,
                on_progress,
                duration_s=duration_s,
                known=known,
                on_tokens=take,
            )
            tokens.put(None)
        except BaseException as error:  # raised again by who listens
            tokens.put(error)

    writer = threading.Thread(target=write, name="d2m-writer", daemon=True)
    writer.start()
    try:
        yield from _sounds(codec, _pieces(tokens), duration_s)
    finally:
        left.set()
        writer.join()


def _pieces(tokens: queue.SimpleQueue[AudioTokens | BaseException | None]) -> Iterator[AudioTokens]:
    while (piece := tokens.get()) is not None:
        if isinstance(piece, BaseException):
            raise piece
        yield piece


def _sounds(codec: Codec, pieces: Iterator[AudioTokens], duration_s: float) -> Iterator[Waveform]:
    first = next(pieces)
    if first.bend is not None or not codec.streams:
        codes = torch.cat([first.codes, *(piece.codes for piece in pieces)], dim=-1)
        yield decode_music(codec, AudioTokens(codes, first.codec, first.bend), duration_s)
        return
    rate = codec.spec.sample_rate
    cut = _cut(_decoded(codec, first, pieces), round(duration_s * rate))
    for sound in _limited(cut, rate):
        yield Waveform(sound, rate)


def _cut(sounds: Iterator[torch.Tensor], length: int) -> Iterator[torch.Tensor]:
    """So many samples of them, with silence at the end where there are fewer."""
    channels = 1
    for sound in sounds:
        channels = sound.shape[1]
        if length > 0 and sound.shape[-1]:
            yield sound[..., :length]
        length -= sound.shape[-1]
    if length > 0:
        yield torch.zeros(1, channels, length)


@torch.no_grad()
def _decoded(codec: Codec, first: AudioTokens, pieces: Iterator[AudioTokens]) -> Iterator[torch.Tensor]:
    """Sound [1, C, n] of pieces, as long as its codec makes it."""
    device, stream = next(codec.parameters()).device, codec.stream_decoder()

    def plain() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        yield first.codes, stream.push(first.codes.to(device)).cpu()
        for piece in pieces:
            yield piece.codes, stream.push(piece.codes.to(device)).cpu()
        yield first.codes[..., :0], stream.finish().cpu()

    if codec.finisher is None:
        yield from (sound for _, sound in plain())
    else:
        yield from _finished(codec, codec.finisher, plain())


@torch.no_grad()
def _finished(
    codec: Codec, finisher: Finisher, parts: Iterator[tuple[torch.Tensor, torch.Tensor]]
) -> Iterator[torch.Tensor]:
    """Stereo of tokens and the decoder's sound, as `finished` makes it of the whole."""
    hop, context = finisher.config.hop, finisher.config.context
    device = next(codec.parameters()).device
    codes, sound, first, done = None, torch.zeros(1, 1, 0), 0, 0  # both kept from step `first` on
    for piece, heard in parts:
        codes = piece if codes is None else torch.cat([codes, piece], dim=-1)
        sound = torch.cat([sound, heard], dim=-1)
        ended = piece.shape[-1] == 0
        there = first + (codes.shape[-1] if ended else min(codes.shape[-1], sound.shape[-1] // hop))
        high = there if ended else there - context
        if high - done < (1 if ended else _PIECE_STEPS):
            continue
        inner = slice(0, there - first)
        latent = codec.model.quantizer.decode(codes[..., inner].transpose(0, 1).to(device))
        stereo = finisher(latent, sound[:, 0, : (there - first) * hop].to(device), first).cpu()
        yield stereo[..., (done - first) * hop : (high - first) * hop]
        done, cut = high, max(0, high - context - first)
        codes, sound, first = codes[..., cut:], sound[..., cut * hop :], first + cut


def _limited(sounds: Iterator[torch.Tensor], rate: int) -> Iterator[torch.Tensor]:
    """As `limit` leaves the whole: a sample waits until all that decides over it is there."""
    around = 2 * (2 * round(REACH_S * rate) + 1)
    kept, begin = None, 0  # samples from before what is to come, and where that begins in them
    for sound in sounds:
        kept = sound if kept is None else torch.cat([kept, sound], dim=-1)
        end = kept.shape[-1] - around
        if end > begin:
            yield _limit_part(kept, rate, begin, end)
            cut = max(0, end - around)
            kept, begin = kept[..., cut:], end - cut
    if kept is not None:
        yield _limit_part(kept, rate, begin, kept.shape[-1])


def _limit_part(kept: torch.Tensor, rate: int, begin: int, end: int) -> torch.Tensor:
    samples = kept.clone()
    limit(samples, rate)
    return samples[..., begin:end]
