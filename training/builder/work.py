"""The steps from a recording to its clips, by the functions that inference uses.

`work` carries out a job in whatever process, and leaves its result in the store. It returns little,
and never raises for what is wrong with one recording: only for what stops all of them.
"""

from __future__ import annotations

import errno

from d2m_core.errors import D2MError, MediaError, ModelError, SettingError
from d2m_core.media import open_clip
from training.sources import fetch

from . import gates
from .clips import make_clip
from .cutting import cut, find_shots
from .jobs import Done, Job, fail, read_poses, takes_given, timed, until
from .records import Plan, rounded

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


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
                f"{job.context.store.folder} cannot be written ({error.strerror}); make room and run again."
            ) from error
        fail(job, done, gates.UNREADABLE, str(error))
    except Exception as error:  # a video may break anything; the others go on
        fail(job, done, gates.FAILED, f"{type(error).__name__}: {error}")
    return done


def _carry_out(job: Job, done: Done) -> None:
    store = job.context.store
    if job.piece is None:
        done.plan = store.plan(job.recording) or _plan(job, done)
        store.write_plan(job.key, done.plan)
    else:
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
