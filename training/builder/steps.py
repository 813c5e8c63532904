"""The steps from a recording to its clips, by the functions that inference uses.

`work` carries out a job in whatever process, and leaves its result in the store. It returns little,
and never raises for what is wrong with one recording: only for what stops all of them.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from d2m_core.errors import D2MError, MediaError, ModelError, PoseError, SettingError
from d2m_core.types import PoseSequence
from d2m_core.video import open_clip
from training.sources import SourceOptions, fetch, given_poses
from training.sources.recording import Recording

from . import gates
from .cutting import Cut, cut, find_shots
from .records import Outcome, Plan, Store, clip_name, rounded
from .settings import ClipSettings

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


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


def work(job: Job) -> Done:
    """Carries out a job and notes what came of it. Raises `D2MError` for what stops all jobs."""
    done = Done()
    try:
        _carry_out(job, done)
    except (SettingError, ModelError):
        raise
    except D2MError as error:
        fail(job, done, gates.UNREADABLE, str(error))
    except OSError as error:
        if error.errno in _NO_ROOM or str(job.context.store.folder) in str(error.filename):
            raise SettingError(
                f"{job.context.store.folder} cannot be written ({error.strerror}); make room and"
                " run again."
            ) from error
        fail(job, done, gates.UNREADABLE, str(error))
    except Exception as error:  # a video may break anything; the others go on
        fail(job, done, gates.FAILED, f"{type(error).__name__}: {error}")
    return done


def fail(job: Job, done: Done, reason: str, detail: str) -> None:
    """Notes that a job came to nothing."""
    detail = " ".join(detail.split())[:300]
    if job.piece is None:
        done.plan = Plan(reason=reason, detail=detail)
        job.context.store.write_plan(job.key, done.plan)
    else:
        done.outcome = Outcome(reason, detail)
        job.context.store.write_outcome(job.key, done.outcome)


def _carry_out(job: Job, done: Done) -> None:
    store = job.context.store
    if job.piece is None:
        done.plan = store.plan(job.recording) or _plan(job, done)
        store.write_plan(job.key, done.plan)
    else:
        from .clips import make_clip  # MediaPipe and torch: only for this

        done.outcome = store.outcome(job.key) or rounded(make_clip(job, done.seconds))
        store.write_outcome(job.key, done.outcome)


def _plan(job: Job, done: Done) -> Plan:
    recording, how = job.recording, job.context.settings.cutting
    if takes_given(job):  # whoever made them saw one shot
        poses = read_poses(recording)
        seconds = until(recording, poses.duration_s) - recording.start_s
        return Plan(round(seconds, 3), tuple(cut(seconds, (), how)))
    with timed(done.seconds, "fetch"):
        try:
            path = fetch(recording, job.context.cache, job.context.options)
        except MediaError as error:
            return Plan(reason=gates.NOT_FETCHED, detail=str(error))
    with timed(done.seconds, "shots"):
        clip = open_clip(path, recording.start_s)
        seconds = until(recording, recording.start_s + clip.duration_s) - recording.start_s
        clip = open_clip(path, recording.start_s, seconds)
        shots = [] if how.shots == "ignore" else find_shots(clip)
    cuts = cut(clip.duration_s, shots, how)
    return Plan(round(clip.duration_s, 3), tuple(cuts), tuple(round(s, 3) for s in shots))


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


def lacks_poses(error: PoseError) -> bool:
    """Whether a clip shows nobody, rather than MediaPipe missing from this machine."""
    return error.__cause__ is None


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
