"""Sound along a bent time axis, its pitch kept: Signalsmith Stretch, piece by piece.

The library stretches by one factor per call, so each straight piece of the map is rendered on its
own, with room on both sides, and joined to the one before by a short cross-fade just before its
first instant, which in music is just before a beat.

Hits would smear in the long blocks that tones need. The sound is therefore split into tones and
hits first, and the hits are rendered in blocks of 12 ms (Driedger, Müller, Ewert: Improving
Time-Scale Modification of Music Signals Using Harmonic-Percussive Separation, IEEE SPL 2014).
Tones of a new piece are moved by up to `_SEARCH_S` so that their waves continue those before
(as in WSOLA); hits stay where the map says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy
import torch

from ..errors import SettingError
from ..media import fit_length
from ..types import Progress, Waveform
from .time_map import Piece, straight_pieces

_TONE_BLOCK_S, _HIT_BLOCK_S = 0.1, 0.012
_OVERLAP = 4
"""Blocks over each instant."""
_LEAD_S, _FADE_S = 0.015, 0.03
"""A cross-fade ends so long before the join, and lasts so long."""
_SEARCH_S = 0.005
_ROOM_S = 0.2
"""Sound given to the stretcher on both sides of a piece."""
_SPLIT_S, _SPLIT_ROOM_S, _SPLIT_BLOCK_S = 5.0, 0.5, 0.046
"""Tones and hits are split in parts of this length, with room at their ends."""
_SAME_RATE = 1e-4
"""Sound is copied where its rate differs from 1 by less."""
_EDGE_S, _END_S = 0.005, 0.25
"""Lengths of the fades at the ends of the result, and where the sound itself is over before."""
_CHANNELS = 2
"""The library takes no more at once."""


def stretch(
    wave: Waveform,
    anchors: np.ndarray,
    duration_s: float,
    on_progress: Progress | None = None,
    *,
    as_loud: bool = True,
) -> Waveform:
    """The sound heard along a map, [B, C, N'] of exactly `duration_s`.

    Args:
        wave: Any rate and number of channels; outside it there is silence.
        anchors: float64 [A, 2], rows of (time in the sound, time heard) in seconds. Times heard
            rise from 0 to `duration_s`; where two rows share one, the sound jumps.
        duration_s: Length of the result.
        on_progress: Called after every piece; it may raise to cancel.
        as_loud: All is made quieter where its peaks would pass 1 and those of the sound.
    """
    length = round(duration_s * wave.sample_rate)
    batch, channels, _count = wave.samples.shape
    flat = wave.samples.reshape(batch * channels, -1).cpu().numpy()  # [B * C, N]
    pieces = straight_pieces(anchors)
    if pieces[-1].song_end_s > wave.duration_s:
        flat = _faded(flat, 0, round(_END_S * wave.sample_rate))
    first = max(0, int((min(p.song_s for p in pieces) - 2 * _ROOM_S) * wave.sample_rate))
    last = int((max(p.song_end_s for p in pieces) + 2 * _ROOM_S) * wave.sample_rate)
    flat = flat[:, first : max(last, first)]
    work = _Work(pieces, first, flat, wave.sample_rate, length, on_progress)
    work.come = flat.shape[1]
    for _start, _end in work.done():
        pass
    out = work.out
    if as_loud:
        out *= min(1.0, max(1.0, _peak(flat)) / max(_peak(out), 1e-9))
    edge = round(_EDGE_S * wave.sample_rate)
    out = _faded(out, edge, edge)
    samples = torch.from_numpy(out).reshape(batch, channels, -1)
    return fit_length(Waveform(samples, wave.sample_rate), duration_s)


def stretch_on(
    sounds: Iterable[Waveform], anchors: np.ndarray, duration_s: float, count: int
) -> Iterator[Waveform]:
    """`stretch` of pieces (B = 1, together `count` samples) as they come, without `as_loud`.

    The map begins at the sound's beginning. What is heard comes up to 20 s after what it is made of, where
    the map is straight so long, and after `_SPLIT_S` at least.
    """
    work, done, pieces = None, 0, straight_pieces(anchors)
    for sound in sounds:
        rate, part = sound.sample_rate, sound.samples[0].cpu().numpy()  # [C, n]
        if work is None:
            room = np.zeros((len(part), count), np.float32)
            work = _Work(pieces, 0, room, rate, round(duration_s * rate), None)
        if pieces[-1].song_end_s > count / rate:
            part = _faded(part, 0, round(_END_S * rate), done, count)
        room[:, done : done + part.shape[1]] = part
        work.come = done = done + part.shape[1]
        for start, end in work.done():
            edge, length = round(_EDGE_S * rate), work.out.shape[1]
            heard = _faded(work.out[:, start:end], edge, edge, start, length)
            yield Waveform(torch.from_numpy(heard)[None], rate)


class _Work:
    """A sound [C, N] that is stretched as far as it has come."""

    def __init__(
        self,
        pieces: list[Piece],
        offset: int,
        sound: np.ndarray,
        rate: int,
        length: int,
        on_progress: Progress | None,
    ) -> None:
        self.pieces, self.rate, self.on_progress = pieces, rate, on_progress
        self.sound = sound
        self.come = 0
        """So many samples of `sound` are there."""
        tones, hits = np.zeros(sound.shape, np.float32), np.zeros(sound.shape, np.float32)
        self.renderers = (
            _Renderer(tones, offset, rate, _TONE_BLOCK_S, _SEARCH_S),
            _Renderer(hits, offset, rate, _HIT_BLOCK_S, 0.0),
        )
        self.splits = _split_starts(sound.shape[1], rate)
        self.split, self.laid, self.told = 0, 0, 0
        self.out = np.zeros((len(sound), length), np.float32)

    def done(self) -> Iterator[tuple[int, int]]:
        """Goes on as far as there is sound; yields from where to where `out` is done."""
        self._divide()
        while self.laid < len(self.pieces) and self._enough():
            first, last = self._ends()
            for each in self.renderers:
                each.add(self.out, self.pieces[self.laid], first, last)
            sure = self._places().next
            self.laid += 1
            self._tell()
            if sure > self.told:
                yield self.told, sure
                self.told = sure

    def _ends(self) -> tuple[bool, bool]:
        return self.laid == 0, self.laid == len(self.pieces) - 1

    def _places(self) -> _Places:
        return self.renderers[0].places(self.out.shape[1], self.pieces[self.laid], *self._ends())

    def _enough(self) -> bool:
        """Whether what the next piece is made of has been divided."""
        there = min(self.split * self.splits.step, self.sound.shape[1])
        piece, places = self.pieces[self.laid], self._places()
        return max(each.needs(piece, places) for each in self.renderers) <= there

    def _divide(self) -> None:
        """Into tones and hits, as far as there is enough."""
        room, count = round(_SPLIT_ROOM_S * self.rate), self.sound.shape[1]
        tones, hits = (each.sound for each in self.renderers)
        while self.split < len(self.splits):
            start = self.splits[self.split]
            stop = min(start + self.splits.step, count)
            if self.come < min(stop + room, count):
                return
            low = max(0, start - room)
            tones[:, start:stop] = _tones(self.sound[:, low : stop + room], self.rate)[
                :, start - low : stop - low
            ]
            hits[:, start:stop] = self.sound[:, start:stop] - tones[:, start:stop]
            self.split += 1
            self._tell()

    def _tell(self) -> None:
        if self.on_progress is not None:
            self.on_progress(self.split + self.laid, len(self.splits) + len(self.pieces))


def _peak(samples: np.ndarray) -> float:
    return float(max(samples.max(initial=0.0), -samples.min(initial=0.0)))


def _faded(
    samples: np.ndarray, rise: int, fall: int, start: int = 0, length: int | None = None
) -> np.ndarray:
    """Sound [C, N] that rises and falls over so many samples; or a part, from `start` on, of `length`."""
    length = samples.shape[1] if length is None else length
    count = np.arange(start + 1, start + samples.shape[1] + 1)
    risen, left = count.astype(np.float32), (length + 1 - count).astype(np.float32)
    gain = np.minimum(risen / max(rise, 1), left / max(fall, 1))
    return samples * np.minimum(gain, np.float32(1.0))


# --- tones and hits ---


def _split_starts(count: int, rate: int) -> range:
    return range(0, max(count, 1), round(_SPLIT_S * rate))


def _tones(part: np.ndarray, rate: int) -> np.ndarray:
    """What lasts in a sound, float32 [C, N]; the rest are its hits."""
    import librosa

    window = 2 ** round(np.log2(_SPLIT_BLOCK_S * rate))
    if part.shape[1] <= window or _peak(part) == 0:
        return np.zeros_like(part)
    spectrum = librosa.stft(part, n_fft=window, hop_length=window // 4)  # [C, bins, frames]
    mask, _rest = librosa.decompose.hpss(np.abs(spectrum).mean(0), mask=True)
    return librosa.istft(spectrum * mask, hop_length=window // 4, length=part.shape[1])


# --- one piece after the other ---


class _Places(NamedTuple):
    """Samples of a result that a piece gives; the piece after it begins at `next`."""

    start: int
    stop: int
    next: int


class _Renderer:
    """Lays the pieces of one sound, [C, N] from sample `offset` of the song on, into a result."""

    def __init__(self, sound: np.ndarray, offset: int, rate: int, block_s: float, search_s: float) -> None:
        self.sound, self.offset, self.rate = sound, offset, rate
        self.block, self.search = round(block_s * rate), round(search_s * rate)
        self.fade, self.lead = round(_FADE_S * rate), round(_LEAD_S * rate)
        self.tail = np.zeros((len(sound), 0), np.float32)
        """How the last piece goes on under the next cross-fade."""

    def places(self, length: int, piece: Piece, first: bool, last: bool) -> _Places:
        """Where in a result of so many samples a piece is laid."""
        start = round(piece.at_s * self.rate) - (0 if first else self.lead + self.fade)
        stop = length if last else round(piece.end_s * self.rate) - self.lead
        start, stop = max(start, 0), max(stop, 0)
        return _Places(start, stop, stop if last else max(stop - self.fade, 0))

    def needs(self, piece: Piece, places: _Places) -> int:
        """So many samples of the sound must be there before `add`."""
        if places.start >= places.stop:
            return 0
        high = self._reach(piece, places.stop + self.search) - self.offset
        return min(max(high, 0), self.sound.shape[1])

    def add(self, out: np.ndarray, piece: Piece, first: bool, last: bool) -> None:
        """Lays one piece into `out` [C, N'], cross-fading with the one before."""
        start, stop, following = self.places(out.shape[1], piece, first, last)
        if start >= stop:
            return
        keep = max(following, start)
        room = self.search
        heard = self._heard(piece, start - room, stop + room)
        lag = room if first else room + self._lag(heard)
        part = heard[:, lag : lag + stop - start]
        size = min(self.tail.shape[1], part.shape[1])
        rise = np.sin(np.linspace(0, np.pi / 2, size, dtype=np.float32)) ** 2
        part[:, :size] = part[:, :size] * rise + self.tail[:, :size] * (1 - rise)
        out[:, start:keep] += part[:, : keep - start]
        self.tail = part[:, keep - start :]

    def _lag(self, heard: np.ndarray) -> int:
        """By how many samples later the new piece continues the waves of the tail best."""
        size = self.tail.shape[1]
        if self.search == 0 or size == 0 or heard.shape[1] < size + 2 * self.search:
            return 0
        part = heard[:, : size + 2 * self.search].astype(np.float64)
        like = sum(scipy.signal.correlate(a, b, "valid") for a, b in zip(part, self.tail, strict=True))
        power = scipy.signal.convolve((part**2).sum(0), np.ones(size), "valid")
        away = np.linspace(-1, 1, 2 * self.search + 1)
        best = like / np.sqrt(np.maximum(power, 1e-9) * max((self.tail**2).sum(), 1e-9))
        return int((best - 0.05 * away**2).argmax()) - self.search

    def _heard(self, piece: Piece, start: int, stop: int) -> np.ndarray:
        """Samples `start` to `stop` of the result as this piece gives them, [C, stop - start]."""
        room = round(_ROOM_S * self.rate)
        at, song = piece.at_s * self.rate, piece.song_s * self.rate
        low = int(song + (start - at) * piece.rate) - room
        high = self._reach(piece, stop)
        sound = _stretched(self._source(low, high), self.rate, self.block, piece.rate)
        begin = round(at + (low - song) / piece.rate)
        return sound[:, start - begin : stop - begin]

    def _reach(self, piece: Piece, stop: int) -> int:
        """Sample of the song up to which it is read for what is heard before `stop`."""
        at, song = piece.at_s * self.rate, piece.song_s * self.rate
        return int(song + (stop - at) * piece.rate) + round(_ROOM_S * self.rate)

    def _source(self, low: int, high: int) -> np.ndarray:
        """Samples `low` to `high` of the song, silence where it has none."""
        low, high = low - self.offset, high - self.offset
        out = np.zeros((len(self.sound), high - low), np.float32)
        start, stop = max(low, 0), min(high, self.sound.shape[1])
        if start < stop:
            out[:, start - low : stop - low] = self.sound[:, start:stop]
        return out


def _stretched(samples: np.ndarray, rate: int, block: int, factor: float) -> np.ndarray:
    """Sound [C, N] at `factor` times its speed, its pitch kept."""
    if abs(factor - 1) < _SAME_RATE or _peak(samples) == 0:
        size = round(samples.shape[1] / factor)
        return np.pad(samples, ((0, 0), (0, max(0, size - samples.shape[1]))))[:, :size]
    parts = []
    for start in range(0, len(samples), _CHANNELS):
        pair = np.ascontiguousarray(samples[start : start + _CHANNELS])
        stretcher = _stretcher()
        stretcher.configure(len(pair), block, block // _OVERLAP)
        stretcher.setTimeFactor(factor)
        parts.append(stretcher.process(pair))
    return np.concatenate(parts)


def _stretcher() -> Any:
    try:
        from python_stretch.Signalsmith import Stretch
    except ImportError as error:
        raise SettingError(
            "Aligning audio needs the package python-stretch, which cannot be loaded"
            f" ({error}); run: pip install python-stretch."
        ) from error
    return Stretch(0)
