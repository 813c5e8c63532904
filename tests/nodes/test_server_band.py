"""The band, MIDI and markers in a real ComfyUI, held against the core and read by others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from d2m_core.band import STEMS, play_band
from d2m_core.export import click_track
from d2m_core.midi import make_midi, midi_notes, midi_sections, open_midi, rhythm_from_midi, save_midi
from d2m_core.motion import dance_accents, dance_motion
from tests.comfy_server import PYTHON, Server

from .graphs import (
    BAND,
    LOAD,
    MARKERS,
    MIDI_IN,
    MIDI_OUT,
    PLAYED,
    PLAYERS,
    RHYTHM,
    WANDERING,
    Graph,
    assert_success,
    clicks,
    dump,
    dumped,
    failed,
    node,
    only,
    rejected,
    shown_text,
    with_inputs,
)
from .test_server_nodes import poses_of, rhythm_of, text_of

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no ComfyUI in .comfy")


def put(server: Server, name: str, text: bytes) -> Path:
    path = server.base / "input" / name
    path.write_bytes(text)
    return path


def value(given: Any) -> dict[str, Any]:
    """A node of the tests' own pack that gives a value to any input."""
    return {"class_type": "T_Value", "inputs": {"text": json.dumps(given)}}


def test_the_band_is_the_cores(values: dict[str, Any]) -> None:
    dance, poses = rhythm_of(values["rhythm"]), poses_of(values["poses"])
    take = play_band(dance, dance_motion(poses), players=PLAYERS, **PLAYED)  # type: ignore[arg-type]
    assert text_of(values["chart"]) == take.text
    assert values["mix"]["rate"] == 48_000
    length = round(float(values["rhythm"]["duration_s"]) * 48_000)
    for name, wave in {"mix": take.mix, **take.stems}.items():
        samples = values[name]["samples"]
        assert samples.shape == (1, 2, length)
        shared = min(length, wave.samples.shape[-1]) - 2000  # the end is faded
        np.testing.assert_allclose(samples[..., :shared], wave.samples.numpy()[..., :shared], atol=1e-4)
    assert values["mix"]["samples"].std() > 0.01
    assert set(STEMS) <= values.keys()


def test_the_saved_midi_is_what_was_played(
    server: Server, done: dict[str, Any], values: dict[str, Any]
) -> None:
    (shown,) = done["outputs"][MIDI_OUT]["midi"]
    path = server.file(shown)
    assert path.parent == server.base / "output" / "m"
    midi = open_midi(path)
    dance, poses = rhythm_of(values["rhythm"]), poses_of(values["poses"])
    take = play_band(dance, dance_motion(poses), players=PLAYERS, **PLAYED)  # type: ignore[arg-type]
    assert len(midi_notes(midi)) > 20
    meant = make_midi(dance, notes=take.notes)
    assert [(n.pitch, n.velocity) for n in midi_notes(midi)] == [
        (n.pitch, n.velocity) for n in midi_notes(meant)
    ]
    assert [m.name for m in midi_sections(midi)] == [m.name for m in take.sections]
    again = rhythm_from_midi(midi)
    np.testing.assert_allclose(again.beats_s, dance.beats_s, atol=1e-3)
    np.testing.assert_array_equal(again.downbeats, dance.downbeats)
    for name in (MIDI_OUT, MIDI_IN, BAND):
        assert server.file(done["outputs"][name]["images"][0]).stat().st_size > 1000
    assert "m/dance_00001_.mid" in shown_text(done, MIDI_OUT)


def test_a_loaded_file_gives_its_beats(values: dict[str, Any]) -> None:
    found = rhythm_of(values["from_midi"])
    np.testing.assert_allclose(found.beats_s, WANDERING.beats_s, atol=1e-3)
    np.testing.assert_array_equal(found.downbeats, WANDERING.downbeats)


def test_markers_and_clicks(server: Server, done: dict[str, Any], values: dict[str, Any]) -> None:
    otio = pytest.importorskip("opentimelineio")
    (shown,) = done["outputs"][MARKERS]["beats"]
    timeline = otio.adapters.read_from_file(str(server.file(shown)))
    dance = rhythm_of(values["rhythm"])
    frames = {int(mark.marked_range.start_time.value) for mark in timeline.tracks.markers}
    accents = dance_accents(poses_of(values["poses"]))
    times = [*dance.beats_s, *accents.times_s]
    assert {round(t * 25) for t in times if round(t * 25) < timeline.duration().value} <= frames
    assert {mark.color for mark in timeline.tracks.markers} >= {"GREEN", "RED"}
    (clip,) = list(timeline.find_clips())
    assert clip.media_reference.target_url.startswith("file://")
    wave = click_track(dance, float(values["rhythm"]["duration_s"]))
    np.testing.assert_array_equal(values["clicks"]["samples"], wave.samples.numpy())
    assert "25 frames per second" in shown_text(done, MARKERS)


