"""Slow work of the core in a thread of its own, so that ComfyUI's Cancel and progress never wait."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import torch

from ..d2m_core.errors import Cancelled
from ..d2m_core.heap import few_heaps, give_back
from ..d2m_core.types import Progress
from . import host

T = TypeVar("T")

_LOOK_S = 0.05
"""So often Cancel is looked for."""


@dataclass
class _Job(Generic[T]):
    """What the two threads tell each other."""

    finished: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    done: tuple[int, int] | None = None
    """Latest progress."""
    result: list[T] = field(default_factory=list)
    error: BaseException | None = None


class _Worker(threading.Thread):
    """A thread that is used again: every new one costs memory for good."""

    idle: ClassVar[list[_Worker]] = []

    def __init__(self) -> None:
        super().__init__(name="d2m-work", daemon=True)
        few_heaps()
        self.waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    @classmethod
    def of_the_idle(cls) -> _Worker:
        """One with nothing to do; a new one where others still end what was cancelled."""
        try:
            return cls.idle.pop()
        except IndexError:
            worker = cls()
            worker.start()
            return worker

    def run(self) -> None:
        while True:
            self.waiting.get()()
            self.idle.append(self)  # before the heap is trimmed, else the next work starts a thread
            give_back()


def in_worker(work: Callable[[Progress], T]) -> T:
    """The result of `work(on_progress)`, computed in a thread of its own; errors rise here.

    Cancel raises ComfyUI's exception within `_LOOK_S`, whatever the work is at; the thread itself
    ends at its next call of `on_progress`, and its result is dropped. So `work` must be a function
    that writes nothing others read, or that tidies up after an exception.
    """
    job: _Job[T] = _Job()
    inference = torch.is_inference_mode_enabled()  # known to one thread only

    def on_progress(done: int, total: int) -> None:
        job.done = (done, total)
        if job.stopped.is_set():
            raise Cancelled("Stopped.")

    def run() -> None:
        try:
            with torch.inference_mode(inference):
                job.result.append(work(on_progress))
        except BaseException as error:  # raised again by the thread that waits
            job.error = error
        finally:
            job.finished.set()

    _Worker.of_the_idle().waiting.put(run)
    _wait(job)
    if job.error is not None:
        raise job.error
    return job.result.pop()


def part_progress(report: Progress, part: int, parts: int) -> Progress:
    """Progress of one of several parts, as part of all."""
    return lambda done, total: report(part * total + done, parts * total)


def _wait(job: _Job[Any]) -> None:
    """Until the work is done; moves the node's bar meanwhile."""
    report, shown = host.progress(), None
    try:
        while not job.finished.wait(_LOOK_S):
            host.check_interrupt()
            if job.done is not None and job.done != shown:
                shown = job.done
                report(*shown)
        host.check_interrupt()
    except BaseException:
        job.stopped.set()
        raise
