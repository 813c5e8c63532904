"""Where clips come from and what becomes of a node's pictures, on old and new ComfyUI."""

from __future__ import annotations

import json
import shutil
from typing import Any

import av
import numpy as np
import pytest

from tests.comfy_server import PYTHON, Server

from .graphs import (
    ALIGN,
    EDIT,
    HEARD,
    LOAD,
    POSE,
    RHYTHM,
    SAVE,
    SCORE,
    SELECT,
    Graph,
    assert_success,
    clicks,
    dump,
    dumped,
    failed,
    messages,
    node,
    preview_seconds,
    rejected,
    saved,
    shown_text,
    video_length_s,
)

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no ComfyUI in .comfy")

SHOWING = (POSE, SELECT, RHYTHM, EDIT, HEARD, ALIGN, SCORE)


@pytest.mark.parametrize("folder", ["input", "output", "temp"])
def test_a_path_may_lie_in_each_of_comfyuis_folders(server: Server, make_clip: Any, folder: str) -> None:
    inside = server.base / folder / "some folder" / "clip.mp4"
    inside.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(make_clip(duration_s=1.5), inside)
    for path in (str(inside), f'"{inside}"', f"some folder/clip.mp4 [{folder}]"):
        graph = {
            LOAD: node("LoadVideo", file="", start_s=0.0, duration_s=0.0, path=path),
            "2": preview_seconds(),
        }
        entry = server.run(graph)
        assert_success(entry)
        assert float(shown_text(entry, "2")) == pytest.approx(1.5, abs=0.05)


def test_a_template_before_an_upload_says_what_to_do(server: Server) -> None:
    graph = {LOAD: node("LoadVideo", file="", start_s=0.0, duration_s=0.0, path=""), "2": preview_seconds()}
    assert "No file is chosen; press 'choose file to upload'" in rejected(server, graph, LOAD)


@pytest.mark.parametrize("path", ["/etc/hostname", "{base}/log.txt", "../log.txt [output]"])
def test_strangers_paths_are_refused_in_our_words(server: Server, path: str) -> None:
    path = path.format(base=server.base)
    graph = {LOAD: node("LoadVideo", file="", start_s=0.0, duration_s=0.0, path=path), "2": preview_seconds()}
    assert "lies outside ComfyUI's folders; move it into" in rejected(server, graph, LOAD)


def test_an_edited_video_is_used_as_shown(server: Server, clip: str, whole: Graph) -> None:
    """The test's own crop, since only ComfyUI of autumn 2026 has one."""
    graph = {
        "70": {"class_type": "T_LeftHalf", "inputs": {"file": clip}},
        "71": clicks(1.0),
        "72": node(
            "SaveVideo",
            video=["70", 0],
            audio=["71", 0],
            filename_prefix="half",
            format="auto",
            original_level=0.0,
        ),
        POSE: whole[POSE] | {"inputs": whole[POSE]["inputs"] | {"video": ["70", 0], "draw": True}},
        RHYTHM: whole[RHYTHM],
        "73": {"class_type": "PreviewAny", "inputs": {"source": [RHYTHM, 2]}},
    }
    entry = server.run(graph)
    assert_success(entry)
    for name in ("72", POSE):
        with av.open(str(server.file(entry["outputs"][name]["images"][0]))) as film:
            picture = next(film.decode(video=0))
        assert picture.width / picture.height == pytest.approx(160 / 240, abs=0.01)


def test_pictures_and_texts_stay_after_a_run_from_the_cache(server: Server, whole: Graph) -> None:
    info = server.call("/object_info/D2M_DanceRhythm")["D2M_DanceRhythm"]
    if "has_intermediate_output" not in info:
        pytest.skip("this ComfyUI shows only what output nodes made, once more")
    graph = whole | {POSE: whole[POSE] | {"inputs": whole[POSE]["inputs"] | {"draw": True}}}
    assert_success(server.run(graph))
    entry = server.run(graph)
    (cached,) = messages(entry, "execution_cached")
    assert set(SHOWING) <= set(cached["nodes"])
    assert set(SHOWING) <= entry["outputs"].keys()


