"""Real-time factor of every stage on this machine, for a drawn 10 s clip at 1080p30.

    python -m benchmarks.chain [--runs 3] [--clip my.mp4] [--old CHECKOUT]

The first run warms caches up and does not count; the median of the others does. Printed as seconds
and as multiples of the clip's length, with the threads and the device that were used. With `--old`, a
git worktree of an earlier commit, both run in turns and stand beside each other.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import sys
import tempfile
from pathlib import Path

import torch

from benchmarks.side_by_side import Runner, in_turns
from d2m_core.music import SamplingConfig
from d2m_core.pipeline import DanceMusic, Models, dance_to_music, load_models
from training.seeds import DEMO_SEED
from training.studio.picture.drawing import main as draw

CLIP = f"--seed {DEMO_SEED} --tempo 118 --seconds 10 --width 1920 --height 1080".split()


def given_or_drawn(clip: Path | None, folder: Path) -> Path:
    """The clip that was given, else the drawn one, which is made in `folder`."""
    if clip is None:
        clip = folder / "clip.mp4"
        draw([*CLIP, "--out", str(clip)])
    return clip


def measure(clip: Path, models: Models, runs: int) -> list[DanceMusic]:
    results = [dance_to_music(clip, models, SamplingConfig()) for _ in range(runs + 1)]
    return results[1:]


def report(results: list[DanceMusic], device: str) -> str:
    clip = results[0].clip
    lines = [
        f"{clip.width}x{clip.height}, {clip.duration_s:.1f} s; {platform.machine()}, "
        f"{torch.get_num_threads()} threads, device {device}, median of {len(results)} runs",
        f"{'stage':<10}{'seconds':>9}{'x real time':>13}",
    ]
    total = 0.0
    for stage in results[0].seconds:
        seconds = statistics.median(result.seconds[stage] for result in results)
        total += seconds
        lines.append(f"{stage:<10}{seconds:>9.2f}{seconds / clip.duration_s:>13.3f}")
    lines.append(f"{'whole':<10}{total:>9.2f}{total / clip.duration_s:>13.3f}")
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return "\n".join([*lines, f"peak memory {peak_mib:.0f} MiB"]) + "\n"


def beside(clip: Path, old: Path, runs: int) -> str:
    """An earlier commit's chain beside today's, stage by stage."""
    settings = {"clip": str(clip.resolve())}
    both = in_turns(
        {"old": Runner("run_chain.py", settings, old.resolve()), "new": Runner("run_chain.py", settings)},
        runs,
    )
    lines = [f"{'':<12}{'old':>9}{'new':>9}{'new / old':>11}"]
    for key, before in both["old"].items():
        now = both["new"][key]
        lines.append(f"{key:<12}{before:>9.2f}{now:>9.2f}{now / before:>11.2f}")
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Real-time factor of every stage.")
    parser.add_argument("--runs", type=int, default=3, help="runs that count [%(default)s]")
    parser.add_argument("--clip", type=Path, help="a clip of yours instead of the drawn one")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--old", type=Path, help="an earlier checkout, to stand beside")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        clip = given_or_drawn(args.clip, Path(folder))
        if args.old is not None:
            sys.stdout.write(beside(clip, args.old, args.runs))
            return 0
        sys.stdout.write(report(measure(clip, load_models(device=args.device), args.runs), args.device))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
