"""Batches of music to train on: from pieces in memory maps, or streamed from a folder of shards.

What a step hears follows from the seed, the step and the place in the batch alone, so that a run
that was stopped goes on as if it had not been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from d2m_core.errors import SettingError
from d2m_core.media import resample
from training.pairs.pair import MUSIC
from training.pairs.shards import Entry, PairFolder
from training.run.kept import place_for, recipe

from .settings import SAMPLE_RATE

LOUDNESS_DB = (-12.0, 0.0)
"""Range of random gains."""

AS_IT_IS = 0.75
"""Share of the segments of straight music that nothing is done to."""

_SEGMENT, _ORDER = 71, 72
"""Which chance is drawn."""

WINDOW = 48
"""Pieces held in memory while streaming."""

AHEAD = 8
"""Pieces decoded before they are needed."""


class Music(Protocol):
    """Where batches come from."""

    def batch(self, step: int, first: int, count: int, samples: int) -> torch.Tensor:
        """Entries `first` to `first + count` of this step's batch, float32 [B, 1, samples]."""
        ...


def segment(piece: np.ndarray, samples: int, rng: np.random.Generator, hop: int = 0) -> np.ndarray:
    """A random stretch of an int16 piece [N] or [C, N] as float32 [samples].

    Channels are mixed to one, half of the time by even parts; loudness and sign are random. What
    is too short ends in silence. With a `hop` it begins on a multiple of that, and three times in
    four nothing is changed: a codec of straight music need not know the same hit in all guises.
    """
    channels = np.atleast_2d(piece)  # [C, N]
    start = int(rng.integers(max(0, channels.shape[1] - samples) + 1))
    if hop:
        start = start // hop * hop
        if rng.random() < AS_IT_IS:
            out = np.zeros(samples, np.float32)
            part = channels[:, start : start + samples].astype(np.float32).mean(0)
            out[: len(part)] = part / 32768.0
            return out
    part = channels[:, start : start + samples].astype(np.float32) / 32768.0
    parts = len(part)
    shares = np.full(parts, 1.0 / parts) if rng.random() < 0.5 else rng.dirichlet(np.ones(parts))
    gain = 10 ** (rng.uniform(*LOUDNESS_DB) / 20) * rng.choice((-1.0, 1.0))
    out = np.zeros(samples, np.float32)
    out[: part.shape[1]] = (shares[:, None] * part).sum(0) * gain
    return out


class PoolMusic:
    """Segments of pieces that are all at hand."""

    def __init__(self, pieces: Sequence[np.ndarray], seed: int) -> None:
        self.pieces = pieces
        self.seed = seed

    def batch(self, step: int, first: int, count: int, samples: int) -> torch.Tensor:
        """As `Music`."""
        rows = []
        for place in range(first, first + count):
            rng = np.random.default_rng([self.seed, _SEGMENT, step, place])
            rows.append(segment(self.pieces[int(rng.integers(len(self.pieces)))], samples, rng))
        return torch.from_numpy(np.stack(rows))[:, None]


class StreamMusic:
    """Segments of a window of pieces that moves on through all of them, shuffled in every round."""

    def __init__(
        self,
        pieces: int,
        load: Callable[[int], np.ndarray],
        seed: int,
        rank: int = 0,
        ranks: int = 1,
        fresh: float = 0.5,
        hop: int = 0,
    ) -> None:
        """`load(i)` decodes piece i, int16 [C, N]; `fresh` pieces come in per step; `hop` as in
        `segment`."""
        self.pieces, self.load, self.seed = pieces, load, seed
        self.rank, self.ranks, self.fresh, self.hop = rank, ranks, fresh, hop
        self._held: dict[int, Future[np.ndarray]] = {}
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="codec-music")

    def number(self, place: int) -> int:
        """Which piece comes at this place of the endless order."""
        turn, within = divmod(place, self.pieces)
        order = np.random.default_rng([self.seed, _ORDER, turn]).permutation(self.pieces)
        return int(order[within])

    def batch(self, step: int, first: int, count: int, samples: int) -> torch.Tensor:
        """As `Music`."""
        start = int(step * self.fresh)
        window = min(WINDOW, max(1, self.pieces // self.ranks))
        for place in [p for p in self._held if p < start]:
            self._held.pop(place).cancel()
        for place in range(start, start + window + AHEAD):
            if place not in self._held:
                number = self.number(place * self.ranks + self.rank)
                self._held[place] = self._reader.submit(self.load, number)
        rows = []
        for entry in range(first, first + count):
            rng = np.random.default_rng([self.seed, _SEGMENT, step, entry])
            piece = self._held[start + int(rng.integers(window))].result()
            rows.append(segment(piece, samples, rng, self.hop))
        return torch.from_numpy(np.stack(rows))[:, None]

    def close(self) -> None:
        """Stops reading."""
        self._reader.shutdown(wait=False, cancel_futures=True)


def open_shards(folder: Path, seed: int, rank: int = 0, ranks: int = 1, hop: int = 0) -> StreamMusic:
    """The music of a folder of studio shards, each process its own share; `hop` as in `segment`.

    Raises `SettingError` where there is none.
    """
    heard, load = _music_of(folder)
    return StreamMusic(len(heard), load, seed, rank, ranks, hop=hop)


def shard_pieces(folder: Path, minutes: float, store: Path) -> dict[str, np.ndarray]:
    """The first pieces of a folder of studio shards, mixed to one channel, by name; `minutes` of
    them or all, as memory maps of files that are made in `store`. Raises `SettingError`."""
    return _first_pieces(folder, minutes, store, mixed=True)


def stereo_pieces(
    folder: Path, minutes: float, store: Path, sample_rate: int = SAMPLE_RATE
) -> dict[str, np.ndarray]:
    """As `shard_pieces`, int16 [2, N]; music of one channel has it on both."""
    return _first_pieces(folder, minutes, store, mixed=False, sample_rate=sample_rate)


def _first_pieces(
    folder: Path, minutes: float, store: Path, mixed: bool, sample_rate: int = SAMPLE_RATE
) -> dict[str, np.ndarray]:
    heard, load = _music_of(folder, sample_rate)
    pieces: dict[str, np.ndarray] = {}
    left = round(60 * minutes * sample_rate)
    for number, entry in enumerate(heard):
        if left <= 0:
            break
        made_of = recipe(
            shard_pieces, files=[folder / entry.shard], pair=entry.name, mixed=mixed, rate=sample_rate
        )
        piece = place_for(store, f"{folder.name}_{entry.name}.npy", made_of)
        if not piece.there:
            sound = load(number)
            sound = sound.mean(axis=0).round().astype(np.int16) if mixed else sound[[0, -1]]
            piece.write(partial(np.save, arr=sound))
        name = piece.path.stem  # pairs of two folders may have one name
        pieces[name] = np.load(piece.path, mmap_mode="r")
        left -= pieces[name].shape[-1]
    return pieces


def _music_of(
    folder: Path, sample_rate: int = SAMPLE_RATE
) -> tuple[list[Entry], Callable[[int], np.ndarray]]:
    """The pairs with music, and what decodes the n-th of them, int16 [C, N]."""
    pairs = PairFolder(folder)
    heard = [entry for entry in pairs.entries if MUSIC in entry.members]
    if not heard:
        raise SettingError(f"The shards in {folder} hold no music; make some, or give another.")

    def load(number: int) -> np.ndarray:
        wave = pairs.read(heard[number].name, (MUSIC,)).music
        assert wave is not None
        samples = resample(wave, sample_rate).samples[0].numpy()  # [C, N]
        return np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)

    return heard, load
