"""The pack in a real ComfyUI: from an uploaded clip to a saved file, and what can go wrong."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from d2m_core.codec import load_codec
from d2m_core.styles import STYLES
from d2m_core.weights import EMBEDDED, EMBEDDED_FOLDERS
from tests import tiny_models
from tests.comfy_server import PACK, PYTHON, Server, load
from tests.media import make_clip

from .graphs import (
    CODEC,
    DECODE,
    DURATION_S,
    LOAD,
    MODEL,
    POSE,
    RHYTHM,
    SAMPLER,
    SAMPLING,
    SAVE,
    Graph,
    assert_success,
    drain,
    failed,
    messages,
    node,
    preview_seconds,
    read_audio,
    rejected,
    save_video,
    saved,
    video_length_s,
    with_inputs,
)

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="no ComfyUI in .comfy; `python tests/setup_comfy.py` sets it up"
)

# --- the basic workflow ---


def test_from_an_uploaded_clip_to_music_of_its_length(server: Server, basic: Graph) -> None:
    entry = server.run(basic)
    assert_success(entry)
    samples, rate = read_audio(saved(server, entry))
    assert samples.shape == (1, round(DURATION_S * rate))
    assert samples.std() > 1e-4, "silence"
    with av.open(str(saved(server, entry))) as container:
        kept = json.loads(container.metadata["prompt"])
    assert {node: kept[node]["inputs"] for node in kept} == {node: basic[node]["inputs"] for node in basic}
    assert str(server.base) not in json.dumps(kept), "a saved file tells where things lie"
    (overlay,) = entry["outputs"][POSE]["images"]
    assert video_length_s(server.file(overlay)) == pytest.approx(DURATION_S, abs=0.05)
    (picture,) = entry["outputs"][RHYTHM]["images"]
    assert server.file(picture).stat().st_size > 1000


def test_a_second_run_comes_from_the_cache(server: Server, basic: Graph) -> None:
    assert_success(server.run(basic))
    entry = server.run(basic)
    assert_success(entry)
    (cached,) = messages(entry, "execution_cached")
    assert set(cached["nodes"]) == set(basic), "every node's result was there already"
    entry = server.run(with_inputs(basic, SAMPLER, seed=7))
    (cached,) = messages(entry, "execution_cached")
    assert set(cached["nodes"]) == set(basic) - {SAMPLER, DECODE, SAVE}


def test_a_changed_file_is_read_again(server: Server, basic: Graph) -> None:
    graph = {LOAD: basic[LOAD], "2": preview_seconds()}
    assert_success(server.run(graph))
    path = server.base / "input" / basic[LOAD]["inputs"]["file"]
    path.touch()
    (cached,) = messages(server.run(graph), "execution_cached")
    assert LOAD not in cached["nodes"]


def test_the_same_seed_gives_the_same_music(server: Server, basic: Graph) -> None:
    def music(seed: int) -> np.ndarray:
        server.call("/free", {"unload_models": True, "free_memory": True})
        entry = server.run(with_inputs(basic, SAMPLER, seed=seed))
        assert_success(entry)
        return read_audio(saved(server, entry))[0]

    first, again, other = music(21), music(21), music(22)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_window_of_a_clip_given_by_its_path(server: Server, basic: Graph) -> None:
    path = server.base / "input" / basic[LOAD]["inputs"]["file"]
    graph = with_inputs(basic, LOAD, path=str(path), start_s=0.5, duration_s=1.37)
    graph = with_inputs(graph, SAVE, format="wav", filename_prefix="cut/music")
    entry = server.run(graph)
    assert_success(entry)
    assert saved(server, entry).parent == server.base / "output" / "cut"
    samples, rate = read_audio(saved(server, entry))
    assert samples.shape[1] == round(1.37 * rate)


def test_progress_reaches_the_page(server: Server, basic: Graph) -> None:
    drain(server)
    assert_success(server.run(with_inputs(basic, SAMPLER, seed=31)))
    values = [
        event["data"]["value"]
        for event in drain(server)
        if event["type"] == "progress" and event["data"]["node"] == SAMPLER
    ]
    assert len(set(values)) > 2, "one step after another; ComfyUI of 2026 leaves many out"
    assert values == sorted(values)


def test_cancel_stops_the_sampler_and_the_server_goes_on(server: Server, basic: Graph) -> None:
    assert_success(server.run(basic))
    drain(server)
    answer = server.submit(with_inputs(basic, SAMPLER, seed=99))
    while True:
        event = server.events.get(timeout=30)
        if event["type"] == "progress" and event["data"]["node"] == SAMPLER:
            break
    server.call("/interrupt", {})
    pressed = time.monotonic()
    entry = server.wait(answer["prompt_id"])
    assert time.monotonic() - pressed < 2.0 * load(), "Cancel must stop at once"
    (stopped,) = messages(entry, "execution_interrupted")
    assert stopped["node_id"] == SAMPLER
    assert SAVE not in entry["outputs"]
    assert_success(server.run(with_inputs(basic, SAMPLER, seed=100)))


# --- stock nodes around ours ---


def test_stock_nodes_fit_before_and_after_ours(server: Server, basic: Graph) -> None:
    graph = with_inputs(basic, POSE, video=["20", 0])
    del graph[LOAD]
    graph |= {
        "20": {"class_type": "LoadVideo", "inputs": {"file": basic[LOAD]["inputs"]["file"]}},
        "21": {"class_type": "PreviewAudio", "inputs": {"audio": [DECODE, 0]}},
        "22": {"class_type": "SaveAudio", "inputs": {"audio": [DECODE, 0], "filename_prefix": "stock"}},
        "23": {"class_type": "GetVideoComponents", "inputs": {"video": ["20", 0]}},
        "24": {
            "class_type": "CreateVideo",
            "inputs": {"images": ["23", 0], "fps": ["23", 2], "audio": [DECODE, 0]},
        },
        "25": save_video("24", 0),
        "26": save_video(POSE, 2),
        "27": {"class_type": "PreviewImage", "inputs": {"images": [RHYTHM, 1]}},
    }
    entry = server.run(graph)
    assert_success(entry)
    for number in ("21", "22"):
        samples, rate = read_audio(saved(server, entry, number))
        assert samples.shape[-1] == pytest.approx(DURATION_S * rate, rel=1e-3) or samples.size
    made = server.file(entry["outputs"]["25"]["images"][0])
    assert video_length_s(made) == pytest.approx(DURATION_S, abs=0.05)
    samples, rate = read_audio(made)
    assert samples.shape[1] / rate == pytest.approx(DURATION_S, abs=0.05)
    assert entry["outputs"]["26"]["images"]
    assert entry["outputs"]["27"]["images"]


def test_our_clip_leaves_as_a_stock_video(server: Server, basic: Graph) -> None:
    graph = {
        LOAD: with_inputs(basic, LOAD, start_s=0.4, duration_s=1.2)[LOAD],
        "30": save_video(LOAD, 1),
        "31": {**basic[LOAD]},
        "32": save_video("31", 1),
    }
    entry = server.run(graph)
    assert_success(entry)
    cut, whole = (server.file(entry["outputs"][node]["images"][0]) for node in ("30", "32"))
    assert video_length_s(cut) == pytest.approx(1.2, abs=0.05)
    assert video_length_s(whole) == pytest.approx(DURATION_S, abs=0.05)


def test_a_video_made_from_frames_can_be_danced_to(server: Server, basic: Graph) -> None:
    graph = with_inputs(basic, POSE, video=["24", 0], draw=False)
    graph |= {
        "23": {"class_type": "GetVideoComponents", "inputs": {"video": [LOAD, 1]}},
        "24": {"class_type": "CreateVideo", "inputs": {"images": ["23", 0], "fps": 25.0}},
    }
    entry = server.run(graph)
    assert_success(entry)
    samples, rate = read_audio(saved(server, entry))
    assert samples.shape[1] == round(DURATION_S * rate)


def test_poses_of_another_node_replace_the_pose_model(server: Server, basic: Graph) -> None:
    """Our own POSE_KEYPOINT stands for DWPose's: the pose model named here is not there."""
    graph = with_inputs(basic, RHYTHM, poses=["40", 0])
    graph = with_inputs(graph, SAMPLER, poses=["40", 0])
    graph["40"] = with_inputs(basic, POSE, model="heavy", download=False, keypoints=[POSE, 1], draw=False)[
        POSE
    ]
    entry = server.run(graph)
    assert_success(entry)
    samples, rate = read_audio(saved(server, entry))
    assert samples.shape[1] == round(DURATION_S * rate)


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "opus", "m4a"])
def test_every_format_plays(server: Server, basic: Graph, suffix: str) -> None:
    entry = server.run(with_inputs(basic, SAVE, format=suffix))
    assert_success(entry)
    path = saved(server, entry)
    assert path.suffix == f".{suffix}"
    samples, rate = read_audio(path)
    assert samples.shape[1] / rate == pytest.approx(DURATION_S, abs=0.08)  # coders pad
    assert samples.std() > 1e-4


