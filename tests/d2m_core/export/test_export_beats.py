"""Beats for other programs, read back by what others would read them with."""

from __future__ import annotations

import csv
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from d2m_core.errors import MediaError, SettingError
from d2m_core.export import (
    BEAT_FORMATS,
    COLOURS,
    FRAME_RATES,
    BeatSheet,
    FrameRate,
    check_beats_file,
    click_track,
    export_beats,
    frame_rate,
    marks_of,
)
from d2m_core.export.marks import KINDS, bar_numbers, on_frames
from d2m_core.media import load_audio, open_clip
from d2m_core.midi import Named, midi_sections, open_midi, rhythm_from_midi
from d2m_core.types import Rhythm
from tests.media import make_clip


def long_s(name: str) -> float:
    """More than an hour where frames are dropped, 117 times by then; else more than ten minutes."""
    return 3900.0 if "drop" in name else 700.0


EVERY = pytest.mark.parametrize("name", FRAME_RATES)


def sheet(duration_s: float = 12.0, seed: int = 0, **more: object) -> BeatSheet:
    """Beats that wander, bars of four, accents beside them, three sections."""
    rng = np.random.default_rng(seed)
    beats = 0.31 + np.cumsum(0.5 + 0.02 * rng.standard_normal(int(duration_s / 0.5)))
    beats = beats[beats < duration_s]
    curves = np.zeros((round(duration_s * 25), 2), np.float32)
    rhythm = Rhythm(beats, np.arange(len(beats)) % 4 == 2, curves, 120.0)
    times = np.sort(rng.uniform(0, duration_s, max(3, int(duration_s / 30))))
    accents = tuple((float(t), float(s)) for t, s in zip(times, rng.uniform(0, 1, len(times)), strict=True))
    sections = (Named(0.0, "intro"), Named(duration_s / 3, "drop | one"), Named(duration_s / 2, "break"))
    return replace(BeatSheet(rhythm, duration_s, accents, sections), **more)


def meant(made: BeatSheet) -> list[tuple[int, str, str]]:
    """(frame, colour, name) of every mark, by the frame whose start is nearest."""
    rate = made.frame_rate
    marks = marks_of(made.rhythm, made.accents, made.sections, made.every_beat)
    frames: dict[int, list] = {}
    for mark in marks:
        exact = Fraction(mark.time_s) * rate.rate
        frame = min((int(exact), int(exact) + 1), key=lambda f: abs(f - exact))
        frames.setdefault(frame, []).append(mark)
    found = []
    for frame, own in sorted(frames.items()):
        own.sort(key=lambda mark: KINDS.index(mark.kind))
        found.append((frame, COLOURS[own[0].kind], ", ".join(mark.name for mark in own)))
    return [mark for mark in found if mark[0] < rate.frame_at(made.duration_s)]


# --- editors ---


