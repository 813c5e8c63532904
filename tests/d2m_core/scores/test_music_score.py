"""Scores of music against a dance, with their controls."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from d2m_core.errors import SettingError
from d2m_core.grid import steady_beats
from d2m_core.scores import describe_score, score_music
from d2m_core.types import Rhythm, Waveform
from training.studio.picture.drawing import demo_dance

RATE = 22_050


def clicks(beats_s: np.ndarray, duration_s: float) -> Waveform:
    samples = torch.zeros(1, 1, round(duration_s * RATE))
    for beat in beats_s:
        start = round(beat * RATE)
        stop = min(start + 300, samples.shape[-1])
        samples[..., start:stop] = torch.linspace(0.8, 0, 300)[: stop - start]
    return Waveform(samples, RATE)


def dance(bpm: float, duration_s: float) -> Rhythm:
    beats = steady_beats(bpm, duration_s, 0.3)
    times = np.arange(round(duration_s * 25)) / 25
    onset = np.exp(-0.5 * (np.abs(times[:, None] - beats).min(1) / 0.04) ** 2)
    curves = np.stack([onset, np.full(len(times), 0.5)], 1).astype(np.float32)
    return Rhythm(beats, np.arange(len(beats)) % 4 == 0, curves, bpm)


@pytest.fixture(scope="module")
def scores() -> dict[str, dict[str, tuple[float, float]]]:
    rhythm = dance(110.0, 12.0)
    made = {"on": clicks(rhythm.beats_s, 12.0), "off": clicks(rhythm.beats_s + 0.5 * 60 / 110, 12.0)}
    return {
        name: {s.name: (s.value, s.chance) for s in score_music(wave, rhythm).scores}
        for name, wave in made.items()
    }


def test_music_on_the_beats_scores_and_its_other_phases_do_not(scores: dict) -> None:
    for name in ("beat F", "accents met by an onset", "onsets that meet an accent"):
        value, chance = scores["on"][name]
        assert value > 0.9
        assert chance < 0.45
        assert scores["off"][name][0] < 0.2
    assert scores["on"]["beats in a row (CMLt)"][0] > 0.9
    assert scores["off"]["also half, double, off-beat (AMLt)"][0] > 0.7


@pytest.mark.parametrize(("shift", "said"), [(0.0, False), (0.5, True)])
def test_music_heard_off_the_beat_is_said_so(shift: float, said: bool) -> None:
    rhythm = dance(110.0, 12.0)
    score = score_music(clicks(rhythm.beats_s + shift * 60 / 110, 12.0), rhythm)
    assert score.off_beat == said
    assert ("keeps the dance's pulse, but was heard half a beat off." in describe_score(score)) == said


def test_poses_add_accents_and_beat_alignment() -> None:
    poses = demo_dance(3, 112.0, 6.0, 25.0).poses
    rhythm = dance(112.0, 6.0)
    score = score_music(clicks(rhythm.beats_s, 6.0), rhythm, poses)
    names = [each.name for each in score.scores]
    assert "beat alignment (AIST++)" in names
    assert "beat alignment (Bailando)" in names
    assert all(0 <= each.value <= 1 for each in score.scores)
    assert len(score.accents_s) > 3
    text = describe_score(score)
    assert text.startswith("Tempo: 11")
    assert "(the same)" in text
    assert text.splitlines()[1].startswith("How sure the ear is of the music's beats: ")
    assert text.count("\n") == len(score.scores) + 1


def test_music_without_sound() -> None:
    rhythm = dance(110.0, 4.0)
    silent = score_music(Waveform(torch.zeros(1, 2, 4 * RATE), RATE), rhythm)
    assert "none" in describe_score(silent) or "0.00" in describe_score(silent)
    with pytest.raises(SettingError, match="no samples"):
        score_music(Waveform(torch.zeros(1, 1, 0), RATE), rhythm)
