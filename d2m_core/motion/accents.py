"""Visible accents: when a dancer's hands, feet or body stop, turn back, land or clap.

Decided by motion alone, without beats, so that training targets, scores and pictures mean the same
thing. What is measured is braking: how fast a part loses the speed that it had, in body heights per
second squared. A stop, a reversal, a landing and a clap all are moments of hard braking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from ..pose.landmarks import WRISTS
from ..types import MOTION_FPS, PoseSequence
from .body import Body, body_of
from .braking import FEET, PARTS, TRUNK, braking_of, parts_of

ACCENT_KINDS = ("brake", "reversal", "landing", "clap")
"""A hard stop; a movement that turns back; a foot or the body comes down; the wrists meet."""

STRONG_ACCENT = 0.5
"""Strength from which an accent is one that nobody misses."""

_HALF = 5.0
"""Braking in body heights per s² that has strength 1 - 1 / e."""
_FLOOR = 1.5
"""Braking below this is no accent, however still the rest is."""
_STANDS_OUT = 0.3
"""Share of a peak's height by which it has to rise over the dips beside it."""
_APART_FRAMES = 3
"""Peaks nearer than this are one, the strongest: within 80 ms accents are not told apart."""
_TURNED, _DOWN, _FALL = 0.35, 0.7, 0.6
"""Shares of the speed that came back, and that went down; body heights per second of a fall."""
_WRISTS_MEET, _CLOSING = 0.14, 0.5
"""Body heights between wrists that clap, and per second as they close."""
_ALSO = 0.6
"""Share of the hardest part's braking from which a part is named as well."""
_BEFORE_KIND, _AFTER_KIND = 3, 5
"""So many frames before and after an accent show where a part came from and went."""
BUMP_S = 0.03


@dataclass(frozen=True, eq=False)
class Accents:
    """Moments that a viewer sees as accents."""

    times_s: np.ndarray
    """float64 [A], rising, seconds from the clip's start."""
    strengths: np.ndarray
    """float32 [A] in 0..1, comparable between clips."""
    kinds: tuple[str, ...]
    """One of `ACCENT_KINDS` each."""
    joints: tuple[tuple[int, ...], ...] = ()
    """The landmarks that made each, for pictures; empty where nobody knows."""

    def __post_init__(self) -> None:
        count = len(self.times_s)
        for name, dtype in (("times_s", np.float64), ("strengths", np.float32)):
            value = getattr(self, name)
            if value.dtype != dtype or value.shape != (count,):
                raise ValueError(
                    f"{name} must be {np.dtype(dtype).name} ({count},), got {value.dtype} {value.shape}"
                )
        if not (np.diff(self.times_s) > 0).all():
            raise ValueError("times_s must rise")
        if not ((self.strengths >= 0) & (self.strengths <= 1)).all():
            raise ValueError("strengths must be in 0..1")
        if len(self.kinds) != count or not set(self.kinds) <= set(ACCENT_KINDS):
            raise ValueError(f"kinds must be {count} of {ACCENT_KINDS}, got {self.kinds}")
        if len(self.joints) not in (0, count):
            raise ValueError(f"joints must be empty or {count}, got {len(self.joints)}")

    def __len__(self) -> int:
        return len(self.times_s)

    def stronger_than(self, strength: float) -> Accents:
        """Those of at least `strength`."""
        keep = np.flatnonzero(self.strengths >= strength)
        return Accents(
            self.times_s[keep],
            self.strengths[keep],
            tuple(self.kinds[k] for k in keep),
            tuple(self.joints[k] for k in keep) if self.joints else (),
        )


def find_accents(poses: PoseSequence, person: int = 0) -> Accents:
    """The visible accents of one dancer, from the landmarks in the picture.

    An accent is dated by its hardest braking: that is where the studio's dancers have theirs, and
    up to 0.1 s before the turning point of a slow swing. Strength is 1 - exp(-b / 5) of the braking
    b in body heights per s², the root of the sum of squares over all parts.

    Poses are needed, not `MotionFeatures`: there, speeds are taken before left and right are put in
    order and outliers dropped, and accents found in noisy poses met the danced ones with an average
    precision of 0.30 instead of 0.44. Depth is left out: MediaPipe's is too noisy. Raises
    `IndexError` for a person who is not in the poses.
    """
    if not 0 <= person < poses.people:
        raise IndexError(f"person {person} of {poses.people}")
    points, sure = parts_of(poses, person, body_of(poses, person))
    return accents_of(points, *braking_of(points, sure))


def accents_of(points: np.ndarray, braking: np.ndarray, velocity: np.ndarray) -> Accents:
    """`find_accents` from `parts_of` and `braking_of`."""
    total = np.sqrt((braking**2).sum(1))  # [F]
    frames, found = scipy.signal.find_peaks(total, height=_FLOOR, distance=_APART_FRAMES, prominence=0)
    stands_out = found["prominences"] >= _STANDS_OUT * found["peak_heights"]
    frames = frames[stands_out]
    described = [_described(frame, braking, velocity, points) for frame in frames]
    return Accents(
        (frames + _between(total, frames)) / MOTION_FPS,
        strength_of(total[frames]).astype(np.float32),
        tuple(kind for kind, _ in described),
        tuple(joints for _, joints in described),
    )


