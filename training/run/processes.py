"""Processes that share out work: one thread each, gone with their parent, stopped at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait as wait_for
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from d2m_core.errors import SettingError


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Refuses a folder that another run is writing to."""
    try:
        import fcntl
    except ImportError:  # Windows: nothing to lock a folder with
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise SettingError(f"Another run is writing to {folder}; wait for its end.") from error
    finally:
        os.close(handle)


_LIBRARIES = "OMP OPENBLAS MKL NUMBA NUMEXPR".split()
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in _LIBRARIES} | {"VECLIB_MAXIMUM_THREADS": "1"}
_LOOK_EVERY_S = 0.5
_PATIENCE_S = 10.0

_steps: Synchronized | None = None
"""In a worker: how many steps all workers have done."""


def step_done() -> None:
    """Called by work in progress, so that `run` can tell how far it is."""
    if _steps is not None:
        with _steps.get_lock():
            _steps.value += 1


def run(
    work: Callable[..., Any],
    jobs: Sequence[tuple[Any, ...]],
    workers: int,
    on_step: Callable[[int], None] | None = None,
) -> Iterator[Any]:
    """Results of `work(*job)` as they come; `on_step(n)` hears of `n` further steps done.

    Jobs start in order. Whatever ends this early (an error, Ctrl-C, the caller closing it) stops
    the workers at once; `work` must write files whole or not at all.
    """
    if not jobs:
        return
    context = multiprocessing.get_context("spawn")
    steps, began = context.Value("q", 0), context.Value("q", 0)
    seen, workers = 0, min(workers, len(jobs))
    with environment(ONE_THREAD):
        pool = ProcessPoolExecutor(workers, context, _start, (steps, began))
        crew: list[BaseProcess] = []
        try:
            waiting = {pool.submit(work, *job) for job in jobs}
            crew = list((pool._processes or {}).values())
            while waiting:
                done, waiting = wait(waiting, _LOOK_EVERY_S, FIRST_COMPLETED)
                if on_step is not None and steps.value > seen:
                    on_step(steps.value - seen)
                    seen = steps.value
                for each in done:
                    yield each.result()
            pool.shutdown()
        except BrokenProcessPool as error:
            raise SettingError(_why_broken(crew, began.value > 0)) from error
        finally:
            _stop(pool)


def _why_broken(crew: Sequence[BaseProcess], began: bool) -> str:
    """A sentence about the worker that died; the others go on until they are killed. `began`: any did."""
    code = None
    until = time.monotonic() + _PATIENCE_S
    while code is None and time.monotonic() < until:  # the pool's thread may know first, and tell later
        code = next((each.exitcode for each in crew if each.exitcode is not None), None)
        time.sleep(0.01)
    if code == -signal.SIGKILL:
        return "A worker was killed (SIGKILL), most likely for want of memory; use fewer --workers."
    if not began:
        return f"{CANNOT_BEGIN} Its own words stand above."
    return f"A worker {how_it_ended(code)} in the middle of its work; its own words, if any, stand above."


CANNOT_BEGIN = (
    "A worker process could not begin: a script that starts workers has to do so under"
    " `if __name__ == '__main__':`, and all that it imports must be there."
)


def how_it_ended(code: int | None) -> str:
    """In words, from the exit code of a process."""
    if code is not None and code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _stop(pool: ProcessPoolExecutor) -> None:
    """Ends the workers that still run."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def _start(steps: Synchronized, began: Synchronized) -> None:
    """First thing that a worker does."""
    global _steps
    _steps = steps
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the pool sends it to all when one dies
    threading.Thread(target=leave_with_parent, daemon=True).start()
    one_thread()
    with began.get_lock():
        began.value += 1


def one_thread() -> None:
    """Keeps libraries of this process to one thread, as far as that is possible after its start."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def leave_with_parent() -> None:
    """Ends this process when its parent has ended, however it did."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Environment variables for processes that start inside the `with`."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
