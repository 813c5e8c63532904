"""Music that can be heard while it is written.

A thread writes tokens; whoever iterates decodes them. The pieces together are, sample by sample, what
`decode_music` makes of the whole.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from itertools import chain

import numpy as np
import torch

from ..align.bend import PIECE_MARGIN_S, Bend, plan_bend, read_piece
from ..align.stretch import stretch_on
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

    The first comes after a fraction of a second of music, or after some seconds where music in straight time
    needs the stretcher. Of a codec that is not causal pieces cannot be joined exactly: one comes at the end.
    Leaving the loop stops the writer.
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
        yield from sounds_of(codec, _pieces(tokens), duration_s)
    finally:
        left.set()
        writer.join()


def _pieces(tokens: queue.SimpleQueue[AudioTokens | BaseException | None]) -> Iterator[AudioTokens]:
    while (piece := tokens.get()) is not None:
        if isinstance(piece, BaseException):
            raise piece
        yield piece


def sounds_of(
    codec: Codec, pieces: Iterator[AudioTokens], duration_s: float
) -> Generator[Waveform, None, None]:
    """Yields the sound of pieces of music as they come from `generate_tokens`, `duration_s` in all."""
    first = next(pieces)
    bend = None if first.bend is None else plan_bend(first.bend, duration_s)
    if not codec.streams:
        codes = torch.cat([first.codes, *(piece.codes for piece in pieces)], dim=-1)
        yield decode_music(codec, AudioTokens(codes, first.codec, first.bend), duration_s)
        return
    sounds = decoded(codec, chain([first], pieces))
    if bend is not None:
        sounds = _bent(limited_on(sounds), bend, duration_s)
        if bend.stretched is not None:
            sounds = _stretched(sounds, bend.stretched, duration_s)
    yield from limited_on(_cut(sounds, duration_s))


@torch.no_grad()
def decoded(codec: Codec, pieces: Iterable[AudioTokens], ahead: int | None = None) -> Iterator[Waveform]:
    """Sound of pieces, as long as its codec makes it.

    `ahead`: a finisher waits for so many token steps after a moment; None: for all that its sound depends on,
    and then the pieces are what the whole is.
    """
    device, stream, rate = next(codec.parameters()).device, codec.stream_decoder(), codec.spec.sample_rate

    def plain() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for piece in pieces:
            yield piece.codes, stream.push(piece.codes.to(device)).cpu()
        yield piece.codes[..., :0], stream.finish().cpu()

    if codec.finisher is None:
        yield from (Waveform(sound, rate) for _, sound in plain())
    else:
        yield from _finished(codec, codec.finisher, plain(), ahead)


@torch.no_grad()
def _finished(
    codec: Codec, finisher: Finisher, parts: Iterator[tuple[torch.Tensor, torch.Tensor]], ahead: int | None
) -> Iterator[Waveform]:
    """Stereo of tokens and the decoder's sound, as `finished` makes it of the whole."""
    hop, context = finisher.config.hop, finisher.config.context
    wait, least = (context, _PIECE_STEPS) if ahead is None else (min(ahead, context), 1)
    device = next(codec.parameters()).device
    codes, sound, first, done = None, torch.zeros(1, 1, 0), 0, 0  # both kept from step `first` on
    for piece, heard in parts:
        codes = piece if codes is None else torch.cat([codes, piece], dim=-1)
        sound = torch.cat([sound, heard], dim=-1)
        ended = piece.shape[-1] == 0
        steps = codes.shape[-1] if ended else min(codes.shape[-1], sound.shape[-1] // hop)
        high = first + steps - (0 if ended else wait)
        if high - done < (1 if ended else least):
            continue
        latent = codec.model.quantizer.decode(codes[..., :steps].transpose(0, 1).to(device))
        stereo = finisher(latent, sound[:, 0, : steps * hop].to(device), first).cpu()
        out = stereo.shape[-1] // steps  # samples that come out for a step
        rate = codec.spec.sample_rate * out // hop
        yield Waveform(stereo[..., (done - first) * out : (high - first) * out], rate)
        done, cut = high, max(0, high - context - first)
        codes, sound, first = codes[..., cut:], sound[..., cut * hop :], first + cut


def _bent(sounds: Iterator[Waveform], bend: Bend, duration_s: float) -> Iterator[Waveform]:
    """Sound in straight time as it is heard in the dance's, as `bend_back` reads the whole."""
    kept, start, heard = torch.zeros(1, 0, 0), 0, 0  # samples from number `start` on; so many were heard
    rate, straight_s, heard_s = 0, bend.read[:, 0], bend.read[:, 1]
    for sound in sounds:
        rate = sound.sample_rate
        kept = torch.cat([kept, sound.samples], dim=-1) if kept.numel() else sound.samples
        margin = round(PIECE_MARGIN_S * rate)
        sure_s = (start + kept.shape[-1] - margin) / rate
        ready = min(round(duration_s * rate), int(np.interp(sure_s, straight_s, heard_s) * rate))
        if sure_s > straight_s[0] and ready > heard:
            yield Waveform(read_piece(kept, rate, start, bend.read, heard, ready - heard), rate)
            heard = ready
            cut = int(np.interp(heard / rate, heard_s, straight_s) * rate) - margin - start
            kept, start = kept[..., max(0, cut) :], start + max(0, cut)
    left = round(duration_s * rate) - heard
    if left > 0:
        yield Waveform(read_piece(kept, rate, start, bend.read, heard, left), rate)


def _stretched(sounds: Iterator[Waveform], anchors: np.ndarray, duration_s: float) -> Iterator[Waveform]:
    """What reading samples leaves over, as `stretch` does the whole."""
    first = next(sounds)
    count = round(duration_s * first.sample_rate)
    return stretch_on(chain([first], sounds), anchors, duration_s, count)


def _cut(sounds: Iterator[Waveform], duration_s: float) -> Iterator[Waveform]:
    """So much of them, with silence at the end where there is less."""
    told = 0
    for sound in sounds:
        length = round(duration_s * sound.sample_rate)
        if told < length and sound.samples.shape[-1]:
            yield Waveform(sound.samples[..., : length - told], sound.sample_rate)
        told += sound.samples.shape[-1]
    if told < length:
        yield Waveform(torch.zeros(*sound.samples.shape[:2], length - told), sound.sample_rate)


def limited_on(sounds: Iterator[Waveform]) -> Iterator[Waveform]:
    """As `limit` leaves the whole: a sample waits until all that decides over it is there."""
    kept, begin = None, 0  # samples from before what is to come, and where that begins in them
    for sound in sounds:
        rate = sound.sample_rate
        around = 2 * (2 * round(REACH_S * rate) + 1)
        kept = sound.samples if kept is None else torch.cat([kept, sound.samples], dim=-1)
        end = kept.shape[-1] - around
        if end > begin:
            yield Waveform(_limit_part(kept, rate, begin, end), rate)
            cut = max(0, end - around)
            kept, begin = kept[..., cut:], end - cut
    if kept is not None and kept.shape[-1] > begin:
        yield Waveform(_limit_part(kept, rate, begin, kept.shape[-1]), rate)


def _limit_part(kept: torch.Tensor, rate: int, begin: int, end: int) -> torch.Tensor:
    samples = kept.clone()
    limit(samples, rate)
    return samples[..., begin:end].clone()
