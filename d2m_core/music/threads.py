"""How many CPU threads torch computes with, changed for one thread and nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

_one_at_a_time = threading.Lock()


@contextmanager
def threads_here(count: int) -> Iterator[None]:
    """Lets the calling thread compute with `count` threads inside the `with`.

    Others keep their number, and threads that are new meanwhile or later begin with the process's.
    """
    before = torch.get_num_threads()
    _set_here(count)
    try:
        yield
    finally:
        _set_here(before)


def process_threads() -> int:
    """How many threads torch computes with in a thread that is new: what the user has set, or cores."""
    with ThreadPoolExecutor(1, "d2m-threads") as new:
        return new.submit(torch.get_num_threads).result()


def _set_here(count: int) -> None:
    """Torch's own setter changes the calling thread and what new threads begin with; the latter is
    put back from a thread that is new."""
    with _one_at_a_time, ThreadPoolExecutor(1, "d2m-threads") as new:
        process = new.submit(torch.get_num_threads).result()
        torch.set_num_threads(count)
        new.submit(torch.set_num_threads, process).result()