def strength_of(braking: np.ndarray) -> np.ndarray:
    """0..1, how strong an accent of this braking is; same shape."""
    return 1 - np.exp(-braking / _HALF)


def accent_curve(accents: Accents, frames: int, fps: float = MOTION_FPS) -> np.ndarray:
    """Accents as bumps a tenth of a second wide, as high as they are strong, float32 [frames]."""
    return bumps_at(accents.times_s, accents.strengths, frames, fps, BUMP_S).astype(np.float32)


def bumps_at(times_s: np.ndarray, heights: np.ndarray, frames: int, fps: float, width_s: float) -> np.ndarray:
    """A Gaussian bump of deviation `width_s` at each moment [A], float64 [frames]; the highest
    counts where they overlap. Memory grows with A and with `frames`, not with their product."""
    reach = int(np.ceil(6 * width_s * fps))
    places = np.round(times_s * fps).astype(int)[:, None] + np.arange(-reach, reach + 1)
    away_s = places / fps - times_s[:, None]  # [A, near frames]
    bumps = heights[:, None] * np.exp(-0.5 * (away_s / width_s) ** 2)
    inside = (places >= 0) & (places < frames)
    curve = np.zeros(frames)
    np.maximum.at(curve, places[inside], bumps[inside])
    return curve


def _between(curve: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Where peaks are between frames, -0.5..0.5 [A], by a parabola through three points."""
    before, peak, after = curve[frames - 1], curve[frames], curve[frames + 1]
    return 0.5 * (before - after) / np.minimum(before - 2 * peak + after, -1e-12)


# --- what kind ---


def _described(
    frame: int, braking: np.ndarray, velocity: np.ndarray, points: np.ndarray
) -> tuple[str, tuple[int, ...]]:
    """The kind of an accent, and the landmarks of the parts that made it."""
    here = braking[frame]
    row = int(here.argmax())
    made = [k for k in range(len(PARTS)) if here[k] >= _ALSO * here[row]]
    joints = tuple(joint for k in made for joint in PARTS[k])
    if {0, 1} & set(made) and _claps(frame, points):
        return "clap", WRISTS
    before = velocity[max(0, frame - _BEFORE_KIND), row]
    speed = max(float(np.linalg.norm(before)), 1e-9)
    onward = velocity[frame : frame + _AFTER_KIND + 1, row] @ before / speed
    turned = float(onward.min()) < -_TURNED * speed
    down = float(before[1]) > _DOWN * speed
    falls = row == TRUNK and float(before[1]) > _FALL
    if down and (falls or (not turned and row in (*FEET, TRUNK))):
        return "landing", joints
    return ("reversal" if turned else "brake"), joints


def _claps(frame: int, points: np.ndarray) -> bool:
    """Whether the wrists have just come together."""
    first = max(0, frame - _BEFORE_KIND)
    apart = np.linalg.norm(points[:, 0] - points[:, 1], axis=-1)
    closing = (apart[first] - apart[frame]) / max(frame - first, 1) * MOTION_FPS
    return bool(apart[frame] < _WRISTS_MEET and closing > _CLOSING)


_PARTS = ("wrist_{}_l", "wrist_{}_r", "ankle_{}_l", "ankle_{}_r", "trunk_{}")
"""Names of `braking.PARTS`, in their order."""

BRAKING_NAMES = (
    *(name.format("brake") for name in _PARTS),
    *(name.format(f"steady_v{axis}") for name in _PARTS for axis in "xy"),
    "brake",
    "accent",
)
"""`_brake`: how hard a part brakes, 0..1 as an accent's strength; `_steady_v`: its velocity, body
heights per second; `brake`: of all parts; `accent`: the visible accents (`accents`) as bumps."""


def braking_columns(
    poses: PoseSequence, person: int, body: Body
) -> dict[str, tuple[np.ndarray, tuple[int, ...]]]:
    """Columns [F] named as in `BRAKING_NAMES`, and the landmarks that each depends on.

    `body`: what `body_of` says of this person.
    """
    points, sure = parts_of(poses, person, body)
    braking, velocity = braking_of(points, sure)
    upward = velocity * np.array([1.0, -1.0])
    accents = accents_of(points, braking, velocity)
    columns = [
        *strength_of(braking).T,
        *upward.reshape(len(upward), -1).T,
        strength_of(np.sqrt((braking**2).sum(1))),
        accent_curve(accents, len(points)),
    ]
    joints = (*PARTS, *(part for part in PARTS for _ in "xy"), (), ())
    return dict(zip(BRAKING_NAMES, zip(columns, joints, strict=True), strict=True))
