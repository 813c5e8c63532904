"""Music on the loudspeaker, or in a file, while it is written."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from ..errors import MediaError
from ..types import Waveform


class Output(Protocol):
    """What is played on; `sounddevice.OutputStream` is one."""

    def write(self, samples: np.ndarray) -> None:
        """Takes float32 [n, C]; waits while it has enough."""

    def stop(self) -> None:
        """Returns when all was heard."""

    def close(self) -> None:
        """Ends; without `stop` before, nobody wants the rest."""


def play(pieces: Iterable[Waveform], into: Path | None = None) -> Waveform:
    """Plays pieces (B = 1) one after another as they come, as from `stream_music`, and gives the whole.

    Where they come too slowly there is silence between them. With `into` they go to a WAV file instead, which
    can be listened to at any moment. Raises `MediaError` where nothing can be played.
    """
    output: Output | None = None
    heard = []
    try:
        for piece in pieces:
            if output is None:
                output = _loudspeaker(piece) if into is None else _Wav(into, piece)
            output.write(piece.samples[0].t().contiguous().numpy())
            heard.append(piece.samples)
        if output is not None:
            output.stop()
    finally:
        if output is not None:
            output.close()
    if not heard:
        raise MediaError("There is no music to play; write at least one piece.")
    return Waveform(torch.cat(heard, dim=-1), piece.sample_rate)


def pcm_16(samples: np.ndarray) -> bytes:
    """Samples [n, C] within -1..1 as whole numbers of 16 bits, channels in turns, lowest byte first."""
    whole = np.round(np.clip(samples, -1.0, 1.0) * np.iinfo(np.int16).max)
    return whole.astype("<i2").tobytes()


def _loudspeaker(first: Waveform) -> Any:
    """A running output for sound like `first`. Raises `MediaError`."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise MediaError(
            f"Sound cannot be played ({error}); install it with `pip install sounddevice`, on Linux also "
            "`apt-get install libportaudio2`, or write the music to a file."
        ) from error
    try:
        stream = sounddevice.OutputStream(
            samplerate=first.sample_rate, channels=first.samples.shape[1], dtype="float32"
        )
        stream.start()
    except sounddevice.PortAudioError as error:
        raise MediaError(
            f"There is no loudspeaker to play on ({error}); write the music to a file."
        ) from error
    return stream


class _Wav:
    """A WAV file of 16 bits that is whole after every piece."""

    def __init__(self, path: Path, first: Waveform) -> None:
        """For sound like `first`. Raises `MediaError`."""
        try:
            self._bytes = path.open("wb")
        except OSError as error:
            raise MediaError(
                f"{path} cannot be written ({error.strerror}); choose another file to play into."
            ) from error
        self._path, self._done = path, False
        self._file = wave.open(self._bytes, "wb")  # noqa: SIM115 (`play` calls `close`)
        self._file.setnchannels(first.samples.shape[1])
        self._file.setsampwidth(2)
        self._file.setframerate(first.sample_rate)

    def write(self, samples: np.ndarray) -> None:
        self._file.writeframes(pcm_16(samples))  # the length in front follows
        self._bytes.flush()

    def stop(self) -> None:
        self._done = True

    def close(self) -> None:
        self._file.close()
        self._bytes.close()
        if not self._done:  # nothing half-written is left
            self._path.unlink(missing_ok=True)
