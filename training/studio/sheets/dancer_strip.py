"""A row of pictures of the dancers, each under its moment, for the contact sheet."""

from __future__ import annotations

import io

import numpy as np

from d2m_core.pictures import draw_skeleton
from d2m_core.pose.landmarks import BOTH_HIPS
from training.pairs.pair import Pair

_BACK = (24, 27, 34)
_AIR, _FOOT = 1.34, 0.05
"""Height of a tile in heights of the tallest pose shown, and the share of it under the feet: the
rest above the eyes is for the crown of the head and a line of text."""
_FINE = 2
"""Drawn so many times larger, then made smaller: smooth lines."""


def strip(
    pair: Pair, times_s: np.ndarray, span_s: tuple[float, float], width: int, height: int
) -> np.ndarray:
    """RGB uint8 [height, width, 3]: the dancers at `times_s` [n], each at its place in `span_s`.

    Frames of the pair's film where it has one, skeletons otherwise.
    """
    scale = width / (span_s[1] - span_s[0])
    gaps = np.diff(times_s) * scale
    tile = int(min(gaps.min() if len(gaps) else width, height * 1.4))
    out = np.full((height, width, 3), _BACK, np.uint8)
    tiles = _film_tiles if pair.film is not None else _stick_tiles
    for at_s, picture in zip(times_s, tiles(pair, times_s, tile, height), strict=True):
        left = round((at_s - span_s[0]) * scale - tile / 2)
        first, last = max(left, 0), min(left + tile, width)
        if last > first:
            out[:, first:last] = picture[:, first - left : last - left]
    return out


def _frames(pair: Pair, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks [n, P, J, 2] in frame heights and visibility [n, P, J] at the times."""
    poses = pair.truth if pair.truth is not None else pair.seen
    assert poses is not None
    index = np.clip(np.rint(times_s * poses.fps).astype(int), 0, poses.frames - 1)
    return poses.image[index], poses.visibility[index]


def _boxes(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle [n, 2] of the lead in each frame, and the height of a tile [n] in frame heights."""
    lead = points[:, 0]
    low, high = lead[..., 1].min(1), lead[..., 1].max(1)
    middle = np.stack([lead[:, BOTH_HIPS, 0].mean(1), (low + high) / 2], axis=1)
    tall = np.full(len(points), _AIR * float((high - low).max()))
    middle[:, 1] = high - (0.5 - _FOOT) * tall
    return middle, tall


def _stick_tiles(pair: Pair, times_s: np.ndarray, width: int, height: int) -> list[np.ndarray]:
    import cv2

    points, visible = _frames(pair, times_s)
    tiles = []
    for people, seen, middle, tall in zip(points, visible, *_boxes(points), strict=True):
        canvas = np.full((height * _FINE, width * _FINE, 3), _BACK, np.uint8)
        corner = middle - np.array([width / height / 2, 0.5]) * tall
        for person in reversed(range(len(people))):
            shown = np.clip(seen[person], 0.35, 1.0)
            canvas = draw_skeleton(canvas, (people[person] - corner) / tall, shown, person=person)
        tiles.append(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA))
    return tiles


def _film_tiles(pair: Pair, times_s: np.ndarray, width: int, height: int) -> list[np.ndarray]:
    """Parts of film frames around the lead."""
    import cv2

    points, _ = _frames(pair, times_s)
    tiles = []
    pictures = _pictures(pair, times_s)
    for picture, middle, tall in zip(pictures, *_boxes(points), strict=True):
        pixels = picture.shape[0]
        size = (max(2, round(tall * width / height * pixels)), max(2, round(tall * pixels)))
        centre = (float(middle[0] * pixels), float(middle[1] * pixels))
        around = cv2.copyMakeBorder(
            picture, size[1], size[1], size[0], size[0], cv2.BORDER_CONSTANT, value=_BACK
        )
        moved = (centre[0] + size[0], centre[1] + size[1])
        part = cv2.getRectSubPix(around, size, moved)
        tiles.append(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA))
    return tiles


def _pictures(pair: Pair, times_s: np.ndarray) -> list[np.ndarray]:
    """The film's frames RGB [H, W, 3] nearest to the times, which rise."""
    import av

    assert pair.film is not None
    found: list[np.ndarray] = []
    with av.open(io.BytesIO(pair.film), "r") as file:
        video = file.streams.video[0]
        half_s = 0.5 / float(video.average_rate or 25)
        last = None
        for frame in file.decode(video):
            last = frame
            while len(found) < len(times_s) and (frame.time or 0.0) >= times_s[len(found)] - half_s:
                found.append(frame.to_ndarray(format="rgb24"))
    while last is not None and len(found) < len(times_s):
        found.append(last.to_ndarray(format="rgb24"))
    return found
