"""Arithmetic on maps from one time to another: limits, loops, straight pieces. Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_STRAIGHT_S = 0.001
"""Pieces of a map become one where that moves nothing by more."""
_SHORT_S, _LONG_S = 0.1, 20.0
"""Shortest and longest straight piece."""
_SAME_S = 1e-6


@dataclass(frozen=True)
class Loop:
    """A stretch of a song that is played again and again."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Piece:
    """A straight piece of a map: a song from `song_s` to `song_end_s`, heard at `at_s`..`end_s`."""

    song_s: float
    song_end_s: float
    at_s: float
    end_s: float

    @property
    def rate(self) -> float:
        """Seconds of the song per second heard."""
        return (self.song_end_s - self.song_s) / (self.end_s - self.at_s)


def limited(song_s: np.ndarray, heard_s: np.ndarray, rate: float, most: float) -> np.ndarray:
    """The map nearest to `song_s` [M] whose rates differ from `rate` by a share of at most `most`.

    Nearest by the sum of distances, which leaves as many points as possible where they are: a
    linear program.
    """
    steps = np.diff(heard_s)
    if (np.abs(np.diff(song_s) / steps / rate - 1) <= most).all():
        return song_s
    from scipy.optimize import linprog
    from scipy.sparse import block_array, diags_array, eye_array

    count = len(song_s)  # unknown: how far each point moves, [M], and its size, [M]
    one = eye_array(count)
    difference = diags_array(
        [-np.ones(count - 1), np.ones(count - 1)], offsets=[0, 1], shape=(count - 1, count)
    )
    rows = block_array([[one, -one], [-one, -one], [difference, None], [-difference, None]])
    over, room = np.diff(song_s) - rate * steps, rate * most * steps
    limits = np.concatenate([np.zeros(2 * count), room - over, room + over])
    cost = np.concatenate([np.zeros(count), np.ones(count)])
    found = linprog(cost, rows.tocsr(), limits, bounds=(None, None))
    return song_s + found.x[:count]


def to_edges(song_s: np.ndarray, heard_s: np.ndarray, duration_s: float) -> tuple[np.ndarray, np.ndarray]:
    """A map of at least two points, continued straight to 0 and to `duration_s`."""
    rates = np.diff(song_s) / np.diff(heard_s)
    if heard_s[0] > _SAME_S:
        song_s = np.concatenate([[song_s[0] - rates[0] * heard_s[0]], song_s])
        heard_s = np.concatenate([[0.0], heard_s])
    if duration_s - heard_s[-1] > _SAME_S:
        end_s = song_s[-1] + rates[-1] * (duration_s - heard_s[-1])
        song_s, heard_s = np.append(song_s, end_s), np.append(heard_s, duration_s)
    return song_s, heard_s


def wrapped(song_s: np.ndarray, heard_s: np.ndarray, loop: Loop | None) -> np.ndarray:
    """Anchors [A, 2], rows (song, heard): song times past a loop's end go on at its start.

    The song starts before the loop's end. Two rows of one heard time are a jump.
    """
    if loop is None or song_s[-1] <= loop.end_s + _SAME_S:
        return np.stack([song_s, heard_s], axis=1)
    over = song_s[-1] - loop.end_s
    ends = loop.end_s + loop.length_s * np.arange(np.ceil(over / loop.length_s))
    ends = ends[ends < song_s[-1] - _SAME_S]
    near = np.abs(song_s[:, None] - ends[None]).min(1, initial=np.inf) < _SAME_S
    points = np.sort(np.concatenate([song_s[~near], ends]))
    times = np.interp(points, song_s, heard_s)
    rows = []
    for turns, (low, high) in enumerate(pairwise([-np.inf, *ends, np.inf])):
        inside = (points >= low) & (points <= high)
        rows.append(np.stack([points[inside] - turns * loop.length_s, times[inside]], axis=1))
    return np.concatenate(rows)


def straight_pieces(anchors: np.ndarray) -> list[Piece]:
    """The straight pieces of anchors [A, 2], joined where that changes next to nothing."""
    pieces: list[Piece] = []
    inside: list[tuple[float, float]] = []  # anchors within the last piece
    for (song, at), (song_end, end) in pairwise(anchors):
        if end - at < _SAME_S:  # a jump
            continue
        new = Piece(float(song), float(song_end), float(at), float(end))
        if pieces and abs(pieces[-1].song_end_s - new.song_s) < _SAME_S:
            joined = Piece(pieces[-1].song_s, new.song_end_s, pieces[-1].at_s, new.end_s)
            points = [*inside, (new.song_s, new.at_s)]
            if _is_straight(joined, points) or _is_short(pieces[-1]) or _is_short(new):
                pieces[-1], inside = joined, points
                continue
        pieces.append(new)
        inside = []
    return [part for piece in pieces for part in _cut(piece)]


def _is_straight(piece: Piece, points: list[tuple[float, float]]) -> bool:
    off = [abs(piece.song_s + (at - piece.at_s) * piece.rate - song) for song, at in points]
    return max(off) <= _STRAIGHT_S


def _is_short(piece: Piece) -> bool:
    return piece.end_s - piece.at_s < _SHORT_S


def _cut(piece: Piece) -> list[Piece]:
    """The piece in equal parts no longer than `_LONG_S`."""
    count = int(np.ceil((piece.end_s - piece.at_s) / _LONG_S))
    song = np.linspace(piece.song_s, piece.song_end_s, count + 1)
    heard = np.linspace(piece.at_s, piece.end_s, count + 1)
    return [
        Piece(float(song[i]), float(song[i + 1]), float(heard[i]), float(heard[i + 1])) for i in range(count)
    ]
