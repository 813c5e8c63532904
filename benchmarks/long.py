"""Music for long dances: what a minute costs, and the memory at its peak, for growing lengths.

    python -m benchmarks.long [--clip my.mp4] [--minutes 1 4 10]

Poses of a short clip are repeated as often as needed; each length runs in a process of its own, with the
embedded model. A line for each: CPU seconds per minute of rhythm, music and decoding, and peak memory.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from d2m_core.media import open_clip
from d2m_core.motion import extract_motion
from d2m_core.music import SamplingConfig, decode_music, generate_tokens, prepare
from d2m_core.pipeline import load_models
from d2m_core.pose import estimate_poses, load_poses, save_poses
from d2m_core.rhythm import rhythm_from_motion
from d2m_core.types import PoseSequence
from training.seeds import DEMO_SEED
from training.studio.picture.drawing import main as draw


def repeated(poses: PoseSequence, minutes: float) -> PoseSequence:
    """The poses again and again."""
    frames = round(minutes * 60 * poses.fps)
    times = -(-frames // poses.frames)
    arrays = {
        name: np.concatenate([getattr(poses, name)] * times)[:frames]
        for name in ("world", "image", "visibility", "present")
    }
    return replace(poses, **arrays)


def measure(path: Path, minutes: float) -> str:
    """One length, in this process."""
    models = load_models(device="cpu")
    prepare()
    poses = repeated(load_poses(path), minutes)
    marks = [time.process_time()]
    motion = extract_motion(poses)
    rhythm = rhythm_from_motion(motion, models.rhythm)
    marks.append(time.process_time())
    tokens = generate_tokens(models.model, motion, rhythm, models.codec.spec, SamplingConfig())
    marks.append(time.process_time())
    decode_music(models.codec, tokens, minutes * 60)
    marks.append(time.process_time())
    each = "".join(f"{s / minutes:>9.2f}" for s in np.diff(marks))
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{minutes:>8g}{each}{peak_mib:>10.0f}\n"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Cost per minute and peak memory of long dances.")
    parser.add_argument("--clip", type=Path, help="a clip of yours instead of a drawn one")
    parser.add_argument("--minutes", nargs="+", type=float, default=[1, 4, 10])
    parser.add_argument("--poses", type=Path, help=argparse.SUPPRESS)  # how it calls itself
    args = parser.parse_args(argv)
    if args.poses is not None:
        sys.stdout.write(measure(args.poses, args.minutes[0]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        clip = args.clip or Path(folder) / "clip.mp4"
        if args.clip is None:
            draw(["--seed", str(DEMO_SEED), "--tempo", "118", "--seconds", "10", "--out", str(clip)])
        poses = save_poses(estimate_poses(open_clip(clip)), Path(folder) / "poses.npz")
        sys.stdout.write(f"{'minutes':>8}{'rhythm':>9}{'music':>9}{'decode':>9}{'peak MiB':>10}\n")
        sys.stdout.flush()
        for minutes in args.minutes:
            command = [
                sys.executable,
                "-m",
                "benchmarks.long",
                "--poses",
                str(poses),
                "--minutes",
                str(minutes),
            ]
            subprocess.run(command, check=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
