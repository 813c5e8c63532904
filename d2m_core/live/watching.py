"""What is known of the dance at each moment: poses as they come become beats, energy, accents, stillness."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from ..motion.accents import accents_of
from ..motion.body import body_of
from ..motion.braking import braking_of, parts_of
from ..pose.landmarker import Body
from ..rhythm import RhythmNet
from ..rhythm.decoding import BeatGrid
from ..rhythm.live import RhythmStream, StreamSettings, joined
from ..types import LANDMARKS, MOTION_FPS, PoseSequence

BEATS_EVERY_S = 0.24
"""Beats are looked for so often; each time takes 40 ms of one core."""
LOOK_EVERY_S = 0.04
"""Energy, accents and stillness are looked for so often; each time takes 3 ms."""
_BEATS_MEMORY_S, _LOOK_MEMORY_S = 10.0, 2.0
_GAP_S = 0.2
"""Between two sights of a dancer so far apart nothing is made up."""
_NOW_S = 0.4
"""Energy is that of so much of the past."""
_USUAL_S = 12.0
"""What counts as lively for this dancer is what was lively in about so much of the past."""
_LEAST_USUAL = 0.25
"""Body heights per second: a dancer is never taken for calmer than this."""
_STILL, _STILL_SHARE = 0.06, 0.15
"""Body heights per second, and share of the usual speed: slower than the greater one is still."""
LEAST_ACCENT = 0.3
"""Accents weaker than this are not told."""


@dataclass(frozen=True)
class Accent:
    """A moment one sees: a stop, a turn back, a landing, a clap."""

    time_s: float
    strength: float
    """0..1."""


@dataclass(frozen=True)
class Reading:
    """What is known at a moment, in seconds since the session began."""

    now_s: float
    """Up to here the dance was seen."""
    grid: BeatGrid | None = None
    """Beats, those to come among them; None until there is something to read."""
    grid_s: float = 0.0
    """When the grid was found."""
    energy: float = 0.0
    """0..1, against what this dancer does."""
    still_s: float = 0.0
    """For how long nobody has been there, or moved; 0 while somebody dances."""
    accents: tuple[Accent, ...] = ()
    """Those that are new since the last reading."""


STANDING = Body(
    np.linspace(-0.8, 0.8, 3 * LANDMARKS, dtype=np.float32).reshape(LANDMARKS, 3),
    np.linspace(0.2, 0.8, 2 * LANDMARKS, dtype=np.float32).reshape(LANDMARKS, 2),
    np.ones(LANDMARKS, np.float32),
)
"""Somebody who does nothing, for warming up."""


class Evenly:
    """Sights of one dancer at any times become poses at an even rate; one thread sees, another takes."""

    def __init__(self) -> None:
        self._next = 0
        self._last: tuple[float, Body | None] = (0.0, None)
        self._made: list[Body | None] = []
        self._lock = threading.Lock()

    def see(self, time_s: float, body: Body | None) -> None:
        """Who is seen at a moment, None for nobody; moments rise."""
        before_s, before = self._last
        with self._lock:
            while self._next / MOTION_FPS <= time_s + 1e-9:
                at_s = self._next / MOTION_FPS
                self._made.append(_between(before_s, before, time_s, body, at_s))
                self._next += 1
        self._last = (time_s, body)

    def take(self) -> PoseSequence | None:
        """The poses that were made since the last call; None where there are none."""
        with self._lock:
            made, self._made = self._made, []
        if not made:
            return None
        poses = PoseSequence(
            np.zeros((len(made), 1, LANDMARKS, 3), np.float32),
            np.zeros((len(made), 1, LANDMARKS, 2), np.float32),
            np.zeros((len(made), 1, LANDMARKS), np.float32),
            np.zeros((len(made), 1), np.bool_),
        )
        for frame, body in enumerate(made):
            if body is not None:
                poses.world[frame, 0], poses.image[frame, 0] = body.world, body.image
                poses.visibility[frame, 0], poses.present[frame, 0] = body.visibility, True
        return poses


def _between(
    before_s: float, before: Body | None, after_s: float, after: Body | None, at_s: float
) -> Body | None:
    if before is None or after is None or after_s - before_s > _GAP_S:
        return after if at_s > after_s - 0.5 / MOTION_FPS else None
    share = np.float32((at_s - before_s) / max(after_s - before_s, 1e-6))
    return Body(*(one + share * (two - one) for one, two in zip(before, after, strict=True)))


class Watcher:
    """Watches one dancer: `see` what comes, `read` what it means."""

    def __init__(self, net: RhythmNet) -> None:
        settings = StreamSettings(-1.0, _BEATS_MEMORY_S, BEATS_EVERY_S)
        self._stream = RhythmStream(net, settings)
        self._evenly = Evenly()
        self._recent: PoseSequence | None = None
        self._frames = 0
        self._usual, self._moved_s, self._accent_s = _LEAST_USUAL, 0.0, 0.0
        self._grid_s = 0.0

    def see(self, time_s: float, body: Body | None) -> None:
        """Who is seen at a moment of the session, None for nobody; moments rise."""
        self._evenly.see(time_s, body)

    def read(self) -> Reading | None:
        """What is known now; None where nothing new was seen."""
        new = self._evenly.take()
        if new is None:
            return None
        self._frames += new.frames
        now_s = self._frames / MOTION_FPS
        before = self._stream.grid
        self._stream.push(new)
        self._grid_s = now_s if self._stream.grid is not before else self._grid_s
        self._recent = _last(self._recent, new, round(_LOOK_MEMORY_S * MOTION_FPS))
        energy, accents = self._looked(self._recent, now_s)
        return Reading(
            now_s, self._stream.grid, self._grid_s, energy, max(0.0, now_s - self._moved_s), accents
        )

    def _looked(self, poses: PoseSequence, now_s: float) -> tuple[float, tuple[Accent, ...]]:
        """Energy now, and accents that are new."""
        if not poses.present.any() or poses.frames < round(_NOW_S * MOTION_FPS):
            return 0.0, ()
        points, sure = parts_of(poses, 0, body_of(poses, 0))
        braking, velocity = braking_of(points, sure)
        known = poses.present[:, :1] & (sure > 0)
        speed = np.where(known, np.linalg.norm(velocity, axis=-1), 0.0)  # [F, S]
        speed = speed.sum(1) / np.maximum(known.sum(1), 1)
        here = float(speed[-round(_NOW_S * MOTION_FPS) :].mean())
        fade = LOOK_EVERY_S / _USUAL_S
        self._usual = max(_LEAST_USUAL, here, self._usual * (1 - fade))
        if here > max(_STILL, _STILL_SHARE * self._usual):
            self._moved_s = now_s
        found = accents_of(points, braking, velocity).stronger_than(LEAST_ACCENT)
        start_s = now_s - poses.duration_s
        new = tuple(
            Accent(start_s + float(time_s), float(strength))
            for time_s, strength in zip(found.times_s, found.strengths, strict=True)
            if start_s + time_s > self._accent_s + 0.1
        )
        if new:
            self._accent_s = new[-1].time_s
        return float(np.clip(here / self._usual, 0.0, 1.0)), new


def _last(before: PoseSequence | None, new: PoseSequence, frames: int) -> PoseSequence:
    """The last so many frames of both."""
    both = new if before is None else joined(before, new)
    return both.frames_at(slice(max(0, both.frames - frames), None))
