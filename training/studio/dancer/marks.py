"""Hits and stops of the plan, written over what the bars already hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from d2m_core.band import Plan
from d2m_core.band.plan import Hit
from training.studio.dancer.moves.arms_hit import CLAP, CLAP_HIGH, POSES

from .moves.events import STANCE, Shift
from .moves.notation import Score

HITS = ("pose", "drop", "stomp", "jump", "clap", "snap")
"""Ways to mark a hit."""

_PICKUP_S = 0.22
"""How long before the end of a stop a dancer begins to move again."""


def mark_hits(score: Score, plan: Plan, vigour: float, rng: np.random.Generator) -> None:
    """A strong accent of the body on every hit."""
    beat_s = 60.0 / plan.tempo_bpm
    score.frame(-1e9, 1e9)
    for hit in plan.hits:
        odds = np.array([0.34, 0.2, 0.16, 0.14 * (hit.strength > 0.6), 0.1, 0.06])
        kind = str(rng.choice(HITS, p=odds / odds.sum()))
        size = hit.strength * (0.35 + 0.65 * min(vigour, 1.1))
        attack = float(np.clip(0.22 / beat_s, 0.25, 0.75))
        _hit_arms(score, hit, kind, size, attack, rng)
        _hit_body(score, hit, kind, size, attack, beat_s, rng)


def _hit_arms(
    score: Score, hit: Hit, kind: str, size: float, attack: float, rng: np.random.Generator
) -> None:
    hold = float(rng.choice([0.5, 1.0, 1.5]))
    first, second = (POSES[int(i)] for i in rng.integers(1, len(POSES), size=2))
    if kind == "clap":
        first = second = CLAP_HIGH if rng.random() < 0.3 else CLAP
    elif rng.random() < 0.6:
        second = first
    elif kind in ("drop", "snap") and rng.random() < 0.5:
        return
    low, high = hit.beat - attack - 0.1, hit.beat + hold - 0.05
    score.reaches[:] = [r for r in score.reaches if not low < r.at < high]
    score.reach(hit.beat, first, second, attack, size)


def _hit_body(
    score: Score, hit: Hit, kind: str, size: float, attack: float, beat_s: float, rng: np.random.Generator
) -> None:
    at = hit.beat
    deep = {"drop": 0.14, "pose": 0.06, "stomp": 0.07, "clap": 0.03, "snap": 0.03}.get(kind, 0.0)
    if deep:
        _clear(score.drops, at - attack - 0.05, at + 0.9)
        score.drop(at, deep * (0.4 + size), attack, size)
        score.drop(at + 1.0, 0.0, 0.7)
    if kind == "snap":
        _clear(score.pokes.setdefault("head_yaw", []), at - 0.3, at + 1.0)
        score.flick("head_yaw", at, float(rng.choice([-0.6, 0.6])), attack=attack, hold=0.5)
    if kind == "stomp":
        _clear_steps(score, at - 0.5, at + 0.4)
        foot = int(rng.integers(2))
        x = STANCE * float(rng.uniform(1.0, 2.6)) * (1 if foot == 0 else -1)
        score.step(at, foot, x, 0.08, lift=0.12, lead=0.6, weight=0.7, accent=size)
    if kind == "jump":
        flight_s = float(np.clip(0.26 + 0.12 * size, 0.2, 0.42))
        flight = flight_s / beat_s
        _clear_steps(score, at - flight - 0.4, at + 0.3)
        score.jumps[:] = [j for j in score.jumps if j.land < at - flight - 0.2 or j.leave > at + 0.2]
        score.jump(at - flight, at, 9.81 * flight_s**2 / 8, size)
        for foot, sign in enumerate((1.0, -1.0)):
            score.step(at, foot, sign * STANCE * 1.4, lift=0.0, lead=flight, weight=0.5)


def mark_stops(score: Score, plan: Plan, rng: np.random.Generator) -> None:
    """Nothing moves in a stop; a pose is struck as it begins."""
    beat_s = 60.0 / plan.tempo_bpm
    for stop in plan.stops:
        start, end = stop.beat, stop.beat + stop.beats
        awake = max(end - _PICKUP_S / beat_s, start + 0.6 * stop.beats)
        late = max(awake, end - 0.16 / beat_s)  # heels come up before feet leave
        _land(score, start)
        _clear_steps(score, start + 0.01, late + 0.1)
        score.jumps[:] = [j for j in score.jumps if j.land <= start + 0.01 or j.leave >= awake - 0.01]
        for rows in (score.hips, score.drops, score.faces, *score.pokes.values()):
            _clear(rows, start + 0.01, awake + 0.1)
            rows[:] = [_later(row, start, awake) for row in rows]
        score.steps[:] = [
            replace(s, lead=min(s.lead, s.at - late)) if s.at > awake and late > s.at - s.lead else s
            for s in score.steps
        ]
        score.reaches[:] = [
            replace(r, attack=min(r.attack, r.at - awake), flow=False)
            if r.at > awake > r.at - r.attack
            else r
            for r in score.reaches
            if not start + 0.01 < r.at < awake + 0.1
        ]
        if rng.random() < 0.7:
            first, second = (POSES[int(i)] for i in rng.integers(len(POSES), size=2))
            score.reaches[:] = [r for r in score.reaches if not start - 0.5 < r.at <= start + 0.01]
            score.reach(start, first, second if rng.random() < 0.5 else first, 0.45, 0.6)


def _land(score: Score, start: float) -> None:
    """Feet that are in the air when a stop begins come down."""
    for foot in (0, 1):
        before = [s for s in score.steps if s.foot == foot and s.at <= start + 0.01]
        if before and (last := max(before, key=lambda s: s.at)).y > 0:
            if last.at > start - 0.4:
                score.steps.remove(last)
                score.steps.append(replace(last, at=start, y=0.0, lift=0.05, lead=0.45, accent=0.0))
            else:
                score.steps.append(replace(last, at=start, y=0.0, lift=0.0, lead=0.4, weight=0.4, accent=0.0))


def _later(row: Shift, start: float, awake: float) -> Shift:
    """A movement that would begin inside the stop begins as it ends."""
    if row.at > awake > row.at - row.attack and row.at > start:
        return replace(row, attack=row.at - awake)
    return row


def stillness(times: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For `stops` [S, 2] in seconds: a factor [F] on the waves of the trunk, 0 in stops, and the
    time [F] whose hips are to be seen: it waits in stops and catches up afterwards."""
    gate, held = np.ones(len(times)), times.copy()
    for start, end in stops:
        awake = max(end - _PICKUP_S, start + 0.6 * (end - start))
        fall = np.clip((times - start + 0.16) / 0.16, 0.0, 1.0)
        rise = np.clip((times - awake - 0.06) / 0.25, 0.0, 1.0)
        shut = fall * fall * (3 - 2 * fall) * (1 - rise * rise * (3 - 2 * rise))
        gate = np.minimum(gate, 1 - shut)
        slow = np.clip((times - start + 0.15) / 0.3, 0.0, 1.0)
        slow = start - 0.15 + 0.3 * (slow - 0.5 * slow**2)
        shift = max(end - 0.38, start + 0.5 * (end - start))
        back = np.clip((times - shift) / (end + 0.3 - shift), 0.0, 1.0)
        back = back * back * (3 - 2 * back)
        still = max(start, shift - 0.3)  # from there on the hips prepare the next step
        slow = np.where(times < shift, slow, still)
        wait = slow + (times - slow) * back
        held = np.where((times > start - 0.15) & (times < end + 0.3), wait, held)
    return gate, held


def _clear(rows: list[Shift], low: float, high: float) -> None:
    rows[:] = [row for row in rows if not low < row.at < high]


def _clear_steps(score: Score, low: float, high: float) -> None:
    score.steps[:] = [s for s in score.steps if not low < s.at < high]
