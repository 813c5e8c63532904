"""Products of matrices with a few vectors: tiles in machine code beside numpy's BLAS, in one thread.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.products

Matrices as the transformers of `benchmarks.sampling` have them, as float16 for tiles and float32 for BLAS; so
many in turn that they are read as in a step. CPU microseconds, bytes and operations a second.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from d2m_core.music import machine, tiles

SHAPES = ((4, 576, 192), (1, 4096, 192), (6, 1536, 512), (6, 512, 2048), (12, 4096, 1024))
"""How many matrices, outputs, inputs."""
BATCHES = (1, 2, 3, 4, 16)


def best_s(run: Callable[[], object], rounds: int = 12) -> float:
    found = []
    for _ in range(rounds):
        start = time.thread_time()
        run()
        found.append(time.thread_time() - start)
    return min(found)


def line(product: Callable[..., None], matrices: list[np.ndarray], batch: int) -> str:
    """What some matrices [out, in] take with so many vectors."""
    rows, columns = matrices[0].shape
    laid = [tiles.in_tiles(each.view(np.uint16), tiles.tile_shape().width) for each in matrices]
    wide = [each.astype(np.float32) for each in matrices]
    x = np.random.default_rng(1).normal(size=(batch, columns)).astype(np.float32)
    y = np.zeros((batch, laid[0].shape[0] * laid[0].shape[2]), np.float32)
    product(laid[0], x, y)
    ours = best_s(lambda: [product(each, x, y) for each in laid])
    blas = best_s(lambda: [x @ each.T for each in wide])
    many, name = len(matrices) * rows * columns, f"{len(matrices)} x {rows} x {columns}"
    speed = f"{2e-9 * many / ours:>7.0f}{2e-9 * many * batch / ours:>9.0f}"
    return f"{name:>16}{batch:>8}{ours * 1e6:>9.0f}{speed}{blas * 1e6:>9.0f}{blas / ours:>6.1f}\n"


def main() -> int:
    import numba

    machine.compiled()
    product = numba.njit(lambda matrix, x, y: tiles.product(matrix, x, y))
    numbers = np.random.default_rng(0)
    sys.stdout.write(f"{'matrices':>16}{'vectors':>8}{'tiles us':>9}{'GB/s':>7}{'GFLOP/s':>9}{'BLAS us':>9}")
    sys.stdout.write(f"{'x':>6}\n")
    for count, rows, columns in SHAPES:
        matrices = [numbers.normal(size=(rows, columns)).astype(np.float16) for _ in range(count)]
        for batch in BATCHES:
            sys.stdout.write(line(product, matrices, batch))
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
