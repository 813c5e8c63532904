"""Every node in a real ComfyUI, its results compared with the core called directly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from d2m_core.align import AlignSettings, align_audio
from d2m_core.codec import Codec, decode_tokens, encode_audio, load_codec
from d2m_core.mastering import master_music
from d2m_core.media import open_clip
from d2m_core.motion import dance_motion
from d2m_core.music import SamplingConfig, generate_tokens, load_model
from d2m_core.pose import estimate_poses
from d2m_core.rhythm import (
    format_beats,
    lengthened,
    load_rhythm,
    parse_beats,
    rhythm_from_audio,
    rhythm_from_motion,
    shift,
    with_metre,
    with_tempo,
)
from d2m_core.scores import describe_score, score_music
from d2m_core.settings import SoundSettings
from d2m_core.types import AudioTokens, PoseSequence, Rhythm, Waveform
from tests.comfy_server import PACK, PYTHON, Server
from tests.tiny_models import CODEC_FOLDER

from .graphs import (
    CODEC,
    CONTINUE,
    DECODE,
    DUMPED,
    DURATION_S,
    EDIT,
    ENCODE,
    HEARD,
    KEPT_S,
    LOAD,
    LONGER_S,
    MODEL,
    POSE,
    RHYTHM,
    SAMPLER,
    SAVE,
    SCORE,
    SELECT,
    SOUND,
    TO_KEYS,
    VARIANT,
    VIDEO,
    Graph,
    assert_success,
    clicks,
    dump,
    dumped,
    failed,
    messages,
    node,
    only,
    read_audio,
    rejected,
    shown_text,
    video_length_s,
    with_inputs,
)

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no ComfyUI in .comfy")

ASKED = SamplingConfig(seed=3, top_k=50, guidance=2.0)
"""`SAMPLING` as the core has it."""


def weights(server: Server) -> Path:
    return server.base / "custom_nodes" / PACK / "weights"


def rhythm_of(value: dict[str, np.ndarray]) -> Rhythm:
    return Rhythm(
        value["beats_s"],
        value["downbeats"],
        value["curves"],
        float(value["tempo_bpm"]),
        float(value["confidence"]),
    )


def poses_of(value: dict[str, np.ndarray]) -> PoseSequence:
    return PoseSequence(
        value["world"], value["image"], value["visibility"], value["present"], float(value["fps"])
    )


def wave_of(value: dict[str, np.ndarray]) -> Waveform:
    return Waveform(torch.from_numpy(value["samples"]), int(value["rate"]))


def text_of(value: dict[str, np.ndarray]) -> Any:
    return json.loads(str(value["json"]))


@pytest.fixture(scope="session")
def codec(server: Server) -> Codec:
    return load_codec(weights(server) / CODEC_FOLDER)


def test_every_node_runs(server: Server, whole: Graph, done: dict[str, Any]) -> None:
    ours = {name for name in server.call("/object_info") if name.startswith("D2M_")}
    assert len(ours) == 25
    assert ours == {n["class_type"] for n in whole.values()} & ours
    assert done["status"]["completed"]


def test_a_second_run_does_nothing_again(server: Server, whole: Graph) -> None:
    assert_success(server.run(whole))
    (cached,) = messages(server.run(whole), "execution_cached")
    assert set(cached["nodes"]) == set(whole)
    changed = with_inputs(whole, EDIT, shift_ms=41.0)
    (cached,) = messages(server.run(changed), "execution_cached")
    after = {EDIT, CONTINUE}
    dumps = {str(100 + n) for n, (source, _output) in enumerate(DUMPED.values()) if source in after}
    assert set(whole) - set(cached["nodes"]) == after | dumps


def test_poses_are_the_cores(server: Server, clip: str, values: dict[str, Any]) -> None:
    poses = estimate_poses(
        open_clip(server.base / "input" / clip), VARIANT, model_folder=server.base / "models" / "dance2music"
    )
    np.testing.assert_allclose(values["poses"]["image"], poses.image, atol=1e-4)
    np.testing.assert_array_equal(values["poses"]["present"], poses.present)
    assert values["poses"]["people"] == 1


def test_keypoints_there_and_back(values: dict[str, Any]) -> None:
    there, again = values["poses"], values["poses_again"]
    frames = text_of(values["keypoints"])
    assert len(frames) == len(there["image"]) == len(again["image"])
    assert len(frames[0]["people"][0]["pose_keypoints_2d"]) == 75
    assert (frames[0]["canvas_width"], frames[0]["canvas_height"]) == (320, 240)
    ankles = np.s_[:, 0, 27:29]
    np.testing.assert_allclose(again["image"][ankles], there["image"][ankles], atol=1e-4)
    assert again["fps"] == pytest.approx(len(frames) / DURATION_S)


def test_the_rhythm_is_the_cores(server: Server, values: dict[str, Any]) -> None:
    net = load_rhythm(weights(server) / "rhythm.safetensors")
    rhythm = rhythm_from_motion(dance_motion(poses_of(values["poses"])), net)
    np.testing.assert_allclose(values["rhythm"]["beats_s"], rhythm.beats_s, atol=1e-6)
    np.testing.assert_allclose(values["rhythm"]["curves"], rhythm.curves, atol=1e-5)
    found = rhythm_of(values["rhythm"])
    assert text_of(values["beats"]) == format_beats(found)
    assert text_of(values["bpm"]) == round(found.tempo_bpm)
    assert text_of(values["signature"]) == str(found.metre)
    times, bars = parse_beats(text_of(values["beats"]))
    np.testing.assert_allclose(times, found.beats_s, atol=5e-4)
    np.testing.assert_array_equal(bars, found.downbeats)


def test_edits_are_the_cores(values: dict[str, Any]) -> None:
    edited = shift(with_tempo(with_metre(rhythm_of(values["rhythm"]), 3), 100.0), 0.04)
    np.testing.assert_array_equal(values["edited"]["beats_s"], edited.beats_s)
    np.testing.assert_array_equal(values["edited"]["downbeats"], edited.downbeats)
    assert values["edited"]["tempo_bpm"] == 100.0


def test_music_is_the_cores_token_for_token(server: Server, values: dict[str, Any], codec: Codec) -> None:
    model = load_model(weights(server) / "model.safetensors")
    motion = dance_motion(poses_of(values["poses"]))
    tokens = generate_tokens(model, motion, rhythm_of(values["rhythm"]), model.spec, ASKED)
    np.testing.assert_array_equal(values["tokens"]["codes"], tokens.codes.numpy())
    wave = master_music(decode_tokens(codec, tokens, DURATION_S), rhythm_of(values["rhythm"]))
    assert values["music"]["samples"].shape == wave.samples.shape
    np.testing.assert_allclose(values["music"]["samples"], wave.samples.numpy(), atol=1e-5)


def test_music_ends_and_follows_the_dance_as_asked(
    server: Server, whole: Graph, values: dict[str, Any], codec: Codec
) -> None:
    """Sound that was encoded comes back as it was; a graph may leave out what older versions had not."""
    tokens = AudioTokens(torch.from_numpy(values["tokens"]["codes"]), codec.spec)
    plain = decode_tokens(codec, tokens, DURATION_S)
    again = {"900": node("EnCodecDecode", tokens=[ENCODE, 0], codec=[CODEC, 0], ending="fade")}
    graph = with_inputs(whole, DECODE, ending="cut", dynamics=0.0) | again
    graph = only(graph, DECODE) | only(graph, "900")
    graph |= {"cut": dump(DECODE, 0, "cut"), "again": dump("900", 0, "again")}
    graph |= {"codes": dump(ENCODE, 0, "codes")}
    entry = server.run(graph)
    assert_success(entry)
    cut = dumped(server, entry, "cut")[0]["samples"]
    asked = SoundSettings("cut", 0.0)
    expected = master_music(plain, rhythm_of(values["rhythm"]), asked).samples.numpy()
    np.testing.assert_allclose(cut, expected, atol=1e-5)
    assert np.abs(cut[..., -100:]).max() > 50 * np.abs(values["music"]["samples"][..., -100:]).max()
    heard = AudioTokens(torch.from_numpy(dumped(server, entry, "codes")[0]["codes"]), codec.spec)
    back = decode_tokens(codec, heard, DURATION_S)
    np.testing.assert_allclose(dumped(server, entry, "again")[0]["samples"], back.samples.numpy(), atol=1e-5)
    wrong = only(with_inputs(whole, DECODE, ending="bang"), DECODE) | {"cut": dump(DECODE, 0, "cut")}
    assert "bang" in rejected(server, wrong, DECODE)


def test_the_best_of_several_is_the_cores_choice(
    server: Server, whole: Graph, values: dict[str, Any], codec: Codec
) -> None:
    graph = with_inputs(whole, SAMPLER, candidates=2, codec=[CODEC, 0])
    kept = only(graph, SAMPLER) | {"best": dump(SAMPLER, 0, "best")}
    entry = server.run(kept)
    assert_success(entry)
    model = load_model(weights(server) / "model.safetensors")
    best = generate_tokens(
        model,
        dance_motion(poses_of(values["poses"])),
        rhythm_of(values["rhythm"]),
        model.spec,
        replace(ASKED, candidates=2),
        codec=codec,
    )
    np.testing.assert_array_equal(dumped(server, entry, "best")[0]["codes"], best.codes.numpy())


def test_encoding_and_going_on_are_the_cores(server: Server, values: dict[str, Any], codec: Codec) -> None:
    encoded = encode_audio(codec, wave_of(values["music"]))
    np.testing.assert_array_equal(values["encoded"]["codes"], encoded.codes.numpy())
    model = load_model(weights(server) / "model.safetensors")
    known = AudioTokens(encoded.codes[..., : round(KEPT_S * 50)], encoded.codec)
    longer = lengthened(rhythm_of(values["edited"]), LONGER_S)
    tokens = generate_tokens(
        model,
        dance_motion(poses_of(values["poses"])),
        longer,
        model.spec,
        ASKED,
        duration_s=LONGER_S,
        known=known,
    )
    np.testing.assert_array_equal(values["continued"]["codes"], tokens.codes.numpy())
    assert tokens.codes.shape[-1] == LONGER_S * 50
    np.testing.assert_array_equal(tokens.codes[..., : known.codes.shape[-1]], known.codes)
    np.testing.assert_array_equal(values["longer"]["beats_s"], longer.beats_s)
    assert values["longer"]["duration_s"] == LONGER_S


def test_aligned_heard_and_scored_as_by_the_core(values: dict[str, Any]) -> None:
    sound, dance = wave_of(values["sound"]), rhythm_of(values["rhythm"])
    heard = rhythm_from_audio(sound)
    np.testing.assert_allclose(values["heard"]["beats_s"], heard.beats_s, atol=1e-9)
    settings = AlignSettings(most_tempo_change=50.0)
    wave, _alignment = align_audio(sound, dance, settings, duration_s=DURATION_S)
    np.testing.assert_allclose(values["aligned"]["samples"], wave.samples.numpy(), atol=1e-4)
    score = score_music(wave_of(values["aligned"]), dance, poses_of(values["poses"]), DURATION_S)
    assert text_of(values["report"]) == describe_score(score)


def test_what_the_nodes_show(server: Server, done: dict[str, Any]) -> None:
    assert "Tempo: " in shown_text(done, SCORE)
    assert "Beat F: " in shown_text(done, SCORE)
    for name in (SELECT, EDIT, HEARD, SCORE):
        (picture,) = done["outputs"][name]["images"]
        assert server.file(picture).stat().st_size > 1000


def test_the_saved_video_has_the_picture_untouched(
    server: Server, clip: str, done: dict[str, Any], values: dict[str, Any]
) -> None:
    (shown,) = done["outputs"][VIDEO]["images"]
    path = server.file(shown)
    assert path.parent == server.base / "output" / "v"
    assert pictures(path) == pictures(server.base / "input" / clip)
    samples, rate = read_audio(path)
    assert samples.shape[1] / rate == pytest.approx(DURATION_S, abs=0.05)
    heard = rhythm_from_audio(Waveform(torch.from_numpy(samples[None].astype(np.float32)), rate))
    meant = rhythm_from_audio(wave_of(values["aligned"]))
    np.testing.assert_allclose(heard.beats_s, meant.beats_s, atol=0.02)
    with av.open(str(path)) as container:
        assert {"prompt"} <= container.metadata.keys()


def pictures(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


# --- batches, lists, windows ---


def test_batches_stay_together(server: Server, whole: Graph) -> None:
    graph = {key: whole[key] for key in (LOAD, POSE, RHYTHM, MODEL, CODEC, DECODE, SAVE)}
    graph[SAMPLER] = with_inputs(whole, SAMPLER, batch_size=2)[SAMPLER]
    graph[VIDEO] = with_inputs(whole, VIDEO, audio=[DECODE, 0])[VIDEO]
    graph[ENCODE] = whole[ENCODE]
    graph |= {"50": dump(SAMPLER, 0, "takes"), "51": dump(ENCODE, 0, "takes_again")}
    entry = server.run(graph)
    assert_success(entry)
    (takes,) = dumped(server, entry, "50")
    first, second = takes["codes"]
    assert not np.array_equal(first, second)
    alone = server.run(with_inputs(whole, SAMPLER, seed=4))
    single = dumped(server, alone, str(100 + list(DUMPED).index("tokens")))[0]["codes"][0]
    np.testing.assert_array_equal(second, single)
    assert len(entry["outputs"][SAVE]["audio"]) == 2
    assert len(entry["outputs"][VIDEO]["images"]) == 2
    assert len({shown["filename"] for shown in entry["outputs"][SAVE]["audio"]}) == 2
    (again,) = dumped(server, entry, "51")
    assert again["codes"].shape[0] == 2


def test_batches_of_others_and_lists(server: Server, whole: Graph) -> None:
    graph = {
        SOUND: clicks(4.0, 110.0, sounds=2),
        HEARD: whole[HEARD],
        "60": dump(HEARD, 0, "each_rhythm"),
        "61": {"class_type": "T_Clicks", "inputs": {"seconds": 4.0, "bpm": 140.0, "sounds": 1}},
        "62": {"class_type": "T_ListOf", "inputs": {"first": [SOUND, 0], "second": ["61", 0]}},
        SAVE: node("SaveAudio", audio=["62", 0], filename_prefix="list", format="wav"),
        EDIT: with_inputs(whole, EDIT, rhythm=[HEARD, 0])[EDIT],
        "63": dump(EDIT, 4, "each_metre"),
    }
    entry = server.run(graph)
    assert_success(entry)
    tempi = [float(one["tempo_bpm"]) for one in dumped(server, entry, "60")]
    assert tempi == pytest.approx([110.0, 120.0], abs=1.5)
    assert [text_of(one) for one in dumped(server, entry, "63")] == [3, 3]
    assert len(entry["outputs"][SAVE]["audio"]) == 3


def test_a_window_saved_with_its_own_sound(server: Server, whole: Graph, make_clip: Any) -> None:
    name = server.upload(make_clip("tone.mp4", duration_s=2.5, audio=660))
    graph = {
        LOAD: node("LoadVideo", file=name, start_s=0.5, duration_s=1.5, path=""),
        SOUND: clicks(0.5),
        VIDEO: node(
            "SaveVideo",
            video=[LOAD, 1],
            audio=[SOUND, 0],
            filename_prefix="w",
            format="mov",
            original_level=0.5,
        ),
    }
    entry = server.run(graph)
    assert_success(entry)
    path = server.file(entry["outputs"][VIDEO]["images"][0])
    assert path.suffix == ".mov"
    assert video_length_s(path) == pytest.approx(1.5, abs=0.05)
    samples, rate = read_audio(path)
    spectrum = np.abs(np.fft.rfft(samples[0, rate // 2 : rate + rate // 2]))
    assert abs(float(spectrum.argmax()) - 660) < 3, "the clip's own tone is not heard"


# --- errors as sentences ---


@pytest.mark.parametrize(
    ("which", "inputs", "words"),
    [
        (SELECT, {"dancer": "nobody"}, "nobody"),
        (EDIT, {"beats": "0.5, 0.4"}, "rise"),
        (EDIT, {"tempo": "fast"}, "fast"),
        (EDIT, {"swing": 90.0}, "swing"),
        (TO_KEYS, {"layout": "coco99"}, "coco99"),
        (CONTINUE, {"style": "polka"}, "polka"),
        (HEARD, {"tempo_bpm": 20.0}, "20"),
        (VIDEO, {"format": "avi"}, "avi"),
        (VIDEO, {"filename_prefix": "../../x"}, "../../x"),
    ],
)
def test_bad_settings_are_refused(
    server: Server, whole: Graph, which: str, inputs: dict[str, Any], words: str
) -> None:
    assert words in rejected(server, only(with_inputs(whole, which, **inputs), which), which)


@pytest.mark.parametrize(
    ("which", "inputs", "words"),
    [
        (SELECT, {"dancer": "by number", "number": 5}, "Dancer 5"),
        (EDIT, {"beats": "99 100"}, "fall within the clip"),
        (SAMPLER, {"candidates": 3}, "connect the codec"),
        (VIDEO, {"original_level": 0.4}, "has no sound to keep"),
    ],
)
def test_what_only_the_run_can_tell_is_a_sentence(
    server: Server, whole: Graph, which: str, inputs: dict[str, Any], words: str
) -> None:
    assert words in failed(server, only(with_inputs(whole, which, **inputs), which), which)
