"""A clip in stretches that are followed side by side, one core each.

MediaPipe follows one person on one core. A stretch begins a little before its first frame, so that who
follows it has found the person, and its filters have settled, where the stretch before it ends; and it sees
a few frames beyond its end, for what is judged by what comes after.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise

from ..media.video import frames_at, read_ahead
from ..media.video_file import ShownFrame
from ..types import VideoClip

LEAD_S = 0.6
"""Seconds that a stretch begins early."""
_SHORTEST_S = 2.0
"""Shorter stretches are not worth their lead-in."""
_AFTER = 6
"""Frames that are seen after the end: a cut is judged by so many."""


@dataclass(frozen=True)
class Stretch:
    """Frames `first` to before `end` of a clip, and `begin` to before `stop` that are seen for them."""

    begin: int
    first: int
    end: int
    stop: int

    def has(self, frame: int) -> bool:
        return self.first <= frame < self.end


def plan_stretches(total: int, fps: float, workers: int) -> list[Stretch]:
    """Stretches that cover `total` frames, as many as `workers` or fewer where the clip is short."""
    count = max(1, min(workers, int(total / (_SHORTEST_S * fps))))
    lead = round(LEAD_S * fps)
    seen = (total + (count - 1) * lead) / count  # by each, lead-in and all: so they end together
    borders = [0, *(round(k * seen - (k - 1) * lead) for k in range(1, count + 1))]
    return [
        Stretch(max(0, first - lead), first, end, min(total, end + _AFTER))
        for first, end in pairwise(borders)
    ]


def stretch_frames(
    clip: VideoClip, fps: float, stretch: Stretch
) -> Generator[tuple[int, ShownFrame], None, None]:
    """Yields number and picture of every frame that is seen for a stretch, decoded ahead in a thread."""
    part = clip
    if stretch.begin > 0:
        left_s = clip.duration_s - stretch.begin / fps
        part = replace(clip, start_s=clip.start_s + stretch.begin / fps, duration_s=left_s)
    with closing(read_ahead(frames_at(part, fps))) as ahead:
        yield from zip(range(stretch.begin, stretch.stop), ahead, strict=False)


def side_by_side(works: Sequence[Callable[[], Iterator[None]]], tell: Callable[[int], None]) -> None:
    """Runs what `works` make, each in a thread, until all end; `tell(n)` hears that n steps were done.

    A single one runs in the thread that calls, as `tell` always does; it may raise to cancel. What one raises
    stops the others and rises here.
    """
    if len(works) == 1:
        for done, _ in enumerate(works[0](), 1):
            tell(done)
        return
    steps: queue.SimpleQueue[BaseException | bool | None] = queue.SimpleQueue()
    stop = threading.Event()
    threads = [
        threading.Thread(target=_run, args=(work, steps, stop), name="d2m-stretch", daemon=True)
        for work in works
    ]
    for thread in threads:
        thread.start()
    try:
        done, running = 0, len(threads)
        while running:
            step = steps.get()
            if isinstance(step, BaseException):
                raise step
            if step is None:
                running -= 1
            else:
                done += 1
                tell(done)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _run(
    work: Callable[[], Iterator[None]],
    steps: queue.SimpleQueue[BaseException | bool | None],
    stop: threading.Event,
) -> None:
    try:
        for _ in work():
            steps.put(True)
            if stop.is_set():
                return
        steps.put(None)
    except BaseException as error:  # raised again by who waits
        steps.put(error)
