"""Which of a file's sound tracks is its sound."""

from __future__ import annotations

from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer

from ..errors import MediaError

_DEFAULT = 0x0001
"""FFmpeg's AV_DISPOSITION_DEFAULT."""


def sound_tracks(container: InputContainer) -> list[AudioStream]:
    """All tracks of sound that FFmpeg knows how to decode."""
    return [stream for stream in container.streams.audio if stream.codec_context is not None]


def sound_stream(path: Path, container: InputContainer, track: int = 0) -> AudioStream:
    """The track with this number, counted from 1; 0 is the one marked as default, else the first.

    Raises `MediaError` where there is none.
    """
    tracks = sound_tracks(container)
    if not tracks:
        raise MediaError(f"{path.name} has no sound; choose a file with sound.")
    if not 0 <= track <= len(tracks):
        raise MediaError(
            f"Sound track {track} of {path.name} is asked for, but it has {len(tracks)}; "
            f"choose one from 1 to {len(tracks)}, or 0 for the default one."
        )
    if track:
        return tracks[track - 1]
    return next((stream for stream in tracks if int(stream.disposition) & _DEFAULT), tracks[0])
