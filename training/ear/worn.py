"""What becomes of music before an artist hands it to us: coded, re-coded, bent, played in a room.

Each `worn` piece keeps the truth of the piece it was; a bent one's beats move along.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
import torch
from av.audio.stream import AudioStream
from scipy.signal import butter, fftconvolve, sosfilt

from d2m_core.align.stretch import stretch
from d2m_core.codec import Codec, decode_tokens, encode_audio, load_codec
from d2m_core.ear import EAR_RATE
from d2m_core.media import resample
from d2m_core.types import AudioTokens, CodecSpec, Waveform

from .piece import Piece, heard

_FARTHEST = round(0.15 * EAR_RATE)
"""No coder delays sound by more samples."""
_BLOCK = 960
"""Samples given to a coder at once: 40 ms."""
_BEND = (0.75, 1.33)
"""Slowest and fastest that the stretcher plays."""


def worn(piece: Piece, rng: np.random.Generator) -> Piece:
    """The piece after one or two of `WAYS`."""
    names, odds = zip(*((way, share) for way, (share, _make) in WAYS.items()), strict=True)
    for name in rng.choice(names, 2 if rng.random() < 0.3 else 1, replace=False, p=odds):
        piece = WAYS[name][1](piece, rng)
    return replace(piece, name=f"{piece.name} worn")


def through_codec(piece: Piece, rng: np.random.Generator) -> Piece:
    """Through our codec by few codebooks, some tokens wrong: how the transformer's music sounds."""
    codec = _codec()
    tokens = encode_audio(codec, piece.wave)
    codes = tokens.codes.clone()  # [1, K, T]
    books = int(rng.choice([2, 3, 4, 8]))
    wrong = float(rng.choice([0.0, 0.0, 0.1, 0.3]))
    for book in range(codes.shape[1]):
        share = 1.0 if book >= books else wrong * min(1.0, 0.25 + 0.25 * book)
        # Another moment's token instead: it sounds like this piece, in the wrong place.
        away = torch.from_numpy(rng.integers(codes.shape[-1], size=codes.shape[-1]))
        gone = torch.from_numpy(rng.random(codes.shape[-1]) < share)
        codes[0, book] = torch.where(gone, codes[0, book, away], codes[0, book])
    sound = decode_tokens(codec, AudioTokens(codes[:, :books], _first(codec, books)), finish=False)
    return _with_sound(piece, sound.samples[0].numpy(), sound.sample_rate)


def _first(codec: Codec, books: int) -> CodecSpec:
    return replace(codec.spec, codebooks=books)


@lru_cache(maxsize=1)
def _codec() -> Codec:
    return load_codec()


def through_opus(piece: Piece, rng: np.random.Generator) -> Piece:
    """Opus at 8 to 32 kbit/s."""
    return _with_sound(piece, _coded(piece.samples, "libopus", "ogg", rng.uniform(8, 32)), EAR_RATE)


def through_mp3(piece: Piece, rng: np.random.Generator) -> Piece:
    """MP3 at 16 to 64 kbit/s."""
    kbits = float(rng.choice([16, 24, 32, 48, 64]))
    return _with_sound(piece, _coded(piece.samples, "libmp3lame", "mp3", kbits), EAR_RATE)


def in_a_room(piece: Piece, rng: np.random.Generator) -> Piece:
    """From loudspeakers in a room, with its noise: how a phone's film hears it."""
    seconds = rng.uniform(0.15, 1.2)
    count = round(seconds * EAR_RATE)
    tail = rng.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    tail *= rng.uniform(0.2, 1.0) / np.sqrt((tail**2).sum())
    tail[0] += 1.0
    sound = fftconvolve(piece.samples, tail)[: len(piece.samples)]
    low, high = rng.uniform(60, 250), rng.uniform(3500, 11000)
    sound = sosfilt(butter(2, [low, high], "bandpass", fs=EAR_RATE, output="sos"), sound)
    noise = sosfilt(butter(1, 800, fs=EAR_RATE, output="sos"), rng.standard_normal(len(sound)))
    loud = np.sqrt((sound**2).mean()) / np.sqrt((noise**2).mean())
    sound = sound + noise * loud * 10 ** (rng.uniform(-40, -12) / 20)
    return _with_sound(piece, sound[None], EAR_RATE)


