"""Edited music, mended poses, drawn curves, music from a sound: in a real ComfyUI, beside the core's own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from d2m_core.codec import load_codec
from d2m_core.media import to_mono
from d2m_core.motion import dance_motion
from d2m_core.music import LoadedModel, extend_left, load_model, music_from_sound, repaint
from d2m_core.pose import parse_points, repair_poses
from d2m_core.rhythm import curve_points, with_curve
from d2m_core.spans import Span
from d2m_core.types import AudioTokens
from tests.comfy_server import PYTHON, Server
from tests.tiny_models import CODEC_FOLDER

from .graphs import (
    CODEC,
    CURVES,
    DURATION_S,
    ENCODE,
    MENDED,
    REPAINT,
    REPAIR,
    SAMPLER,
    SOUND,
    Graph,
    assert_success,
    dump,
    dumped,
    failed,
    only,
    rejected,
    shown_text,
    with_inputs,
)
from .test_server_nodes import ASKED, poses_of, rhythm_of, text_of, wave_of, weights

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no ComfyUI in .comfy")

AGAIN = replace(ASKED, seed=4, candidates=2)
Values = dict[str, dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def model(server: Server) -> LoadedModel:
    return load_model(weights(server) / "model.safetensors")


def test_a_span_is_repainted_as_by_the_core(
    server: Server, done: dict[str, Any], values: Values, model: LoadedModel
) -> None:
    old, rhythm = (
        AudioTokens(torch.from_numpy(values["tokens"]["codes"]), model.spec),
        rhythm_of(values["rhythm"]),
    )
    core = repaint(model, old, [Span(0.5, 1.5)], rhythm, AGAIN, duration_s=DURATION_S)
    np.testing.assert_array_equal(values["repainted"]["codes"], core.tokens.codes.numpy())
    assert float(values["repainted"]["duration_s"]) == DURATION_S
    assert text_of(values["in_front"]) == 0.0
    told = shown_text(done, REPAINT)
    assert told.startswith("New: 0.50-1.50 s. What follows has ")
    assert "after the worst of 2" in told


def test_bars_in_front_are_the_cores_and_are_told(
    server: Server, whole: Graph, values: Values, model: LoadedModel
) -> None:
    graph = only(with_inputs(whole, REPAINT, edit="extend left", bars=1, span="", likeness=0.5), REPAINT)
    graph |= {f"out{k}": dump(REPAINT, k, f"front{k}") for k in range(3)}
    entry = server.run(graph)
    assert_success(entry)
    tokens, rhythm, added = (dumped(server, entry, f"out{k}")[0] for k in range(3))
    old = AudioTokens(torch.from_numpy(values["tokens"]["codes"]), model.spec)
    core = extend_left(model, old, 1, rhythm_of(values["rhythm"]), AGAIN, duration_s=DURATION_S, likeness=0.5)
    np.testing.assert_array_equal(tokens["codes"], core.tokens.codes.numpy())
    np.testing.assert_allclose(rhythm["beats_s"], core.rhythm.beats_s)
    assert text_of(added) == pytest.approx(core.added_s)
    assert float(rhythm["duration_s"]) == pytest.approx(DURATION_S + core.added_s)


def test_bad_edits_are_refused_before_the_run_or_in_it(server: Server, whole: Graph) -> None:
    graph = only(whole, REPAINT)
    assert "does not end after" in rejected(server, with_inputs(graph, REPAINT, span="8-4"), REPAINT)
    assert "choose repaint" in rejected(server, with_inputs(graph, REPAINT, edit="remix"), REPAINT)
    assert "begins after the end" in failed(server, with_inputs(graph, REPAINT, span="9-10"), REPAINT)
    heard = only(with_inputs(whole, REPAINT, tokens=[ENCODE, 0]), REPAINT)
    assert "no rhythm; connect one" in failed(server, heard, REPAINT)


def test_poses_are_mended_as_by_the_core(server: Server, done: dict[str, Any], values: Values) -> None:
    poses = replace(poses_of(values["poses"]), aspect=320 / 240)
    core = repair_poses(poses, [Span(0.8, 1.2)], part="left arm", points=parse_points(str(MENDED["points"])))
    mended = poses_of(values["repaired"])
    assert (mended.world != poses.world).any()
    np.testing.assert_allclose(mended.world, core.world, atol=1e-5)
    (picture,) = done["outputs"][REPAIR]["images"]
    assert server.file(picture).stat().st_size > 1000
    assert shown_text(done, REPAIR) == "left arm, interpolate: 0.80-1.20 s."


def test_bad_repairs_are_refused(server: Server, whole: Graph) -> None:
    graph = only(whole, REPAIR)
    assert "Poses know no bars" in rejected(server, with_inputs(graph, REPAIR, spans="bar 2"), REPAIR)
    assert "not understood" in rejected(server, with_inputs(graph, REPAIR, points="here"), REPAIR)
    mirrored = with_inputs(graph, REPAIR, method="mirror", part="head")
    assert "no other side" in failed(server, mirrored, REPAIR)


def test_curves_go_out_and_drawn_ones_come_in(server: Server, whole: Graph, values: Values) -> None:
    rhythm = rhythm_of(values["rhythm"])
    for name, curve in (("energy", rhythm.energy), ("accents", rhythm.accent)):
        points = text_of(values[name])["points"]
        np.testing.assert_allclose(points, curve_points(curve), atol=1e-6)
    drawn = {"points": [[0, 0.2], [1, 0.8]], "interpolation": "linear"}
    value = {"class_type": "T_Value", "inputs": {"text": json.dumps(drawn)}}
    graph = whole | {"drawn": value}
    graph = only(with_inputs(graph, CURVES, energy_curve=["drawn", 0], amount=0.5), CURVES)
    graph["out"] = dump(CURVES, 0, "drawn")
    entry = server.run(graph)
    assert_success(entry)
    wanted = with_curve(rhythm, "energy", np.linspace(0.2, 0.8, len(rhythm.curves)), 0.5)
    np.testing.assert_allclose(dumped(server, entry, "out")[0]["curves"], wanted.curves, atol=1e-6)


@pytest.mark.parametrize("use", ["before it", "as its beginning"])
def test_music_starts_from_a_sound_as_by_the_core(
    server: Server, whole: Graph, values: Values, model: LoadedModel, use: str
) -> None:
    graph = only(with_inputs(whole, SAMPLER, sound=[SOUND, 0], sound_use=use, codec=[CODEC, 0]), SAMPLER)
    graph["out"] = dump(SAMPLER, 0, "from_sound")
    entry = server.run(graph)
    assert_success(entry)
    motion, rhythm = dance_motion(poses_of(values["poses"])), rhythm_of(values["rhythm"])
    sound = to_mono(wave_of(values["sound"]))
    codec = load_codec(weights(server) / CODEC_FOLDER)
    core = music_from_sound(model, codec, sound, motion, rhythm, ASKED, use=use)
    np.testing.assert_array_equal(dumped(server, entry, "out")[0]["codes"], core.codes.numpy())
    lone = with_inputs(graph, SAMPLER, sound_use="behind it")
    assert "choose before it" in rejected(server, lone, SAMPLER)
    del lone[SAMPLER]["inputs"]["codec"], lone["out"]
    lone[SAMPLER]["inputs"]["sound_use"] = use
    assert "connect the codec" in failed(server, lone, SAMPLER)
