"""Reads people whose way is known in every frame, on all cores: several stretches and people at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from itertools import repeat

import numpy as np

from .landmarker import Body, Landmarkers
from .needed import needed_height
from .read import Reader
from .search import Search
from .stretches import Stretch, plan_stretches, side_by_side, stretch_frames
from .tracks import Track

_MOST_LANDMARKERS = 12
"""Each person in each stretch takes one, and each of them 50 MB."""
_SMALL = 10
"""Of a hundred sightings so many may be smaller than what pictures are drawn for."""


def read_tracks(
    search: Search,
    opens: Landmarkers,
    tracks: list[Track],
    kept: Sequence[int],
    cuts_s: Sequence[float],
    cores: int,
    every: Sequence[int],
) -> list[list[Body | None]]:
    """The bodies of the tracks `kept`, by frame and person; of each in every so many frames."""
    rows: list[list[Body | None]] = [[None] * len(kept) for _ in range(search.total)]
    count = max(1, min(cores, _MOST_LANDMARKERS // max(1, len(kept))))
    stretches = plan_stretches(search.total, search.fps, count)
    height = _height(search, tracks)
    with ExitStack() as stack:
        pool: Executor | None = None
        if len(stretches) < cores and len(kept) > 1:
            pool = stack.enter_context(ThreadPoolExecutor(cores, thread_name_prefix="d2m-read"))

        def work(stretch: Stretch) -> Iterator[None]:
            readers = [_reader(opens, tracks, person, cuts_s) for person in kept]
            return _follow(search, stretch, readers, rows, height, pool, every)

        works = [partial(work, stretch) for stretch in stretches]
        side_by_side(works, lambda done: search.tell(0.4 * search.total + 0.6 * done))
    return rows


def _reader(opens: Landmarkers, tracks: list[Track], person: int, cuts_s: Sequence[float]) -> Reader:
    others = [track for track in tracks if track is not tracks[person]]
    return Reader(tracks[person], lambda: opens.of_film(1), others, cuts_s)


def _height(search: Search, tracks: list[Track]) -> int:
    """Height of pictures that are large enough for the smallest of all, whoever is read."""
    small = min(float(np.percentile([one.size for one in track.seen], _SMALL)) for track in tracks)
    return search.sizes().enough(needed_height(small))


def _follow(
    search: Search,
    stretch: Stretch,
    readers: list[Reader],
    rows: list[list[Body | None]],
    height: int,
    pool: Executor | None,
    every: Sequence[int],
) -> Iterator[None]:
    """Fills in a stretch's rows, a step for each."""
    sizes = search.sizes()
    with closing(stretch_frames(search.clip, search.fps, stretch)) as frames:
        for number, shown in frames:
            if number >= stretch.end:
                return
            rgb = sizes.draw(shown.frame, height)
            time_s, time_ms = number / search.fps, round(number * 1000 / search.fps)
            due = [k for k, step in enumerate(every) if number % step == 0]
            row: list[Body | None] = [None] * len(readers)
            asked = [readers[k] for k in due], repeat(rgb), repeat(time_s), repeat(time_ms)
            reads = (pool.map if pool else map)(Reader.read, *asked)
            for k, body in zip(due, reads, strict=True):
                row[k] = body
            if stretch.has(number):
                rows[number] = row
                yield
