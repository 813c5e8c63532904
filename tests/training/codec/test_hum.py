"""The hum that a decoder adds at every token, on sounds made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.codec.hum import LINES, added_lines, hum, hum_db, line_levels, repeating

PERIOD = 480


def noise(seed: int, periods: int) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.standard_normal((2, periods * PERIOD)).astype(np.float32))


def tone(hertz: float, periods: int) -> torch.Tensor:
    times = torch.arange(periods * PERIOD) / 24_000
    return torch.sin(2 * torch.pi * hertz * times).repeat(2, 1)


def test_what_repeats_is_the_mean_over_periods_and_leftovers_do_not_count() -> None:
    pattern = torch.arange(PERIOD, dtype=torch.float32)
    sound = torch.cat((pattern, pattern + 2, torch.full((7,), 1e9)))[None]
    torch.testing.assert_close(repeating(sound, PERIOD)[0], pattern + 1)


@pytest.mark.parametrize(("hertz", "heard"), [(1000.0, True), (1400.0, True), (1025.0, False)])
def test_only_tones_at_multiples_of_the_token_rate_are_hum(hertz: float, heard: bool) -> None:
    real = noise(0, 600)
    level = float(hum(real + 0.2 * tone(hertz, 600), real, PERIOD))
    assert level == pytest.approx(0.02 if heard else 0.0, rel=0.02, abs=1e-4)


def test_tones_of_the_music_itself_are_none() -> None:
    music = noise(0, 600) + tone(1000, 600)
    assert float(hum(music, music, PERIOD)) == 0.0


def test_an_error_without_hum_falls_with_the_count_of_periods() -> None:
    real, error = noise(0, 600), noise(1, 600)
    assert float(hum(real + error, real, PERIOD)) == pytest.approx(1 / 600, rel=0.15)


def test_decibels_are_under_the_music() -> None:
    real = noise(0, 600)[:1, None]
    fake = real + 0.2 * tone(1000, 600)[:1, None]
    assert hum_db(real, fake, PERIOD) == pytest.approx(-17.0, abs=0.1)
    assert hum_db(real, real, PERIOD) == pytest.approx(-90.0)


def test_a_constant_pattern_is_unlearnt() -> None:
    """Its gradient leads a decoder that adds a pattern to add none."""
    real = noise(0, 40)
    pattern = torch.full((PERIOD,), 0.3, requires_grad=True)
    for _ in range(200):
        (slope,) = torch.autograd.grad(hum(real + pattern.repeat(40), real, PERIOD), pattern)
        pattern = (pattern - 50 * slope).detach().requires_grad_()
    assert float(pattern.detach().abs().max()) < 1e-3


@pytest.mark.parametrize(("hertz", "number"), [(50.0, 0), (1000.0, 19), (1010.0, 19)])
def test_a_line_stands_out_where_it_is_also_if_it_trembles(hertz: float, number: int) -> None:
    real = noise(0, 40)
    risen = line_levels(real + 0.3 * tone(hertz, 40), PERIOD, LINES[0])
    risen = risen - line_levels(real, PERIOD, LINES[0])
    assert int(risen.mean(0).argmax()) == number
    assert float(risen.mean(0)[number]) > 1.0
    others = torch.cat((risen[:, :number], risen[:, number + 1 :]), 1)
    assert float(others.max()) < 0.01


def test_a_tone_between_lines_is_none_and_one_that_the_music_has_is_not_added() -> None:
    real = noise(0, 40)
    clean = float(added_lines(real, real, PERIOD))
    between = float(added_lines(real + 0.3 * tone(1125, 40), real, PERIOD))
    on_line = float(added_lines(real + 0.3 * tone(1000, 40), real, PERIOD))
    music = real + 0.3 * tone(1000, 40)
    assert clean == 0.0
    assert between < 0.1 * on_line
    assert float(added_lines(music, music, PERIOD)) == 0.0
