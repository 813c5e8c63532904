"""Beats from what the ear says, and the list of ears."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from d2m_core.ear import EAR_FPS, EarCurves
from d2m_core.errors import ModelError, SettingError
from d2m_core.grid import steady_beats
from d2m_core.rhythm import EARS, OURS, beats_of_ear, ear_of, ears, rhythm_from_audio
from d2m_core.scores import beat_f
from d2m_core.types import Waveform


def said(
    beats_s: np.ndarray, seconds: float, metre: int = 4, first: int = 0, height: float = 0.9
) -> EarCurves:
    """What a sure ear says of these beats."""
    times = np.arange(round(seconds * EAR_FPS)) / EAR_FPS

    def bumps(at: np.ndarray) -> np.ndarray:
        away = np.abs(times[:, None] - at[None]).min(1) if len(at) else np.full(len(times), 9.0)
        return (0.01 + height * np.exp(-0.5 * (away / 0.02) ** 2)).astype(np.float32)

    return EarCurves(bumps(beats_s), bumps(beats_s[first::metre]), bumps(beats_s))


@pytest.mark.parametrize("bpm", [55, 72, 119, 160, 200])
def test_any_pulse_of_music_is_found_to_a_hundredth_of_a_second(bpm: float) -> None:
    truth = steady_beats(bpm, 20.0, 0.31)
    grid = beats_of_ear(said(truth, 20.0))
    assert grid.tempo_bpm == pytest.approx(bpm, rel=0.005)
    assert beat_f(truth, grid.beats_s, 0.012) > 0.95
    assert grid.confidence > 0.8


@pytest.mark.parametrize(("metre", "first"), [(4, 2), (3, 1)])
def test_bars_are_found(metre: int, first: int) -> None:
    truth = steady_beats(110, 16.0, 0.1)
    grid = beats_of_ear(said(truth, 16.0, metre, first))
    np.testing.assert_array_equal(np.flatnonzero(grid.downbeats)[:4], first + metre * np.arange(4))


def test_missing_and_wrong_beats_are_bridged() -> None:
    rng = np.random.default_rng(0)
    truth = steady_beats(101, 20.0, 0.2)
    kept = np.sort(np.append(truth[rng.random(len(truth)) > 0.3], rng.uniform(0, 20, 5)))
    assert beat_f(truth, beats_of_ear(said(kept, 20.0)).beats_s) > 0.95


def test_a_tempo_that_wanders_is_followed() -> None:
    truth = 0.2 + np.concatenate([[0], np.cumsum(60 / np.linspace(96, 112, 40))])
    assert beat_f(truth, beats_of_ear(said(truth, 23.5)).beats_s) > 0.97


def test_a_given_tempo_is_kept_and_its_phase_found() -> None:
    truth = steady_beats(90, 16.0, 0.37)
    grid = beats_of_ear(said(truth, 16.0), 90.0)
    np.testing.assert_allclose(np.diff(grid.beats_s), 60 / 90)
    assert beat_f(truth, grid.beats_s, 0.02) == 1.0


@pytest.mark.parametrize("seconds", [0.02, 0.5, 3.0])
def test_nothing_heard_is_a_grid_that_nobody_trusts(seconds: float) -> None:
    grid = beats_of_ear(said(np.zeros(0), seconds, height=0.0))
    assert grid.confidence == 0.0
    assert (np.diff(grid.beats_s) > 0).all()


# --- who listens ---


def clicks(beats_s: np.ndarray, seconds: float, rate: int = 22_050) -> Waveform:
    samples = torch.zeros(1, 1, round(seconds * rate))
    for beat in beats_s:
        start = round(beat * rate)
        stop = min(start + 300, samples.shape[-1])
        samples[..., start:stop] = torch.linspace(0.8, 0, 300)[: stop - start]
    return Waveform(samples, rate)


@pytest.mark.parametrize("name", [OURS, "rises"])
def test_every_ear_that_comes_with_us_hears_a_metronome(name: str) -> None:
    truth = steady_beats(112, 12.0, 0.3)
    grid = ear_of(name).hear(clicks(truth, 12.0), None)
    assert beat_f(truth, grid.beats_s) > 0.95
    assert beat_f(truth, ear_of(name).hear(clicks(truth, 12.0), 112.0).beats_s) > 0.95


def test_an_ear_is_chosen_by_name() -> None:
    wave = clicks(steady_beats(112, 6.0, 0.3), 6.0)
    found = rhythm_from_audio(wave, ear="rises")
    np.testing.assert_array_equal(found.beats_s, EARS["rises"].hear(wave, None).beats_s)
    with pytest.raises(SettingError, match="no ear called 'left'; choose ours"):
        rhythm_from_audio(wave, ear="left")


def test_an_ear_that_is_not_installed_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EARS, "other", ears.Ear("another", EARS[OURS].hear, needs="no_such_package"))
    with pytest.raises(ModelError, match="needs the package no_such_package; install it, or choose 'ours'"):
        ear_of("other")


def test_weights_of_others_are_never_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(ModelError, match="fetched by nobody unasked"):
        ears._beat_this_weights()
    assert not list(tmp_path.iterdir())
