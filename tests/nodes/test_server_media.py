"""Where clips come from and what becomes of a node's pictures, on old and new ComfyUI."""

from __future__ import annotations

import shutil
from typing import Any

import av
import pytest

from tests.comfy_server import PYTHON, Server

from .graphs import (
    ALIGN,
    EDIT,
    HEARD,
    LOAD,
    POSE,
    RHYTHM,
    SCORE,
    SELECT,
    Graph,
    assert_success,
    clicks,
    messages,
    node,
    preview_seconds,
    rejected,
    shown_text,
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
