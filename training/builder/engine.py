"""Shares jobs out to processes of this machine, and outlives the death of any of them.

A worker does one job at a time, so one that dies tells which job killed it. That job is tried again
in a fresh process, and given up after `ATTEMPTS`; the others never notice.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from d2m_core.errors import D2MError, SettingError
from training.run.processes import (
    CANNOT_BEGIN,
    ONE_THREAD,
    environment,
    how_it_ended,
    leave_with_parent,
    one_thread,
)

from .jobs import Job

ATTEMPTS = 3
"""How often a job is tried whose worker dies."""

_LOOK_EVERY_S = 1.0
_LAST_WORDS = 240
"""Letters of what a dead worker said."""


@dataclass(frozen=True)
class Crash:
    """In the place of a result: the job killed its worker each time."""

    why: str


Result = tuple[Job, Any]
"""A job and what `work` returned for it, or a `Crash`."""


class Queue:
    """Jobs to do: those that follow from others come before fresh ones."""

    def __init__(self, fresh: Iterable[Job]) -> None:
        self._fresh = iter(fresh)
        self._first: deque[Job] = deque()

    def put(self, jobs: Iterable[Job]) -> None:
        """Adds jobs that are done next, in their order."""
        self._first.extendleft(reversed(list(jobs)))

    def take(self) -> Job | None:
        """The next job; None where there is none now."""
        return self._first.popleft() if self._first else next(self._fresh, None)


class _Worker:
    """A process that does jobs one at a time."""

    def __init__(self, work: Callable[[Job], Any], said: Path) -> None:
        """`said` is a file for what it says on stderr."""
        context = multiprocessing.get_context("spawn")
        self.said = said
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work, said), daemon=True)
        with environment(ONE_THREAD):
            self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.since_s = 0.0

    def give(self, job: Job) -> None:
        self.job, self.since_s = job, time.monotonic()
        self.pipe.send(job)

    def end(self) -> int | None:
        """Kills the process; how it had ended if it was dead already."""
        self.process.join(0.2)
        code = self.process.exitcode
        self.process.kill()
        self.process.join()
        self.pipe.close()
        return code

    def why(self, code: int | None) -> str:
        """How it ended, and its last words. Raises `SettingError` where it never began."""
        if code == 1 and not self.said.exists():
            raise SettingError(CANNOT_BEGIN)
        ended = f"its process {how_it_ended(code)}, {ATTEMPTS} times"
        words = " ".join(self.said.read_text(errors="replace").split()) if self.said.exists() else ""
        return f"{ended}; last words: {words[-_LAST_WORDS:]}" if words else ended


def _serve(pipe: Connection, work: Callable[[Job], Any], said: Path) -> None:
    """What a worker does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    faulthandler.enable()  # a crash in a library says where
    threading.Thread(target=leave_with_parent, daemon=True).start()
    one_thread()
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        os.ftruncate(2, 0)  # MediaPipe talks a lot; only what is said about one job may matter
        try:
            answer: Any = work(job)
        except Exception as error:  # raised where the jobs come from
            answer = error if isinstance(error, D2MError) else RuntimeError(repr(error))
        pipe.send(answer)


def run_local(
    work: Callable[[Job], Any], jobs: Queue, workers: int, patience_s: float = 3600.0
) -> Generator[Result, None, None]:
    """Results as they come; the caller may `put` further jobs before it asks for the next.

    A job that takes longer than `patience_s` counts as one that died. What `work` raises stops
    everything and is raised here.
    """
    crew: list[_Worker] = []
    crashes: Counter[str] = Counter()
    said = TemporaryDirectory(prefix="workers-")
    hired = (_Worker(work, Path(said.name) / str(number)) for number in count())
    try:
        while True:
            _employ(crew, hired, jobs, workers)
            busy = [worker for worker in crew if worker.job is not None]
            if not busy:
                return
            ready = wait([worker.pipe for worker in busy], _LOOK_EVERY_S)
            for worker in busy:
                late = time.monotonic() - worker.since_s > patience_s
                if worker.pipe not in ready and not late:
                    continue
                result = _result(worker, crew, crashes, jobs, late and worker.pipe not in ready)
                if result is not None:
                    yield result
    finally:
        for worker in crew:
            worker.process.kill()
        for worker in crew:
            worker.end()
        said.cleanup()


def _employ(crew: list[_Worker], hired: Iterator[_Worker], jobs: Queue, workers: int) -> None:
    """Gives every idle worker a job; starts workers only for jobs."""
    while True:
        idle = next((worker for worker in crew if worker.job is None), None)
        if idle is None and len(crew) >= workers:
            return
        job = jobs.take()
        if job is None:
            return
        if idle is None:
            idle = next(hired)
            crew.append(idle)
        try:
            idle.give(job)
        except OSError:  # killed while it had nothing to do
            crew.remove(idle)
            idle.end()
            jobs.put([job])


def _result(
    worker: _Worker, crew: list[_Worker], crashes: Counter[str], jobs: Queue, late: bool
) -> Result | None:
    """What came of a worker's job; None where it is tried again."""
    job = worker.job
    assert job is not None
    try:
        if late:
            raise EOFError
        answer = worker.pipe.recv()
    except (EOFError, OSError):
        crew.remove(worker)
        code = worker.end()
        why = worker.why(code)
        crashes[job.key] += 1
        if crashes[job.key] < ATTEMPTS:
            jobs.put([job])
            return None
        return job, Crash("it took too long" if late else why)
    worker.job = None
    if isinstance(answer, Exception):
        raise answer
    return job, answer


def cores() -> int:
    """How many processes this machine can feed."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
