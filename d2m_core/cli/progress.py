"""How far the work is: bars for people, a line for each stage where nobody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..pipeline import StageProgress


@contextmanager
def progress_bars(show: bool) -> Iterator[StageProgress]:
    """One bar per stage on standard error, if that is a terminal; else a line when a stage is done.

    Bars are closed on the way out, also when stopped; warnings are written above them.
    """
    if not show:
        yield lambda _stage, _done, _total: None
    elif sys.stderr.isatty():
        with _bars() as on_progress:
            yield on_progress
    else:
        with _lines() as on_progress:
            yield on_progress


@contextmanager
def _bars() -> Iterator[StageProgress]:
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    bars: dict[str, tqdm] = {}

    def on_progress(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            bars[stage] = tqdm(total=total or None, desc=f"{stage:>8}", leave=True)
        bars[stage].update(done - bars[stage].n)

    with logging_redirect_tqdm():
        try:
            yield on_progress
        finally:
            for bar in bars.values():
                bar.close()


@contextmanager
def _lines() -> Iterator[StageProgress]:
    begun: dict[str, float] = {}

    def done() -> None:
        if begun:
            stage, since = begun.popitem()
            sys.stderr.write(f"{stage}: {time.perf_counter() - since:.1f} s\n")

    def on_progress(stage: str, _done: int, _total: int) -> None:
        if stage not in begun:
            done()
            begun[stage] = time.perf_counter()

    yield on_progress
    done()
