"""Ears side by side, on clicks: their scores, their words, and a song that two parts of hear alike."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from benchmarks import ears
from benchmarks.ears import Found, Music, line, main, measured, scored
from d2m_core.grid import steady_beats
from training.scoreboard.music.making import clicks

BEATS = steady_beats(112, 12.0, 0.3)
MUSIC = Music("clicks", clicks(BEATS, 12.0), BEATS, np.arange(len(BEATS)) % 4 == 0)


def test_a_perfect_ear_and_one_that_is_half_a_beat_off() -> None:
    right = scored(MUSIC, Found(BEATS, np.asarray(MUSIC.downbeats), 0.1))
    off = scored(MUSIC, Found(BEATS + 30 / 112, None, 0.1))
    assert (right["f"], right["downbeat_f"], right["way"]) == (1.0, 1.0, "")
    assert (off["f"], off["way"]) == (0.0, "half a beat off")
    made = line("clicks", "both", [right, off])
    assert made["half off / twice / at half"] == "1 / 0 / 0"
    assert made["downbeat F"] == "1.000"
    assert made["x real time"] == "120"


def test_every_ear_hears_every_piece_of_a_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ears, "music_of", lambda _name, _args: iter([MUSIC, MUSIC]))
    args = argparse.Namespace(ears=["rises", "ours"], folder=tmp_path, madmom_first=0)
    found = measured("unseen", args)
    assert [len(rows) for rows in found.values()] == [2, 2]
    assert all(row["f"] > 0.9 for rows in found.values() for row in rows)


def test_the_command_leaves_out_what_was_not_given(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["--sets", "melody", "--ears", "ours", "--folder", str(tmp_path)]) == 0
    assert "melody" not in capsys.readouterr().out
