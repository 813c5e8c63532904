"""What the arms do: patterns of hand targets on the beat grid, one bar at a time."""

from __future__ import annotations

import numpy as np

from .moves import Bar, Hand, Move, Reach, Score

REST: Hand = (0.16, -0.9, 0.12)
READY: Hand = (0.12, -0.5, 0.42)

POSES: tuple[Hand, ...] = (
    REST, READY, (0.32, -0.55, 0.12), (-0.12, -0.2, 0.5), (0.18, 0.92, 0.1), (0.95, 0.02, 0.12),
    (0.1, 0.02, 0.93), (0.68, 0.66, 0.12), (0.66, -0.66, 0.2), (0.25, 0.5, 0.1), (-0.3, -0.1, 0.5),
    (0.5, 0.1, 0.25), (-0.25, -0.6, 0.4),
)  # fmt: skip
"""Where a hand can hit: down, ready, hip, chest, up, side, front, diagonals, head and across."""

CLAP: Hand = (-0.31, -0.22, 0.52)
CLAP_HIGH: Hand = (-0.31, 0.78, 0.2)
OPEN: Hand = (0.35, -0.25, 0.42)


def rest(bar: Bar, score: Score) -> None:
    """Arms hang, or hands rest on the hips."""
    hand = REST if bar.rng.random() < 0.6 else (0.33, -0.52, 0.1)
    if bar.number == 0:
        score.reaches.append(Reach(bar.start, hand, hand, 0.9))


def swing(bar: Bar, score: Score) -> None:
    """One arm forward, the other back, in turn."""
    wide, bent = 0.2 + 0.35 * bar.size, bar.rng.uniform(0.0, 0.35)
    ahead: Hand = (0.1 - 0.2 * bent, -0.85 + bent, 0.15 + wide)
    behind: Hand = (0.2, -0.85 + bent, 0.05 - 0.8 * wide * (1 - bent))
    for k, count in enumerate(bar.counts()):
        pair = (ahead, behind) if k % 2 == 0 else (behind, ahead)
        score.reaches.append(Reach(bar.start + count, *pair, 0.95 * bar.rate, 0.25 * bar.size))


def swing_across(bar: Bar, score: Score) -> None:
    """Both arms swing to one side, then to the other."""
    height = bar.rng.uniform(-0.65, 0.3)
    out: Hand = (0.55 + 0.2 * bar.size, height, 0.3)
    cross: Hand = (-0.35 - 0.1 * bar.size, height - 0.05, 0.5)
    for k, count in enumerate(bar.counts()):
        pair = (out, cross) if k % 2 == 0 else (cross, out)
        score.reaches.append(Reach(bar.start + count, *pair, 0.9 * bar.rate, 0.35 * bar.size))


def pump(bar: Bar, score: Score) -> None:
    """Fists pump: low on the count, up between, or the other way round."""
    high = bar.rng.random() < 0.45
    both = bar.rng.random() < 0.6
    base, reach = (0.35, 0.25) if high else (-0.45, 0.15)
    low: Hand = (0.2, base - 0.08, 0.38)
    top: Hand = (0.22, base + reach + 0.25 * bar.size, 0.3)
    idle: Hand = (0.15, -0.75, 0.25)
    flip = bar.rng.random() < 0.3
    for count in bar.counts():
        for offset, down in ((0.0, not flip), (0.5 * bar.rate, flip)):
            hand = low if down else top
            pair = (hand, hand if both else idle)
            if bar.side < 0 and not both:
                pair = (pair[1], pair[0])
            accent = 0.4 * bar.size if offset == 0 else 0.0
            score.reaches.append(Reach(bar.start + count + offset, *pair, 0.45 * bar.rate, accent))


def punch(bar: Bar, score: Score) -> None:
    """Left and right in turn: forward, up or aside."""
    aim = ((0.0, 0.0, 0.92), (0.12, 0.9, 0.15), (0.92, 0.05, 0.15))[int(bar.rng.integers(3))]
    aim = (aim[0], aim[1], aim[2])
    for k, count in enumerate(bar.counts()):
        pair = (aim, READY) if k % 2 == 0 else (READY, aim)
        score.reaches.append(Reach(bar.start + count, *pair, 0.4, 0.55 * bar.size))
        score.reaches.append(
            Reach(bar.start + count + 0.5 * bar.rate, READY, READY, 0.4 * bar.rate)
        )


def hits(bar: Bar, score: Score) -> None:
    """A pattern of poses on beats and eighths, the same in every bar, mirrored in every other."""
    slots = np.arange(0.0, bar.beats, 0.5)
    chance = np.where(slots % 1 == 0, 0.75, 0.12 + 0.25 * bar.rng.random())
    chance[0] = 1.0
    together = bar.rng.random() < 0.6
    for slot, odds in zip(slots, chance, strict=True):
        keep = bar.rng.random() < odds
        first, second = (POSES[int(i)] for i in bar.rng.integers(len(POSES), size=2))
        if not keep:
            continue
        pair = (first, first if together else second)
        if bar.side < 0:
            pair = (pair[1], pair[0])
        strength = (0.9 if slot == 0 else 0.65 if slot % 1 == 0 else 0.45) * bar.size
        score.reaches.append(Reach(bar.start + float(slot), *pair, 0.35, strength))


