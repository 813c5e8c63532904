"""A ComfyUI where MediaPipe, OpenCV and all weights are missing: the rest goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from d2m_core.pose import to_openpose
from d2m_core.pose.openpose import RATE_KEY
from d2m_core.types import PoseSequence
from tests.comfy_server import PYTHON, Server, comfy_server, put_pose_model
from training.studio.picture.drawing import demo_dance, render_scene

from .conftest import TEST_PACK
from .graphs import Graph, assert_success, clicks, dump, dumped, failed, only, rejected, saved, shown_text

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no ComfyUI in .comfy")

DURATION_S = 2.6
BLOCK = """
import sys
for name in ("mediapipe", "cv2"):
    sys.modules[name] = None  # importing it fails
NODE_CLASS_MAPPINGS = {}
"""


def prepare(pack: Path) -> None:
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(TEST_PACK, pack.parent / TEST_PACK.name, ignore=leave)
    blocker = pack.parent / "0_blocker"
    blocker.mkdir()
    (blocker / "__init__.py").write_text(BLOCK)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("bare")
    put_pose_model(base)
    with comfy_server(base, prepare=prepare) as running:
        scene = demo_dance(3, 112.0, DURATION_S, 25.0, aspect=320 / 240)
        render_scene(scene, base / "input" / "dance.mp4", width=320, height=240)
        frames = to_openpose(two_of(scene.poses), 320, 240)
        for frame in frames:
            del frame[RATE_KEY]  # as other programs write them
        (base / "input" / "keypoints.json").write_text(json.dumps(frames))
        yield running


def two_of(poses: PoseSequence) -> PoseSequence:
    """The dancer, and the same a little to the right."""
    import numpy as np

    def twice(name: str) -> np.ndarray:
        return np.repeat(getattr(poses, name), 2, axis=1)

    image = twice("image")
    image[:, 1, :, 0] += 0.4
    return PoseSequence(twice("world"), image, twice("visibility"), twice("present"), poses.fps)


def node(kind: str, **inputs: object) -> dict:
    return {"class_type": f"D2M_{kind}", "inputs": inputs}


@pytest.fixture
def graph() -> Graph:
    return {
        "1": node("LoadVideo", file="dance.mp4", start_s=0.0, duration_s=0.0, path=""),
        "2": {"class_type": "T_Keypoints", "inputs": {"file": "keypoints.json"}},
        "3": node("PoseFromKeypoints", keypoints=["2", 0], fps=0.0, video=["1", 1]),
        "4": node("SelectDancer", poses=["3", 0], dancer="blend of all", number=0),
        "5": clicks(6.0, 120.0),
        "6": node("RhythmFromAudio", audio=["5", 0], tempo_bpm=0.0),
        "7": node(
            "EditRhythm",
            rhythm=["6", 0],
            tempo="steady",
            tempo_bpm=120.0,
            grid="as it is",
            shift_ms=0.0,
            swing=50.0,
            energy=1.0,
            beats_per_bar=0,
            beats="",
        ),
        "8": node(
            "AlignAudio",
            audio=["5", 0],
            rhythm=["7", 0],
            strength=1.0,
            most_bend=8.0,
            most_tempo_change=50.0,
            start="best",
            loop=True,
        ),
        "9": node("ScoreMusic", audio=["8", 0], rhythm=["7", 0], poses=["4", 0]),
        "10": node(
            "SaveVideo",
            video=["1", 0],
            audio=["8", 0],
            filename_prefix="v",
            format="auto",
            original_level=0.0,
        ),
        "11": node("SaveAudio", audio=["8", 0], filename_prefix="a", format="flac"),
        "12": dump("4", 0, "blend"),
    }


def test_all_nodes_are_there(bare: Server) -> None:
    ours = [name for name in bare.call("/object_info") if name.startswith("D2M_")]
    assert len(ours) == 25


def test_what_needs_neither_runs(bare: Server, graph: Graph) -> None:
    entry = bare.run(graph)
    assert_success(entry)
    (blend,) = dumped(bare, entry, "12")
    assert blend["image"].shape[1] == 2
    assert "beat alignment" in shown_text(entry, "9").lower()
    assert saved(bare, entry, "11").stat().st_size > 1000
    assert bare.file(entry["outputs"]["4"]["images"][0]).stat().st_size > 1000
    assert bare.file(entry["outputs"]["10"]["images"][0]).suffix == ".mp4"


def test_without_a_rate_keypoints_are_not_guessed_at(bare: Server, graph: Graph) -> None:
    graph["3"] = node("PoseFromKeypoints", keypoints=["2", 0], fps=0.0)
    assert "set fps" in failed(bare, only(graph, "4"), "3")
    graph["3"] = node("PoseFromKeypoints", keypoints=["2", 0], fps=25.0)
    assert_success(bare.run(only(graph, "4")))


def test_missing_mediapipe_is_a_sentence(bare: Server, graph: Graph) -> None:
    graph = {
        "1": graph["1"],
        "2": node(
            "PoseEstimate",
            video=["1", 0],
            model="full",
            people=1,
            dancer="largest",
            draw=False,
            download=False,
        ),
        "3": dump("2", 0, "none"),
    }
    text = failed(bare, graph, "2")
    assert "MediaPipe cannot be loaded" in text
    assert "pip install mediapipe" in text


def test_missing_weights_are_sentences(bare: Server, graph: Graph) -> None:
    graph["20"] = node(
        "DanceRhythm", poses=["4", 0], tempo_bpm=0.0, grid="as found", nudge_ms=0.0, energy=1.0
    )
    words = "weights are missing"
    assert words in failed(bare, only(graph, "20"), "20")
    for kind, inputs in (
        ("LoadModel", {"model_name": "embedded"}),
        ("LoadCodec", {"codec_name": "d2m-2", "download": False}),
    ):
        assert words in rejected(bare, {"1": node(kind, **inputs), "2": dump("1", 0, "x")}, "1")


def test_the_codec_of_an_old_workflow_is_a_sentence(bare: Server) -> None:
    graph = {"1": node("LoadCodec", codec_name="d2m", download=False), "2": dump("1", 0, "x")}
    assert "version 0.1.x reads it" in rejected(bare, graph, "1")
