"""The data sets' readers, each on a small sample made to the letter of its format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from d2m_core.errors import PoseError, SettingError
from d2m_core.motion import extract_motion
from d2m_core.types import PoseSequence
from training.sources import Recording, SourceOptions, Unreadable, given_poses, recordings
from training.sources.aist_names import parse_name
from training.sources.splits import assign_splits, check_leaks

from .samples import (
    BM,
    OTHER,
    aist_annotations,
    body25_pixels,
    coco_pixels,
    coco_room,
    smpl_rows,
    write_lines,
    write_npy,
    write_pickle,
    write_tone,
)

SHARED = Path(__file__).parents[4] / "shared" / "data" / "dance_with_melody"
LEFT_SHOULDER, LEFT_WRIST, LEFT_ELBOW = 11, 15, 13


def read(source: str, root: Path, **given: object) -> tuple[list[Recording], list[Unreadable]]:
    found = list(recordings(source, SourceOptions(root, **given)))  # type: ignore[arg-type]
    assert [str(one) for one in found] == [
        str(one)
        for one in recordings(source, SourceOptions(root, **given))  # type: ignore[arg-type]
    ]
    rows = [one for one in found if isinstance(one, Recording)]
    assert len({one.name for one in rows}) == len(rows)
    return rows, [one for one in found if isinstance(one, Unreadable)]


def check_waving(poses: PoseSequence, fps: float, frames: int) -> None:
    """Someone upright who faces us and whose left wrist waves twice a second."""
    assert (poses.fps, poses.frames) == (pytest.approx(fps), frames)
    world = poses.world[:, 0]
    assert (world[:, LEFT_SHOULDER, 0] > 0.1).all()  # our right
    assert (world[:, LEFT_SHOULDER, 1] < -0.4).all()  # y down, hips at 0
    wrist = world[:, LEFT_WRIST, 1] - world[:, LEFT_WRIST, 1].mean()
    peak = np.abs(np.fft.rfft(wrist)).argmax() * fps / frames
    assert peak == pytest.approx(2.0, abs=fps / frames)
    assert 0.1 < np.abs(wrist).max() < 0.3
    assert np.isfinite(extract_motion(poses).values).all()


@pytest.mark.parametrize(
    "name",
    [
        "gBR_sBM_c10_d04_mBR0_ch01",
        "gBR_sGR_c01_d04_mBR0_ch01",
        "gXX_sBM_c01_d04_mBR0_ch01",
        "gBR_sBM_c01_d04_mBR0_ch1",
        "gBR_sBM_call_d04_mBR0_ch01",
        "gBR_sBM_c01_d04_mBR0_ch01_x",
    ],
)
def test_odd_aist_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="AIST"):
        parse_name(name)


def test_aist_keypoints_with_the_users_music(tmp_path: Path) -> None:
    ignored, odd = "gLO_sBM_cAll_d13_mLO0_ch10", "gBR_sBM_cAll_d04_mBR1_ch02"
    root = aist_annotations(tmp_path / "aist", BM, OTHER, ignored, odd)
    music = write_tone(tmp_path / "music" / "mBR0.wav", 0.1).parent
    (music / "mHO5.mp3").write_bytes(b"")
    rows, bad = read("aist", root, music=music)
    assert [(r.name, r.song, r.performance, r.split, r.style) for r in rows] == [
        (BM, "mBR0", BM, "train", "break"),
        (OTHER, "mHO5", OTHER, "val", "house"),
    ]
    assert rows[0].music == music / "mBR0.wav"
    assert rows[1].music == music / "mHO5.mp3"
    assert [one.where for one in bad] == [odd, ignored]
    assert all("none of the crossmodal lists" in one.why for one in bad)
    check_waving(given_poses(rows[0]), 60.0, 120)
    height = np.ptp(given_poses(rows[0]).world[0, 0, [0, 27], 1])
    assert height == pytest.approx(1.57, abs=0.01)  # metres, from centimetres

    _, everything = read("aist", root, music=music, official="none")
    assert {one.where: one.why.split(";")[0] for one in everything} == {
        ignored: "it is on the ignore list and has no video",
        odd: "it has no sound",
    }


def test_aist_2d_keypoints_are_one_recording_per_camera(tmp_path: Path) -> None:
    root = aist_annotations(tmp_path / "aist", BM)
    (root / "keypoints3d" / f"{BM}.pkl").unlink()
    music = write_tone(tmp_path / "music" / "mBR0.wav", 0.1).parent
    rows, bad = read("aist", root, music=music)
    assert [one.where for one in bad] == ["gBR_sBM_c05_d04_mBR0_ch01"]  # not synchronous
    assert [r.camera for r in rows] == [f"{n:02d}" for n in range(1, 10) if n != 5]
    assert {r.performance for r in rows} == {BM}
    check_waving(given_poses(rows[-1]), 60.0, 120)
    with pytest.raises(PoseError, match="None of the 120 frames"):
        given_poses(rows[0])  # its camera saw nobody


def test_aist_videos_alone_or_with_keypoints(tmp_path: Path) -> None:
    root = aist_annotations(tmp_path / "aist", BM)
    videos = tmp_path / "videos"
    videos.mkdir()
    for camera in ("c02", "c09"):
        (videos / f"{BM.replace('cAll', camera)}.mp4").touch()
    (videos / "holiday.mp4").touch()
    rows, bad = read("aist", root, videos=videos)
    assert [one.where for one in bad] == ["holiday"]
    assert [(r.name, r.camera) for r in rows] == [(BM, "All")]
    assert rows[0].video == videos / f"{BM.replace('cAll', 'c02')}.mp4"  # for its sound
    assert rows[0].music is None
    seen, _ = read("aist", root, videos=videos, given=False)
    assert [(r.name, r.camera, r.poses) for r in seen] == [
        (BM.replace("cAll", camera), camera[1:], None) for camera in ("c02", "c09")
    ]
    alone, _ = read("aist", videos)
    assert [r.split for r in alone] == ["", ""]
    assert set(assign_splits(alone).values()) in ({"train"}, {"val"}, {"test"})


def test_foreign_aist_pickles_are_refused(tmp_path: Path) -> None:
    root = aist_annotations(tmp_path / "aist", BM)
    music = write_tone(tmp_path / "music" / "mBR0.wav", 0.1).parent
    (one,), _ = read("aist", root, music=music)
    assert one.poses is not None
    write_pickle(one.poses, {"smpl_poses": np.zeros((3, 72))})
    with pytest.raises(PoseError, match="holds smpl_poses"):
        given_poses(one)
    write_pickle(one.poses, Path("x"))
    with pytest.raises(SettingError, match="pathlib"):
        given_poses(one)


SEGMENT = "gPO_sBM_c01_d11_mPO1_ch02_seg2"


def test_d2m_gan_segments_of_aist_and_tiktok(tmp_path: Path) -> None:
    root, lists = tmp_path, tmp_path / "dataset"
    write_lines(
        lists / "aist_audio_train_segment.txt",
        "./aistplus/audio_s2/train/gLO_sBM_c01_d14_mLO5_ch04_seg1.wav",
        "./aistplus/audio_s2/train/odd.wav",
        "./aistplus/music/x.wav",
    )
    write_lines(lists / "aist_audio_test_segment.txt", f"./aistplus/audio_s2/test/{SEGMENT}.wav", "")
    write_lines(lists / "aist_motion_test_segment.txt", f"./aistplus/motion_s2/test/{SEGMENT}.npy")
    write_lines(lists / "tiktok_audio_test_segment.txt", "./tiktok/audio_s2/000007_7_188_seg3.wav")
    sound = write_tone(lists / "aistplus" / "audio_s2" / "test" / f"{SEGMENT}.wav", 2.0)
    write_npy(lists / "aistplus" / "motion_s2" / "test" / f"{SEGMENT}.npy", smpl_rows(120))
    write_tone(root / "tiktok" / "audio_s2" / "000007_7_188_seg3.wav", 2.0)
    write_npy(root / "tiktok" / "motion_s2" / "000007_7_188_seg3.npy", body25_pixels(60))

    rows, bad = read("d2m_gan", root)
    assert [one.where for one in bad] == [f"aist_audio_train_segment.txt, line {n}" for n in (1, 2, 3)]
    assert "no gLO_sBM_c01_d14_mLO5_ch04_seg1.wav and no video" in bad[0].why
    aist, tiktok = rows
    assert (aist.song, aist.performance, aist.camera, aist.style, aist.split, aist.music) == (
        "mPO1",
        "gPO_sBM_cAll_d11_mPO1_ch02",
        "01",
        "pop",
        "test",
        sound,
    )
    assert (tiktok.song, tiktok.performance) == ("tiktok 7", "tiktok 188")
    assert given_poses(tiktok).fps == 30.0
    assert given_poses(tiktok).frames == 60
    assert given_poses(tiktok).visibility[0, 0, LEFT_WRIST] == pytest.approx(0.9)

    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "gLO_sBM_c01_d14_mLO5_ch04.mp4").touch()
    (videos / f"{SEGMENT[:-5]}.mp4").touch()
    rows, _ = read("d2m_gan", root, videos=videos)
    assert [r.video is None for r in rows] == [True, False, True]  # arrays first
    rows, _ = read("d2m_gan", root, videos=videos, given=False)
    assert [(r.start_s, r.end_s) for r in rows] == [(2.0, 4.0), (0.0, 2.0), (0.0, None)]


@pytest.mark.parametrize("place_last", [False, True])
def test_smpl_rotations_become_a_dancer_in_metres(tmp_path: Path, place_last: bool) -> None:
    path = write_npy(tmp_path / "m.npy", smpl_rows(12, place_last=place_last))
    recording = Recording("m", "d2m_gan", poses=path)
    poses = given_poses(recording)
    world = poses.world[0, 0]
    assert poses.fps == 60.0
    assert world[LEFT_SHOULDER, 0] == pytest.approx(0.19, abs=0.03)
    assert world[LEFT_SHOULDER, 1] < -0.4
    assert world[LEFT_ELBOW, 0] - world[LEFT_SHOULDER, 0] == pytest.approx(0.26, abs=0.01)
    assert world[LEFT_WRIST, 2] - world[LEFT_ELBOW, 2] == pytest.approx(-0.25, abs=0.01)  # to us
    assert poses.image[0, 0, LEFT_WRIST, 0] > poses.image[0, 0, 16, 0]
    np.testing.assert_allclose(world[[23, 24]].mean(0), 0, atol=1e-6)
    write_npy(path, np.zeros((12, 219)))
    with pytest.raises(PoseError, match="no SMPL rotations"):
        given_poses(recording)
    write_npy(path, np.zeros((12, 40)))
    with pytest.raises(PoseError, match="219"):
        given_poses(recording)
    write_npy(path, np.array([{}], object))
    with pytest.raises(SettingError, match="no array of numbers"):
        given_poses(recording)


def test_cdcd_takes_the_six_second_lists_before_the_others(tmp_path: Path) -> None:
    data = tmp_path / "data"
    name = "gJS_sBM_c01_d03_mJS3_ch01_seg2"
    for split in ("val", "test"):
        line = f"/data/zhuye/aistplus/audio_s6/{split}/{name.replace('ch01', f'ch0{len(split)}')}"
        write_lines(data / f"aist_audio_{split}_segment_s6.txt", f"{line}.wav")
        write_lines(data / f"aist_audio_{split}_segment.txt", "never read")
        stem = Path(line).name
        write_tone(tmp_path / "aistplus" / "audio_s6" / split / f"{stem}.wav", 0.1)
        write_npy(tmp_path / "aistplus" / "motion_s6" / split / f"{stem}.npy", smpl_rows(360))
    rows, bad = read("cdcd", tmp_path)
    assert bad == []
    assert [(r.song, r.split) for r in rows] == [("mJS3", "test"), ("mJS3", "val")]
    assert given_poses(rows[0]).frames == 360
    splits = assign_splits(rows)
    assert splits == {r.name: r.split for r in rows}
    check_leaks({"song": r.song, "split": r.split, "source": r.source} for r in rows)
    with pytest.raises(SettingError, match=r"no list named \*_audio_\*_segment_s6"):
        read("cdcd", tmp_path / "aistplus")


def test_loris_clips_have_no_official_split(tmp_path: Path) -> None:
    names = ("gKR_sFM_c09_d28_mKR1_ch02", "gHO_sFM_c09_d19_mHO5_ch06")
    for split, name in zip(("train", "test"), names, strict=True):
        write_lines(
            tmp_path / "data" / "dance" / f"dance_audio_s25_{split}_segment.txt",
            f"yourpath/dataset/LORIS/dance/audio_s25/{name}.wav",
        )
        write_tone(tmp_path / "dance" / "audio_s25" / f"{name}.wav", 0.1)
        write_npy(tmp_path / "dance" / "pose2d_s25" / f"{name}.npy", coco_pixels(400))
    rows, bad = read("loris", tmp_path)
    assert bad == []
    assert [(r.style, r.split) for r in rows] == [("house", ""), ("krump", "")]
    poses = given_poses(rows[0])
    assert (poses.fps, poses.frames) == (16.0, 400)


def test_textual_inversion_clips(tmp_path: Path) -> None:
    clips = ("gBR_sBM_c01_d04_mBR0_ch01_1", "Waacking/clip_07", "Waacking/clip_08", "bare")
    for clip in clips:
        write_tone(tmp_path / "audio_clips" / f"{clip}.wav", 0.1)
        write_pickle(tmp_path / "keypoints_clips" / f"{clip}.pkl", coco_pixels(305).astype(np.float32))
    write_tone(tmp_path / "audio_clips" / "lonely.wav", 0.1)
    rows, bad = read("siggraph_asia_2024", tmp_path)
    assert [(r.song, r.performance, r.style) for r in rows] == [
        ("", "Waacking/clip", "waacking"),
        ("", "Waacking/clip", "waacking"),
        ("", "bare", ""),
        ("mBR0", BM, "break"),
    ]
    assert [one.why for one in bad] == ["there is no keypoints_clips/lonely.pkl"]
    check_waving(given_poses(rows[3]), 60.0, 305)
    with pytest.raises(PoseError, match="shape"):
        given_poses(replace(rows[3], poses=write_pickle(tmp_path / "x.pkl", coco_room(9)[0])))


def test_a_source_without_poses_brings_none(tmp_path: Path) -> None:
    with pytest.raises(PoseError, match="brings no poses"):
        given_poses(Recording("r", "folder", video=tmp_path))


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data/dance_with_melody")
def test_dance_with_melody_is_read_as_it_is() -> None:
    rows, bad = read("dance_with_melody", SHARED)
    assert bad == []
    assert len(rows) == 33
    assert {r.style for r in rows} == {"cha-cha", "rumba", "waltz"}
    poses = given_poses(rows[0])
    with np.load(SHARED / "DANCE_C_2.npz") as stored:
        assert poses.duration_s == pytest.approx(float(stored["span_s"]), abs=0.1)
    assert rows[0].music is not None
    assert rows[0].music.is_file()
    assert np.isfinite(extract_motion(poses).values).all()
