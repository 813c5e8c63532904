"""What a dance is written in: events of feet, hips, trunk and hands, in beats of the plan.

Places are metres on the floor for a body with a 0.8 m leg: x to the left, z forward, for somebody
who faces the camera. A move writes as if it stood at home and looked ahead; the score turns and
shifts that to where the phrase is danced.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from .events import LOOSE, Hand, Jump, Reach, Shift, Step, Wave

_UNHURRIED = 1.15
"""Factor on the time of steps: feet seldom wait where they stand."""


@dataclass(frozen=True)
class Bar:
    """Where and how large a move is danced."""

    start: float
    beats: int
    number: int
    """Counted from the start of the phrase."""
    size: float
    """About 0.2 to 1.3."""
    rate: float
    """Beats per count: 1, 2 in half time, 0.5 in double time."""
    beat_s: float
    hand: int
    """1 or -1: which side begins."""
    rng: np.random.Generator
    """The same stream for every bar of a phrase, so that a phrase repeats its pattern."""

    @property
    def side(self) -> int:
        return self.hand if self.number % 2 == 0 else -self.hand

    def counts(self) -> np.ndarray:
        return np.arange(0.0, self.beats - 1e-6, self.rate)


def foot_of(sign: float) -> int:
    """The foot on the side of a sign: 0 (left) for 1, 1 (right) for -1."""
    return 0 if sign > 0 else 1


def _softer(hand: Hand, share: float) -> Hand:
    out, up, ahead = (a + (b - a) * share for a, b in zip(LOOSE, hand, strict=True))
    return (out, up, ahead)


@dataclass
class Score:
    """All events of a dance. Only what lies in the phrase being written is kept."""

    steps: list[Step] = field(default_factory=list)
    hips: list[Shift] = field(default_factory=list)
    """Values (x, z): the hips move without a step."""
    drops: list[Shift] = field(default_factory=list)
    """Value (metres,): the hips go down or come up again."""
    faces: list[Shift] = field(default_factory=list)
    """Value (radians,): where the body looks."""
    pokes: dict[str, list[Shift]] = field(default_factory=dict)
    """By trunk channel, value (amount,): an isolated movement."""
    jumps: list[Jump] = field(default_factory=list)
    reaches: list[Reach] = field(default_factory=list)
    waves: list[Wave] = field(default_factory=list)
    origin: tuple[float, float] = (0.0, 0.0)
    heading: float = 0.0
    stride: float = 1.0
    """Factor on the places of steps."""
    first: float = -1e9
    last: float = 1e9

    def frame(self, first: float, last: float) -> None:
        """From here on only events in first <= at < last are kept."""
        self.first, self.last = first, last

    def _kept(self, at: float) -> bool:
        return self.first - 1e-6 <= at < self.last - 1e-6

    def step(
        self,
        at: float,
        foot: int,
        x: float,
        z: float = 0.0,
        *,
        turn: float = 0.0,
        point: float = 0.0,
        accent: float = 0.0,
        y: float = 0.0,
        lift: float = 0.06,
        lead: float = 0.6,
        weight: float = 0.75,
        heel: float = 0.0,
        stay: bool = False,
        slide: bool = False,
    ) -> None:
        """A step in the phrase's frame; `turn` is the body's, `point` turns the foot outward."""
        if not self._kept(at):
            return
        lead *= 1.0 if stay or y > 0 else _UNHURRIED
        x, z = x * self.stride, z * self.stride
        angle = self.heading + turn
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        sign = 1.0 if foot == 0 else -1.0
        self.steps.append(
            Step(
                float(at),
                foot,
                self.origin[0] + cos * x + sin * z,
                self.origin[1] + cos * z - sin * x,
                angle + sign * (0.2 + point),
                y,
                lift,
                lead,
                weight,
                heel,
                stay,
                slide,
                accent,
            )
        )

    def pivot(
        self,
        at: float,
        foot: int,
        *,
        turn: float = 0.0,
        point: float = 0.0,
        lead: float = 0.5,
        heel: float = 0.0,
        weight: float = 0.5,
        accent: float = 0.0,
    ) -> None:
        """The heel goes round the toes, which stay."""
        self.step(
            at,
            foot,
            0.0,
            turn=turn,
            point=point,
            lead=lead,
            heel=heel,
            weight=weight,
            lift=0.0,
            stay=True,
            accent=accent,
        )

    def face(self, at: float, turn: float, lead: float = 0.8) -> None:
        """The body has turned by `turn` from the phrase's heading."""
        if self._kept(at):
            self.faces.append(Shift(float(at), (self.heading + turn,), lead))

    def hip(self, at: float, x: float, z: float, attack: float = 0.9, accent: float = 0.0) -> None:
        """Hips to the left and forward of where the feet hold them."""
        if self._kept(at):
            cos, sin = float(np.cos(self.heading)), float(np.sin(self.heading))
            place = (cos * x + sin * z, cos * z - sin * x)
            self.hips.append(Shift(float(at), place, attack, accent))

    def drop(self, at: float, metres: float, attack: float, accent: float = 0.0) -> None:
        if self._kept(at):
            self.drops.append(Shift(float(at), (float(metres),), attack, accent))

    def poke(self, channel: str, at: float, amount: float, attack: float, accent: float = 0.0) -> None:
        if self._kept(at):
            rows = self.pokes.setdefault(channel, [])
            rows.append(Shift(float(at), (float(amount),), attack, accent))

    def flick(
        self,
        channel: str,
        at: float,
        amount: float,
        *,
        attack: float = 0.25,
        hold: float = 0.2,
        back: float = 0.4,
        accent: float = 0.0,
    ) -> None:
        """An isolated movement there and back."""
        self.poke(channel, at, amount, attack, accent)
        self.poke(channel, at + hold + back, 0.0, back)

    def jump(self, leave: float, land: float, height: float, accent: float = 0.0) -> None:
        if self._kept(land):
            self.jumps.append(Jump(float(leave), float(land), float(height), accent))

    def reach(
        self, at: float, left: Hand, right: Hand, attack: float, accent: float = 0.0, flow: bool = False
    ) -> None:
        if self._kept(at):
            self.reaches.append(Reach(float(at), left, right, attack, accent, flow))

    def soften(self, first: int, share: float) -> None:
        """Reaches from index `first` on go only this share of the way from loose, low arms."""
        if share >= 1:
            return
        for k in range(first, len(self.reaches)):
            old = self.reaches[k]
            left, right = _softer(old.left, share), _softer(old.right, share)
            self.reaches[k] = replace(old, left=left, right=right)

    def wave(
        self,
        channel: str,
        bar: Bar,
        period: float,
        amount: float,
        *,
        top: float = 0.0,
        kind: str = "sway",
        sharp: float = 1.0,
    ) -> None:
        """A wave for the length of a bar."""
        if self._kept(bar.start):
            end = min(bar.start + bar.beats, self.last)
            self.waves.append(Wave(channel, bar.start, end, period, amount, top, kind, sharp))
