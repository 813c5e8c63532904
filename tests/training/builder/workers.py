"""What workers do in tests of the engines: nothing real, but they may die of it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from d2m_core.errors import SettingError
from training.builder.jobs import Context, Job
from training.builder.records import Store
from training.builder.settings import ClipSettings
from training.sources import Recording, SourceOptions


def job(name: str, folder: Path) -> Job:
    """A job that only its name matters of."""
    context = Context(Store(folder), folder, SourceOptions(folder), ClipSettings())
    return Job(context, Recording(name, "folder", video=folder / "none.mp4"))


def work(job: Job) -> str:
    """Ends its process as the job's name says: always, or the first time."""
    marker = job.context.cache / f"{job.key}.tried"
    tries = len(marker.read_text()) if marker.exists() else 0
    marker.write_text("x" * (tries + 1))
    if job.key == "deadly" or (job.key == "once" and tries == 0):
        os.kill(os.getpid(), signal.SIGKILL)
    if job.key == "talker":
        sys.stderr.write("the library fell over\n")
        sys.stderr.flush()
        os._exit(7)
    if job.key == "fatal":
        raise SettingError("No room.")
    return job.key.upper()
