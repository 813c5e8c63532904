"""FLAC in memory: 16-bit sound to bytes and back, the same bytes for the same sound."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np

from d2m_core.errors import MediaError

_CHUNK = 4096
"""Samples handed to the encoder at once."""

_LAYOUTS = {1: "mono", 2: "stereo"}
_FULL_SCALE = 32768.0


def encode_flac(samples: np.ndarray, sample_rate: int) -> bytes:
    """FLAC, 16 bit, of sound float32 [C, N] in -1..1; beyond it is cut off."""
    whole = np.clip(np.rint(samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
    layout, file = _LAYOUTS[len(whole)], io.BytesIO()
    with av.open(file, "w", format="flac", options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream("flac", rate=sample_rate, layout=layout)
        stream.codec_context.thread_count = 1
        stream.format = "s16"
        for start in range(0, whole.shape[1], _CHUNK):
            flat = np.ascontiguousarray(whole[:, start : start + _CHUNK].T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(flat, format="s16", layout=layout)
            frame.sample_rate = sample_rate
            frame.pts, frame.time_base = start, Fraction(1, sample_rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def decode_flac(data: bytes, name: str) -> tuple[np.ndarray, int]:
    """Sound float32 [C, N] and sample rate of FLAC bytes; `name` is for the error."""
    try:
        with av.open(io.BytesIO(data), "r", format="flac") as file:
            stream = file.streams.audio[0]
            channels, rate = stream.channels, stream.rate
            parts = [frame.to_ndarray().reshape(-1, channels) for frame in file.decode(stream)]
    except (av.FFmpegError, IndexError) as error:
        raise MediaError(f"The sound {name} cannot be read ({error}); make it again.") from error
    whole = np.concatenate(parts) if parts else np.zeros((0, channels), np.int16)
    return np.ascontiguousarray(whole.T.astype(np.float32) / np.float32(_FULL_SCALE)), rate
