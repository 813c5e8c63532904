"""The desk of a band that plays live: short blocks, at once; what rings on is kept from block to block."""

from __future__ import annotations

import numpy as np
import scipy

from ..band.desk import Desk
from ..band.mix import DUCKED, HALL, ROOM

_CEILING = 0.89
"""-1 dB of full scale."""
_AHEAD_S = 0.0025
"""The limiter looks so far ahead; sound comes twice as much later."""
_CHOKE_S = 0.02


class Sounding:
    """What is sounding on one strip: sounds that have begun and are not over. Stands in for a `Part`."""

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self._on: list[tuple[int, np.ndarray, str]] = []

    def add(self, start: int, sound: np.ndarray, name: str = "") -> None:
        """Begins a sound float32 [c, n] at a sample that has not been rendered yet."""
        if sound.shape[0] != self.channels:
            sound = sound.mean(0, keepdims=True) if self.channels == 1 else np.repeat(sound, 2, 0)
        self._on.append((start, sound, name))

    def choke(self, at: int, name: str, fade: int) -> None:
        """Lets sounds of a name that began earlier end at a sample, as with a hand."""
        for k, (start, sound, its) in enumerate(self._on):
            cut = at - start
            if its == name and cut > 0 and cut + fade < sound.shape[1]:
                ended = sound[:, : cut + fade].copy()
                ended[:, cut:] *= np.linspace(1, 0, fade, dtype=np.float32)
                self._on[k] = (start, ended, its)

    def render(self, low: int, high: int) -> np.ndarray:
        """Samples low..high, float32 [C, n]; asked for in order."""
        out = np.zeros((self.channels, high - low), np.float32)
        going = []
        for start, sound, name in self._on:
            end = start + sound.shape[1]
            first, last = max(low, start), min(high, end)
            if first < last:
                out[:, first - low : last - low] += sound[:, first - start : last - start]
            if end > high:
                going.append((start, sound, name))
        self._on = going
        return out


