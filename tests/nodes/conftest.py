"""One ComfyUI server for all tests in this folder, with the pack and small random networks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from d2m_core.midi import make_midi, save_midi
from tests import tiny_models
from tests.comfy_server import PYTHON, REPOSITORY, Server, comfy_server, put_pose_model

from .graphs import (
    ALIGN,
    BAND,
    CODEC,
    CONTINUE,
    CURVES,
    DECODE,
    DUMPED,
    EDIT,
    EDITS,
    ENCODE,
    FILM,
    FROM_KEYS,
    HEARD,
    KEPT_S,
    LOAD,
    LONGER_S,
    MARKERS,
    MENDED,
    MIDI_IN,
    MIDI_OUT,
    MODEL,
    OTHER_CODEC,
    PLAYED,
    PLAYERS,
    POSE,
    REPAINT,
    REPAINTED,
    REPAIR,
    RHYTHM,
    SAMPLER,
    SAMPLING,
    SCORE,
    SELECT,
    SOUND,
    TO_KEYS,
    VARIANT,
    VIDEO,
    WANDERING,
    Graph,
    assert_success,
    clicks,
    dump,
    dumped,
    node,
    with_inputs,
)
from .workflow_media import draw_clip

TEST_PACK = Path(__file__).resolve().parent / "pack_for_tests"
NEWER_NODES = REPOSITORY / "tests" / "newer_nodes"


def prepare(pack: Path) -> None:
    """Small weights, and beside the pack the tests' own nodes and those of newer ComfyUIs."""
    tiny_models.write_all(pack / "weights")
    leave = shutil.ignore_patterns("__pycache__")
    for folder in (TEST_PACK, NEWER_NODES):
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
    return server.upload(draw_clip(tmp_path_factory.mktemp("clips") / "dance.mp4"))


@pytest.fixture
def basic(clip: str) -> Graph:
    graph = json.loads((REPOSITORY / "workflows" / "api" / "basic.json").read_text(encoding="utf-8"))
    del graph[FILM]  # tests that need a film add one
    graph[LOAD]["inputs"]["file"] = clip
    graph[POSE]["inputs"]["model"] = VARIANT
    return graph


@pytest.fixture(scope="session")
def beats(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A MIDI file with beats that wander, uploaded."""
    midi = make_midi(WANDERING, click=True)
    return server.upload(save_midi(midi, tmp_path_factory.mktemp("midi") / "beats.mid"))


@pytest.fixture(scope="session")
def whole(clip: str, beats: str) -> Graph:
    """A graph with every node of the pack in it, and a look into what passes between them."""
    path = REPOSITORY / "workflows" / "api" / "basic.json"
    graph = json.loads(path.read_text(encoding="utf-8"))
    graph[LOAD]["inputs"]["file"] = clip
    graph = with_inputs(graph, POSE, model=VARIANT, draw=False)
    graph = with_inputs(graph, SAMPLER, **SAMPLING)
    graph |= {
        SELECT: node("SelectDancer", poses=[POSE, 0], dancer="most active", number=0),
        TO_KEYS: node(
            "PoseToKeypoints", poses=[SELECT, 0], people="everyone", layout="body25", width=0, height=0
        ),
        FROM_KEYS: node("PoseFromKeypoints", keypoints=[TO_KEYS, 0], fps=0.0, video=[LOAD, 1]),
        EDIT: node("EditRhythm", rhythm=[RHYTHM, 0], **EDITS),
        ENCODE: node("EnCodecEncode", audio=[DECODE, 0], codec=[CODEC, 0]),
        CONTINUE: node(
            "Continue",
            model=[MODEL, 0],
            tokens=[ENCODE, 0],
            rhythm=[EDIT, 0],
            keep_s=KEPT_S,
            length_s=LONGER_S,
            **SAMPLING,
            poses=[SELECT, 0],
        ),
        SOUND: clicks(5.0, 115.0),
        ALIGN: node(
            "AlignAudio",
            audio=[SOUND, 0],
            rhythm=[RHYTHM, 0],
            strength=1.0,
            most_bend=8.0,
            most_tempo_change=50.0,
            start="best",
            loop=True,
        ),
        SCORE: node("ScoreMusic", audio=[ALIGN, 0], rhythm=[RHYTHM, 0], poses=[SELECT, 0]),
        HEARD: node("RhythmFromAudio", audio=[SOUND, 0], tempo_bpm=0.0),
        VIDEO: node(
            "SaveVideo",
            video=[LOAD, 0],
            audio=[ALIGN, 0],
            filename_prefix="v/dance",
            format="auto",
            original_level=0.0,
        ),
        BAND: node(
            "DanceBand", rhythm=[RHYTHM, 0], poses=[SELECT, 0], **PLAYED, **dict.fromkeys(PLAYERS, True)
        ),
        MIDI_OUT: node("SaveMidi", midi=[BAND, 6], filename_prefix="m/dance"),
        MIDI_IN: node("LoadMidi", file=beats, path="", seconds=0.0),
        MARKERS: node(
            "ExportBeats",
            rhythm=[RHYTHM, 0],
            format="OTIO markers",
            filename_prefix="b/dance",
            frame_rate="the clip's",
            start_timecode="01:00:00:00",
            every_beat=True,
            video=[LOAD, 0],
            poses=[SELECT, 0],
            midi=[BAND, 6],
        ),
        REPAIR: node("RepairPoses", poses=[SELECT, 0], **MENDED),
        REPAINT: node(
            "EditMusic", model=[MODEL, 0], tokens=[SAMPLER, 0], **REPAINTED, **SAMPLING | {"seed": 4}
        ),
        CURVES: node("RhythmCurves", rhythm=[RHYTHM, 0], amount=1.0),
    }
    for number, (name, (source, output)) in enumerate(DUMPED.items()):
        graph[str(100 + number)] = dump(source, output, name)
    return graph


@pytest.fixture(scope="session")
def done(server: Server, whole: Graph) -> dict[str, Any]:
    entry = server.run(whole)
    assert_success(entry)
    return entry


@pytest.fixture(scope="session")
def values(server: Server, done: dict[str, Any]) -> dict[str, dict[str, np.ndarray]]:
    """What passed along each connection of `DUMPED`."""
    found = (dumped(server, done, str(100 + number)) for number in range(len(DUMPED)))
    return {name: one[0] for name, one in zip(DUMPED, found, strict=True)}
