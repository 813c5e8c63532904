"""Sound to tokens and back, by transformers' `EncodecModel`; others only see `CodecSpec`.

Long pieces go through in chunks, so that an hour fits in memory. A causal codec goes on exactly
where the last chunk ended (`stream`); another starts a little early in each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from ..errors import ModelError
from ..media.limiter import limit
from ..media.resampling import resampled
from ..types import AudioTokens, CodecSpec, Progress, Waveform
from ..weights import EMBEDDED, EMBEDDED_FOLDERS, GONE, weights_folder, who_reads
from .finish import Finisher, finished, load_finisher
from .loading import read_folder, read_hub
from .stream import StreamDecoder, StreamEncoder, can_stream

if TYPE_CHECKING:
    from transformers import EncodecConfig, EncodecModel


CODECS: dict[str, CodecSpec] = {
    **{name: CodecSpec(name, 24_000, 50.0, codebooks=8, cardinality=1024) for name in EMBEDDED_FOLDERS},
    "facebook/encodec_24khz": CodecSpec(
        "facebook/encodec_24khz", 24_000, 75.0, codebooks=8, cardinality=1024
    ),
    "facebook/encodec_32khz": CodecSpec(
        "facebook/encodec_32khz", 32_000, 50.0, codebooks=4, cardinality=2048
    ),
}
"""Codecs known by name, at their usual bandwidth (4, 6 and 2.2 kbit/s)."""

MOST_CODEBOOKS = 8
"""Where a codec offers several bandwidths, the highest with at most so many codebooks is taken."""

CHUNK_S = 20.0
"""Length of the pieces that are encoded and decoded at a time."""

STREAMED_S = 5.0
"""The same where pieces join exactly: shorter ones take less memory."""

CONTEXT_S = 2.0
"""How far a chunk starts before its piece, and ends after it, where a codec is not causal."""

FINISHER = "finisher.safetensors"
"""A finisher's file, in the folder of its codec."""

FADE_S = 0.01
"""Crossfade between decoded chunks."""


class Codec(nn.Module):
    """An EnCodec and the facts about it. A plain module: ComfyUI sets attributes that models of
    transformers refuse."""

    def __init__(self, model: EncodecModel, spec: CodecSpec, finisher: Finisher | None = None) -> None:
        super().__init__()
        self.model = model.eval().requires_grad_(False)
        self.spec = spec
        self.finisher = None if finisher is None else finisher.eval().requires_grad_(False)

    @property
    def causal(self) -> bool:
        return bool(self.model.config.use_causal_conv)

    @property
    def streams(self) -> bool:
        """Whether pieces join exactly, so that sound may come and go as it is made."""
        return can_stream(self.model.config)

    def stream_encoder(self) -> StreamEncoder:
        """Turns mono sound at the codec's rate into tokens piece by piece; only if it `streams`."""
        return StreamEncoder(self.model, self.spec.codebooks)

    def stream_decoder(self) -> StreamDecoder:
        """Turns tokens into sound piece by piece; only if it `streams`."""
        return StreamDecoder(self.model)

    @property
    def hop(self) -> int:
        """Samples per token step."""
        return int(self.model.config.hop_length)


def load_codec(
    name_or_folder: str | Path = EMBEDDED,
    device: str | torch.device = "cpu",
    *,
    bandwidth: float | None = None,
) -> Codec:
    """Loads a codec of `CODECS`, or any mono EnCodec folder (config.json and model.safetensors).

    `bandwidth` in kbit/s picks one of those the codec was trained for; without it the highest with
    at most `MOST_CODEBOOKS` codebooks is taken. The hub is asked only for the `facebook/...` names,
    and only if the weights are not on this machine yet. Raises `ModelError`.
    """
    name, folder = str(name_or_folder), None
    if name in EMBEDDED_FOLDERS or (name in GONE and not Path(name).is_dir()):
        folder = weights_folder(name)
        model = read_folder(folder)
    elif name in CODECS:
        model = read_hub(name)
    elif Path(name).is_dir():
        folder = Path(name)
        model = read_folder(folder)
        name = getattr(model.config, "codec_name", None) or Path(name).resolve().name
    else:
        known = ", ".join(sorted(CODECS))
        raise ModelError(f"Codec {name!r} is neither a folder nor one of {known}; choose one of these.")
    spec = spec_of(model.config, name, bandwidth)
    return Codec(model, spec, _finisher_of(folder, spec)).to(device)


