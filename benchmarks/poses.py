"""How far poses of one pass, of stretches on several cores, and of other models lie apart.

    python -m benchmarks.poses CLIP [CLIP ...] [--cores 2 4] [--models lite full]

Clips of one person. Distances are of 33 joints in the picture, in shares of the body's height, from one pass
of the full model; CPU seconds are those of all threads, and hold on a busy machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from d2m_core.media import open_clip
from d2m_core.pose import POSE_MODELS, find, find_dancers
from d2m_core.types import PoseSequence, VideoClip

USUAL = "full"


def found(clip: VideoClip, model: str, cores: int) -> tuple[PoseSequence, float, float]:
    """Poses, seconds, CPU seconds."""
    find._cores = lambda: cores
    start, start_cpu = time.perf_counter(), time.process_time()
    poses = find_dancers(clip, model=model)
    return poses, time.perf_counter() - start, time.process_time() - start_cpu


def apart(one: PoseSequence, other: PoseSequence) -> np.ndarray:
    """Mean distance of joints [F], where both saw somebody."""
    both = one.present[:, 0] & other.present[:, 0]
    size = np.median(np.ptp(one.image[both, 0, :, 1], axis=1))
    return np.linalg.norm(one.image[both, 0] - other.image[both, 0], axis=-1).mean(axis=1) / size


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="How far poses of several ways lie apart.")
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--cores", nargs="+", type=int, default=[2, 4])
    parser.add_argument("--models", nargs="*", choices=POSE_MODELS, default=["lite"])
    args = parser.parse_args(argv)
    head = f"{'':>16}{'mean':>9}{'median':>9}{'99 %':>9}{'most':>9}{'s':>8}{'CPU s':>8}\n"
    for path in args.clips:
        clip = open_clip(path)
        usual, seconds, cpu = found(clip, USUAL, 1)
        sys.stdout.write(f"{path.name}, {clip.duration_s:.0f} s, {usual.people} people\n{head}")
        sys.stdout.write(f"{USUAL + ', one pass':>16}{'':>36}{seconds:>8.1f}{cpu:>8.1f}\n")
        ways = [("one pass again", USUAL, 1)]
        ways += [(f"{cores} stretches", USUAL, cores) for cores in args.cores]
        ways += [(model, model, 1) for model in args.models if model != USUAL]
        for name, model, cores in ways:
            poses, seconds, cpu = found(clip, model, cores)
            far = apart(usual, poses)
            row = (far.mean(), np.median(far), np.percentile(far, 99), far.max())
            sys.stdout.write(
                f"{name:>16}" + "".join(f"{x:>9.4f}" for x in row) + f"{seconds:>8.1f}{cpu:>8.1f}\n"
            )
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
