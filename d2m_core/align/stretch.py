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

from typing import Any

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
    wave: Waveform, anchors: np.ndarray, duration_s: float, on_progress: Progress | None = None
) -> Waveform:
    """The sound heard along a map, [B, C, N'] of exactly `duration_s`.

    Args:
        wave: Any rate and number of channels; outside it there is silence.
        anchors: float64 [A, 2], rows of (time in the sound, time heard) in seconds. Times heard
            rise from 0 to `duration_s`; where two rows share one, the sound jumps.
        duration_s: Length of the result.
        on_progress: Called after every piece; it may raise to cancel.
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
    splits = _split_starts(flat.shape[1], wave.sample_rate)
    steps = _Steps(on_progress, len(splits) + 2 * len(pieces))
    part = _tones(flat, wave.sample_rate, splits, steps)
    out = np.zeros((len(flat), length), np.float32)
    for block_s, search_s in ((_TONE_BLOCK_S, _SEARCH_S), (_HIT_BLOCK_S, 0.0)):
        if block_s == _HIT_BLOCK_S:
            np.subtract(flat, part, out=part)  # what is left; a long sound is there often enough
        renderer = _Renderer(part, first, wave.sample_rate, block_s, search_s)
        for index, piece in enumerate(pieces):
            renderer.add(out, piece, index == 0, index == len(pieces) - 1)
            steps.one()
    out *= min(1.0, max(1.0, _peak(flat)) / max(_peak(out), 1e-9))
    edge = round(_EDGE_S * wave.sample_rate)
    out = _faded(out, edge, edge)
    samples = torch.from_numpy(out).reshape(batch, channels, -1)
    return fit_length(Waveform(samples, wave.sample_rate), duration_s)


class _Steps:
    """Counts what is done."""

    def __init__(self, on_progress: Progress | None, total: int) -> None:
        self.on_progress, self.done, self.total = on_progress, 0, total

    def one(self) -> None:
        self.done += 1
        if self.on_progress is not None:
            self.on_progress(self.done, self.total)


def _peak(samples: np.ndarray) -> float:
    return float(max(samples.max(initial=0.0), -samples.min(initial=0.0)))


def _faded(samples: np.ndarray, rise: int, fall: int) -> np.ndarray:
    """Sound [C, N] that rises and falls over so many samples."""
    count = np.arange(1, samples.shape[1] + 1, dtype=np.float32)
    gain = np.minimum(count / max(rise, 1), count[::-1] / max(fall, 1))
    return samples * np.minimum(gain, np.float32(1.0))


# --- tones and hits ---


def _split_starts(count: int, rate: int) -> range:
    return range(0, max(count, 1), round(_SPLIT_S * rate))


def _tones(samples: np.ndarray, rate: int, starts: range, steps: _Steps) -> np.ndarray:
    """What lasts in a sound, float32 [C, N]; the rest are its hits."""
    import librosa

    window = 2 ** round(np.log2(_SPLIT_BLOCK_S * rate))
    room = round(_SPLIT_ROOM_S * rate)
    out = np.zeros_like(samples)
    for start in starts:
        low, stop = max(0, start - room), min(start + starts.step, samples.shape[1])
        part = samples[:, low : stop + room]
        if part.shape[1] > window and _peak(part) > 0:
            spectrum = librosa.stft(part, n_fft=window, hop_length=window // 4)  # [C, bins, frames]
            mask, _rest = librosa.decompose.hpss(np.abs(spectrum).mean(0), mask=True)
            tones = librosa.istft(spectrum * mask, hop_length=window // 4, length=part.shape[1])
            out[:, start:stop] = tones[:, start - low : stop - low]
        steps.one()
    return out


# --- one piece after the other ---


class _Renderer:
    """Lays the pieces of one sound, [C, N] from sample `offset` of the song on, into a result."""

    def __init__(self, sound: np.ndarray, offset: int, rate: int, block_s: float, search_s: float) -> None:
        self.sound, self.offset, self.rate = sound, offset, rate
        self.block, self.search = round(block_s * rate), round(search_s * rate)
        self.fade, self.lead = round(_FADE_S * rate), round(_LEAD_S * rate)
        self.tail = np.zeros((len(sound), 0), np.float32)
        """How the last piece goes on under the next cross-fade."""

    def add(self, out: np.ndarray, piece: Piece, first: bool, last: bool) -> None:
        """Lays one piece into `out` [C, N'], cross-fading with the one before."""
        start = round(piece.at_s * self.rate) - (0 if first else self.lead + self.fade)
        stop = out.shape[1] if last else round(piece.end_s * self.rate) - self.lead
        start, stop = max(start, 0), max(stop, 0)
        if start >= stop:
            return
        room = self.search
        heard = self._heard(piece, start - room, stop + room)
        lag = room if first else room + self._lag(heard)
        part = heard[:, lag : lag + stop - start]
        size = min(self.tail.shape[1], part.shape[1])
        rise = np.sin(np.linspace(0, np.pi / 2, size, dtype=np.float32)) ** 2
        part[:, :size] = part[:, :size] * rise + self.tail[:, :size] * (1 - rise)
        keep = stop if last else max(stop - self.fade, start)
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
        high = int(song + (stop - at) * piece.rate) + room
        sound = _stretched(self._source(low, high), self.rate, self.block, piece.rate)
        begin = round(at + (low - song) / piece.rate)
        return sound[:, start - begin : stop - begin]

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