def save(video: list[Any], audio: list[Any], name: str) -> dict[str, Any]:
    inputs = dict(video=video, audio=audio, filename_prefix=name, format="auto", original_level=0.0)
    return node("SaveVideo", **inputs)


@pytest.mark.parametrize(
    ("start_s", "duration_s", "length_s"), [(0.0, 30.0, 3.2), (2.0, 5.0, 1.2), (-1.5, 10.0, 1.5)]
)
def test_what_trim_video_lets_pass_is_taken(
    server: Server, clip: str, start_s: float, duration_s: float, length_s: float
) -> None:
    if "Video Slice" not in server.call("/object_info"):
        pytest.skip("this ComfyUI has no Trim Video")
    window = {"video": ["80", 0], "start_time": start_s, "duration": duration_s, "strict_duration": False}
    graph = {
        "80": {"class_type": "LoadVideo", "inputs": {"file": clip}},
        "81": {"class_type": "Video Slice", "inputs": window},
        "82": clicks(1.0),
        "83": save(["81", 0], ["82", 0], "trimmed"),
    }
    entry = server.run(graph)
    assert_success(entry)
    path = server.file(entry["outputs"]["83"]["images"][0])
    assert video_length_s(path) == pytest.approx(length_s, abs=0.05)


def test_odd_frames_and_six_channels_are_saved(server: Server) -> None:
    image = {"width": 161, "height": 121, "batch_size": 30, "color": 0x808080}
    graph = {
        "80": {"class_type": "EmptyImage", "inputs": image},
        "81": {"class_type": "CreateVideo", "inputs": {"images": ["80", 0], "fps": 25.0}},
        "82": clicks(1.0) | {"inputs": clicks(1.0)["inputs"] | {"channels": 6}},
        "83": save(["81", 0], ["82", 0], "odd"),
        SAVE: node("SaveAudio", audio=["82", 0], filename_prefix="six", format="flac"),
    }
    entry = server.run(graph)
    assert_success(entry)
    with av.open(str(server.file(entry["outputs"]["83"]["images"][0]))) as film:
        picture = next(film.decode(video=0))
        assert (picture.width, picture.height) == (160, 120)
        assert film.streams.audio[0].channels == 2
    with av.open(str(saved(server, entry))) as file:
        assert file.streams.audio[0].channels == 2


def keypoints(server: Server, name: str, frames: int) -> Graph:
    """Pose from Keypoints with so many frames of them for a video of 60 pictures in two seconds."""
    body = np.column_stack([np.arange(36).reshape(18, 2) * 2.0, np.full(18, 0.9)])
    person = {"pose_keypoints_2d": body.ravel().tolist()}
    each = {"people": [person], "canvas_width": 160, "canvas_height": 120}
    file = f"{name}_{frames}.json"
    (server.base / "input" / file).write_text(json.dumps([each] * frames))
    return {
        LOAD: node("LoadVideo", file=f"{name}.mp4", start_s=0.0, duration_s=0.0, path=""),
        "80": {"class_type": "T_Keypoints", "inputs": {"file": file}},
        "81": node("PoseFromKeypoints", keypoints=["80", 0], fps=0.0, video=[LOAD, 0]),
        "82": dump("81", 0, name),
    }


def test_keypoints_of_a_part_are_not_stretched(server: Server, make_clip: Any) -> None:
    server.upload(make_clip("part.mp4", duration_s=2.0, fps=30))
    entry = server.run(keypoints(server, "part", 55))
    assert_success(entry)
    (poses,) = dumped(server, entry, "82")
    assert (float(poses["fps"]), len(poses["image"])) == (pytest.approx(30.0), 55)
    assert "55 frames of keypoints at 30 per second last 1.83 s, part.mp4 2.00 s" in shown_text(entry, "81")
    said = failed(server, keypoints(server, "part", 30), "81")
    assert "set fps in Pose from Keypoints to 30 if they are its first 1.00 s, or to 15 if" in said