class Hall:
    """A room of impulse responses [2, n], block by block: partitioned convolution (Stockham 1966)."""

    def __init__(self, response: np.ndarray, block: int) -> None:
        parts = -(-response.shape[1] // block)
        padded = np.pad(response, ((0, 0), (0, parts * block - response.shape[1])))
        pieces = padded.reshape(2, parts, block)
        self._parts = np.fft.rfft(pieces, 2 * block, axis=-1).astype(np.complex64)  # [2, parts, bins]
        self._past = np.zeros((parts, self._parts.shape[-1]), np.complex64)
        self._before = np.zeros(block, np.float32)
        self._block, self._at, self._silent = block, 0, parts + 1

    def __call__(self, sound: np.ndarray) -> np.ndarray:
        """One block of mono [block] in the room, float32 [2, block]."""
        self._silent = 0 if sound.any() else self._silent + 1
        parts = len(self._past)
        if self._silent > parts + 1:
            return np.zeros((2, self._block), np.float32)
        self._at = (self._at - 1) % parts
        self._past[self._at] = np.fft.rfft(np.concatenate([self._before, sound]))
        self._before = sound.copy()
        order = self._at
        head = parts - order
        mixed = (self._parts[:, :head] * self._past[None, order:]).sum(1)
        if order:
            mixed += (self._parts[:, head:] * self._past[None, :order]).sum(1)
        return np.fft.irfft(mixed, 2 * self._block, axis=-1)[:, self._block :].astype(np.float32)


class Limiter:
    """No sample over the ceiling: the level dips before a peak and comes back after it."""

    def __init__(self, rate: int, ceiling: float = _CEILING) -> None:
        self._reach = 2 * round(_AHEAD_S * rate / 2) + 1
        self._past = np.zeros((2, 2 * self._reach), np.float32)
        self._ceiling = ceiling

    @property
    def delay(self) -> int:
        """Samples that sound comes later."""
        return self._reach

    def __call__(self, sound: np.ndarray) -> np.ndarray:
        """The next block [2, n], `delay` samples late."""
        reach, length = self._reach, sound.shape[1]
        both = np.concatenate([self._past, sound], 1)  # [2, 2 reach + n]
        self._past = both[:, -2 * reach :].copy()
        late = both[:, reach : reach + length]
        peaks = np.abs(both).max(0)
        if peaks.max() <= self._ceiling:
            return late
        wanted = self._ceiling / np.maximum(peaks, self._ceiling)
        lowest = scipy.ndimage.minimum_filter1d(wanted, reach, mode="nearest")
        gain = scipy.ndimage.uniform_filter1d(lowest, reach, mode="nearest")[reach : reach + length]
        return late * gain.astype(np.float32)


class LiveDesk:
    """A desk that was set up for a piece (`Desk`), played live."""

    def __init__(self, desk: Desk, gain: float, block: int) -> None:
        self._rate, self._gain, self.block = desk.rate, np.float32(gain), block
        self._strips = {}
        for rows in desk.strips.values():
            for name, strip in rows:
                strip.part = Sounding(strip.part.channels)  # type: ignore[assignment]
                self._strips[name] = strip
        short, long = next(iter(desk.rooms.values()))
        self._near, self._far = Hall(short.response, block), Hall(long.response, block)
        self._echo = desk.echo
        self._duck, self._hold = desk.duck, desk.hold
        self._kicks: list[int] = []
        self._limiter = Limiter(desk.rate)
        self._at = 0

    @property
    def delay_s(self) -> float:
        """So much later sound comes out than it was put in."""
        return self._limiter.delay / self._rate

    @property
    def at(self) -> int:
        """The next sample to be rendered."""
        return self._at

    def has(self, strip: str) -> bool:
        """Whether something can be played through a strip."""
        return strip in self._strips

    def add(self, strip: str, start: int, sound: np.ndarray, name: str = "") -> None:
        """Begins a sound on a strip."""
        self._part(strip).add(start, sound, name)

    def choke(self, strip: str, start: int, name: str) -> None:
        """Ends the sounds of a name on a strip, as an open cymbal closes."""
        self._part(strip).choke(start, name, round(_CHOKE_S * self._rate))

    def _part(self, strip: str) -> Sounding:
        part: Sounding = self._strips[strip].part  # type: ignore[assignment]
        return part

    def kick(self, start: int) -> None:
        """Ducks what gives way to a kick at a sample."""
        self._kicks.append(start)

    def render(self) -> np.ndarray:
        """The next block, float32 [2, block]."""
        low, high = self._at, self._at + self.block
        self._at = high
        out = np.zeros((2, self.block), np.float32)
        near, far = np.zeros(self.block, np.float32), np.zeros(self.block, np.float32)
        dip = self._dip(low, high)
        for name, strip in self._strips.items():
            stereo, mono = strip.render(low, high)
            if dip is not None and name in DUCKED:
                gain = 1 - np.float32(DUCKED[name]) * (1 - dip)
                stereo, mono = stereo * gain, mono * gain
            out += stereo
            near += np.float32(ROOM.get(name, 0.0)) * mono
            far += np.float32(HALL.get(name, 0.0)) * mono
            if name == "lead" and self._echo is not None:
                out += self._echo(mono)
        out += self._near(near) + self._far(far)
        return self._limiter(out * self._gain)

    def _dip(self, low: int, high: int) -> np.ndarray | None:
        """Gain float32 [n] that falls at every kick and swells back; None where there is none."""
        self._kicks = [kick for kick in self._kicks if kick > low - self._hold]
        if not self._duck or not self._kicks:
            return None
        gain = np.ones(high - low, np.float32)
        for kick in self._kicks:
            t = (np.arange(low, high) - kick) / self._hold
            t = t[(t >= 0) & (t < 1)]
            rise = np.minimum(t * self._hold / (0.004 * self._rate), 1)
            fall = (1 - self._duck * (1 - t) ** 1.6 * rise).astype(np.float32)
            first = max(0, kick - low)
            gain[first : first + len(t)] = np.minimum(gain[first : first + len(t)], fall)
        return gain
