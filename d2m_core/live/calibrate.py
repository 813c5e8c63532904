"""How late sound is against the picture: clicks are heard, somebody claps with them before the camera."""

from __future__ import annotations

import numpy as np

from ..errors import PoseError
from ..motion import Accents, find_accents
from ..pose.landmarker import Body
from .session import BLOCK, RATE, LiveSettings
from .watching import Evenly

EVERY_S, CLICKS = 1.0, 12
"""So many clicks, so far apart."""
_NEAR_S = 0.4
"""A clap so near to a click is meant for it."""
_LEAST = 5
"""So many claps that are met are enough."""
_CLAPPED = 0.45
"""Where wrists are not seen to meet, an accent as strong as this will do."""


class Calibration:
    """Takes the place of a session on a stage: it clicks, and watches for claps."""

    settings = LiveSettings()

    def __init__(self) -> None:
        self._evenly = Evenly()
        self._click = _click()
        self._heard_s = 0.0

    @property
    def playing(self) -> bool:
        """Whether clicks are still to come."""
        return self._heard_s < EVERY_S * (CLICKS + 1)

    def see(self, time_s: float, body: Body | None) -> None:
        """Who is seen at a moment, None for nobody; moments rise."""
        self._evenly.see(time_s, body)

    def think(self) -> None:
        """Thinks at the end."""

    def render(self, heard_s: float) -> np.ndarray:
        """The next block, float32 [2, BLOCK], which begins to be heard at a moment."""
        self._heard_s = heard_s
        at_s = heard_s + np.arange(BLOCK) / RATE
        place = np.round((at_s % EVERY_S) * RATE).astype(int)
        sounds = (at_s >= EVERY_S * 0.99) & (at_s < EVERY_S * (CLICKS + 0.5)) & (place < len(self._click))
        mono = np.where(sounds, self._click[np.minimum(place, len(self._click) - 1)], 0.0)
        return np.repeat(mono[None], 2, 0).astype(np.float32)

    def latency_ms(self) -> float:
        """By how much claps came after the clicks that were meant. Raises `PoseError` for too few claps."""
        poses = self._evenly.take()
        if poses is None or not poses.present.any():
            raise PoseError("Nobody was seen; step back until your arms are in the picture, and try again.")
        return latency_of(find_accents(poses))


def latency_of(accents: Accents) -> float:
    """Milliseconds from the clicks to the claps among a dancer's accents. Raises `PoseError` for too few."""
    claps = accents.times_s[[kind == "clap" for kind in accents.kinds]]
    if len(claps) < _LEAST:
        claps = accents.stronger_than(_CLAPPED).times_s
    clicks = EVERY_S * np.arange(1, CLICKS + 1)
    away = [claps[np.abs(claps - click).argmin()] - click for click in clicks if len(claps)]
    near = np.array([one for one in away if abs(one) <= _NEAR_S])
    if len(near) < _LEAST:
        raise PoseError(
            f"{len(near)} claps with the clicks were seen, {_LEAST} are needed; clap once a second with "
            "large movements, your whole body in the picture."
        )
    return 1000 * float(np.median(near))


def _click() -> np.ndarray:
    """A short high knock, float64 [n]."""
    t = np.arange(round(0.03 * RATE)) / RATE
    return 0.5 * np.sin(2 * np.pi * 1600 * t) * np.exp(-t / 0.006)
