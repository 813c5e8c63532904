"""Somebody alone: followed as a film in stretches side by side, with a glance at stills now and then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np
from av.video.frame import VideoFrame

from ..media.sizes import Sizes
from ..types import PoseSequence
from .cuts import Cuts
from .landmarker import Body, Landmarker, Landmarkers
from .look import Looker, closer_parts, looker
from .needed import Needed
from .search import Search, cores
from .stills import SEVERAL, STILLS_S, Stills
from .stretches import Stretch, plan_stretches, side_by_side, stretch_frames

_GLANCE_S = 1.0
"""And one in so many where somebody seems to be alone."""
_MISSED = 0.8
"""A film that found its person in less than this share of what stills did is not believed."""


def follow_alone(search: Search, opens: Landmarkers) -> PoseSequence | None:
    """The poses of the only person there is; None where there are more, or a film is not enough."""
    stretches = plan_stretches(search.total, search.fps, cores())
    rows: list[list[Body | None]] = [[None] for _ in range(search.total)]
    with looker(opens, 1) as eyes:
        parts = [Film(search, lambda: opens.of_film(1), eyes, stretch, rows) for stretch in stretches]
        for part in parts:
            part.together, part.begun = parts, parts[0].begun
        side_by_side([part.follow for part in parts], search.tell)
        glances = Stills()
        for part in parts:
            part.glances.wait(0)
            glances.frames += part.glances.frames
            glances.seen += part.glances.seen
    if glances.several():
        return None
    poses = search.poses(rows, [cut for part in parts for cut in part.cuts_found])
    missed = poses.present.mean() < _MISSED * glances.share_with_somebody()
    changes = tuple((0, time_s) for time_s in glances.changes_s(poses))
    return None if missed else replace(poses, changes=changes)


class Film:
    """Follows one person through a stretch, and looks at stills on the side."""

    def __init__(
        self,
        search: Search,
        open_one: Callable[[], Landmarker],
        eyes: Looker,
        stretch: Stretch,
        rows: list[list[Body | None]],
    ) -> None:
        self.search, self.eyes, self.stretch, self.rows = search, eyes, stretch, rows
        self._open = open_one
        self._film: Landmarker | None = None
        self.glances = Stills()
        self.cuts_found: list[int] = []
        self.crowded = 0
        self.together = [self]
        self.begun = threading.Event()
        """Set when the clip's first picture has shown somebody alone: before that nothing is read."""

    def follow(self) -> Iterator[None]:
        """Fills in the stretch's rows, a step for each; ends early where somebody is not alone."""
        try:
            yield from self._followed()
        finally:
            self.begun.set()  # else the others would wait for ever

    def _followed(self) -> Iterator[None]:
        search, stretch, cuts, sizes = self.search, self.stretch, Cuts(), self.search.sizes()
        needed = Needed(sizes)
        with closing(stretch_frames(search.clip, search.fps, stretch)) as frames:
            for number, shown in frames:
                rgb = sizes.draw(shown.frame, needed.height)
                cuts.see(rgb)
                if number >= stretch.end:
                    continue
                if stretch.has(number):
                    self._glance(number, rgb, sizes, shown.frame, needed.fills and not cuts.found)
                self.crowded = self.glances.crowded()
                self._begin(number)
                if sum(part.crowded for part in self.together) >= SEVERAL:
                    return
                # From the number, not from the frame: MediaPipe insists on rising whole milliseconds.
                self._film = self._film or self._open()
                found = self._film.find(rgb, round(number * 1000 / search.fps))
                body = found[0] if found else None
                needed.see(body)
                if stretch.has(number):
                    self.rows[number] = [body]
                    yield
        found_here = (cut + stretch.begin for cut in cuts.end())
        self.cuts_found = [cut for cut in found_here if stretch.has(cut)]

    def _begin(self, number: int) -> None:
        """Waits until the first pictures have shown somebody alone: what is read of a group here is lost."""
        if self.together[0] is not self:
            self.begun.wait()
        elif not self.begun.is_set() and number in (0, self._soon):
            self._await_glances()
            if number or not self.crowded:
                self.begun.set()

    def _await_glances(self) -> None:
        self.glances.wait(0)
        self.crowded = self.glances.crowded()

    @property
    def _soon(self) -> int:
        """The second still comes soon, so that groups are known at once."""
        return max(1, round(STILLS_S * self.search.fps))

    def _glance(self, number: int, rgb: np.ndarray, sizes: Sizes, frame: VideoFrame, fills: bool) -> None:
        """Looks at the picture as a still where one is due.

        Beside somebody who `fills` it in one shot are few others and no small ones: half as often is enough,
        but for the glance after one that showed somebody else.
        """
        every = max(1, round(min(_GLANCE_S, self.search.clip.duration_s / 4) * self.search.fps))
        due = number % every == 0
        if due:  # what is looked at must not hang on how fast the last look was
            self._await_glances()
            due = bool(self.crowded) or not (fills and number // every % 2)
        if due or number == self._soon:
            closer = number in (self._soon, every) and self.crowded < SEVERAL
            shown = sizes.draw(frame, sizes.largest) if closer else rgb
            self.glances.add(number, self.eyes.look(shown, closer_parts(shown) if closer else ()))