# --- bad input ---


@pytest.mark.parametrize(
    ("node", "inputs", "words"),
    [
        (LOAD, {"file": "nothing.mp4"}, "nothing.mp4"),
        (LOAD, {"file": "../../log.txt"}, "outside"),
        (LOAD, {"path": "/etc/hostname"}, "outside"),
        (LOAD, {"file": "../models/dance2music/broken.safetensors"}, "outside"),
        (LOAD, {"start_s": -1.0}, "start_s"),
        (POSE, {"model": "huge"}, "huge"),
        (POSE, {"dancer": "nobody"}, "nobody"),
        (RHYTHM, {"tempo_bpm": 20.0}, "20"),
        (RHYTHM, {"grid": "triple"}, "triple"),
        (MODEL, {"model_name": "gone.safetensors"}, "gone.safetensors"),
        (MODEL, {"model_name": "../../log.txt"}, "log.txt"),
        (SAMPLER, {"style": "polka"}, "polka"),
        (SAMPLER, {"top_p": 0.0}, "top_p"),
        (CODEC, {"codec_name": "gone"}, "gone"),
        (SAVE, {"format": "exe"}, "exe"),
        (SAVE, {"filename_prefix": "../../escaped"}, "escaped"),
    ],
)
def test_bad_settings_are_refused_before_the_run(
    server: Server, basic: Graph, node: str, inputs: dict[str, Any], words: str
) -> None:
    assert words in rejected(server, with_inputs(basic, node, **inputs), node)