def _finisher_of(folder: Path | None, spec: CodecSpec) -> Finisher | None:
    """The finisher in a codec's folder, if there is one. Raises `ModelError` where it is another codec's."""
    path = None if folder is None else folder / FINISHER
    return None if path is None or not path.is_file() else load_finisher(path, spec)


def spec_of(config: EncodecConfig, name: str, bandwidth: float | None = None) -> CodecSpec:
    """The facts of a codec from its config; raises `ModelError` where it cannot be used here."""
    if config.audio_channels != 1 or config.normalize or config.chunk_length_s is not None:
        raise ModelError(
            f"Codec {name!r} has {config.audio_channels} channels or scales loudness in chunks of "
            "its own; use a mono EnCodec such as the 24 or 32 kHz ones."
        )
    bits_per_s = math.log2(config.codebook_size) * config.frame_rate
    offers = {
        float(b): min(config.num_quantizers, max(1, int(b * 1000 // bits_per_s)))
        for b in config.target_bandwidths
    }
    if bandwidth is None:
        fitting = [b for b, books in offers.items() if books <= MOST_CODEBOOKS]
        bandwidth = max(fitting, default=min(offers))
    if bandwidth not in offers:
        choices = ", ".join(f"{b:g}" for b in sorted(offers))
        raise ModelError(f"Codec {name!r} has no bandwidth {bandwidth:g} kbit/s; choose {choices}.")
    return CodecSpec(
        name=name,
        sample_rate=config.sampling_rate,
        token_rate=config.sampling_rate / config.hop_length,
        codebooks=offers[bandwidth],
        cardinality=config.codebook_size,
    )


@dataclass(frozen=True)
class _Chunk:
    """Token steps `start..stop`, and the wider stretch `first..last` computed for them."""

    start: int
    stop: int
    first: int
    last: int


def _chunks(codec: Codec, steps: int, chunk_s: float) -> Iterator[_Chunk]:
    size = max(1, round(chunk_s * codec.spec.token_rate))
    context = 0 if codec.streams else round(CONTEXT_S * codec.spec.token_rate)
    ahead = 0 if codec.causal else context
    for start in range(0, steps, size):
        stop = min(start + size, steps)
        yield _Chunk(start, stop, max(0, start - context), min(steps, stop + ahead))


@torch.no_grad()
def encode_audio(
    codec: Codec, wave: Waveform, on_progress: Progress | None = None, *, chunk_s: float = CHUNK_S
) -> AudioTokens:
    """Tokens of `wave`, mixed to mono and resampled; silence fills up the last token step."""
    spec, hop = codec.spec, codec.hop
    mono = wave.samples.mean(1, keepdim=True)  # [B, 1, N]
    if mono.shape[-1] == 0:
        raise ModelError("The sound to encode is empty; give at least one sample.")
    mono = resampled(mono, wave.sample_rate, spec.sample_rate)
    steps = -(-mono.shape[-1] // hop)
    mono = nn.functional.pad(mono, (0, steps * hop - mono.shape[-1]))
    device = next(codec.parameters()).device
    stream = codec.stream_encoder() if codec.streams else None
    parts = []
    for chunk in _chunks(codec, steps, chunk_s):
        piece = mono[..., chunk.first * hop : chunk.last * hop].to(device)
        if stream is not None:
            parts.append(stream.push(piece).cpu())
        else:
            codes = codec.model.quantizer.encode(codec.model.encoder(piece))  # [K, B, T]
            kept = codes[: spec.codebooks, :, chunk.start - chunk.first : chunk.stop - chunk.first]
            parts.append(kept.transpose(0, 1).cpu())  # [B, K, T]
        if on_progress is not None:
            on_progress(chunk.stop, steps)
    if stream is not None:
        parts.append(stream.finish().cpu())
    return AudioTokens(torch.cat([part for part in parts if part.shape[-1]], -1), spec)


@torch.no_grad()
def decode_tokens(
    codec: Codec,
    tokens: AudioTokens,
    duration_s: float | None = None,
    on_progress: Progress | None = None,
    *,
    chunk_s: float | None = None,
    finish: bool = True,
) -> Waveform:
    """Sound of `tokens` on the CPU, cut or padded to exactly `duration_s` where that is given.

    Mono, or stereo of a codec with a finisher, at the finisher's rate, unless `finish` is off. A decoder
    may overshoot: peaks above 1 are limited, the rest keeps its level.
    """
    _check_tokens(codec.spec, tokens)
    hop, batch, steps = codec.hop, tokens.codes.shape[0], tokens.codes.shape[-1]
    rate = codec.spec.sample_rate
    length = steps * hop if duration_s is None else round(duration_s * rate)
    needed = min(steps, -(-length // hop))
    out = torch.zeros((batch, 1, max(length, needed * hop)))  # [B, 1, N]
    write = _write_streamed if codec.streams else _write_overlapping
    chunk_s = chunk_s or (STREAMED_S if codec.streams else CHUNK_S)
    write(codec, tokens.codes[..., :needed], out, on_progress, chunk_s)
    if finish and codec.finisher is not None:
        codes = tokens.codes[..., :needed].transpose(0, 1)
        latent = codec.model.quantizer.decode(codes.to(next(codec.parameters()).device))
        stereo = finished(codec.finisher, latent, out[:, 0, : needed * hop])
        rate = codec.finisher.config.out_rate
        length = steps * codec.finisher.config.out_hop if duration_s is None else round(duration_s * rate)
        out = nn.functional.pad(stereo, (0, max(0, length - stereo.shape[-1])))
    out = out[..., :length]
    limit(out, rate)
    return Waveform(out, rate)


def _write_streamed(
    codec: Codec, codes: torch.Tensor, out: torch.Tensor, on_progress: Progress | None, chunk_s: float
) -> None:
    """Sound of `codes` [B, K, T] into `out`, each chunk where the last one ended."""
    device, steps = next(codec.parameters()).device, codes.shape[-1]
    stream, end = codec.stream_decoder(), 0
    for chunk in _chunks(codec, steps, chunk_s):
        sounds = [stream.push(codes[..., chunk.start : chunk.stop].to(device))]
        if chunk.stop == steps:
            sounds.append(stream.finish())
        for sound in sounds:
            out[..., end : end + sound.shape[-1]] = sound.cpu()
            end += sound.shape[-1]
        if on_progress is not None:
            on_progress(chunk.stop, steps)


def _write_overlapping(
    codec: Codec, codes: torch.Tensor, out: torch.Tensor, on_progress: Progress | None, chunk_s: float
) -> None:
    """Sound of `codes` [B, K, T] into `out`, chunks with context around them, crossfaded."""
    hop, device, steps = codec.hop, next(codec.parameters()).device, codes.shape[-1]
    for chunk in _chunks(codec, steps, chunk_s):
        part = codes[..., chunk.first : chunk.last].to(device)
        sound = codec.model.decoder(codec.model.quantizer.decode(part.transpose(0, 1)))
        fade = min(round(FADE_S * codec.spec.sample_rate), (chunk.start - chunk.first) * hop)
        skip = (chunk.start - chunk.first) * hop - fade
        kept = sound[..., skip : (chunk.stop - chunk.first) * hop].cpu()
        _blend(out, kept, chunk.start * hop - fade, fade)
        if on_progress is not None:
            on_progress(chunk.stop, steps)


def _blend(out: torch.Tensor, sound: torch.Tensor, start: int, fade: int) -> None:
    """Writes `sound` into `out` at `start`; its first `fade` samples come in over what is there."""
    ramp = torch.ones(sound.shape[-1])
    ramp[:fade] = torch.linspace(0, 1, fade + 2)[1:-1]
    place = out[..., start : start + sound.shape[-1]]
    place.lerp_(sound.float(), ramp)


def _check_tokens(spec: CodecSpec, tokens: AudioTokens) -> None:
    if tokens.bend is not None:
        raise ModelError(
            "This music was written in straight time; decode it with decode_music of d2m_core.music, which "
            "brings it into the time of its dance."
        )
    if not spec.reads(tokens.codec):
        raise ModelError(
            f"These tokens belong to codec {_facts(tokens.codec)}, but {_facts(spec)} is loaded; "
            f"load the codec they were made for.{who_reads(tokens.codec.name)}"
        )
    if tokens.codes.numel() == 0:
        raise ModelError("There are no tokens to decode; generate at least one step.")
    low, high = int(tokens.codes.min()), int(tokens.codes.max())
    if low < 0 or high >= spec.cardinality:
        raise ModelError(
            f"Tokens run from {low} to {high}, but codec {spec.name!r} knows 0 to "
            f"{spec.cardinality - 1}; generate them again with this codec."
        )


def _facts(spec: CodecSpec) -> str:
    return (
        f"{spec.name!r} ({spec.sample_rate} Hz, {spec.token_rate:g} steps/s, "
        f"{spec.codebooks} x {spec.cardinality})"
    )
