"""Codecs to compare, each behind one function: ours, Opus, and Meta's where it is here."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
import torch

from d2m_core.codec import Codec, decode_tokens, encode_audio, load_codec
from d2m_core.media import resample
from d2m_core.types import Waveform
from training.codec.settings import SAMPLE_RATE

META = "facebook/encodec_24khz"
META_KBITS = (1.5, 3.0, 6.0)
OPUS_KBITS = (6, 8, 12)

_OPUS_OPTIONS = {"application": "audio", "vbr": "on", "compression_level": "10"}
_CHUNK = 960
_FARTHEST = 2400
"""Samples within which a decoder's delay is looked for."""


@dataclass(frozen=True, eq=False)
class Coded:
    """Music after a codec."""

    sound: torch.Tensor
    """float32 [B, 1, N], in line with what went in."""
    kbits: float
    """What it took, in kbit per second of sound; containers are not counted."""
    codes: torch.Tensor | None = None
    """[K, n] of all pieces, where there are such."""


@dataclass(frozen=True)
class Contestant:
    """A way to code music."""

    name: str
    code: Callable[[torch.Tensor], Coded]
    cardinality: int = 0
    """Size of its codebooks, where it has any."""
    frame: int = 480
    """Samples that it codes at a time; Opus takes 20 ms."""


def contestants(codec: Codec, name: str) -> Iterator[Contestant]:
    """The codec to look at, Opus, and Meta's EnCodec if its weights lie on this machine."""
    yield neural(codec, name)
    for kbits in OPUS_KBITS:
        yield Contestant(f"Opus {kbits}", lambda audio, kbits=kbits: opus(audio, kbits))  # type: ignore[misc]
    if on_this_machine(META):
        for bandwidth in META_KBITS:
            yield neural(load_codec(META, bandwidth=bandwidth), f"{META} {bandwidth:g}")


def on_this_machine(name: str) -> bool:
    """Whether a hub's model has been fetched before; nothing is asked of the hub."""
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(name, "config.json"), str)


def neural(codec: Codec, name: str) -> Contestant:
    """An EnCodec, through the same encode and decode as everyone uses."""
    spec = codec.spec

    def code(audio: torch.Tensor) -> Coded:
        sounds, codes = [], []
        for piece in audio.split(1):
            tokens = encode_audio(codec, Waveform(piece, SAMPLE_RATE))
            decoded = decode_tokens(codec, tokens, piece.shape[-1] / SAMPLE_RATE)
            sounds.append(resample(decoded, SAMPLE_RATE).samples)
            codes.append(tokens.codes[0])
        kbits = spec.codebooks * math.log2(spec.cardinality) * spec.token_rate / 1000
        return Coded(torch.cat(sounds), kbits, torch.cat(codes, 1))

    return Contestant(name, code, spec.cardinality, round(SAMPLE_RATE / spec.token_rate))


# --- Opus, by libopus in PyAV ---


def opus(audio: torch.Tensor, kbits: float) -> Coded:
    """Each piece of [B, 1, N] through libopus and back, its delay measured and taken out."""
    sounds, spent = [], 0
    for piece in audio[:, 0]:
        file, size = _to_opus(piece.numpy(), kbits)
        sounds.append(aligned(piece, _from_opus(file)))
        spent += size
    seconds = audio.shape[0] * audio.shape[-1] / SAMPLE_RATE
    return Coded(torch.stack(sounds)[:, None], spent * 8 / seconds / 1000)


def _to_opus(samples: np.ndarray, kbits: float) -> tuple[io.BytesIO, int]:
    """An Ogg file in memory, and the bytes of sound in it."""
    file, size = io.BytesIO(), 0
    with av.open(file, "w", format="ogg") as out:
        stream = out.add_stream("libopus", rate=SAMPLE_RATE, layout="mono", options=_OPUS_OPTIONS)
        stream.bit_rate = round(1000 * kbits)
        frames = [_frame(samples, start) for start in range(0, len(samples), _CHUNK)]
        for frame in [*frames, None]:
            for packet in stream.encode(frame):
                size += packet.size
                out.mux(packet)
    file.seek(0)
    return file, size


def _frame(samples: np.ndarray, start: int) -> av.AudioFrame:
    part = np.ascontiguousarray(samples[None, start : start + _CHUNK], np.float32)
    frame = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE, start
    frame.time_base = Fraction(1, SAMPLE_RATE)
    return frame


def _from_opus(file: io.BytesIO) -> torch.Tensor:
    with av.open(file) as source:
        parts = [frame.to_ndarray() for frame in source.decode(source.streams.audio[0])]
        rate = source.streams.audio[0].rate
    whole = torch.from_numpy(np.concatenate(parts, 1)).float()[None]
    return resample(Waveform(whole, rate), SAMPLE_RATE).samples[0, 0]


def aligned(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """`fake` [n] moved by its delay against `real` [N], as long as that."""
    late = delay(real, fake)
    moved = fake[late:] if late >= 0 else torch.nn.functional.pad(fake, (-late, 0))
    return torch.nn.functional.pad(moved, (0, max(0, len(real) - len(moved))))[: len(real)]


def delay(real: torch.Tensor, fake: torch.Tensor) -> int:
    """Samples by which `fake` comes late: where the two correlate most."""
    size = 1 << (len(real) + len(fake)).bit_length()
    spectrum = torch.fft.rfft(fake, size) * torch.fft.rfft(real, size).conj()
    match = torch.fft.irfft(spectrum, size)
    near = torch.cat((match[-_FARTHEST:], match[: _FARTHEST + 1]))
    return int(near.argmax()) - _FARTHEST
