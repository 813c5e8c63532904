"""Where a live band is heard: loudspeakers, nowhere, and in a file. All count what was missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from ..errors import MediaError

_LEAD_S, _MOST_LEAD_S, _MORE_S = 0.09, 0.25, 0.021
"""So much sound is kept ready: the longest that everything else may take the machine. After every gap so much
more, up to a limit: beats are foretold and stay in time, only answers to sudden accents come later."""
_TRACK = 0.02
"""How much of a new reading of the device's clock is believed."""


class Sink(Protocol):
    """Takes blocks one after the other."""

    drops: int
    """How often there was nothing to play."""

    def next_s(self) -> float:
        """When what is written next will be heard, on the clock `time.monotonic`."""

    def wait(self, stop: threading.Event, calm: bool = False) -> bool:
        """Waits until there is room for a block; False where `stop` was set. `calm`: nobody plays, so that as
        much as there may be is kept ready, as while a player is set up."""

    def write(self, block: np.ndarray) -> None:
        """Takes a block float32 [2, n]."""

    def close(self) -> None:
        """Ends at once."""


class Silence:
    """A sound device that nobody hears: takes blocks at the speed of a real one."""

    def __init__(self, rate: int, lead_s: float = _LEAD_S) -> None:
        self._rate, self._lead_s = rate, lead_s
        self._start_s = time.monotonic()
        self._written = 0
        self.drops = 0
        self.gaps: list[tuple[float, float]] = []
        """(seconds of sound until then, seconds without) of each."""

    def next_s(self) -> float:
        return self._start_s + self._written / self._rate

    def wait(self, stop: threading.Event, calm: bool = False) -> bool:
        lead_s = _MOST_LEAD_S if calm else self._lead_s
        while (ahead_s := self.next_s() - time.monotonic()) > lead_s:
            if stop.wait(ahead_s - lead_s):
                return False
        if ahead_s < 0:
            if self._written:
                self._missed(-ahead_s)
            self._start_s -= ahead_s
        return not stop.is_set()

    def _missed(self, gap_s: float) -> None:
        self.drops += 1
        self.gaps.append((self._written / self._rate, gap_s))
        self._lead_s = max(self._lead_s, min(_MOST_LEAD_S, self._lead_s + _MORE_S))

    def write(self, block: np.ndarray) -> None:
        self._written += block.shape[1]

    def close(self) -> None:
        pass


class Loudspeakers:
    """The machine's sound device, by PortAudio. The callback only copies what is ready."""

    def __init__(
        self, rate: int, block: int, device: int | str | None = None, lead_s: float = _LEAD_S
    ) -> None:
        sounddevice = import_sounddevice()
        self._rate, self.drops = rate, 0
        self._room = max(2, round(lead_s * rate / block)) * block
        self._most, self._more = max(self._room, round(_MOST_LEAD_S * rate / block) * block), block
        self._ring = np.zeros((2 * self._most, 2), np.float32)
        self._written = self._read = 0  # each is changed by one side alone
        self._free = threading.Event()
        self._offset_s: float | None = None
        try:
            self._stream = sounddevice.OutputStream(
                samplerate=rate,
                channels=2,
                dtype="float32",
                device=device,
                latency="low",
                callback=self._fill,
            )
            self._stream.start()
        except sounddevice.PortAudioError as error:
            raise MediaError(
                f"The sound device cannot be opened ({str(error).strip()}); connect one, choose another with "
                "--device, or let the band play into a file: --mute --record music.wav."
            ) from error

    def _fill(self, out: np.ndarray, frames: int, times: Any, _status: Any) -> None:
        ready = min(frames, self._written - self._read)
        first = self._read % len(self._ring)
        head = min(ready, len(self._ring) - first)
        out[:head] = self._ring[first : first + head]
        out[head:ready] = self._ring[: ready - head]
        out[ready:] = 0
        latency_s = times.outputBufferDacTime - times.currentTime
        here_s = time.monotonic() + max(0.0, latency_s) - self._read / self._rate
        missing = ready < frames and self._written > 0
        if self._offset_s is None or missing or not self._written:
            self._offset_s = here_s + (frames - ready) / self._rate if missing else here_s
        else:
            self._offset_s += _TRACK * (here_s - self._offset_s)
        if missing:
            self.drops += 1
            self._room = min(self._most, self._room + self._more)
        self._read += ready
        self._free.set()

    def next_s(self) -> float:
        if self._offset_s is None:
            return time.monotonic() + float(self._stream.latency) + self._room / self._rate
        return self._offset_s + self._written / self._rate

    def wait(self, stop: threading.Event, calm: bool = False) -> bool:
        while self._written - self._read >= (room := self._most if calm else self._room):
            self._free.clear()
            if self._written - self._read < room:
                break
            if not self._free.wait(1.0) and not self._stream.active:
                raise MediaError("The sound device has stopped; connect it again and start anew.")
            if stop.is_set():
                return False
        return not stop.is_set()

    def write(self, block: np.ndarray) -> None:
        first, size = self._written % len(self._ring), block.shape[1]
        head = min(size, len(self._ring) - first)
        self._ring[first : first + head] = block[:, :head].T
        self._ring[: size - head] = block[:, head:].T
        self._written += size

    def close(self) -> None:
        self._stream.abort()
        self._stream.close()


def import_sounddevice() -> Any:
    """The module. Raises `MediaError` where it or its library is missing."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise MediaError(
            f"No sound can be played ({error}); install `pip install sounddevice`, and on Linux "
            "`apt-get install libportaudio2`, or let the band play into a file: --mute --record music.wav."
        ) from error
    return sounddevice


@contextmanager
def closing_sink(made: Callable[[], Sink]) -> Iterator[Sink]:
    """A sink that is closed at the end."""
    sink = made()
    try:
        yield sink
    finally:
        sink.close()
