"""Music on the loudspeaker while it is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from ..errors import MediaError
from ..types import Waveform


def play(pieces: Iterable[Waveform]) -> Waveform:
    """Plays pieces (B = 1) one after another as they come, as from `stream_music`, and gives the whole.

    Where they come too slowly there is silence between them. Raises `MediaError` where nothing can be played.
    """
    stream, heard = None, []
    try:
        for piece in pieces:
            if stream is None:
                stream = _open(piece)
            stream.write(piece.samples[0].t().contiguous().numpy())
            heard.append(piece.samples)
        if stream is not None:
            stream.stop()  # when all of it was heard; `close` alone would drop the rest
    finally:
        if stream is not None:
            stream.close()
    if not heard:
        raise MediaError("There is no music to play; write at least one piece.")
    return Waveform(torch.cat(heard, dim=-1), piece.sample_rate)


def _open(first: Waveform) -> Any:
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
