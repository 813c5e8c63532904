"""Makes a data set of pairs: shard by shard, on all cores, and goes on where it was stopped.

A shard is made by one worker from beginning to end and is there whole or not at all; a run that was
killed makes what is missing. What one finds in the end depends on settings and seed only.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from d2m_core.errors import SettingError
from training.pairs.manifest import begin, finish
from training.pairs.pair import Pair
from training.pairs.shards import names_in, remove_leftovers, shard_path, shards_in, write_index, write_shard
from training.run.processes import alone_in, run, step_done
from training.studio.sheets.contact_sheet import write_sheet

from .origin import origin_of
from .pairs import make_pair
from .settings import PairSettings


@dataclass(frozen=True)
class Order:
    """How much is wanted, and how the work is cut."""

    folder: Path
    hours: float
    seed: int
    """Of the first pair; the others follow."""
    per_shard: int = 32
    workers: int = 0
    """Processes; 0 takes one per core."""

    def __post_init__(self) -> None:
        if self.hours <= 0:
            raise SettingError(f"hours is {self.hours:g}; ask for more than none.")
        if self.per_shard < 1 or self.workers < 0 or self.seed < 0:
            raise SettingError("per-shard starts at 1, workers and seed at 0; give such numbers.")


def make_data(order: Order, settings: PairSettings, progress: bool = True) -> dict[str, Any]:
    """Makes all shards that are missing, then index, manifest, sheet; returns the manifest."""
    order.folder.mkdir(parents=True, exist_ok=True)
    with alone_in(order.folder):
        remove_leftovers(order.folder)
        begun = begin(order.folder, origin_of(settings, order.seed, order.per_shard))
        try:
            _make_shards(order, settings, progress)
            made = finish(order.folder, begun, write_index(order.folder))
            write_sheet(order.folder)
            return made
        finally:
            remove_leftovers(order.folder)


def seeds_of(order: Order, settings: PairSettings) -> list[range]:
    """The seeds of each shard."""
    count = max(1, math.ceil(order.hours * 3600 / settings.seconds - 1e-6))
    last = order.seed + count
    return [
        range(first, min(first + order.per_shard, last)) for first in range(order.seed, last, order.per_shard)
    ]


def _make_shards(order: Order, settings: PairSettings, progress: bool) -> None:
    wanted = seeds_of(order, settings)
    if len(shards_in(order.folder)) > len(wanted):
        raise SettingError(
            f"{order.folder} holds more than {order.hours:g} hours already; ask for more of them,"
            " or give another folder."
        )
    jobs = []
    for number, seeds in enumerate(wanted):
        path = shard_path(order.folder, number)
        if not path.exists() or len(names_in(path)) != len(seeds):
            jobs.append((path, seeds, settings))
    total, missing = sum(map(len, wanted)), sum(len(job[1]) for job in jobs)
    workers = order.workers or os.cpu_count() or 1
    made, start = 0, time.perf_counter()
    with tqdm(
        total=total,
        initial=total - missing,
        desc="pairs",
        unit="pair",
        disable=not progress,
        smoothing=0.05,
        dynamic_ncols=True,
    ) as bar:

        def on_step(count: int) -> None:
            nonlocal made
            made += count
            bar.update(count)
            pace = made * settings.seconds / (time.perf_counter() - start)
            bar.set_postfix_str(f"{pace:.1f} x real time")

        for _ in run(_make_shard, jobs, workers, on_step):
            continue


def _make_shard(path: Path, seeds: range, settings: PairSettings) -> None:
    write_shard(path, _pairs(seeds, settings))


def _pairs(seeds: range, settings: PairSettings) -> Iterator[Pair]:
    for seed in seeds:
        yield make_pair(seed, settings)
        step_done()