def clap(bar: Bar, score: Score) -> None:
    """Claps on two and four, on every beat, or on the one."""
    closed = CLAP_HIGH if bar.rng.random() < 0.25 else CLAP
    away: Hand = (closed[0] + 0.55, closed[1], closed[2])
    which = int(bar.rng.choice(3, p=[0.6, 0.25, 0.15]))
    for beat in range(bar.beats):
        wanted = (beat % 2 == 1, True, beat == 0)[which]
        if wanted:
            score.reaches.append(Reach(bar.start + beat, closed, closed, 0.35, 0.8 * bar.size))
            score.reaches.append(Reach(bar.start + beat + 0.5, away, away, 0.45))


def wave(bar: Bar, score: Score) -> None:
    """Arms overhead go from side to side, or up and down in turn."""
    overhead = bar.rng.random() < 0.6
    for k, count in enumerate(bar.counts()):
        sign = 1.0 if k % 2 == 0 else -1.0
        if overhead:
            lean = 0.45 * sign
            pair: tuple[Hand, Hand] = ((0.1 + lean, 0.82, 0.15), (0.1 - lean, 0.82, 0.15))
        else:
            up: Hand = (0.85, 0.35, 0.15)
            low: Hand = (0.85, -0.3, 0.15)
            pair = (up, low) if sign > 0 else (low, up)
        score.reaches.append(Reach(bar.start + count, *pair, 0.98 * bar.rate, 0.3 * bar.size))


def circle(bar: Bar, score: Score) -> None:
    """Hands roll around each other or draw large circles, once in one or two beats."""
    large = bar.rng.random() < 0.5
    radius, middle = (0.5, (0.25, 0.25, 0.35)) if large else (0.16, (-0.05, -0.25, 0.5))
    period = (2.0 if large else 1.0) * bar.rate
    shift = 0.0 if large or bar.rng.random() < 0.3 else np.pi
    for offset in np.arange(0.0, bar.beats - 1e-6, period / 6):
        angle = 2 * np.pi * offset / period
        pair = [
            (middle[0] + large * radius * np.sin(a), middle[1] - radius * np.cos(a),
             middle[2] + (not large) * radius * np.sin(a))
            for a in (angle, angle + shift)
        ]  # fmt: skip
        score.reaches.append(Reach(bar.start + float(offset), pair[0], pair[1], -1.0))


def point(bar: Bar, score: Score) -> None:
    """Up to the diagonal on the one, down across the hip on the next count."""
    up: Hand = (0.68, 0.68, 0.12)
    across: Hand = (-0.5, -0.55, 0.35)
    hip: Hand = (0.33, -0.52, 0.1)
    for k, count in enumerate(bar.counts()):
        hand = up if k % 2 == 0 else across
        pair = (hand, hip) if bar.side > 0 else (hip, hand)
        score.reaches.append(Reach(bar.start + count, *pair, 0.5, (0.8 - 0.2 * (k % 2)) * bar.size))


def fly(bar: Bar, score: Score) -> None:
    """Arms open on one count and close on the next."""
    lift = bar.rng.uniform(-0.3, 0.6)
    wide: Hand = (0.8, lift, 0.2)
    near: Hand = (-0.05, -0.3, 0.5)
    for k, count in enumerate(bar.counts()):
        hand = wide if k % 2 == 0 else near
        score.reaches.append(Reach(bar.start + count, hand, hand, 0.6 * bar.rate, 0.5 * bar.size))


def snap(bar: Bar, score: Score) -> None:
    """Loose bent arms; small flicks on two and four."""
    loose: Hand = (0.2, -0.5, 0.42)
    flick: Hand = (0.38, -0.32, 0.42)
    for beat in range(bar.beats):
        hand = flick if beat % 2 == 1 else loose
        score.reaches.append(Reach(bar.start + beat, hand, hand, 0.35, 0.4 * bar.size * (beat % 2)))


ARMS: dict[str, tuple[Move, float, float, float]] = {
    "rest": (rest, 0.0, 0.6, 0.7), "swing": (swing, 0.0, 0.9, 1.6),
    "swing_across": (swing_across, 0.2, 1.0, 1.2), "pump": (pump, 0.3, 1.0, 1.3),
    "punch": (punch, 0.4, 1.0, 1.0), "hits": (hits, 0.3, 1.0, 1.8), "clap": (clap, 0.2, 1.0, 1.2),
    "wave": (wave, 0.3, 1.0, 1.0), "circle": (circle, 0.2, 0.9, 0.7), "point": (point, 0.3, 1.0,
    0.7),
    "fly": (fly, 0.2, 0.9, 0.8), "snap": (snap, 0.0, 0.7, 0.9),
}  # fmt: skip
"""Name -> (pattern, lowest energy, highest energy, how often)."""
