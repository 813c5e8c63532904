"""MIDI files, read back by a library that shares no code with the one that writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d2m_core.errors import MediaError, SettingError
from d2m_core.grid import steady_beats
from d2m_core.midi import (
    TICKS_PER_BEAT,
    Named,
    SoundingNote,
    make_midi,
    midi_notes,
    midi_sections,
    open_midi,
    rhythm_from_midi,
    save_midi,
    tempo_map_of,
)
from d2m_core.types import Rhythm

symusic = pytest.importorskip("symusic")

MILLISECOND = 1e-3
LONG_S = 600.0


def rhythm(
    beats_s: np.ndarray, duration_s: float, first_bar: int = 0, metre: int = 4, bpm: float = 120.0
) -> Rhythm:
    bars = (np.arange(len(beats_s)) - first_bar) % metre == 0 if metre else np.zeros(len(beats_s), bool)
    curves = np.zeros((max(1, round(duration_s * 25)), 2), np.float32)
    return Rhythm(np.asarray(beats_s, np.float64), bars, curves, bpm)


def drifting(seed: int, duration_s: float = LONG_S, first_s: float | None = None) -> np.ndarray:
    """Beats as a dancer's: a tempo that wanders, each beat some milliseconds beside it."""
    rng = np.random.default_rng(seed)
    period = rng.uniform(0.34, 1.0)
    index = np.arange(int(duration_s / period))
    steps = period * (1 + 0.1 * np.sin(index / 50) + 0.04 * rng.standard_normal(len(index)))
    beats = np.cumsum(steps) + (rng.uniform(0, 2 * period) if first_s is None else first_s - steps[0])
    return beats[(beats >= 0) & (beats < duration_s)]


def heard(midi: object, path: Path) -> tuple[object, object]:
    """The file as the other library has it: in ticks, and in seconds."""
    save_midi(midi, path)  # type: ignore[arg-type]
    score = symusic.Score(path)
    return score, score.to("second")


def clicks(seconds: object) -> tuple[np.ndarray, np.ndarray]:
    """When the click track sounds, and which clicks are bar lines."""
    tracks = [track for track in seconds.tracks if track.name == "Click"]  # type: ignore[attr-defined]
    assert all(track.is_drum for track in tracks)
    notes = sorted((note for track in tracks for note in track.notes), key=lambda note: note.time)
    return np.array([note.time for note in notes]), np.array([note.pitch == 76 for note in notes])


def exact(score: object, ticks: np.ndarray) -> np.ndarray:
    """Seconds of ticks by the tempi that the library read, in whole numbers."""
    tempi = [(t.time, t.mspq) for t in score.tempos]  # type: ignore[attr-defined]
    found = []
    for tick in ticks.tolist():
        ends = [*(time for time, _ in tempi[1:]), tick]
        gone = sum(us * max(0, min(tick, e) - t) for (t, us), e in zip(tempi, ends, strict=True))
        found.append(gone / TICKS_PER_BEAT / 1e6)
    return np.array(found)


