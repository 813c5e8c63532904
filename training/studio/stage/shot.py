"""How a scene is filmed: what is in the picture, what the camera does, what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from d2m_core.errors import SettingError

CROPS = ("full", "feet", "knees", "hips", "side")
"""What the picture shows: all of the body, all but the feet, knees up, hips up, one side cut."""

MOVES = ("handheld", "follow", "drift", "zoom", "tilt", "dolly", "arc")
"""What a camera may do; several at once are possible, none is a tripod."""

OCCLUDERS = ("box", "plant", "passer")
"""What may stand or walk in front of the dancers; a passer is a person."""

ASPECTS = {"16:9": 16 / 9, "9:16": 9 / 16, "4:3": 4 / 3, "1:1": 1.0}

STAGE_PARTS = ("camera", "crops", "occluders", "facing", "crowd", "portrait")
"""What `stage` can do without, for ablations; other names are the dancer's."""


@dataclass(frozen=True)
class Shot:
    """One way to film. The default is a calm tripod with the whole body in the picture."""

    crop: str = "full"
    moves: tuple[str, ...] = ()
    aspect: float = 16 / 9
    occluders: tuple[str, ...] = ()
    facing: float = 0.0
    """Radians by which all dancers are turned to the left."""
    overlap: bool = False
    """Whether people stand so close that they partly hide each other."""
    crowd: bool = False
    """Whether people stand at the wall."""

    def __post_init__(self) -> None:
        for names, known in (((self.crop,), CROPS), (self.moves, MOVES), (self.occluders, OCCLUDERS)):
            for name in names:
                if name not in known:
                    raise SettingError(f"{name!r} is no part of a shot; use {', '.join(known)}.")


def random_shot(rng: np.random.Generator, without: frozenset[str] = frozenset()) -> Shot:
    """A shot as people film dance: most show the whole body from a calm place."""
    aspect = float(rng.choice(list(ASPECTS.values()), p=[0.45, 0.35, 0.1, 0.1]))
    crop = str(rng.choice(CROPS, p=[0.64, 0.1, 0.1, 0.08, 0.08]))
    moves = _moves(rng)
    occluders = tuple(
        name for name, share in zip(OCCLUDERS, (0.04, 0.04, 0.06), strict=True) if rng.random() < share
    )
    spread = rng.random()
    facing = rng.normal(0.0, 0.25) if spread < 0.8 else rng.uniform(-np.pi, np.pi)
    overlap, crowd = rng.random() < 0.35, rng.random() < 0.15
    return Shot(
        "full" if "crops" in without else crop,
        () if "camera" in without else moves,
        16 / 9 if "portrait" in without else aspect,
        () if "occluders" in without else occluders,
        0.0 if "facing" in without else float(facing),
        bool(overlap),
        bool(crowd) and "crowd" not in without,
    )


def _moves(rng: np.random.Generator) -> tuple[str, ...]:
    draw = rng.random()
    if draw < 0.45:
        return ()
    if draw < 0.7:
        return ("handheld",)
    held = ("handheld",) if rng.random() < 0.6 else ()
    others = rng.choice(MOVES[1:], size=1 + int(rng.random() < 0.35), replace=False)
    return (*held, *sorted(str(name) for name in others))