@EVERY
def test_otio_is_frame_exact_over_an_hour(name: str, tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    made = sheet(long_s(name), rate=FRAME_RATES[name], every_beat=True)
    timeline = otio.adapters.read_from_file(str(export_beats(made, tmp_path / "x.otio")))
    rate = float(made.frame_rate.rate)
    marks = timeline.tracks.markers
    assert {m.marked_range.start_time.rate for m in marks} == {rate}
    found = [(int(m.marked_range.start_time.value), m.color, m.name) for m in marks]
    assert found == meant(made)
    assert len(found) > 1300
    start = otio.opentime.to_timecode(timeline.global_start_time, rate, made.frame_rate.drop)
    assert start.replace(";", ":") == "01:00:00:00"
    assert timeline.duration().value == made.frame_rate.frame_at(long_s(name))


@EVERY
def test_edl_is_frame_exact_over_an_hour(name: str, tmp_path: Path) -> None:
    """By OpenTimelineIO's reader of CMX 3600, which counts the dropped frames itself."""
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_cmx3600_adapter")
    made = sheet(long_s(name), rate=FRAME_RATES[name])
    rate = float(made.frame_rate.rate)
    path = export_beats(made, tmp_path / "x.edl")
    text = path.read_text()
    assert ("FCM: DROP FRAME" in text) == made.frame_rate.drop
    timeline = otio.adapters.read_from_string(text, adapter_name="cmx_3600", rate=rate)
    (track,) = timeline.tracks
    first = made.frame_rate.frame_of("01:00:00:00")
    at, found = 0, []
    for item in track:
        length = int(item.duration().value)
        if isinstance(item, otio.schema.Clip):
            (said,) = item.metadata["cmx_3600"]["comments"]
            colour, marker, frames = (part.split(":", 1)[1].strip() for part in said.split("|")[1:])
            assert length == int(frames) == 1
            assert item.source_range.start_time.value == first + at
            found.append((at, colour.removeprefix("ResolveColor").upper(), marker))
        at += length
    offset = meant(made)[0][0]  # the reader's track begins with the first event
    assert [(frame + offset, c, n) for frame, c, n in found] == [
        (frame, c, n.replace("|", "/")) for frame, c, n in meant(made)
    ]


def frames_of(text: str, rate: FrameRate) -> Fraction:
    return Fraction(text.removesuffix("s")) * rate.rate


@EVERY
def test_fcpxml_is_frame_exact_over_an_hour(name: str, tmp_path: Path) -> None:
    rate = FRAME_RATES[name]
    made = sheet(long_s(name), rate=rate)
    root = ElementTree.parse(export_beats(made, tmp_path / "x.fcpxml")).getroot()
    (shape,), (sequence,), (gap,) = (list(root.iter(tag)) for tag in ("format", "sequence", "gap"))
    assert frames_of(shape.get("frameDuration", ""), rate) == 1
    assert sequence.get("tcFormat") == ("DF" if rate.drop else "NDF")
    start = frames_of(sequence.get("tcStart", ""), rate)
    assert start == rate.frame_of("01:00:00:00")
    assert frames_of(sequence.get("duration", ""), rate) == rate.frame_at(long_s(name))
    assert frames_of(gap.get("start", ""), rate) == start
    colours = {"1": "GREEN", "0": "RED", None: None}
    found = [
        (frames_of(m.get("start", ""), rate) - start, colours[m.get("completed")], m.get("value"))
        for m in gap
    ]
    expected = [(f, c if c in ("GREEN", "RED") else None, n) for f, c, n in meant(made)]
    assert found == expected


@pytest.mark.parametrize("fps", [24, 25, 30, 50])
def test_opentimelineio_reads_the_fcpxml_of_a_clip(fps: int, tmp_path: Path) -> None:
    """Its reader counts in whole frames per second, so only such rates can be asked of it."""
    otio = pytest.importorskip("opentimelineio")
    pytest.importorskip("otio_fcpx_xml_adapter")
    clip = open_clip(make_clip(tmp_path / "dance.mp4", duration_s=4.0, fps=fps), 1.0, 2.5)
    made = sheet(2.5, clip=clip)
    assert made.frame_rate == FRAME_RATES[str(fps)]
    text = export_beats(made, tmp_path / "x.fcpxml").read_text()
    (timeline,) = otio.adapters.read_from_string(text, adapter_name="fcpx_xml")
    (item,) = list(timeline.find_clips())
    assert item.name == "dance"
    assert int(item.source_range.start_time.value) == fps
    found = [(int(m.marked_range.start_time.value) - fps, m.color, m.name) for m in item.markers]
    plain = {"YELLOW": "PURPLE", "BLUE": "PURPLE"}  # what it calls a marker that is no task
    for (frame, colour, marker), (want, kind, label) in zip(found, meant(made), strict=True):
        assert abs(frame - want) <= 1, "it cuts decimals off, which may lose a frame"
        assert (colour, marker) == (plain.get(kind, kind), label)


def test_the_clip_lies_on_the_timeline(tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    path = make_clip(tmp_path / "my dance.mp4", duration_s=4.0, fps=29.97, audio=440)
    made = sheet(2.5, clip=open_clip(path, 1.0, 2.5))
    assert made.frame_rate.name == "29.97"
    timeline = otio.adapters.read_from_file(str(export_beats(made, tmp_path / "x.otio")))
    (item,) = list(timeline.find_clips())
    assert item.media_reference.target_url == path.as_uri()
    assert item.source_range.start_time.value == 30
    assert item.source_range.duration.value == 75
    root = ElementTree.parse(export_beats(made, tmp_path / "x.fcpxml")).getroot()
    (media,), (asset,) = list(root.iter("media-rep")), list(root.iter("asset"))
    assert media.get("src") == path.as_uri()
    assert asset.get("hasAudio") == "1"
    assert frames_of(asset.get("duration", ""), made.frame_rate) >= 105


def test_one_mark_a_frame_with_all_its_names() -> None:
    made = sheet(12.0)
    beat = float(made.rhythm.beats_s[2])
    marks = marks_of(made.rhythm, [(beat + 0.001, 0.5)], [Named(beat - 0.001, "drop")])
    shared = next(mark for mark in on_frames(marks, FRAME_RATES["25"]) if "drop" in mark.name)
    assert (shared.kind, shared.name) == ("section", "drop, Bar 1, Accent 50 %")


def test_a_start_that_is_no_timecode_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="write one such as"):
        export_beats(sheet(start="1 hour"), tmp_path / "x.edl")
    assert not list(tmp_path.iterdir())


# --- tables, labels, tempo maps ---


def test_bars_and_beats_are_counted() -> None:
    rhythm = sheet(3.0).rhythm
    assert bar_numbers(rhythm) == [(0, 3), (0, 4), (1, 1), (1, 2), (1, 3)]
    none = replace(rhythm, downbeats=np.zeros(len(rhythm.beats_s), bool))
    assert {bar for bar, _ in bar_numbers(none)} == {0}


def test_the_table(tmp_path: Path) -> None:
    made = sheet(60.0)
    with export_beats(made, tmp_path / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["time_s"]) for row in rows] == pytest.approx(made.rhythm.beats_s, abs=1e-6)
    assert [row["downbeat"] == "1" for row in rows] == made.rhythm.downbeats.tolist()
    assert [int(row["beat"]) for row in rows] == list(range(1, len(rows) + 1))
    assert rows[6] | {"time_s": ""} == {
        "time_s": "",
        "beat": "7",
        "bar": "2",
        "beat_in_bar": "1",
        "downbeat": "1",
    }


