"""MIDI files of others: all that the standard allows is taken, the rest is one sentence."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2m_core.errors import D2MError, MediaError
from d2m_core.midi import make_midi, midi_notes, open_midi, rhythm_from_midi
from d2m_core.types import Rhythm

Strokes = list[tuple[int, int]]
"""(tick, velocity)."""


def file(
    strokes: Strokes,
    metas: list[tuple[int, mido.MetaMessage]] | None = None,
    kind: int = 1,
    ticks: int = 480,
    end: int = 0,
    pitch: int = 38,
) -> mido.MidiFile:
    """A file of drum strokes, with tempi and time signatures in front."""
    events = [(tick, 0, meta) for tick, meta in metas or []]
    for tick, velocity in strokes:
        hit = {"channel": 9, "note": pitch}
        events.append((tick, 2, mido.Message("note_on", velocity=velocity, **hit)))
        events.append((tick + 20, 1, mido.Message("note_off", **hit)))
    track, now = mido.MidiTrack(), 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(0, end - now)))
    return mido.MidiFile(type=kind, ticks_per_beat=ticks, tracks=[track])


def data(midi: mido.MidiFile) -> bytes:
    out = io.BytesIO()
    midi.save(file=out)
    return out.getvalue()


def tempo(bpm: float) -> mido.MetaMessage:
    return mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))


def bars(beats: int, unit: int) -> mido.MetaMessage:
    return mido.MetaMessage("time_signature", numerator=beats, denominator=unit)


@pytest.mark.parametrize("kind", [0, 1])
def test_tempo_map_and_bars_of_a_stranger(kind: int) -> None:
    strokes = [(480 * k, 100) for k in range(16)]
    metas = [(0, tempo(120)), (0, bars(3, 4)), (480 * 6, bars(4, 4)), (480 * 10, tempo(60))]
    found = rhythm_from_midi(open_midi(data(file(strokes, metas, kind, end=480 * 16))))
    times = [0.5 * k for k in range(10)] + [5.0 + k for k in range(6)]
    np.testing.assert_allclose(found.beats_s, times, atol=1e-6)
    assert list(np.flatnonzero(found.downbeats)) == [0, 3, 6, 10, 14]
    assert found.confidence == 1.0


@pytest.mark.parametrize(
    ("beats", "unit", "times", "metre"),
    [(6, 8, 0.75, 2), (12, 8, 0.75, 4), (2, 2, 1.0, 2), (5, 8, 0.25, 5), (3, 8, 0.25, 3)],
)
def test_what_a_beat_is(beats: int, unit: int, times: float, metre: int) -> None:
    found = rhythm_from_midi(file([], [(0, tempo(120)), (0, bars(beats, unit))], end=480 * 24))
    np.testing.assert_allclose(np.diff(found.beats_s), times, atol=1e-6)
    assert found.metre == metre


def test_velocities_are_accents() -> None:
    found = rhythm_from_midi(
        file([(480 * k, 127 if k % 4 == 0 else 40) for k in range(16)], [(0, tempo(120))])
    )
    frames = np.round(np.arange(16) * 0.5 * 25).astype(int)
    heights = np.maximum(found.accent[frames], found.accent[np.minimum(frames + 1, len(found.accent) - 1)])
    assert heights[::4].min() > 2 * heights[1::4].max()
    assert found.accent.max() <= 1.0
    assert found.energy.max() == pytest.approx(1.0)


def test_film_frames_count_seconds() -> None:
    """25 frames of 40 ticks: a tick is a millisecond, whatever a tempo event says."""
    raw = bytearray(data(file([(500 * k, 100) for k in range(40)], [(0, tempo(33))], end=20_000)))
    raw[12:14] = struct.pack(">bB", -25, 40)
    midi = open_midi(bytes(raw))
    assert [note.start_s for note in midi_notes(midi)] == pytest.approx([0.5 * k for k in range(40)])
    found = rhythm_from_midi(midi)  # it has no bars: beats are heard
    assert found.tempo_bpm == pytest.approx(120.0, abs=1.0)


@pytest.mark.parametrize(("code", "rate"), [(-24, 24.0), (-29, 30000 / 1001), (-30, 30.0)])
def test_other_film_rates(code: int, rate: float) -> None:
    raw = bytearray(data(file([(800, 100)], end=20_000)))
    raw[12:14] = struct.pack(">bB", code, 80)
    (note,) = midi_notes(open_midi(bytes(raw)))
    assert note.start_s == pytest.approx(10 / rate, abs=1e-6)


def test_a_performance_beside_its_tempo_map_is_heard() -> None:
    """A keyboard recorded without a click: the map says 120, the player plays 97."""
    strokes = [(round(960 * 60 / 97 * k), 100 if k % 4 else 120) for k in range(64)]
    found = rhythm_from_midi(file(strokes, [(0, tempo(120))], pitch=36))
    assert found.tempo_bpm == pytest.approx(97, abs=0.5)
    seconds = np.arange(64) * 60 / 97
    distance = np.abs(found.beats_s[:, None] - seconds).min(1)
    assert np.median(distance) < 0.02


@pytest.mark.parametrize("grid", [480, 240, 160, 120])
def test_notes_on_parts_of_the_beat_keep_the_map(grid: int) -> None:
    rng = np.random.default_rng(grid)
    places = (
        np.sort(rng.choice(480 * 40 // grid, 60, replace=False)) * grid
        if grid < 480
        else np.arange(40) * grid
    )
    strokes = [(int(max(0, place + rng.normal(0, 12))), 90) for place in places]
    found = rhythm_from_midi(file(strokes, [(0, tempo(100))], end=480 * 40))
    np.testing.assert_allclose(np.diff(found.beats_s), 0.6, atol=1e-6)


def test_no_tempo_and_no_bars_means_listen_or_120() -> None:
    few = rhythm_from_midi(file([(0, 90), (480, 90), (960, 90)], [(0, tempo(120))], end=1920))
    assert few.tempo_bpm == pytest.approx(120)
    strokes = [(round(960 * 60 / 90 * k), 110) for k in range(40)]
    assert rhythm_from_midi(file(strokes)).tempo_bpm == pytest.approx(90, abs=1)


def test_running_status_and_riff_are_taken() -> None:
    notes = b"\x00\x99\x26\x64" + b"\x60\x26\x00\x00\x26\x64" * 7 + b"\x60\x26\x00\x00\xff\x2f\x00"
    raw = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96) + b"MTrk" + struct.pack(">I", len(notes)) + notes
    assert [note.start_s for note in midi_notes(open_midi(raw))] == pytest.approx([0.5 * k for k in range(8)])
    riff = b"RIFF" + struct.pack("<I", len(raw) + 12) + b"RMIDdata" + struct.pack("<I", len(raw)) + raw
    assert len(midi_notes(open_midi(riff))) == 8


def test_a_note_without_an_end_sounds_a_little() -> None:
    track = mido.MidiTrack([mido.Message("note_on", note=60, velocity=90, time=480)])
    (note,) = midi_notes(mido.MidiFile(tracks=[track]))
    assert 0 < note.end_s - note.start_s < 1


def test_two_hands_on_one_key_end_in_turn() -> None:
    hit = {"note": 60, "channel": 0}
    track = mido.MidiTrack(
        [
            mido.Message("note_on", velocity=90, time=0, **hit),
            mido.Message("note_on", velocity=50, time=240, **hit),
            mido.Message("note_off", time=240, **hit),
            mido.Message("note_off", time=480, **hit),
        ]
    )
    first, second = midi_notes(mido.MidiFile(tracks=[track]))
    assert (first.velocity, second.velocity) == (90, 50)
    assert (first.end_s, second.end_s) == pytest.approx((0.5, 1.0))


GOOD = data(file([(480 * k, 100) for k in range(8)], [(0, tempo(120))]))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "no MIDI file"),
        (b"RIFF....WAVE", "no MIDI file"),
        (GOOD[:60], "cut short or damaged"),
        (GOOD[:10], "cut short or damaged"),
        (GOOD[:8] + b"\x00\x02" + GOOD[10:], "type 2"),
        (GOOD[:12] + b"\x00\x00" + GOOD[14:], "0 ticks"),
        (data(file([])), None),
    ],
)
def test_bad_files_are_one_sentence(tmp_path: Path, raw: bytes, words: str | None) -> None:
    path = tmp_path / "some.mid"
    path.write_bytes(raw)
    if words is None:
        with pytest.raises(MediaError, match="neither notes nor a tempo"):
            rhythm_from_midi(open_midi(path))
        return
    with pytest.raises(MediaError, match=words) as caught:
        open_midi(path)
    assert str(caught.value).startswith("some.mid ")
    assert str(caught.value).count(".") - str(caught.value).count(".mid") <= 1


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="check the path"):
        open_midi(tmp_path / "none.mid")


@given(place=st.integers(0, len(GOOD) - 1), value=st.integers(0, 255), cut=st.integers(0, len(GOOD)))
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_read_or_refused(place: int, value: int, cut: int) -> None:
    raw = bytearray(GOOD)
    raw[place] = value
    try:
        found = rhythm_from_midi(open_midi(bytes(raw[: max(cut, place)])))
    except D2MError:
        return
    assert isinstance(found, Rhythm)


def test_a_day_is_the_most(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="24 hours"):
        rhythm_from_midi(file([(0, 90)], [(0, tempo(120))], end=480 * 2 * 3600 * 30))


def test_a_given_length_goes_on_with_the_tempo() -> None:
    beats = np.arange(0.0, 4.0, 0.5)
    curves = np.zeros((100, 2), np.float32)
    ours = make_midi(Rhythm(beats, np.arange(8) % 4 == 0, curves, 120.0))
    assert len(rhythm_from_midi(ours, 10.0).curves) == 250
    longer = rhythm_from_midi(file([(0, 90)], [(0, tempo(120))], end=480), 10.0)
    np.testing.assert_allclose(longer.beats_s, np.arange(20) * 0.5)
