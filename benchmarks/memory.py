"""How much memory a process and its children hold over time, from Linux's /proc."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_SMALL_MB = 50
"""Smaller children are helpers of multiprocessing."""


@dataclass
class Memory:
    """Samples the resident memory of this process and its children in a thread."""

    every_s: float = 0.5
    samples: list[tuple[float, float, float, int]] = field(default_factory=list)
    """Time, MB of this process, MB of its workers together, how many they are."""

    def __enter__(self) -> Memory:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        start = time.perf_counter()
        while not self._end.wait(self.every_s):
            workers = [mb for pid in _children() if (mb := _resident_mb(pid)) > _SMALL_MB]
            now = time.perf_counter() - start
            self.samples.append((now, _resident_mb(os.getpid()), sum(workers), len(workers)))

    def tenths(self, first_s: float, last_s: float) -> list[dict[str, object]]:
        """Highest memory in each tenth of a time span."""
        rows: list[dict[str, object]] = []
        for tenth in range(10):
            low, high = (first_s + (last_s - first_s) * t / 10 for t in (tenth, tenth + 1))
            inside = [sample for sample in self.samples if low <= sample[0] < high]
            if inside:
                rows.append(
                    {
                        "minutes": f"{low / 60:.1f}-{high / 60:.1f}",
                        "parent MB": round(max(sample[1] for sample in inside)),
                        "workers MB": round(max(sample[2] for sample in inside)),
                        "workers": max(sample[3] for sample in inside),
                    }
                )
        return rows


def _children() -> list[int]:
    found = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return [int(pid) for path in found for pid in path.read_text().split()]


def _resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6
    except (OSError, IndexError):
        return 0.0
