"""A kinematic dancer whose beats are known: a plan -> 33 landmarks per frame, and their accents.

A choreographer writes moves of feet, trunk and arms into a score, phrase by phrase as the music's
sections go; hits and stops are written over it; a performer with a body, a clock and habits of an
own carries it out. Standing feet are still, knees and elbows come from two-bone inverse
kinematics, and the hips go where the weight is over the feet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from d2m_core.band import Plan
from d2m_core.types import MOTION_FPS

from .body import Body, random_body
from .choreography import Choreographer
from .clock import Clock
from .marks import mark_hits, mark_stops
from .performer import Performer
from .person import random_dancer
from .seen_accents import seen_accents
from .trunk import random_habit


@dataclass(frozen=True, eq=False)
class Dance:
    """A dance with everything that is known about it."""

    joints: np.ndarray
    """float32 [F, J, 3] in scene metres: x right, y down with the floor at 0, z away."""
    beats_s: np.ndarray
    """float64 [M]."""
    downbeats: np.ndarray
    """bool [M]."""
    accents_s: np.ndarray
    """float64 [A]: when landings, hits, claps and turning points are seen; rising."""
    accent_strengths: np.ndarray
    """float32 [A] in 0..1."""
    energy: np.ndarray
    """float32 [F] in 0..1."""
    body: Body
    moves: tuple[tuple[str, str], ...]
    """(legs, arms) of every bar of the plan's grid; empty names where nothing was left to do."""
    seed: int
    duration_s: float
    fps: float
    plan: Plan
    planted: np.ndarray
    """bool [F, 2]: left and right toes stand still on the floor."""


def dance(plan: Plan, seed: int, fps: float = MOTION_FPS, without: frozenset[str] = frozenset()) -> Dance:
    """Dances a plan; `without` names families of moves (`FAMILIES`) to leave out."""
    rng = np.random.default_rng([seed, 0xDA2CE])
    times = np.arange(max(1, round(plan.duration_s * fps))) / fps
    body, clock = random_body(rng), Clock(plan, rng)
    habit = random_habit(plan.style, rng)
    dancer = random_dancer(habit, rng)
    score, names = Choreographer(plan, dancer, without, rng).compose()
    mark_hits(score, plan, dancer.vigour, rng)
    mark_stops(score, plan, rng)
    ends = np.array([(stop.beat, stop.beat + stop.beats) for stop in plan.stops]).reshape(-1, 2)
    performer = Performer(body, clock, habit, dancer.facing, rng)
    made = performer.perform(score, times, clock.seconds(ends), fps)
    at, strength = seen_accents(made.accents, made.joints, fps)
    energy = np.interp(times, np.arange(plan.frames) / MOTION_FPS, plan.energy)
    return Dance(
        made.joints.astype(np.float32),
        plan.beats_s,
        plan.downbeats,
        at,
        strength,
        energy.astype(np.float32),
        body,
        names,
        seed,
        plan.duration_s,
        fps,
        plan,
        made.planted,
    )
