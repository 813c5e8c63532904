"""Scenes at random: any grid, any plan, any camera."""

from __future__ import annotations

import numpy as np

from d2m_core.band import Plan, make_plan, plan_on
from d2m_core.band.styles import STYLE_TABLE, STYLES
from d2m_core.grid import TEMPO_RANGE_BPM
from d2m_core.types import MOTION_FPS, metre_of_bars
from training.studio.stage.scene import Scene, stage

_SLOW_FPS = (12.0, 15.0, 20.0)
_FAST_FPS = (50.0, 60.0)


def random_grid(duration_s: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Beats [M] and downbeats [M] of a pulse at 60-180 BPM that may drift by a few per cent."""
    tempo = rng.uniform(*TEMPO_RANGE_BPM)
    drift = rng.choice([0.0, rng.uniform(0, 0.01), rng.uniform(0, 0.03)], p=[0.4, 0.4, 0.2])
    turn_s, phase = rng.uniform(8, 30), rng.uniform(0, 2 * np.pi)
    times, beats = -rng.uniform(0, 60 / tempo), []
    while times < duration_s:
        beats.append(times)
        times += 60 / (tempo * (1 + drift * np.sin(2 * np.pi * times / turn_s + phase)))
    metre = 3 if rng.random() < 0.1 else 4
    grid = np.array(beats)
    downbeats = np.arange(len(grid)) % metre == rng.integers(metre)
    inside = grid >= 0
    return grid[inside], downbeats[inside]


def random_plan(seed: int, duration_s: float) -> Plan:
    """Half as music of the studio goes, half on a grid of any tempo that may drift more."""
    rng = np.random.default_rng([seed, 0xBEA7])
    if rng.random() < 0.5:
        return make_plan(seed, duration_s)
    beats, downbeats = random_grid(duration_s, rng)
    while len(beats) < 2:
        beats, downbeats = random_grid(duration_s, rng)
    three = metre_of_bars(downbeats) == 3
    fitting = [name for name in STYLES if (STYLE_TABLE[name].metre == 3) == three]
    style = fitting[int(rng.integers(len(fitting)))]
    return plan_on(beats, downbeats, duration_s, seed, style)


def random_scene(seed: int, duration_s: float, without: frozenset[str] = frozenset()) -> Scene:
    """One dancer on stage; a few at source rates that motion features have to resample.

    `without`: as in `stage`.
    """
    rng = np.random.default_rng([seed, 0xBEA8])
    draw, fps = rng.random(), MOTION_FPS
    if draw < 0.1:
        fps = float(rng.choice(_SLOW_FPS))
    elif draw < 0.2:
        fps = float(rng.choice(_FAST_FPS))
    looseness = float(rng.uniform(0, 0.6))
    return stage(random_plan(seed, duration_s), seed, looseness=looseness, fps=fps, without=without)
