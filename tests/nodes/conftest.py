"""One ComfyUI server for all tests in this folder, with the pack and small random networks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tiny_models
from tests.comfy_server import REPOSITORY, Server, comfy_server, put_pose_model
from tests.setup_comfy import PYTHON
from training.studio.picture.drawing import demo_dance, render_scene

from .graphs import DURATION_S, FILM, LOAD, OTHER_CODEC, POSE, VARIANT, Graph

TEST_PACK = Path(__file__).resolve().parent / "pack_for_tests"
ACE_STEP_PACK = REPOSITORY / "tests" / "ace_step_pack"


def prepare(pack: Path) -> None:
    """Small weights, and beside the pack the tests' own nodes and the schema of ACE-Step's."""
    tiny_models.write_all(pack / "weights")
    leave = shutil.ignore_patterns("__pycache__")
    for folder in (TEST_PACK, ACE_STEP_PACK):
        shutil.copytree(folder, pack.parent / folder.name, ignore=leave)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if not PYTHON.exists():
        pytest.skip("no ComfyUI in .comfy; `python tests/setup_comfy.py` sets it up")
    base = tmp_path_factory.mktemp("comfy")
    models = put_pose_model(base, VARIANT)
    with comfy_server(base, prepare=prepare) as running:
        tiny_models.write_model(models / "other_codec.safetensors", OTHER_CODEC)
        (models / "broken.safetensors").write_bytes(b"not a checkpoint")
        yield running


@pytest.fixture(scope="session")
def clip(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A drawn dance, uploaded as the page does it."""
    path = tmp_path_factory.mktemp("clips") / "dance.mp4"
    scene = demo_dance(3, 112.0, DURATION_S, 25.0, aspect=320 / 240)
    render_scene(scene, path, width=320, height=240)
    return server.upload(path)


@pytest.fixture
def basic(clip: str) -> Graph:
    graph = json.loads((REPOSITORY / "workflows" / "api" / "basic.json").read_text(encoding="utf-8"))
    del graph[FILM]  # tests that need a film add one
    graph[LOAD]["inputs"]["file"] = clip
    graph[POSE]["inputs"]["model"] = VARIANT
    return graph
