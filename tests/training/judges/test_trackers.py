"""Beats of songs are kept by what sounds, not by what the file is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from d2m_core.grid import steady_beats, tempo_of
from d2m_core.media import save_audio
from training.judges.trackers import song_beats
from training.scoreboard.music.making import clicks

SECONDS = 8.0


def song(path: Path, tempo: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return save_audio(clicks(steady_beats(tempo, SECONDS), SECONDS), path)


def test_songs_of_one_name_have_beats_of_their_own(tmp_path: Path, other_code: Callable[[], None]) -> None:
    kept = tmp_path / "kept"
    slow, fast = song(tmp_path / "a" / "1.wav", 100), song(tmp_path / "b" / "1.wav", 150)
    first = song_beats(slow, SECONDS, kept)
    found = [tempo_of(song_beats(path, SECONDS, kept)) for path in (slow, fast)]
    np.testing.assert_allclose(found, [100, 150], rtol=0.03)
    there = sorted(kept.iterdir())
    np.testing.assert_array_equal(song_beats(slow, SECONDS, kept), first)
    assert sorted(kept.iterdir()) == there
    song(slow, 120)
    assert abs(tempo_of(song_beats(slow, SECONDS, kept)) - 120) < 4
    other_code()
    song_beats(slow, SECONDS, kept)
    assert len(list(kept.iterdir())) == len(there) + 4
