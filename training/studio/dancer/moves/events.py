"""The events of a dance: steps, reaches, jumps, waves, in beats of the plan."""

from __future__ import annotations

from dataclasses import dataclass

Hand = tuple[float, float, float]
"""Wrist from the shoulder in arm lengths: outward, up, forward."""

LOOSE: Hand = (0.15, -0.8, 0.22)
"""A hand that does nothing."""

STANCE = 0.12
"""Half the distance between the feet at home."""


@dataclass(frozen=True)
class Step:
    """One foot arrives somewhere."""

    at: float
    foot: int
    """0 left, 1 right."""
    x: float
    z: float
    yaw: float
    """Direction of the foot on the floor, radians to the left."""
    y: float = 0.0
    """Height of the toes on arrival: 0 stands, more is a kick."""
    lift: float = 0.06
    lead: float = 0.6
    """Beats that the swing takes."""
    weight: float = 0.75
    """Share of the body's weight on this foot afterwards."""
    heel: float = 0.0
    """Radians that the heel is raised afterwards."""
    stay: bool = False
    """The toes stay where they are; only the heel goes round."""
    slide: bool = False
    """The foot glides along the floor."""
    accent: float = 0.0


@dataclass(frozen=True)
class Reach:
    """Both hands arrive somewhere."""

    at: float
    left: Hand
    right: Hand
    attack: float
    """Beats that the movement takes."""
    accent: float = 0.0
    flow: bool = False
    """The hands go on through this place without a stop."""


@dataclass(frozen=True)
class Shift:
    """A value that arrives and stays: hips across the floor, hip height, a joint of the trunk."""

    at: float
    value: tuple[float, ...]
    attack: float
    accent: float = 0.0


@dataclass(frozen=True)
class Jump:
    """Both feet are in the air between two places in beats."""

    leave: float
    land: float
    height: float
    accent: float = 0.0


@dataclass(frozen=True)
class Wave:
    """A trunk channel goes to and fro with the beat."""

    channel: str
    start: float
    end: float
    period: float
    """Beats from top to top."""
    amount: float
    top: float = 0.0
    """Place in beats, after `start`, of a top."""
    kind: str = "sway"
    """`sway` goes to both sides, `pulse` from 0 to `amount`."""
    sharp: float = 1.0