def bar_lines(score: object, last: int) -> set[int]:
    """Ticks of bar lines by the file's time signatures."""
    signs = [(s.time, s.numerator, s.denominator) for s in score.time_signatures]  # type: ignore[attr-defined]
    lines: set[int] = set()
    for (tick, beats, unit), end in zip(signs, [*(s[0] for s in signs[1:]), last + 1], strict=True):
        lines |= set(range(tick, end, beats * 4 * TICKS_PER_BEAT // unit))
    return lines


@pytest.mark.parametrize("seed", range(8))
def test_every_beat_of_ten_minutes_is_within_a_millisecond(tmp_path: Path, seed: int) -> None:
    beats = drifting(seed)
    meant = rhythm(beats, LONG_S, first_bar=seed % 4)
    score, seconds = heard(make_midi(meant, click=True), tmp_path / "x.mid")
    times, bars = clicks(seconds)
    assert len(times) == len(beats) > 500
    assert np.abs(times - beats).max() < MILLISECOND  # the library's seconds are float32
    assert np.abs(exact(score, tempo_map_of(meant).beats) - beats).max() < MILLISECOND / 10
    np.testing.assert_array_equal(bars, meant.downbeats)
    ticks = tempo_map_of(meant).beats
    assert {int(t) for t in ticks[meant.downbeats]} <= bar_lines(score, int(ticks[-1]))
    assert not {int(t) for t in ticks[~meant.downbeats]} & bar_lines(score, int(ticks[-1]))


@pytest.mark.parametrize("bpm", [61.7, 100.0, 117.93, 120.0, 179.9])
def test_a_steady_tempo_needs_few_tempo_events(tmp_path: Path, bpm: float) -> None:
    beats = steady_beats(bpm, LONG_S, 0.31)
    score, seconds = heard(make_midi(rhythm(beats, LONG_S), click=True), tmp_path / "x.mid")
    assert np.abs(clicks(seconds)[0] - beats).max() < MILLISECOND
    assert len(score.tempos) < len(beats) / 30  # type: ignore[attr-defined]


@given(seed=st.integers(0, 10**6), first=st.floats(0, 30), bar=st.integers(0, 6), metre=st.integers(2, 7))
@settings(max_examples=60, deadline=None)
def test_there_and_back(seed: int, first: float, bar: int, metre: int) -> None:
    """Any beats, any pick-up, any bar: what is read is what was written, in ticks that rise."""
    beats = drifting(seed, 40.0, first)
    meant = rhythm(beats, 40.0, bar, metre)
    midi = make_midi(meant)
    again = rhythm_from_midi(midi, 40.0)
    assert np.abs(again.beats_s - beats).max(initial=0) < MILLISECOND
    np.testing.assert_array_equal(again.downbeats, meant.downbeats)
    assert len(again.curves) == len(meant.curves)


def test_bars_of_changing_lengths(tmp_path: Path) -> None:
    beats = drifting(5, 30.0)
    meant = rhythm(beats, 30.0)
    bars = np.zeros(len(beats), bool)
    bars[[0, 5, 8, 12, 14, 20]] = True
    meant = Rhythm(beats, bars, meant.curves, 120.0)
    score, _ = heard(make_midi(meant), tmp_path / "x.mid")
    ticks = tempo_map_of(meant).beats
    assert {int(t) for t in ticks[bars]} <= bar_lines(score, int(ticks[20]))
    np.testing.assert_array_equal(rhythm_from_midi(make_midi(meant)).downbeats, bars)


@pytest.mark.parametrize("beats", [[], [1.3], [0.0], [0.0002, 0.5]])
def test_hardly_any_beats(tmp_path: Path, beats: list[float]) -> None:
    meant = rhythm(np.array(beats), 3.0)
    _, seconds = heard(make_midi(meant, click=True), tmp_path / "x.mid")
    assert clicks(seconds)[0] == pytest.approx(beats, abs=MILLISECOND)
    if beats:  # a file without any has those of its tempo
        assert rhythm_from_midi(make_midi(meant), 3.0).beats_s == pytest.approx(beats, abs=MILLISECOND)


def test_beats_too_far_apart_are_a_sentence() -> None:
    with pytest.raises(SettingError, match="add beats between"):
        make_midi(rhythm(np.array([0.0, 20.0]), 30.0))


NOTES = (
    SoundingNote(0.5, 0.9, 36, 110, "drums"),
    SoundingNote(0.5, 1.0, 40, 90, "bass"),
    SoundingNote(0.8, 1.5, 40, 91, "bass"),  # struck again while it sounds
    SoundingNote(1.0, 1.25, 60, 70, "chords"),
    SoundingNote(1.0, 1.25, 64, 71, "chords"),
    SoundingNote(2.0, 2.0, 72, 1, "lead"),  # of no length
    SoundingNote(2.9, 9.0, 76, 127, "lead"),  # beyond the end
)


def test_notes_programs_and_players(tmp_path: Path) -> None:
    meant = rhythm(drifting(2, 3.0, 0.2), 3.0)
    _, seconds = heard(make_midi(meant, notes=NOTES, programs={"lead": 5}), tmp_path / "x.mid")
    tracks = {track.name: track for track in seconds.tracks}  # type: ignore[attr-defined]
    assert {name: (t.program, t.is_drum) for name, t in tracks.items() if t.notes} == {
        "drums": (0, True), "bass": (33, False), "chords": (4, False), "lead": (5, False)
    }  # fmt: skip
    for player, track in tracks.items():
        own = [note for note in NOTES if note.player == player]
        read = sorted(track.notes, key=lambda note: (note.time, note.pitch))
        assert [(n.pitch, n.velocity) for n in read] == [(n.pitch, n.velocity) for n in own]
        assert [n.time for n in read] == pytest.approx([n.start_s for n in own], abs=MILLISECOND)
    first, second = tracks["bass"].notes
    assert first.time + first.duration == pytest.approx(second.time, abs=1e-6)
    assert tracks["lead"].notes[-1].time + tracks["lead"].notes[-1].duration < 3.0 + MILLISECOND


def test_our_own_reading_of_notes() -> None:
    midi = make_midi(rhythm(drifting(2, 3.0, 0.2), 3.0), notes=NOTES)
    found = midi_notes(midi)
    assert [(n.pitch, n.velocity, n.player, n.drum) for n in found] == [
        (n.pitch, n.velocity, n.player, n.player == "drums") for n in NOTES
    ]
    assert [n.start_s for n in found] == pytest.approx([n.start_s for n in NOTES], abs=MILLISECOND)


def test_sections_accents_and_chords(tmp_path: Path) -> None:
    meant = rhythm(drifting(3, 8.0), 8.0)
    sections = [Named(0.0, "intro"), Named(4.2, "drop")]
    chords = [Named(0.0, "Am"), Named(2.0, "F♯m7")]
    accents = [(1.234, 0.83), (4.2, 1.0)]
    midi = make_midi(meant, sections=sections, chords=chords, accents=accents)
    _, seconds = heard(midi, tmp_path / "x.mid")
    marks = [(m.time, m.text) for m in seconds.markers]  # type: ignore[attr-defined]
    assert [text for _, text in marks] == ["intro", "accent 83", "drop", "accent 100"]
    assert [time for time, _ in marks] == pytest.approx([0.0, 1.234, 4.2, 4.2], abs=MILLISECOND)
    assert [m.name for m in midi_sections(open_midi(tmp_path / "x.mid"))] == ["intro", "drop"]
    (track,) = [track for track in midi.tracks if track.name == "Chords"]
    assert [message.text for message in track if message.type == "text"] == ["Am", "F♯m7"]


def test_seventeen_players_share_the_channels(tmp_path: Path) -> None:
    notes = [SoundingNote(k / 10, k / 10 + 0.05, 60, 80, f"player {k}") for k in range(17)]
    midi = make_midi(rhythm(drifting(2, 3.0, 0.2), 3.0), notes=notes)
    assert len(midi_notes(midi)) == 17
    assert not any(note.drum for note in midi_notes(midi))


@pytest.mark.parametrize(("pitch", "velocity"), [(128, 90), (-1, 90), (60, 0), (60, 128)])
def test_notes_outside_midi_are_a_sentence(pitch: int, velocity: int) -> None:
    with pytest.raises(SettingError, match="use 0 to 127 and 1 to 127"):
        make_midi(rhythm(drifting(1, 5.0), 5.0), notes=[SoundingNote(0, 1, pitch, velocity, "lead")])


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "folder.mid").mkdir()
    with pytest.raises(MediaError, match="folder"):
        save_midi(make_midi(rhythm(drifting(1, 5.0), 5.0)), tmp_path / "folder.mid")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mid"]
