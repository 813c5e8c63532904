"""The sets of `training.evaluate rhythm` and its command, small."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from d2m_core.errors import PoseError, SettingError
from d2m_core.grid import steady_beats, tempo_of
from d2m_core.media import save_audio
from d2m_core.motion import extract_motion
from d2m_core.pose.model_file import model_folder
from tests.tiny_models import write_rhythm
from training.evaluate import main
from training.scoreboard.music.making import clicks
from training.scoreboard.rhythm_sets import (
    case_of,
    clip_cases,
    drawn_dance,
    melody_cases,
    read_back,
    studio_cases,
)
from training.sources.melody import JOINT_OF, captured_poses, dances_in
from training.studio.picture.drawing import demo_dance, render_scene

JOINTS = 23

needs_poses = pytest.mark.skipif(
    not (model_folder() / "pose_landmarker_full.task").exists(),
    reason="the pose model is not on this machine",
)


def write_dance(folder: Path, name: str, joints: np.ndarray, seconds: float) -> Path:
    centre = np.zeros((len(joints), 3), np.float32)
    centre[:, 0], centre[:, 1] = np.linspace(0, 100, len(joints)), 90
    path = folder / f"{name}.npz"
    np.savez(path, joints=joints.astype(np.float16), center=centre, span_s=seconds)
    path.with_suffix(".opus").touch()
    return path


def standing(frames: int) -> np.ndarray:
    """Someone in the set's layout, in centimetres, y up; joint 6 waves."""
    heights = {
        0: 60, 1: 62, 2: 15, 3: 45, 4: 20, 6: -5, 7: 0, 8: -45, 9: -78, 10: -84, 11: -86,
        12: 45, 13: 20, 15: -5, 16: 0, 17: -45, 18: -78, 19: -84, 20: -86,
    }  # fmt: skip
    joints = np.zeros((frames, JOINTS, 3))
    for joint, height in heights.items():
        joints[:, joint] = ((joint in range(3, 12)) * 30 - 15, height, 0)
    joints[:, 6, 1] += 20 * np.sin(np.arange(frames) / 25 * 2 * np.pi)
    return joints


def test_studio_cases_repeat_and_know_their_beats() -> None:
    first, again = (list(studio_cases(2, 6.0)) for _ in range(2))
    assert [case.name for case in first] == ["11000000", "11000001"]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.motion.values, other.motion.values)
        assert one.beats_s is not None
        assert one.downbeats_s is not None
        assert set(one.downbeats_s) <= set(one.beats_s)
        assert one.duration_s == pytest.approx(6.0, abs=0.1)


def test_captured_joints_become_landmarks(tmp_path: Path) -> None:
    path = write_dance(tmp_path, "D_1", standing(248), 10.0)
    poses = captured_poses(path)
    assert poses.fps == pytest.approx(24.8)
    assert set(np.flatnonzero(poses.visibility[0, 0])) == set(JOINT_OF)
    head, ankle = poses.image[:, 0, 0, 1], poses.image[:, 0, 27, 1]
    assert (head < ankle).all()  # y points down
    assert np.ptp(poses.image[:, 0, 23, 0]) == pytest.approx(1 / 2.4, abs=0.01)  # a metre's walk
    assert np.ptp(poses.world[:, 0, 16, 1]) == pytest.approx(0.4, abs=0.02)
    assert captured_poses(path, most_s=4.0).duration_s == pytest.approx(4.0, abs=0.05)
    assert extract_motion(poses).values[:, 0].all()


def test_melody_has_the_beats_of_its_song_and_a_loose_clock(tmp_path: Path) -> None:
    song = write_dance(tmp_path, "D_1", standing(250), 10.0).with_suffix(".opus")
    save_audio(clicks(steady_beats(110, 8.0), 8.0), tmp_path / "song.wav").replace(song)
    (case,) = melody_cases(tmp_path, tmp_path / "kept")
    assert case.loose
    assert case.beats_s is not None
    assert tempo_of(case.beats_s) == pytest.approx(110, rel=0.03)
    assert case.downbeats_s is None


@needs_poses
def test_silent_clips_are_scored_on_accents_alone_and_poses_kept_by_the_film(
    tmp_path: Path, other_code: Callable[[], None]
) -> None:
    for number, folder in enumerate("ab"):
        (tmp_path / folder).mkdir()
        render_scene(demo_dance(number, 120.0, 1.0, 25.0), tmp_path / folder / "mute.mp4")
    (one,), (other,), (again,) = (clip_cases(tmp_path / f, tmp_path / "kept") for f in "aba")
    assert one.beats_s is None
    assert not one.loose
    np.testing.assert_array_equal(one.motion.values, again.motion.values)
    assert not np.array_equal(one.motion.values, other.motion.values), "films of one name are two films"
    other_code()
    list(clip_cases(tmp_path / "a", tmp_path / "kept"))
    assert len(list((tmp_path / "kept").glob("*.npz"))) == 3


@needs_poses
def test_a_scene_that_is_drawn_otherwise_is_read_back_anew(
    tmp_path: Path, other_code: Callable[[], None]
) -> None:
    scene = drawn_dance(0, 1, 1.0)
    first = read_back(scene, tmp_path)
    np.testing.assert_array_equal(read_back(scene, tmp_path).world, first.world)
    assert len(list(tmp_path.iterdir())) == 2
    other_code()
    read_back(scene, tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 2


def test_other_folders_and_layouts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no dances"):
        dances_in(tmp_path)
    path = write_dance(tmp_path, "D_1", np.zeros((9, 17, 3)), 1.0)
    with pytest.raises(PoseError, match="23"):
        captured_poses(path)


def test_one_beat_is_no_reference(tmp_path: Path) -> None:
    poses = captured_poses(write_dance(tmp_path, "D_1", standing(100), 4.0))
    case = case_of("one", poses, np.array([1.0]), np.array([1.0]))
    assert case.beats_s is None
    assert case.downbeats_s is None


def test_the_command_writes_tables_rows_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, out = tmp_path / "rhythm.safetensors", tmp_path / "out"
    write_rhythm(weights)
    command = ["--out", str(out), "rhythm", "--sets", "studio", "--studio-dances", "3"]
    assert main([*command, "--seconds", "4", "--weights", str(weights)]) == 0
    printed = capsys.readouterr().out
    for words in ("studio", "beat F", "accents on an eighth", "other clip", "calibration error"):
        assert words in printed
    report = json.loads((out / "rhythm.json").read_text())
    assert len(report["studio"]["cases"]) == 3
    assert (out / "rhythm_reliability.png").exists()


def test_a_set_without_its_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path), "rhythm", "--sets", "melody"]) == 1
    assert "--melody DIR" in capsys.readouterr().err
