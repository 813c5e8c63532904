"""A session as a file: what was heard, alone or under what was seen. Half a file is never left."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from av.container import OutputContainer
from av.video.stream import VideoStream

from ..errors import MediaError
from ..files import check_place
from ..media import Frame, open_clip, save_audio
from ..media.blocks import BLOCK, Blocks
from ..media.coded import encoder_for, even_size
from ..media.mux import VIDEO_FORMATS, mux
from ..media.sound_file import AUDIO_FORMATS
from ..types import VideoClip

_TICKS = 90_000
_OPTIONS = {"crf": "21", "preset": "ultrafast", "tune": "zerolatency"}
_SHORTEST_S = 1.0


class Kept:
    """All that was heard, in a WAV file that grows: silence where nothing was played."""

    _NEAR_S = 0.02

    def __init__(self, path: Path, rate: int) -> None:
        self._file = wave.open(str(path), "wb")  # noqa: SIM115  it grows until `close`
        self._file.setnchannels(2)
        self._file.setsampwidth(2)
        self._file.setframerate(rate)
        self.path, self.rate, self.samples = path, rate, 0

    def add(self, heard_s: float, block: np.ndarray) -> None:
        """A block float32 [2, n] that is heard from a moment on."""
        missing = round(heard_s * self.rate) - self.samples
        if missing > self._NEAR_S * self.rate:
            self._put(np.zeros((2, missing), np.float32))
        self._put(block)

    def _put(self, block: np.ndarray) -> None:
        self._file.writeframes((np.clip(block, -1, 1) * 32767).astype("<i2").T.tobytes())
        self.samples += block.shape[1]

    def close(self) -> None:
        self._file.close()

    def sound(self) -> Blocks:
        """What was heard, read again block by block."""
        path = self.path

        def make() -> Iterator[torch.Tensor]:
            with wave.open(str(path), "rb") as file:
                while raw := file.readframes(BLOCK):
                    yield torch.from_numpy(np.frombuffer(raw, "<i2").reshape(-1, 2).T / np.float32(32768))

        return Blocks(self.rate, 2, make)


class Filmed:
    """Pictures as they come, coded at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._out: OutputContainer = av.open(str(path), "w", format="mp4")
        self._stream: VideoStream | None = None
        self._last = -1

    def add(self, frame: Frame) -> None:
        """A picture at its time; times rise."""
        if self._stream is None:
            encoder = encoder_for(8)
            stream = self._out.add_stream(encoder.name, rate=30, options=_OPTIONS)
            assert isinstance(stream, VideoStream)
            stream.width, stream.height = even_size(frame.rgb.shape[1], frame.rgb.shape[0])
            stream.pix_fmt = encoder.pixels
            stream.codec_context.time_base = Fraction(1, _TICKS)
            self._stream = stream
        tick = max(self._last + 1, round(frame.time_s * _TICKS))
        rgb = frame.rgb[: self._stream.height, : self._stream.width]
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24")
        picture.pts, picture.time_base, self._last = tick, Fraction(1, _TICKS), tick
        self._out.mux(self._stream.encode(picture))

    def close(self) -> None:
        if self._stream is not None:
            self._out.mux(self._stream.encode(None))
        self._out.close()


class Recording:
    """What a session is recorded into while it goes on.

    Attributes:
        heard: To be given every block; None where nothing is recorded.
        seen: To be given every picture of a camera; None where there is no camera, or no film is asked for.
    """

    def __init__(
        self, heard: Callable[[float, np.ndarray], None] | None, seen: Callable[[Frame], None] | None
    ) -> None:
        self.heard, self.seen = heard, seen


@contextmanager
def recording(path: Path | None, rate: int, film: VideoClip | None = None) -> Iterator[Recording]:
    """Records into `path` what is heard and seen in the block: a film, or sound, as its name ends.

    `film`: whose pictures are seen; None: a camera's, which are given. What was played is written too
    where the block ends by Ctrl-C or a `MediaError`, if that is a second or more. Raises `MediaError`.
    """
    if path is None:
        yield Recording(None, None)
        return
    is_film = check_recorded(path)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="d2m-live-")))
        kept = Kept(folder / "heard.wav", rate)
        filmed = Filmed(folder / "seen.mp4") if is_film and film is None else None
        stopped: BaseException | None = None
        try:
            yield Recording(kept.add, filmed.add if filmed else None)
        except (KeyboardInterrupt, MediaError) as error:  # as when a camera is unplugged
            stopped = error
        finally:
            kept.close()
            if filmed is not None:
                filmed.close()
        if kept.samples >= _SHORTEST_S * rate:
            _write(path, kept, film, filmed)
        if stopped is not None:
            raise stopped


def check_recorded(path: Path) -> bool:
    """Whether a film is asked for, not sound alone. Raises `MediaError` for a name or place that won't do."""
    suffix = path.suffix.lower()
    if suffix not in VIDEO_FORMATS and suffix not in AUDIO_FORMATS:
        known = " ".join(sorted((*VIDEO_FORMATS, *AUDIO_FORMATS)))
        raise MediaError(f"{path.name} does not end in a known format; use one of {known}.")
    check_place(path)
    return suffix in VIDEO_FORMATS


def _write(path: Path, kept: Kept, film: VideoClip | None, filmed: Filmed | None) -> None:
    if path.suffix.lower() in AUDIO_FORMATS:
        save_audio(kept.sound(), path)
        return
    if filmed is not None:
        mux(open_clip(filmed.path), kept.sound(), path)
        return
    assert film is not None
    seconds = min(kept.samples / kept.rate, film.duration_s)
    whole = film.duration_s - seconds < 0.1
    mux(film if whole else open_clip(film.path, film.start_s, seconds), kept.sound(), path)
