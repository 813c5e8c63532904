"""Pictures: right size, ink where it belongs, whole files."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from d2m_core.errors import Cancelled, MediaError
from d2m_core.media import open_clip
from d2m_core.motion import Accents
from d2m_core.pictures import draw_skeleton, overlay_video, rhythm_picture, save_png
from d2m_core.pictures.skeleton import draw_accents
from d2m_core.types import LANDMARKS, PoseSequence, Rhythm, Waveform


def standing(frames: int) -> PoseSequence:
    points = np.stack([np.linspace(0.5, 0.8, LANDMARKS), np.linspace(0.1, 0.9, LANDMARKS)], axis=-1)
    image = np.broadcast_to(points.astype(np.float32), (frames, 1, LANDMARKS, 2)).copy()
    present = np.ones((frames, 1), np.bool_)
    present[frames // 2 :] = False
    visibility = np.ones((frames, 1, LANDMARKS), np.float32)
    world = np.zeros((frames, 1, LANDMARKS, 3), np.float32)
    return PoseSequence(world, image, visibility, present)


def two_seconds(beats: int = 4) -> Rhythm:
    curves = np.random.default_rng(0).uniform(size=(50, 2)).astype(np.float32)
    downbeats = np.arange(beats) % 4 == 0
    return Rhythm(np.arange(beats) * 0.5, downbeats, curves, tempo_bpm=120.0)


def test_a_skeleton_is_drawn_on_a_copy_and_fades_with_visibility() -> None:
    rgb = np.full((240, 320, 3), 128, np.uint8)
    points = standing(1).image[0, 0]
    change = []
    for seen in (0.0, 0.3, 1.0):
        drawn = draw_skeleton(rgb, points, np.full(LANDMARKS, seen, np.float32))
        assert drawn.shape == rgb.shape
        change.append(np.abs(drawn.astype(int) - 128).sum())
    assert (rgb == 128).all()
    assert change[0] == 0
    assert 0 < change[1] < 0.7 * change[2]


@pytest.mark.parametrize("far", [1e3, -1e3, 1e7])
def test_joints_far_outside_the_picture_do_no_harm(far: float) -> None:
    points = standing(1).image[0, 0].copy()
    points[15] = far
    drawn = draw_skeleton(np.zeros((48, 64, 3), np.uint8), points, np.ones(LANDMARKS, np.float32))
    assert drawn.any()


@pytest.mark.parametrize("rhythm", [None, two_seconds(), two_seconds(beats=0)], ids=str)
def test_the_overlay_shows_the_dancer_while_they_are_there(
    make_clip: Callable[..., Path], tmp_path: Path, rhythm: Rhythm | None
) -> None:
    path = make_clip(width=130, height=98, paint=lambda *_: np.full((98, 130, 3), 90, np.uint8))
    seen: list[tuple[int, int]] = []
    out = tmp_path / "new" / "overlay.mp4"
    clip, poses = open_clip(path), standing(50)
    overlay_video(clip, poses, out, rhythm, lambda *progress: seen.append(progress))
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert stream.codec_context.name == "h264"
        assert float(stream.average_rate) == 25.0
    assert len(frames) == 50
    assert frames[0].shape == (98, 130, 3)
    assert seen[-1] == (50, 50)
    spread = [frame[20:80].astype(int).std() for frame in frames]  # above the beat bar
    assert min(spread[:24]) > 2 * max(spread[26:])
    bar = np.abs(frames[40][-8:].astype(int) - 90).mean()
    assert (bar > 20) == (rhythm is not None)


def test_a_cancelled_overlay_leaves_nothing(make_clip: Callable[..., Path], tmp_path: Path) -> None:
    def cancel(frame: int, _frames: int) -> None:
        if frame == 5:
            raise Cancelled("stop")

    out = tmp_path / "out" / "overlay.mp4"
    with pytest.raises(Cancelled):
        overlay_video(open_clip(make_clip()), standing(50), out, on_progress=cancel)
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["overlay.xyz", "overlay"])
def test_an_overlay_with_a_strange_name_is_refused(
    make_clip: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    with pytest.raises(MediaError, match=r"\.mp4, \.mov, \.mkv"):
        overlay_video(open_clip(make_clip()), standing(50), tmp_path / "out" / name)
    assert not (tmp_path / "out").exists()


def one_accent(
    strength: float = 1.0, joints: tuple[tuple[int, ...], ...] = ((15,),), at_s: float = 0.4
) -> Accents:
    return Accents(np.array([at_s]), np.array([strength], np.float32), ("brake",), joints)


def test_an_accent_flashes_at_its_joint_wider_when_strong_and_is_gone_soon() -> None:
    rgb, points = np.zeros((240, 320, 3), np.uint8), standing(1).image[0, 0]
    points[[11, 12], 1] = 0.2
    drawn = {
        (strength, late): draw_accents(rgb, points, one_accent(strength), 0.4 + late)
        for strength in (0.4, 1.0)
        for late in (-0.04, 0.0, 0.1, 0.21)
    }
    assert not drawn[1.0, -0.04].any()
    assert not drawn[1.0, 0.21].any()
    assert drawn[1.0, 0.1].max() < drawn[1.0, 0.0].max()
    rows = {key: np.flatnonzero(one.any(axis=(1, 2))) for key, one in drawn.items()}
    assert np.mean(rows[1.0, 0.0][[0, -1]]) == pytest.approx(240 * points[15, 1], abs=2)
    assert np.ptp(rows[1.0, 0.0]) > 1.5 * np.ptp(rows[0.4, 0.0])
    assert np.ptp(rows[1.0, 0.1]) > np.ptp(rows[1.0, 0.0])


@pytest.mark.parametrize("joints", [(), ((11, 12, 23, 24),)], ids=str)
def test_an_accent_of_the_trunk_or_of_nobody_knows_what_is_drawn_around_the_trunk(
    joints: tuple[tuple[int, ...], ...],
) -> None:
    rgb, points = np.zeros((240, 320, 3), np.uint8), standing(1).image[0, 0]
    rows = np.flatnonzero(draw_accents(rgb, points, one_accent(joints=joints), 0.4).any(axis=(1, 2)))
    middle = points[[11, 12, 23, 24], 1].mean() * 240
    assert np.mean(rows[[0, -1]]) == pytest.approx(middle, abs=2)


@pytest.mark.parametrize("far", [1e3, -1e7])
def test_accents_far_outside_the_picture_do_no_harm(far: float) -> None:
    points = np.full((LANDMARKS, 2), far, np.float32)
    rgb = np.zeros((48, 64, 3), np.uint8)
    assert not draw_accents(rgb, points, one_accent(), 0.4).any()


def test_the_overlay_shows_accents(make_clip: Callable[..., Path], tmp_path: Path) -> None:
    path = make_clip(width=130, height=98, paint=lambda *_: np.full((98, 130, 3), 90, np.uint8))
    clip, sums = open_clip(path), []
    for accents in (None, one_accent(at_s=0.4)):
        out = tmp_path / "overlay.mp4"
        overlay_video(clip, standing(50), out, accents=accents)
        with av.open(str(out)) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        sums.append(np.array([frame[..., 0].sum(dtype=int) for frame in frames]))
    change = np.abs(sums[1] - sums[0])
    assert change[10:13].min() > 3 * max(change[:9].max(), change[20:].max())


def tone(seconds: float) -> Waveform:
    times = torch.arange(int(seconds * 8000)) / 8000
    return Waveform(torch.sin(2 * torch.pi * 440 * times)[None, None], 8000)


def columns_with(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    near = np.abs(picture.astype(int) - colour).max(axis=-1) < 60
    return np.flatnonzero(near.mean(axis=0) > 0.3)


def test_the_rhythm_picture_shows_downbeats_where_they_are() -> None:
    beats_s = np.array([0.25, 0.75, 1.25, 1.75])
    downbeats = np.array([False, False, True, False])
    rhythm = Rhythm(beats_s, downbeats, np.zeros((50, 2), np.float32), 120.0)
    picture = rhythm_picture(rhythm, width=1000, height=400)
    assert picture.shape == (400, 1000, 3)
    assert picture.dtype == np.uint8
    gold = columns_with(picture, (255, 190, 60))
    left, right = 0.055 * 1000, 0.985 * 1000
    assert len(gold) > 0
    assert np.abs(gold - (left + (right - left) * 1.25 / 2)).max() < 4


def test_the_rhythm_picture_marks_accents_large_where_strong() -> None:
    accents = Accents(np.array([0.5, 1.5]), np.array([0.3, 1.0], np.float32), ("clap", "brake"))
    rhythm = Rhythm(np.zeros(0), np.zeros(0, bool), np.zeros((50, 2), np.float32), 120.0)
    picture = rhythm_picture(rhythm, accents=accents, width=1000, height=400)
    below = picture[120:].astype(int)  # the legend is above
    pink = np.flatnonzero((np.abs(below - (255, 70, 190)).max(axis=-1) < 40).any(axis=0))
    left, right = 0.055 * 1000, 0.985 * 1000
    weak, strong = (pink[np.abs(pink - (left + (right - left) * at_s / 2)) < 12] for at_s in (0.5, 1.5))
    assert 0 < len(weak) < len(strong)
    assert len(weak) + len(strong) == len(pink)


@pytest.mark.parametrize("seconds", [0.0, 0.001, 2.0, 5.0])
def test_the_rhythm_picture_takes_any_sound_and_no_beats(seconds: float) -> None:
    plain = rhythm_picture(two_seconds(0), tone(seconds), np.array([0.1, 1.0]), title="Ünïcode")
    assert plain.shape == (600, 1400, 3)
    assert plain.std() > 5


def test_pictures_are_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    path = save_png(rgb, tmp_path / "a" / "picture.png")
    np.testing.assert_array_equal(np.asarray(Image.open(path)), rgb)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))
    try:
        with pytest.raises(MediaError, match="could not be written"):
            save_png(rgb, tmp_path / "a" / "second.png")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [file.name for file in path.parent.iterdir()] == ["picture.png"]