def test_a_link_inside_the_input_folder_does_not_lead_out(server: Server, basic: Graph) -> None:
    outside = server.base / "secret.mp4"
    shutil.copy(server.base / "input" / basic[LOAD]["inputs"]["file"], outside)
    (server.base / "input" / "link.mp4").symlink_to(outside)
    assert "outside" in rejected(server, with_inputs(basic, LOAD, file="link.mp4"), LOAD)


def test_a_clip_with_nobody_in_it(server: Server, basic: Graph, tmp_path: Path) -> None:
    name = server.upload(make_clip(tmp_path / "empty.mp4", duration_s=1.5))
    text = failed(server, with_inputs(basic, LOAD, file=name), POSE)
    assert "nobody" in text.lower() or "person" in text.lower()


def test_a_file_that_is_not_a_video(server: Server, basic: Graph) -> None:
    (server.base / "input" / "text.mp4").write_text("not a video")
    assert "text.mp4" in failed(server, with_inputs(basic, LOAD, file="text.mp4"), LOAD)


def test_a_missing_pose_model_names_file_folder_and_source(server: Server, basic: Graph) -> None:
    text = failed(server, with_inputs(basic, POSE, model="heavy", download=False), POSE)
    assert "pose_landmarker_heavy.task" in text
    assert str(server.base / "models" / "dance2music") in text
    assert "https://" in text


def test_a_broken_model_and_one_for_another_codec(server: Server, basic: Graph) -> None:
    text = failed(server, with_inputs(basic, MODEL, model_name="broken.safetensors"), MODEL)
    assert "broken.safetensors" in text
    text = failed(server, with_inputs(basic, MODEL, model_name="other_codec.safetensors"), DECODE)
    assert "codec" in text


def test_a_workflow_saved_with_an_earlier_codec_still_plays(server: Server, basic: Graph) -> None:
    """Decoded by the codec that the music was written for, as if it had been chosen."""
    (earlier,) = set(EMBEDDED_FOLDERS) - {EMBEDDED}
    sounds = []
    for name in (EMBEDDED, earlier):
        entry = server.run(
            with_inputs(with_inputs(basic, CODEC, codec_name=name), SAMPLER, candidates=2, codec=[CODEC, 0])
        )
        assert_success(entry)
        sounds.append(read_audio(saved(server, entry))[0])
    np.testing.assert_array_equal(*sounds)
    encoded = node("EnCodecEncode", audio=[DECODE, 0], codec=[CODEC, 0])
    longer = node(
        "Continue",
        model=[MODEL, 0],
        tokens=["50", 0],
        rhythm=[RHYTHM, 0],
        keep_s=0.0,
        length_s=5.0,
        **SAMPLING,
    )
    last = node("EnCodecDecode", tokens=["51", 0], codec=[CODEC, 0])
    graph = with_inputs(with_inputs(basic, CODEC, codec_name=earlier), SAVE, audio=["52", 0])
    text = failed(server, graph | {"50": encoded, "51": longer, "52": last}, "51")
    assert earlier in text, "tokens made of sound are of the codec that was chosen"
    assert EMBEDDED in text


def test_missing_weights_leave_the_pack_standing(server: Server, basic: Graph) -> None:
    weights = server.base / "custom_nodes" / PACK / "weights"
    away = weights.with_name("weights_away")
    weights.rename(away)
    try:
        info = server.call("/object_info/D2M_LoadModel")["D2M_LoadModel"]
        assert "embedded" in info["input"]["required"]["model_name"][1]["options"]
        assert "weights" in rejected(server, basic, MODEL)
    finally:
        away.rename(weights)
    assert_success(server.run(basic))


def test_styles_of_ones_own_model_can_be_chosen(server: Server, basic: Graph) -> None:
    """They show once its file is there, play with it, and are refused where no model has them."""

    def offered() -> list[str]:
        info = server.call("/object_info/D2M_Sampler")["D2M_Sampler"]
        return info["input"]["required"]["style"][1]["options"]

    assert "polka" not in offered()
    polka = with_inputs(basic, SAMPLER, style="polka")
    assert "'polka'; choose any, house" in rejected(server, polka, SAMPLER)
    own = server.base / "models" / "dance2music" / "own.safetensors"
    spec = load_codec(server.base / "custom_nodes" / PACK / "weights" / tiny_models.CODEC_FOLDER).spec
    tiny_models.write_model(own, spec, ("polka", "house"))
    try:
        assert offered() == ["any", *STYLES, "polka"]
        assert "polka" in failed(server, polka, SAMPLER), "the embedded model does not know it"
        assert_success(server.run(with_inputs(polka, MODEL, model_name=own.name)))
    finally:
        own.unlink()
