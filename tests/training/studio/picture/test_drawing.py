"""Drawn scenes: right frames and files, people where they should be, found by MediaPipe."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.band import make_plan
from d2m_core.errors import D2MError, MediaError
from d2m_core.media import open_clip
from d2m_core.pose import estimate_poses, pose_model
from d2m_core.types import Waveform
from training.studio.picture.drawing import demo_dance, draw_scene, main, render_scene
from training.studio.picture.film import CLEAN, Film, developed, random_film
from training.studio.picture.look import random_look
from training.studio.picture.painter import Painter
from training.studio.picture.room import Room
from training.studio.stage.camera import Camera
from training.studio.stage.scene import stage
from training.studio.stage.shot import Shot


def test_frames_and_files(tmp_path: Path) -> None:
    made = demo_dance(7, 118.0, 1.0, 25.0)
    frames = list(draw_scene(made, 160, 90, 12.5))
    assert len(frames) in (12, 13)
    assert frames[0].shape == (90, 160, 3)
    assert np.abs(frames[0].astype(int) - frames[6]).max() > 40, "nobody moves"
    tone = Waveform(0.1 * torch.ones(1, 1, 24000), 24000)
    path = render_scene(made, tmp_path / "a.mp4", 160, 90, 25.0, tone)
    clip = open_clip(path)
    assert clip.has_audio
    assert clip.duration_s == pytest.approx(1.0, abs=0.05)
    with pytest.raises(MediaError):
        render_scene(made, tmp_path / "a.mp4" / "b.mp4", 160, 90, 25.0)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_the_same_scene_is_drawn_the_same() -> None:
    film = Film(grain=0.03, flicker=0.1, shutter=0.5, softness=2.0)
    one, again = (
        list(draw_scene(stage(make_plan(3, 1.0), 3, 2, shot=Shot(crowd=True)), 96, 54, 5.0, film))
        for _ in range(2)
    )
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one, again, strict=True))


def test_the_clothes_are_where_the_joints_are() -> None:
    """Chest and thighs have the colours of the look, whatever the camera does."""
    shot = Shot(moves=("handheld", "zoom", "tilt", "arc"))
    for seed in (4, 9):
        scene = stage(make_plan(seed, 2.0), seed, shot=shot)
        look, height = random_look(scene.dances[0].seed), 180
        painter = Painter(scene, 320, height)
        hits = 0
        for frame in range(0, 50, 10):
            picture = painter.paint(frame / 25)
            chest = scene.poses.image[frame, 0, [11, 12, 23, 24]].mean(0) * height
            patch = picture[int(chest[1]), int(chest[0])]
            hits += bool(_angle(patch, look.top) < 0.15 or _angle(patch, look.skin) < 0.15)
        assert hits >= 4


def _angle(a: np.ndarray, b: tuple[float, ...]) -> float:
    """Between two colours, radians."""
    cosine = np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.arccos(np.clip(cosine, -1, 1)))


def test_the_room_moves_with_the_camera() -> None:
    """A white patch on a black wall is where the camera says it is; so is the floor's edge."""
    room = Room(random_look(1), 1, 2.0, 180)
    room.wall[:] = 0
    room.floor[:] = 128
    ppm = room.wall.shape[0] / 4.2
    row, column = int((4.2 - 1.6) * ppm), int((11.0 - 0.4) * ppm)
    room.wall[row - 8 : row + 8, column - 8 : column + 8] = 255
    cameras = [
        Camera((0.0, -1.2, -4.0), (0.0, 0.05, 0.0), 1.2),
        Camera((0.6, -1.0, -3.0), (-0.15, 0.0, 0.1), 1.4),
    ]
    for camera in cameras:
        picture = room.seen(camera, 320, 180).mean(-1)
        patch, beside = ([-0.4, -1.6, 2.0], [-0.4, -1.2, 2.0])
        assert picture[_pixel(camera, patch)] > 0.8
        assert picture[_pixel(camera, beside)] < 0.05
        assert picture[_pixel(camera, [-0.4, -0.1, 2.0])] < 0.05
        assert 0.3 < picture[_pixel(camera, [-0.4, 0.0, 1.8])] < 0.7


def _pixel(camera: Camera, point: list[float]) -> tuple[int, int]:
    x, y = camera.project(np.array([point]))[0] * 180
    return int(y), int(x)


def test_nearer_people_and_things_cover_farther_ones() -> None:
    scene = stage(make_plan(3, 1.0), 3, shot=Shot(occluders=("box",)))
    free = stage(make_plan(3, 1.0), 3, shot=Shot())
    box = scene.occluders[0]
    middle = scene.camera.at(0).project(box.foot[0] - [0, box.height_m / 2, 0]) * 180
    row, column = int(np.clip(middle[1], 0, 179)), int(np.clip(middle[0], 0, 319))
    with_box, without = (Painter(s, 320, 180).paint(0.0) for s in (scene, free))
    assert np.abs(with_box[row, column] - without[row, column]).max() > 0.05


def test_films_differ_and_the_default_changes_nothing() -> None:
    picture = np.full((8, 8, 3), 0.5, np.float32)
    assert np.array_equal(developed(picture, CLEAN, 0, 1), np.full((8, 8, 3), 128, np.uint8))
    assert developed(picture, Film(exposure=0.5), 0, 1).mean() == pytest.approx(64, abs=1)
    assert developed(picture, Film(grain=0.05), 0, 1).std() > 5
    films = [random_film(seed) for seed in range(60)]
    assert 0.2 < np.mean([film == CLEAN for film in films]) < 0.55
    assert len(set(films)) > 30


def test_command_line_writes_clip_and_truth(tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    size = ["--width", "160", "--height", "90", "--fps", "15"]
    assert main(["--seed", "3", "--tempo", "120", "--seconds", "2", "--out", str(out), *size]) == 0
    assert out.stat().st_size > 1000
    note = json.loads((tmp_path / "clip.json").read_text())
    assert note["tempo_bpm"] == 120.0
    assert np.diff(note["beats_s"]) == pytest.approx(0.5, abs=0.02)
    assert len(note["downbeats"]) == len(note["beats_s"])
    assert {"seed", "duration_s", "moves", "style", "sections", "hits"} <= set(note)


@pytest.mark.parametrize("shot", [Shot(), Shot(aspect=9 / 16, moves=("handheld",)), Shot(crop="knees")])
def test_mediapipe_finds_the_dancer(shot: Shot, tmp_path: Path) -> None:
    try:
        pose_model("full")
    except D2MError as error:
        pytest.skip(f"no pose model: {error}")
    made = stage(make_plan(7, 2.0, "house", 118.0), 7, shot=shot)
    width = 480 if shot.aspect > 1 else 202
    clip = open_clip(render_scene(made, tmp_path / "a.mp4", width, 2 * round(width / shot.aspect / 2)))
    seen = estimate_poses(clip, "full", max_gap_s=0.0)
    assert seen.present.mean() >= 0.98
    frames = min(seen.frames, made.poses.frames)
    error = np.linalg.norm(seen.image[:frames, 0] - made.poses.image[:frames, 0], axis=-1)
    known = made.poses.visibility[:frames, 0] > 0.5
    assert np.median(error[known & seen.present[:frames]]) < 0.025
