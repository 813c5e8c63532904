"""A row's work as a job: what it knows, how its time is counted, how it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from d2m_core.errors import PoseError, SettingError
from d2m_core.types import PoseSequence
from training.sources import Recording, SourceOptions, given_poses

from .cutting import Cut
from .records import Outcome, Plan, Store, clip_name
from .settings import ClipSettings


@dataclass(frozen=True)
class Context:
    """What all jobs of a run share; small, since it travels with each."""

    store: Store
    cache: Path
    """Folder of downloaded videos."""
    options: SourceOptions
    settings: ClipSettings


@dataclass(frozen=True)
class Job:
    """One recording to cut, or one of its clips to make."""

    context: Context
    recording: Recording
    piece: Cut | None = None

    @property
    def key(self) -> str:
        """Names the job in a run."""
        name = self.recording.name
        return name if self.piece is None else clip_name(name, self.piece.number)


Seconds = dict[str, tuple[float, float]]
"""Step -> wall-clock and CPU time that it took."""


@dataclass
class Done:
    """What a worker sends back."""

    plan: Plan | None = None
    outcome: Outcome | None = None
    seconds: Seconds = field(default_factory=dict)


def fail(job: Job, done: Done, reason: str, detail: str) -> None:
    """Notes that a job came to nothing."""
    detail = " ".join(detail.split())[:300]
    if job.piece is None:
        done.plan = Plan(reason=reason, detail=detail)
        job.context.store.write_plan(job.key, done.plan)
    else:
        done.outcome = Outcome(reason, detail)
        job.context.store.write_outcome(job.key, done.outcome)


def until(recording: Recording, end_s: float) -> float:
    """Where a recording ends in a medium that ends at `end_s`."""
    return end_s if recording.end_s is None else min(recording.end_s, end_s)


def takes_given(job: Job) -> bool:
    """Whether the poses that the recording brings are used, rather than its pictures."""
    recording = job.recording
    blind = recording.video is None and not recording.url
    return recording.poses is not None and (blind or job.context.settings.seeing.poses == "given")


def read_poses(recording: Recording) -> PoseSequence:
    """The poses that a recording brings; `PoseError` too where its file is of no use."""
    try:
        return given_poses(recording)
    except SettingError as error:
        raise PoseError(str(error)) from error


@contextmanager
def timed(seconds: Seconds, step: str) -> Iterator[None]:
    """Adds the time of the `with` to a step's."""
    start, cpu = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        add(seconds, step, time.perf_counter() - start, time.process_time() - cpu)


def add(seconds: Seconds, step: str, wall_s: float, cpu_s: float) -> None:
    """Adds time to a step's."""
    before = seconds.get(step, (0.0, 0.0))
    seconds[step] = before[0] + wall_s, before[1] + cpu_s
