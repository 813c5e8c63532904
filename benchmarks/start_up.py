"""How long Python takes to start what users start: the command line's help, and what ComfyUI's nodes import.

    python -m benchmarks.start_up [--old CHECKOUT] [--rounds 5]

CPU seconds of a fresh Python, medians, each way in turns, compiled before as on every start but the first;
"beyond torch" is without those of `import torch`.
"""

from __future__ import annotations

import argparse
import ast
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.side_by_side import ROOT

HELP = ["-m", "d2m_core", "--help"]


def ways(root: Path) -> dict[str, list[str]]:
    """Arguments of Python by what is started."""
    names = sorted(
        node.module
        for path in (root / "nodes").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("d2m_core")
    )
    load = "import torch\n" + "".join(f"import {name}\n" for name in dict.fromkeys(names))
    return {"torch": ["-c", "import torch"], "help": HELP, "nodes' core": ["-c", load]}


def cpu_s(arguments: list[str], root: Path, compiled: str) -> float:
    """CPU seconds that a fresh Python takes, bytecode kept in the folder `compiled` as it is for users."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = dict(os.environ, PYTHONPATH=str(root), PYTHONPYCACHEPREFIX=compiled)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
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
    started = {(way, who): call for who, root in roots.items() for way, call in ways(root).items()}
    found: dict[tuple[str, str], list[float]] = {each: [] for each in sorted(started)}
    with tempfile.TemporaryDirectory() as compiled:
        for number in range(args.rounds + 1):
            for (way, who), seconds in found.items():
                taken = cpu_s(started[way, who], roots[who], compiled)
                if number:  # the first warms the disk's cache up, and compiles
                    seconds.append(taken)
    middle = {key: statistics.median(seconds) for key, seconds in found.items()}
    sys.stdout.write(f"{'':<12}{'':<5}{'CPU s':>8}{'beyond torch':>14}\n")
    for (way, who), seconds in middle.items():
        sys.stdout.write(f"{way:<12}{who:<5}{seconds:>8.2f}{seconds - middle['torch', who]:>14.2f}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
