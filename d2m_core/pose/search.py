"""What is searched for dancers: a clip at some rate, its pictures and how far one is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import numpy as np

from ..media.sizes import Sizes
from ..media.video import frames_at, read_ahead
from ..media.video_file import ShownFrame
from ..types import LANDMARKS, PoseSequence, Progress, VideoClip
from .landmarker import Body


@dataclass(frozen=True)
class Search:
    """What is searched, and how."""

    clip: VideoClip
    fps: float
    max_height: int
    on_progress: Progress | None

    @property
    def total(self) -> int:
        return max(1, round(self.clip.duration_s * self.fps))

    @contextmanager
    def frames(self) -> Iterator[Iterator[tuple[int, ShownFrame]]]:
        with closing(read_ahead(frames_at(self.clip, self.fps))) as ahead:
            yield enumerate(ahead)

    def sizes(self) -> Sizes:
        """Draws this search's pictures, for one thread."""
        return Sizes(self.clip, self.max_height)

    def poses(self, rows: list[list[Body | None]], cuts: list[int]) -> PoseSequence:
        """Bodies by frame and person as arrays; `cuts` are numbers of frames."""
        made = as_poses(rows, self.fps)
        cuts_s = tuple(frame / self.fps for frame in cuts)
        return replace(made, cuts_s=cuts_s, aspect=self.clip.width / self.clip.height)

    def tell(self, done: float) -> None:
        if self.on_progress is not None:
            self.on_progress(min(int(done), self.total), self.total)


def as_poses(rows: list[list[Body | None]], fps: float) -> PoseSequence:
    """Bodies by frame and person as arrays."""
    frames, people = len(rows), len(rows[0])
    world = np.zeros((frames, people, LANDMARKS, 3), np.float32)
    image = np.zeros((frames, people, LANDMARKS, 2), np.float32)
    visibility = np.zeros((frames, people, LANDMARKS), np.float32)
    present = np.zeros((frames, people), np.bool_)
    for frame, row in enumerate(rows):
        for person, body in enumerate(row):
            if body is not None:
                world[frame, person], image[frame, person] = body.world, body.image
                visibility[frame, person], present[frame, person] = body.visibility, True
    return PoseSequence(world, image, visibility, present, fps)


def cores() -> int:
    """Cores that this process may use, but no more landmarkers than memory likes."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(count or 1, 8)
