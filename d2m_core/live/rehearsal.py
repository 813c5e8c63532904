"""A session without real time: what would be seen and heard when, worked out as fast as it can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..pose.landmarker import Body
from ..types import PoseSequence
from .session import BLOCK, RATE, Session
from .watching import LOOK_EVERY_S

Sight = tuple[float, Body | None]
"""(seconds since the start, who is seen)."""


@dataclass(frozen=True)
class Delays:
    """How long things take on a machine that has to keep up."""

    pose_s: float = 0.08
    """From a picture being taken to its pose being known."""
    think_s: float = 0.05
    """From then to the band knowing what it means."""
    sound_s: float = 0.1
    """From a block being made to it being heard."""


def rehearse(
    session: Session, sights: Iterable[Sight], duration_s: float, delays: Delays | None = None
) -> Iterator[np.ndarray]:
    """Blocks of sound float32 [2, BLOCK] from 0 s on, as they would be heard; equal sights give equal sound.

    After the last sight nobody is there, and the band ends.
    """
    delays = delays or Delays()
    coming = iter(sights)
    sight = next(coming, None)
    think_s = 0.0
    for k in range(int(np.ceil(duration_s * RATE / BLOCK))):
        heard_s = k * BLOCK / RATE
        known_s = heard_s - delays.sound_s - delays.think_s - delays.pose_s
        while think_s <= known_s:
            while sight is not None and sight[0] <= think_s:
                session.see(*sight)
                sight = next(coming, None)
            if sight is None:
                session.see(think_s, None)
            session.think()
            think_s += LOOK_EVERY_S
        yield session.render(heard_s)


def sights_of(poses: PoseSequence, person: int = 0) -> Iterator[Sight]:
    """Poses that were found before, as if they were seen now."""
    for frame in range(poses.frames):
        body = Body(poses.world[frame, person], poses.image[frame, person], poses.visibility[frame, person])
        yield frame / poses.fps, body if poses.present[frame, person] else None
