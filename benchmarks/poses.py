"""How far poses of one pass, of stretches on several cores, and of other models lie apart.

    python -m benchmarks.poses CLIP [CLIP ...] [--cores 2 4] [--models lite] [--again] [--silhouettes]

Distances are of 33 joints in the picture, in shares of the body's height, from one pass of the full model
over pictures of full size (720 rows); "one pass" and "stretches" read pictures no larger than needed, as
users have it. "seen" is in how much of a person's frames both ways saw them. CPU seconds are those of all
threads, and hold on a busy machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from d2m_core.media import open_clip
from d2m_core.media.sizes import Sizes
from d2m_core.pose import POSE_MODELS, find, find_dancers, landmarker
from d2m_core.types import PoseSequence, VideoClip

USUAL = "full"


def found(
    clip: VideoClip, model: str, cores: int, small: bool = True, lean: bool = True
) -> tuple[PoseSequence, float, float]:
    """Poses, seconds, CPU seconds; without `small` at full size, without `lean` with silhouettes."""
    find._cores = lambda: cores
    with pytest.MonkeyPatch.context() as patch:
        if not small:
            patch.setattr(Sizes, "enough", lambda sizes, _height: sizes.largest)
        if not lean:
            patch.setattr(landmarker, "lean_model", lambda _bundle: None)
        start, start_cpu = time.perf_counter(), time.process_time()
        poses = find_dancers(clip, model=model)
        return poses, time.perf_counter() - start, time.process_time() - start_cpu


def apart(one: PoseSequence, other: PoseSequence) -> tuple[np.ndarray, float]:
    """Mean distance of joints [N] in everybody's frames where both saw them; and the share of such frames."""
    people = min(one.people, other.people)
    both = one.present[:, :people] & other.present[:, :people]
    far = np.linalg.norm(one.image[:, :people] - other.image[:, :people], axis=-1).mean(axis=-1)  # [F, P]
    for person in range(people):
        rows = one.image[both[:, person], person, :, 1]
        far[:, person] /= np.median(np.ptp(rows, axis=1)) if len(rows) else 1.0
    return far[both], float(both.sum() / max(1, one.present[:, :people].sum()))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="How far poses of several ways lie apart.")
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--cores", nargs="*", type=int, default=[2, 4])
    parser.add_argument("--models", nargs="*", choices=POSE_MODELS, default=["lite"])
    parser.add_argument("--again", action="store_true", help="the reference twice: what two runs differ by")
    parser.add_argument("--silhouettes", action="store_true", help="also with the network as it comes")
    args = parser.parse_args(argv)
    landmarker.import_mediapipe()  # takes a while, and once only
    columns = ("mean", "median", "99 %", "most", "seen", "people", "s", "CPU s")
    head = f"{'':>22}" + "".join(f"{name:>9}" for name in columns) + "\n"
    for path in args.clips:
        clip = open_clip(path)
        usual, seconds, cpu = found(clip, USUAL, 1, small=False)
        sys.stdout.write(f"{path.name}, {clip.duration_s:.0f} s\n{head}")
        sys.stdout.write(f"{'full size':>22}{'':>45}{usual.people:>9}{seconds:>9.1f}{cpu:>9.1f}\n")
        ways = [("full size again", USUAL, 1, False, True)] if args.again else []
        ways += [("with silhouettes", USUAL, 1, False, False)] if args.silhouettes else []
        ways += [("one pass", USUAL, 1, True, True)]
        ways += [(f"{cores} stretches", USUAL, cores, True, True) for cores in args.cores]
        ways += [(f"{model}, full size", model, 1, False, True) for model in args.models if model != USUAL]
        for name, *way in ways:
            poses, seconds, cpu = found(clip, *way)
            far, seen = apart(usual, poses)
            row = (far.mean(), np.median(far), np.percentile(far, 99), far.max(), seen)
            sys.stdout.write(
                f"{name:>22}{''.join(f'{x:>9.4f}' for x in row)}{poses.people:>9}{seconds:>9.1f}{cpu:>9.1f}\n"
            )
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