def bent(piece: Piece, rng: np.random.Generator) -> Piece:
    """Faster or slower by the stretcher, its pitch kept; as long as it was, or cut to that."""
    rate = float(np.exp(rng.uniform(*np.log(_BEND))))
    whole = len(piece.samples) / EAR_RATE
    seconds = min(whole, whole / rate)
    sound = stretch(piece.wave, np.array([[0.0, 0.0], [seconds * rate, seconds]]), seconds)
    beats = piece.beats_s / rate
    onsets = piece.onsets / [rate, 1.0]
    inside = beats < seconds
    made = replace(
        piece, beats_s=beats[inside], downbeats=piece.downbeats[inside], onsets=onsets[onsets[:, 0] < seconds]
    )
    return _with_sound(made, sound.samples[0].numpy(), EAR_RATE)


def pressed(piece: Piece, rng: np.random.Generator) -> Piece:
    """Driven until it is as loud as it gets: hits no longer stand out of it."""
    drive = 10 ** (rng.uniform(6, 24) / 20)
    return _with_sound(piece, np.tanh(piece.samples * drive)[None] * 0.8, EAR_RATE)


WAYS: dict[str, tuple[float, Callable[[Piece, np.random.Generator], Piece]]] = {
    "codec": (0.44, through_codec),
    "opus": (0.12, through_opus),
    "mp3": (0.12, through_mp3),
    "room": (0.16, in_a_room),
    "bent": (0.06, bent),
    "pressed": (0.1, pressed),
}
"""What may happen to music, and how often."""


def _with_sound(piece: Piece, samples: np.ndarray, rate: int) -> Piece:
    samples = heard(samples, rate)
    loudest = float(np.abs(samples).max(initial=1e-9))
    return replace(piece, samples=samples / max(1.0, loudest))


def _coded(samples: np.ndarray, coder: str, container: str, kbits: float) -> np.ndarray:
    """Samples [N] through a coder of FFmpeg and back, its delay taken out: [1, N]."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(coder, rate=EAR_RATE, layout="mono")
        assert isinstance(stream, AudioStream)
        stream.bit_rate = round(1000 * kbits)
        frames = [_frame(samples, start) for start in range(0, len(samples), _BLOCK)]
        for frame in [*frames, None]:
            out.mux(stream.encode(frame))
    file.seek(0)
    with av.open(file, "r") as source:
        track = source.streams.audio[0]
        parts = [frame.to_ndarray().reshape(1, -1) for frame in source.decode(track)]
        rate = track.rate
    coded = Waveform(torch.from_numpy(np.concatenate(parts, 1)).float()[None], rate)
    back = resample(coded, EAR_RATE).samples[0, 0].numpy()
    late = _delay(samples, back)
    moved = back[late:] if late >= 0 else np.pad(back, (-late, 0))
    return np.pad(moved, (0, max(0, len(samples) - len(moved))))[None, : len(samples)]


def _frame(samples: np.ndarray, start: int) -> av.AudioFrame:
    part = np.ascontiguousarray(samples[None, start : start + _BLOCK], np.float32)
    frame = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = EAR_RATE, start, Fraction(1, EAR_RATE)
    return frame


def _delay(real: np.ndarray, fake: np.ndarray) -> int:
    """Samples by which `fake` comes late: where the two correlate most."""
    size = 1 << (len(real) + len(fake)).bit_length()
    match = np.fft.irfft(np.fft.rfft(fake, size) * np.fft.rfft(real, size).conj(), size)
    near = np.concatenate((match[-_FARTHEST:], match[: _FARTHEST + 1]))
    return int(near.argmax()) - _FARTHEST
