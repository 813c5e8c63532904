"""A scene at any moment as a picture: room, crowd, shadows, then people and things in depth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from training.studio.stage.camera import Camera
from training.studio.stage.scene import Scene

from .figure import Figure
from .look import random_look
from .room import Room
from .scenery import Crowd, paint_thing

Paint = Callable[[np.ndarray], None]


class Painter:
    """Paints one scene; what stays the same is painted once."""

    def __init__(self, scene: Scene, width: int, height: int) -> None:
        self.scene, self.width, self.height = scene, width, height
        self.path = replace(scene.camera, aspect=width / height)
        lead = scene.dances[0]
        self.room = Room(random_look(lead.seed), scene.seed, scene.wall_m, height)
        self.crowd: Crowd | None = None
        if scene.shot.crowd:
            self.crowd = Crowd(lead.joints, lead.body.height, scene.seed, scene.wall_m, height)
        self.empty = self._empty(self.path.at(0)) if self.path.still else None
        self.bodies = [(made.joints, random_look(made.seed), made.body.height) for made in scene.dances]
        self.bodies += [
            (thing.joints, random_look(thing.seed), thing.height_m)
            for thing in scene.occluders
            if thing.joints is not None
        ]

    def paint(self, time_s: float) -> np.ndarray:
        """The picture float32 [H, W, 3] in 0..1 at a time."""
        camera = self.path.sampled(np.array([time_s])).at(0)
        picture = self._empty(camera) if self.empty is None else self.empty.copy()
        if self.crowd is not None:
            self.crowd.paint(picture, camera, float(self.scene.plan.beat(time_s)))
        layers: list[tuple[float, Paint]] = []
        for figure in self._figures(camera, time_s):
            picture *= 1.0 - 0.5 * figure.shadow()[..., None]
            layers.append((figure.depth, figure.paint))
        for thing in self.scene.occluders:
            if thing.joints is None:
                paint: Paint = partial(paint_thing, thing=thing, camera=camera)
                layers.append((float(camera.to_view(thing.foot[0])[2]), paint))
        for _, paint in sorted(layers, key=lambda layer: -layer[0]):
            paint(picture)
        return picture

    def _empty(self, camera: Camera) -> np.ndarray:
        return self.room.seen(camera, self.width, self.height)

    def _figures(self, camera: Camera, time_s: float) -> list[Figure]:
        """Everybody in sight."""
        figures = [
            Figure(_at(joints, time_s * self.scene.fps), camera, look, self.width, self.height, tall_m)
            for joints, look, tall_m in self.bodies
        ]
        return [figure for figure in figures if not figure.out_of_sight]


def _at(joints: np.ndarray, frame: float) -> np.ndarray:
    """Joints [J, 3] at a place between the frames of [F, J, 3], through four neighbours."""
    low = int(np.floor(frame + 1e-6))
    share = min(max(frame - low, 0.0), 1.0)
    near = joints[np.clip(np.arange(low - 1, low + 3), 0, len(joints) - 1)].astype(np.float64)
    if share < 1e-6:
        return near[1]
    a, b, c, d = near  # Catmull-Rom
    s2, s3 = share * share, share**3
    return b + 0.5 * (share * (c - a) + s2 * (2 * a - 5 * b + 4 * c - d) + s3 * (3 * (b - c) + d - a))
