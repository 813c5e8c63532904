"""The most memory of every stage of the chain, for a drawn 10 s clip at 1080p30. Needs Linux.

    python -m benchmarks.peaks [--clip my.mp4] [--old CHECKOUT]

MiB resident while a stage before the named one ran; the first run warms up and does not count. With `--old`,
a git worktree of an earlier commit, both run in turns and stand beside each other.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.chain import given_or_drawn
from benchmarks.side_by_side import Runner, in_turns


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The most memory of every stage.")
    parser.add_argument("--clip", type=Path, help="a clip of yours instead of the drawn one")
    parser.add_argument("--old", type=Path, help="an earlier checkout, to stand beside")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        clip = given_or_drawn(args.clip, Path(folder))
        settings = {"clip": str(clip.resolve())}
        runners = {"new": Runner("run_peaks.py", settings)}
        if args.old is not None:
            runners = {"old": Runner("run_peaks.py", settings, args.old.resolve())} | runners
        found = in_turns(runners, 1)
    sys.stdout.write(f"{'MiB':<16}" + "".join(f"{who:>8}" for who in found) + "\n")
    for stage in found["new"]:
        sys.stdout.write(f"{stage:<16}" + "".join(f"{each[stage]:>8.0f}" for each in found.values()) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
