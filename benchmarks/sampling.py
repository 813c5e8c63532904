"""Our sampler beside transformers' `generate` for MusicGen of the same shape, in turns.

    python -m benchmarks.sampling [--sizes 4M "4M straight" 8M 38M 411M] [--old CHECKOUT] [--rounds 3]

Random weights, no top-k, no dance; encoder and prefill are part of the time. `--old` adds an earlier commit's
sampler (a git worktree). "Per CPU second" counts the time that all threads used and holds on a busy machine.
The last column is the share of the limit that reading all decoder weights once per step would set, as fast as
this machine has been seen to read memory in one thread.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.side_by_side import Runner, in_turns
from d2m_core.music import tiles

SECONDS = {"4M": 4.0, "4M straight": 4.0, "8M": 4.0, "38M": 2.0, "411M": 4.0}
"""Music per run: larger networks take longer for a step."""

MB_PER_STEP = {"4M": 4.9, "4M straight": 5.2, "8M": 10.7, "38M": 62.9, "411M": 713.0}
"""Weights that a step reads, as float16."""

CASES = ((1, 1.0), (1, 2.5), (8, 2.5))
"""Pieces at once, and guidance; by number in `--cases`."""


def read_mb_per_s(mb: int = 256) -> float:
    """How fast one thread reads memory that is in no cache."""
    values = np.ones(mb * 2**20 // 8)
    best = 0.0
    for _ in range(5):
        start = time.thread_time()
        values.sum()
        best = max(best, values.nbytes / 1e6 / (time.thread_time() - start))
    return best


def product_gb_per_s(kind: type[np.generic], mb: int = 512) -> float:
    """How fast one thread multiplies matrices [4096, 1024] with a vector, by what it reads of them."""
    import numba

    tiles.teach_tiles()
    product = numba.njit(nogil=True)(tiles.product)
    width = tiles.tile_shape().width
    layers = mb * 2**20 // (4096 * 1024 * np.dtype(kind).itemsize)
    matrices = np.full((layers, 4096 // width, 1024, width), 0.01, kind)
    stored = matrices.view(np.uint16) if kind is np.float16 else matrices
    x, y, best = np.ones((1, 1024), np.float32), np.zeros((1, 4096), np.float32), 0.0
    for _ in range(6):
        start = time.thread_time()
        for layer in stored:
            product(layer, x, y)
        best = max(best, stored.nbytes / 1e9 / (time.thread_time() - start))
    return best


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Our sampler beside transformers' generate.")
    parser.add_argument("--sizes", nargs="+", choices=SECONDS, default=["4M", "8M", "38M"])
    parser.add_argument("--old", type=Path, help="an earlier checkout, to stand beside")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="+", type=int, choices=range(len(CASES)), default=[0, 1, 2])
    args = parser.parse_args(argv)
    plain = read_mb_per_s()
    half, single = product_gb_per_s(np.float16), product_gb_per_s(np.float32)
    speed = max(plain, 1000 * half, 1000 * single)  # adding up takes longer than reading
    sys.stdout.write(
        f"GB/s that one thread reads: {plain / 1000:.1f} adding up, {half:.1f} multiplying float16, "
        f"{single:.1f} float32; the most of them is the limit\n"
    )
    sys.stdout.write(
        f"{'size':>12}{'batch':>6}{'guid.':>6}{'who':>8}{'steps/s':>9}{'per CPU s':>10}{'x theirs':>9}"
        f"{'(CPU)':>7}{'of limit':>9}\n"
    )
    for size in args.sizes:
        for batch, guidance in (CASES[case] for case in args.cases):
            common = {"size": size, "batch": batch, "guidance": guidance, "seconds": SECONDS[size]}
            runners = {"theirs": Runner("run_sampling.py", common | {"who": "theirs"})}
            if args.old is not None:
                runners["old"] = Runner("run_sampling.py", common | {"who": "ours"}, args.old.resolve())
            runners["ours"] = Runner("run_sampling.py", common | {"who": "ours"})
            found = in_turns(runners, args.rounds)
            for who, facts in found.items():
                wall, cpu = facts["steps per s"], facts["steps per cpu s"]
                ratios = [facts[key] / found["theirs"][key] for key in ("steps per s", "steps per cpu s")]
                limit = f"{cpu * MB_PER_STEP[size] / speed:>9.2f}" if who == "ours" else ""
                sys.stdout.write(
                    f"{size:>12}{batch:>6}{guidance:>6}{who:>8}{wall:>9.1f}{cpu:>10.1f}{ratios[0]:>9.2f}"
                    f"{ratios[1]:>7.2f}{limit}\n"
                )
                sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
