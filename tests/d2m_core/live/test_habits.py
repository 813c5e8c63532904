"""What a dancer did in every bar so far is expected in the next."""

from __future__ import annotations

from d2m_core.live.habits import Habits


def test_an_accent_that_comes_back_is_expected_where_it_was() -> None:
    habits = Habits(4)
    for bar in range(3):
        habits.see(4 * bar + 2.55, 0.6)
    assert habits.expected(14.5) > 0.5
    assert habits.expected(13.5) == 0.0
    assert habits.expected(40.5) == 0.0  # long ago


def test_one_accent_is_no_habit_and_one_between_the_places_is_none() -> None:
    habits = Habits(3)
    habits.see(1.0, 0.6)
    assert habits.expected(4.0) == 0.0
    for bar in range(4):
        habits.see(3 * bar + 0.25, 0.9)
    assert habits.expected(12.0) == habits.expected(12.5) == 0.0
