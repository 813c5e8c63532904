"""The picture of a piece: where its notes are drawn, and that nothing need be there."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.midi import Named, SoundingNote
from d2m_core.pictures import piano_roll
from d2m_core.types import Rhythm

WIDTH, HEIGHT = 700, 400


def rhythm(duration_s: float = 10.0, beats: int = 20) -> Rhythm:
    times = np.linspace(0, duration_s, beats, endpoint=False)
    curves = np.zeros((round(duration_s * 25), 2), np.float32)
    return Rhythm(times, np.arange(beats) % 4 == 0, curves, 120.0)


def drawn(notes: list[SoundingNote], **more: object) -> np.ndarray:
    return piano_roll(notes, rhythm(), width=WIDTH, height=HEIGHT, **more)  # type: ignore[arg-type]


def changed(notes: list[SoundingNote]) -> tuple[float, float]:
    """Middle of what the last of the notes changes, as shares of width and height."""
    without, whole = drawn(notes[:-1]).astype(int), drawn(notes).astype(int)
    rows, columns = np.nonzero(np.abs(whole - without).max(2)[HEIGHT // 5 :] > 60)
    return float(columns.mean()) / WIDTH, float(rows.mean() + HEIGHT // 5) / HEIGHT


FRAME = [SoundingNote(0.0, 0.5, 30, 90, "keys"), SoundingNote(9.0, 9.5, 90, 90, "keys")]


@pytest.mark.parametrize(("start_s", "pitch"), [(2.0, 40), (5.0, 60), (7.5, 80)])
def test_a_note_stands_at_its_time_and_pitch(start_s: float, pitch: int) -> None:
    x, y = changed([*FRAME, SoundingNote(start_s, start_s + 0.5, pitch, 127, "keys")])
    assert x == pytest.approx(0.045 + 0.94 * (start_s + 0.25) / 10, abs=0.01)
    share = (pitch - 28) / 64  # between the lowest and the highest, with two keys to spare
    assert y == pytest.approx(1 - (0.09 + 0.74 * share), abs=0.05)


def test_loud_notes_are_strong() -> None:
    def strength(velocity: int) -> float:
        loud = [*FRAME, SoundingNote(5.0, 6.0, 60, velocity, "keys")]
        return float(np.abs(drawn(loud).astype(int) - drawn(FRAME).astype(int)).sum())

    assert strength(127) > 1.3 * strength(20) > 0


def test_sections_and_chords_are_written() -> None:
    plain = drawn(FRAME)
    named = drawn(FRAME, sections=[Named(3.0, "drop")], chords=[Named(6.0, "F♯m7")])
    assert plain.shape == named.shape == (HEIGHT, WIDTH, 3)
    assert plain.dtype == np.uint8
    assert (plain != named).any(axis=2).sum() > 100


def test_nothing_to_draw_is_a_picture_too() -> None:
    none = Rhythm(np.zeros(0), np.zeros(0, bool), np.zeros((1, 2), np.float32), 120.0)
    assert piano_roll([], none, width=WIDTH, height=HEIGHT).shape == (HEIGHT, WIDTH, 3)
    assert piano_roll(FRAME, rhythm(10.0, 400), width=WIDTH, height=HEIGHT).std() > 5
