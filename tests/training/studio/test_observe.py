"""What MediaPipe sees in drawn clips: kept by what made it, and never where it cannot run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from d2m_core.errors import PoseModelError
from d2m_core.pose.model_file import model_folder
from training.studio import observe
from training.studio.observe import VARIANTS, observation

pytestmark = pytest.mark.skipif(
    not all((model_folder() / f"pose_landmarker_{v}.task").exists() for v in VARIANTS),
    reason="the pose models are not on this machine",
)


def test_without_mediapipe_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)  # its import fails
    with pytest.raises(PoseModelError, match="MediaPipe cannot be loaded"):
        observation(0, 7, 1.0, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_clip_is_looked_at_once_and_anew_for_another_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other_code: Callable[[], None]
) -> None:
    first = observation(0, 7, 1.0, tmp_path)
    assert set(first.found) == set(VARIANTS)
    assert first.truth.frames == 25
    there = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    observation(0, 7, 1.0, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == there
    monkeypatch.setattr(observe, "estimator", lambda variant: {"model": f"another {variant}"})
    observation(0, 7, 1.0, tmp_path)
    other_code()
    observation(0, 7, 1.0, tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 3
