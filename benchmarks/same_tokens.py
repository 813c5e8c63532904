"""Whether a seed still writes what it wrote, and how much sooner, beside an earlier commit in turns.

    python -m benchmarks.same_tokens --old CHECKOUT [--model MODEL] [--rounds 3]

The embedded model or another, steady beats, one thread. Tokens may part where two chances are equal within
the noise of float32, and then go ways of their own.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.side_by_side import Runner, in_turns


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Whether a seed still writes what it wrote.")
    parser.add_argument("--old", type=Path, required=True, help="an earlier checkout")
    parser.add_argument("--model", type=Path, help="a transformer of yours")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args(argv)
    settings = {"model": "" if args.model is None else str(args.model.resolve())}
    runners = {
        "old": Runner("run_tokens.py", settings, args.old.resolve()),
        "new": Runner("run_tokens.py", settings),
    }
    found = in_turns(runners, args.rounds)
    old, new = found["old"], found["new"]
    sys.stdout.write(f"{'':<26}{'old CPU s':>10}{'new':>8}{'x':>6}  tokens\n")
    for key in (key.removesuffix(": CPU s") for key in old if key.endswith(": CPU s")):
        before, now = old[f"{key}: CPU s"], new[f"{key}: CPU s"]
        same = "the same" if old[f"{key}: tokens"] == new[f"{key}: tokens"] else "others"
        sys.stdout.write(f"{key:<26}{before:>10.3f}{now:>8.3f}{before / now:>6.2f}  {same}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
