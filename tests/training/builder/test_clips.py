"""One clip at a time: a film that shows nobody is left out, a broken MediaPipe stops everything."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from d2m_core.errors import PoseError, PoseModelError
from d2m_core.media import save_audio
from tests.media import make_clip
from training.builder import clips, gates
from training.builder.cutting import Cut
from training.builder.jobs import Job
from training.builder.work import work

from . import workers
from .films import beat


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A clip of stripes with music under it."""
    video = make_clip(tmp_path / "stripes.mp4", duration_s=2.4)
    music = save_audio(beat(2.4), tmp_path / "beat.wav")
    plain = workers.job("stripes", tmp_path / "store")
    return replace(
        plain, recording=replace(plain.recording, video=video, music=music), piece=Cut(0, 0.0, 2.0)
    )


def test_a_film_of_nobody_is_left_out(job: Job) -> None:
    outcome = work(job).outcome
    assert outcome is not None
    assert outcome.reason == gates.NOBODY


def test_why_poses_are_missing_does_not_go_by_how_the_error_was_raised(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_args: object) -> None:
        raise PoseError("Nobody here.") from ValueError("a reason")

    monkeypatch.setattr(clips, "estimate_poses", nobody)
    outcome = work(job).outcome
    assert outcome is not None
    assert outcome.reason == gates.NOBODY


def test_a_mediapipe_that_cannot_run_stops_the_build(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)  # its import fails
    with pytest.raises(PoseModelError, match="MediaPipe cannot be loaded"):
        work(job)
    assert job.context.store.outcome(job.key) is None
