"""What a wrong stretch of poses does to the rhythm, and what a repair brings back.

    python -m benchmarks.repairs [--melody DIR] [--poses FILE ...] [--most 8]

Captured dances (Dance with Melody), or poses that were kept of clips. In the middle of each a fault of 1.2 s
is made: an arm that jumps, or a whole body elsewhere. The rhythm of the untouched poses is the truth.

| column | meaning |
|---|---|
| beats | beat F with the rhythm of the untouched poses |
| energy | mean distance of the energy curve to theirs, within the fault and 0.5 s around it |
| accents | the same of the accents |
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from d2m_core.motion import dance_motion
from d2m_core.pose import load_poses, repair_poses
from d2m_core.pose.landmarks import ARMS
from d2m_core.rhythm import RhythmNet, find_rhythm, load_rhythm
from d2m_core.scores import beat_f
from d2m_core.spans import Span
from d2m_core.types import LANDMARKS, PoseSequence, Rhythm
from d2m_core.weights import default_weights
from training.sources.melody import captured_poses, dances_in

FAULT_S, AROUND_S = 1.2, 0.5
FAULTS = {"arm": ARMS[0::2], "body": tuple(range(LANDMARKS))}
REPAIRS: dict[str, Callable[[PoseSequence, Span, str], PoseSequence]] = {
    "as it is": lambda poses, span, part: poses,
    "interpolate": lambda poses, span, part: repair_poses(poses, [span], "interpolate", part),
    "hold": lambda poses, span, part: repair_poses(poses, [span], "hold", part),
    "forget": lambda poses, span, part: repair_poses(poses, [span], "forget", part),
    "mirror": lambda poses, span, part: repair_poses(poses, [span], "mirror", part),
}


def broken(poses: PoseSequence, span: Span, joints: tuple[int, ...], seed: int) -> PoseSequence:
    """Joints that are found at another place every few frames, as where a tracker changes its mind."""
    rng = np.random.default_rng(seed)
    rows = np.arange(round(span.start_s * poses.fps), round(span.end_s * poses.fps))
    hold = max(1, round(0.12 * poses.fps))
    world, image = poses.world.copy(), poses.image.copy()
    size = float(np.linalg.norm(np.ptp(image[rows[0], 0], axis=0)))
    for start in range(0, len(rows), hold):
        some = rows[start : start + hold]
        off = (
            rng.normal(0, 0.25, (1, len(joints), 3))
            if len(joints) < LANDMARKS
            else rng.normal(0, 0.25, (1, 1, 3))
        )
        world[np.ix_(some, [0], joints)] += off[:, None].astype(np.float32) * 1.7
        image[np.ix_(some, [0], joints)] += off[:, None, :, :2].astype(np.float32) * size
    return replace(poses, world=world, image=image)


def rhythm_of(poses: PoseSequence, net: RhythmNet) -> Rhythm:
    """As Dance Rhythm reads it."""
    return find_rhythm(dance_motion(poses), net, None, "dance", None, poses=poses).rhythm


def figures(found: Rhythm, truth: Rhythm, span: Span) -> tuple[float, float, float]:
    """The columns."""
    near = slice(
        max(0, round((span.start_s - AROUND_S) * truth.fps)), round((span.end_s + AROUND_S) * truth.fps)
    )
    return (
        beat_f(truth.beats_s, found.beats_s),
        float(np.abs(found.energy - truth.energy)[near].mean()),
        float(np.abs(found.accent - truth.accent)[near].mean()),
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="What a repair of poses brings back.")
    parser.add_argument("--melody", type=Path, metavar="DIR")
    parser.add_argument("--poses", type=Path, nargs="+", default=[], metavar="FILE")
    parser.add_argument("--most", type=int, default=8, help="so many dances [%(default)s]")
    args = parser.parse_args(argv)
    net = load_rhythm(default_weights("rhythm"))
    dances = (
        [captured_poses(path, 20.0) for path in dances_in(args.melody)[:: 33 // args.most]]
        if args.melody
        else []
    )
    dances += [load_poses(path).people_at([0]) for path in args.poses]
    rows: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for seed, poses in enumerate(dances):
        truth = rhythm_of(poses, net)
        middle = poses.duration_s / 2
        span = Span(middle - FAULT_S / 2, middle + FAULT_S / 2)
        for fault, joints in FAULTS.items():
            wrong = broken(poses, span, joints, seed)
            for name, repair in REPAIRS.items():
                if name == "mirror" and fault == "body":
                    continue
                part = "left arm" if fault == "arm" else "whole body"
                rows.setdefault((fault, name), []).append(
                    figures(rhythm_of(repair(wrong, span, part), net), truth, span)
                )
    sys.stdout.write(f"{len(dances)} dances\nfault  repair       beats  energy  accents\n")
    for (fault, name), found in rows.items():
        beats, energy, accents = np.mean(found, axis=0)
        sys.stdout.write(f"{fault:6} {name:12} {beats:5.3f}  {energy:6.4f}  {accents:6.4f}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