def test_labels_for_audacity(tmp_path: Path) -> None:
    made = sheet(60.0)
    lines = [line.split("\t") for line in export_beats(made, tmp_path / "x.txt").read_text().splitlines()]
    assert len(lines) == len(made.rhythm.beats_s) + len(made.accents) + len(made.sections)
    times = [float(start) for start, _, _ in lines]
    assert times == sorted(times)
    assert all(start == end for start, end, _ in lines)
    assert {"intro", "drop | one", "Bar 1", "0.3", "1.2"} <= {name for _, _, name in lines}


def test_the_tempo_map(tmp_path: Path) -> None:
    made = sheet(60.0)
    midi = open_midi(export_beats(made, tmp_path / "x.mid"))
    again = rhythm_from_midi(midi, 60.0)
    assert np.abs(again.beats_s - made.rhythm.beats_s).max() < 1e-3
    np.testing.assert_array_equal(again.downbeats, made.rhythm.downbeats)
    assert [section.name for section in midi_sections(midi)] == ["intro", "drop | one", "break"]


# --- clicks ---


@pytest.mark.parametrize("rate", [44100, 48000])
def test_clicks_begin_with_the_sample_of_their_beat(rate: int, tmp_path: Path) -> None:
    made = sheet(61.3, sample_rate=rate)
    wave = load_audio(export_beats(made, tmp_path / "x.wav"))
    assert wave.sample_rate == rate
    assert wave.samples.shape == (1, 2, round(61.3 * rate))
    sound = wave.samples[0, 0].numpy()
    starts = np.round(made.rhythm.beats_s * rate).astype(int)
    quiet = np.convolve(np.abs(sound) > 0.05, np.ones(400), "full")[: len(sound)] == 0
    onsets = np.flatnonzero((np.abs(sound[1:]) > 0.05) & quiet[:-1]) + 1
    np.testing.assert_array_equal(onsets, starts)
    heights = np.abs(sound[starts])
    assert heights[made.rhythm.downbeats].min() > 1.4 * heights[~made.rhythm.downbeats].max()
    assert np.abs(sound).max() <= 1.0


def test_a_click_at_the_end_is_cut_and_none_is_silence() -> None:
    made = sheet(12.0)
    short = float(made.rhythm.beats_s[-1]) + 0.01
    assert click_track(made.rhythm, short).samples.shape[-1] == round(short * 48000)
    none = replace(made.rhythm, beats_s=np.zeros(0), downbeats=np.zeros(0, bool))
    assert float(click_track(none).samples.abs().max()) == 0
    alike = click_track(made.rhythm, beats_only=True).samples
    assert float(alike.max()) < float(click_track(made.rhythm).samples.max())


# --- files ---


@pytest.mark.parametrize("suffix", BEAT_FORMATS)
def test_every_form_is_written_whole_or_not_at_all(suffix: str, tmp_path: Path) -> None:
    if suffix == ".otio":
        pytest.importorskip("opentimelineio")
    path = export_beats(sheet(every_beat=True), tmp_path / "new" / f"x{suffix.upper()}")
    assert path.stat().st_size > 300
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    none = Rhythm(np.zeros(0), np.zeros(0, bool), np.zeros((50, 2), np.float32), 120.0)
    assert export_beats(BeatSheet(none, 2.0), tmp_path / f"y{suffix}").exists()
    (tmp_path / f"z{suffix}").mkdir()
    with pytest.raises(MediaError, match="folder"):
        export_beats(sheet(), tmp_path / f"z{suffix}")


@pytest.mark.parametrize("name", ["x", "x.xml", "x.mp3"])
def test_other_endings_are_a_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"use \.csv, "):
        check_beats_file(tmp_path / name)
    assert frame_rate("25").name == "25"
