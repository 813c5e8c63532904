"""How long Python takes to start what users start: the command line's help, and what ComfyUI's nodes import.

    python -m benchmarks.start_up [--old CHECKOUT] [--rounds 5]

CPU seconds of a fresh Python, medians, each way in turns; "beyond torch" is without those of `import torch`.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.side_by_side import ROOT

WAYS = {
    "torch": ["-c", "import torch"],
    "help": ["-m", "d2m_core", "--help"],
    "nodes' core": [
        "-c",
        "import ast, importlib, pathlib\n"
        "for path in pathlib.Path('nodes').glob('*.py'):\n"
        "    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):\n"
        "        if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('d2m_core'):\n"
        "            importlib.import_module(node.module)\n",
    ],
}


def cpu_s(arguments: list[str], root: Path) -> float:
    """CPU seconds that a fresh Python takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = dict(os.environ, PYTHONPATH=str(root))
    subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="CPU seconds to start.")
    parser.add_argument("--old", type=Path, help="an earlier checkout, to stand beside")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args(argv)
    roots = {"new": ROOT} if args.old is None else {"old": args.old.resolve(), "new": ROOT}
    found: dict[tuple[str, str], list[float]] = {(way, who): [] for way in WAYS for who in roots}
    for number in range(args.rounds + 1):
        for (way, who), seconds in found.items():
            taken = cpu_s(WAYS[way], roots[who])
            if number:  # the first warms the disk's cache up
                seconds.append(taken)
    middle = {key: statistics.median(seconds) for key, seconds in found.items()}
    sys.stdout.write(f"{'':<12}{'':<5}{'CPU s':>8}{'beyond torch':>14}\n")
    for (way, who), seconds in middle.items():
        sys.stdout.write(f"{way:<12}{who:<5}{seconds:>8.2f}{seconds - middle['torch', who]:>14.2f}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