@pytest.mark.parametrize(
    ("form", "suffix"),
    [
        ("csv table", "csv"),
        ("Audacity labels", "txt"),
        ("MIDI tempo map", "mid"),
        ("click track", "wav"),
        ("FCPXML markers", "fcpxml"),
        ("EDL markers", "edl"),
    ],
)
def test_every_form_is_written(server: Server, whole: Graph, form: str, suffix: str) -> None:
    entry = server.run(only(with_inputs(whole, MARKERS, format=form, frame_rate="29.97 drop"), MARKERS))
    assert_success(entry)
    (shown,) = entry["outputs"][MARKERS]["beats"]
    assert shown["filename"].endswith(f".{suffix}")
    assert server.file(shown).stat().st_size > 50


def test_midi_of_other_packs_is_taken(server: Server, beats: str) -> None:
    """A path in ComfyUI's folders; others outside them are refused."""
    graph = {"1": value(beats), MIDI_OUT: node("SaveMidi", midi=["1", 0], filename_prefix="other")}
    entry = server.run(graph)
    assert_success(entry)
    (shown,) = entry["outputs"][MIDI_OUT]["midi"]
    assert len(midi_notes(open_midi(server.file(shown)))) == len(WANDERING.beats_s)
    graph["1"] = value("/etc/hostname")
    assert "outside ComfyUI's folders" in failed(server, graph, MIDI_OUT)
    graph["1"] = value(7)
    assert "connect MIDI" in failed(server, graph, MIDI_OUT)


def test_a_saved_file_is_loaded_by_its_path(server: Server, done: dict[str, Any]) -> None:
    (shown,) = done["outputs"][MIDI_OUT]["midi"]
    name = f"{shown['subfolder']}/{shown['filename']} [output]"
    graph = {MIDI_IN: node("LoadMidi", file="", path=name, seconds=2.0), "1": dump(MIDI_IN, 0, "by_path")}
    entry = server.run(graph)
    assert_success(entry)
    (found,) = dumped(server, entry, "1")
    assert found["duration_s"] == 2.0
    assert len(found["curves"]) == 50


def test_the_band_plays_music_and_midi_too(server: Server, beats: str) -> None:
    graph = {
        "1": node("LoadMidi", file=beats, path="", seconds=0.0),
        BAND: node("DanceBand", rhythm=["1", 0], **PLAYED, **dict.fromkeys(PLAYERS, False) | {"bass": True}),
        "2": dump(BAND, 0, "bass_alone"),
    }
    entry = server.run(graph)
    assert_success(entry)
    (found,) = dumped(server, entry, "2")
    assert found["samples"].std() > 1e-3
    nobody = graph | {BAND: node("DanceBand", rhythm=["1", 0], **PLAYED, **dict.fromkeys(PLAYERS, False))}
    assert "switch on at least one player" in failed(server, nobody, BAND)


@pytest.mark.parametrize(
    ("which", "inputs", "words"),
    [
        (BAND, {"style": "polka"}, "polka"),
        (BAND, {"key": "H major"}, "H major"),
        (BAND, {"intensity": 2.0}, "intensity"),
        (MIDI_OUT, {"filename_prefix": "../../x"}, "../../x"),
        (MIDI_IN, {"path": "/etc/hostname"}, "outside ComfyUI's folders"),
        (MIDI_IN, {"path": "../../secret.mid"}, "outside ComfyUI's folders"),
        (MIDI_IN, {"file": "none.mid"}, "none.mid"),
        (MARKERS, {"format": "avid bin"}, "avid bin"),
        (MARKERS, {"frame_rate": "31"}, "31"),
        (MARKERS, {"filename_prefix": "../../x"}, "../../x"),
    ],
)
def test_bad_settings_are_refused(
    server: Server, whole: Graph, which: str, inputs: dict[str, Any], words: str
) -> None:
    assert words in rejected(server, only(with_inputs(whole, which, **inputs), which), which)


def test_what_only_the_run_can_tell_is_a_sentence(server: Server, whole: Graph) -> None:
    late = only(with_inputs(whole, MARKERS, start_timecode="1 h"), MARKERS)
    assert "write one such as 01:00:00:00" in failed(server, late, MARKERS)
    put(server, "broken.mid", b"MThd and nothing")
    broken = only(with_inputs(whole, MIDI_IN, path="broken.mid"), MIDI_IN)
    assert "broken.mid is cut short or damaged" in failed(server, broken, MIDI_IN)


def test_a_changed_file_is_read_again(server: Server, whole: Graph, tmp_path: Path) -> None:
    name = "changing.mid"
    graph = only(with_inputs(whole, MIDI_IN, path=name), MIDI_IN) | {"1": dump(MIDI_IN, 0, "changing")}
    for count in (8, 5):
        beats = WANDERING.beats_s[:count]
        midi = make_midi(type(WANDERING)(beats, WANDERING.downbeats[:count], WANDERING.curves, 120.0))
        put(server, name, save_midi(midi, tmp_path / name).read_bytes())
        entry = server.run(graph)
        assert_success(entry)
        assert len(dumped(server, entry, "1")[0]["beats_s"]) == count


def test_the_clicks_go_on_to_any_audio_node(server: Server, whole: Graph) -> None:
    graph = only(whole, MARKERS) | {
        "71": node("SaveAudio", audio=[MARKERS, 0], filename_prefix="clicks", format="wav"),
        "72": clicks(1.0),
    }
    entry = server.run(graph)
    assert_success(entry)
    assert entry["outputs"]["71"]["audio"]
    assert {LOAD, RHYTHM} <= graph.keys()
