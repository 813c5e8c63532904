"""Accents are met where they are expected, and answered soon where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.live.answering import Answers
from d2m_core.live.band import place_after
from d2m_core.live.clock import Clock, Pulse
from d2m_core.live.player import Player
from d2m_core.live.setting_up import live_plan
from d2m_core.live.watching import Accent
from tests.d2m_core.live.clicks import Clicks


@pytest.mark.parametrize(
    ("style", "quick", "usual"), [("house", 0.25, 0.5), ("swing", 0.5, 0.5), ("waltz", 0.5, 0.5)]
)
def test_a_place_is_a_sixteenth_only_in_styles_that_have_them(style: str, quick: float, usual: float) -> None:
    plan = live_plan(style, 120.0, 3 if style == "waltz" else 4, 0)
    for beat in np.arange(0.0, 4.0, 0.03):
        for step, asked in ((quick, True), (usual, False)):
            place = place_after(plan, float(beat), asked)
            assert place % step == 0
            assert beat - 1e-6 <= plan.swung(place) <= beat + step * 1.4


def test_a_swung_place_that_has_not_sounded_yet_is_still_to_come() -> None:
    plan = live_plan("swing", 140.0, 4, 0)
    assert plan.swung(0.5) > 0.55
    assert place_after(plan, 0.52, quick=False) == 0.5


def go(player: Player, accents: list[Accent], until_s: float) -> list[tuple[float, float | None]]:
    """(when a hit is heard, when the accent was seen that it answers) at 120 beats a minute."""
    hits: list[tuple[float, float | None]] = []
    clock = Clock(0.0, 0.0, 120.0)
    clock.follow(Pulse(0.0, 120.0))
    answers = Answers(4, lambda beat, _strength, seen_s: hits.append((beat / 2, seen_s)))
    left = sorted(accents, key=lambda one: one.time_s)
    while clock.time_s < until_s:
        now, left = (
            [a for a in left if a.time_s <= clock.time_s - 0.4],
            [a for a in left if a.time_s > clock.time_s - 0.4],
        )
        answers.see(now)
        answers.strike(player, clock)
        clock.advance(clock.time_s + 0.02)
    return hits


def test_a_sudden_accent_is_answered_on_the_next_sixteenth() -> None:
    hits = go(Clicks(), [Accent(2.03, 0.9), Accent(9.1, 0.4)], 12.0)
    assert len(hits) == 1  # the weak one is not answered
    heard_s, seen_s = hits[0]
    assert seen_s == 2.03
    assert 0.4 <= heard_s - 2.03 < 0.4 + 0.125 + 0.03


def test_an_accent_that_keeps_coming_is_met_and_not_answered_late() -> None:
    every_bar = [Accent(1.0 + 2.0 * bar, 0.9) for bar in range(8)]
    hits = go(Clicks(), every_bar, 16.0)
    met = [heard_s for heard_s, seen_s in hits if seen_s is None]
    np.testing.assert_allclose(met, 1.0 + 2.0 * np.arange(2, 2 + len(met)), atol=1e-6)
    assert len(met) >= 4
    assert max(seen_s for _, seen_s in hits if seen_s is not None) < 5.0
