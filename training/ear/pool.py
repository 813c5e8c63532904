"""Many pieces, each as it is and as it was worn, kept on disk in chunks: a stopped run loses little."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from d2m_core.band import Materials
from d2m_core.ear import EAR_RATE
from d2m_core.errors import require
from training.pairs.pair import MUSIC, POSES
from training.pairs.shards import INDEX, read_pairs
from training.run.kept import Kept, kept, place_for, recipe
from training.run.processes import run, step_done
from training.studio.materials import band_of

from .music import studio_piece
from .piece import PIECE_S, Piece, heard, onsets_of
from .worn import worn

_CHUNK = 20
"""Pieces of a seed in one file; each lies there twice."""
_FULL = 32767.0
_LENGTHS = ("samples", "beats", "onsets")


@dataclass(frozen=True, eq=False)
class Pool:
    """Pieces in a row: where one ends the next begins."""

    samples: np.ndarray
    """int16 [all N] at `EAR_RATE`."""
    beats_s: np.ndarray
    """float64 [all M], seconds from the start of their own piece."""
    downbeats: np.ndarray
    """bool [all M]."""
    onsets: np.ndarray
    """float64 [all n, 2]."""
    lengths: np.ndarray
    """int64 [pieces, 3]: how many samples, beats and onsets each piece has."""

    def __post_init__(self) -> None:
        ends = np.cumsum(self.lengths, axis=0)
        object.__setattr__(self, "_starts", ends - self.lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def piece(self, index: int) -> Piece:
        """One of the pieces."""
        at, (samples, beats, onsets) = self._starts[index], self.lengths[index]  # type: ignore[attr-defined]
        sound = self.samples[at[0] : at[0] + samples].astype(np.float32) / _FULL
        here = slice(at[1], at[1] + beats)
        return Piece(
            str(index), sound, self.beats_s[here], self.downbeats[here], self.onsets[at[2] : at[2] + onsets]
        )


def packed(pieces: Iterable[Piece]) -> Pool:
    """The pieces as a pool."""
    pieces = list(pieces)
    return Pool(
        np.concatenate([np.round(np.clip(p.samples, -1, 1) * _FULL).astype(np.int16) for p in pieces]),
        np.concatenate([p.beats_s for p in pieces]),
        np.concatenate([p.downbeats for p in pieces]),
        np.concatenate([p.onsets for p in pieces]),
        np.array([[len(p.samples), len(p.beats_s), len(p.onsets)] for p in pieces], np.int64),
    )


def joined(pools: Sequence[Pool]) -> Pool:
    """All of them in a row."""
    return Pool(*(np.concatenate([vars(pool)[part] for pool in pools]) for part in _PARTS))


_PARTS = ("samples", "beats_s", "downbeats", "onsets", "lengths")


def studio_pool(folder: Path, seeds: range, materials: Materials, workers: int = 0) -> Pool:
    """The pieces of these seeds, each twice, from `folder`; played and stored there where they are not."""
    chunks = [seeds[first : first + _CHUNK] for first in range(0, len(seeds), _CHUNK)]
    places = [_place(folder, chunk, materials) for chunk in chunks]
    missing = [k for k, place in enumerate(places) if not place.there]
    jobs = [(places[k], chunks[k], materials) for k in missing]
    total = sum(len(chunks[k]) for k in missing)
    with tqdm(total=total, desc="playing", unit="piece", mininterval=5, disable=not jobs) as bar:
        for _ in run(_store, jobs, workers or os.cpu_count() or 1, lambda n: bar.update(n)):
            continue
    return joined([read_pool(place.path) for place in places])


def _place(folder: Path, seeds: range, materials: Materials) -> Kept:
    made_of = recipe(studio_piece, worn, seeds=seeds, band=band_of(materials))
    return place_for(folder, f"music_{seeds.start}_{len(seeds)}.npz", made_of)


def _store(place: Kept, seeds: range, materials: Materials) -> None:
    pieces = []
    for seed in seeds:
        piece = studio_piece(seed, materials)
        pieces += [piece, worn(piece, np.random.default_rng([seed, 0x30E4]))]
        step_done()
    pool = packed(pieces)
    place.write(lambda path: write_pool(pool, path))


def write_pool(pool: Pool, path: Path) -> None:
    """Writes a pool to a file."""
    with path.open("wb") as file:
        np.savez(file, **{part: vars(pool)[part] for part in _PARTS})


def read_pool(path: Path) -> Pool:
    """Reads what `write_pool` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return Pool(*(stored[part] for part in _PARTS))


def pairs_pool(pairs: Path, folder: Path) -> Pool:
    """The music of a data set of pairs with beats (`training.studio`), cut to `PIECE_S`; kept in `folder`."""
    made_of = recipe(read_pairs, heard, onsets_of, files=[pairs / INDEX])

    def write(path: Path) -> None:
        pools = [packed([piece]) for piece in _pieces_of(pairs)]
        require(bool(pools), f"{pairs} holds no music with beats; build it with its music.")
        write_pool(joined(pools), path)

    return kept(folder, f"{pairs.name}.npz", made_of, write, read_pool)


def _pieces_of(pairs: Path) -> Iterator[Piece]:
    for pair in read_pairs(pairs, kinds=(MUSIC, POSES)):
        if pair.music is None or len(pair.facts.beats_s) < 2:
            continue
        cut = round(PIECE_S * pair.music.sample_rate)
        samples = heard(pair.music.samples[0, :, :cut].numpy(), pair.music.sample_rate)
        beats = np.array(pair.facts.beats_s)
        inside = beats < len(samples) / EAR_RATE
        bars = np.array(pair.facts.downbeats or np.zeros(len(beats), bool))
        onsets = onsets_of({part: np.asarray(rows, np.float64) for part, rows in pair.onsets.items()})
        yield Piece(pair.name, samples, beats[inside], bars[inside], onsets)
