"""The vocabulary: every move is danced, by the styles it belongs to, and can be left out."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from d2m_core.band import Plan, make_plan
from d2m_core.styles import STYLES
from training.studio.dancer.choreography import FAMILIES, Choreographer
from training.studio.dancer.dance import Dance, dance
from training.studio.dancer.moves.arms import ARMS
from training.studio.dancer.moves.vocabulary import MOVES
from training.studio.dancer.person import random_dancer
from training.studio.dancer.trunk import HABITS, random_habit

Bars = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
def danced() -> list[tuple[Plan, Bars]]:
    """What sixteen dancers of every style do, without their bodies."""
    out = []
    for seed in range(224):
        plan, rng = make_plan(seed, 24.0, STYLES[seed % len(STYLES)]), np.random.default_rng(seed)
        dancer = random_dancer(random_habit(plan.style, rng), rng)
        out.append((plan, Choreographer(plan, dancer, frozenset(), rng).compose()[1]))
    return out


def test_there_are_many_moves() -> None:
    assert len(MOVES) >= 25
    assert len(ARMS) >= 20
    assert HABITS.keys() == set(STYLES)  # how one bounces to each
    assert set(FAMILIES) >= {move.family for move in MOVES.values()}
    known = set(ARMS)
    for move in (*MOVES.values(), *ARMS.values()):
        assert set(move.styles.split()) <= set(STYLES), move.name
        assert set(move.arms.split()) <= known, move.name


def test_every_move_is_danced_by_some_seed(danced: list[tuple[Plan, Bars]]) -> None:
    bars = [bar for _, made in danced for bar in made]
    assert {legs for legs, _ in bars} == set(MOVES)
    assert {arms for _, arms in bars} == set(ARMS)


def test_styles_have_vocabularies_of_their_own(danced: list[tuple[Plan, Bars]]) -> None:
    counted: dict[str, Counter[str]] = {style: Counter() for style in STYLES}
    for plan, bars in danced:
        counted[plan.style].update(legs for legs, _ in bars)
    for style, move in (
        ("latin", "mambo"),
        ("swing", "triple_step"),
        ("house", "jack"),
        ("rock", "headbang"),
        ("reggaeton", "perreo"),
        ("hiphop", "rock_bounce"),
        ("breakbeat", "toprock"),
    ):
        here = counted[style][move] / counted[style].total()
        rest = np.mean([counted[s][move] / counted[s].total() for s in STYLES if s != style])
        assert here > 1.5 * rest, (style, move)
    for style, counts in counted.items():
        assert len(counts) >= (8 if style == "waltz" else 14), style


def test_waltz_is_danced_in_three(danced: list[tuple[Plan, Bars]]) -> None:
    three = {name for name, move in MOVES.items() if move.metre in (0, 3)}
    only = {name for name, move in MOVES.items() if move.metre == 3}
    share = []
    for plan, bars in danced:
        legs = {bar[0] for bar in bars}
        if plan.metre == 3:
            assert legs <= three
            share.append(np.mean([bar[0] in only for bar in bars]))
        else:
            assert not legs & only
    assert np.mean(share) > 0.5


def test_waltz_rises_and_falls_with_the_bar() -> None:
    shares = []
    for seed in range(8):
        made = dance(make_plan(seed, 20.0, "waltz", 120.0), seed)
        height = made.joints[:, 23:25, 1].mean(1)
        power = np.abs(np.fft.rfft(height - height.mean())) ** 2
        rate = np.fft.rfftfreq(len(height), 1 / made.fps)
        bar, two = (power[np.abs(rate - hz) < 0.08].sum() for hz in (2 / 3, 1.0))
        shares.append(bar / (bar + two))
    assert np.mean(shares) > 0.7


@pytest.mark.parametrize("family", FAMILIES)
def test_families_can_be_left_out(family: str) -> None:
    gone = {n for n, m in (*MOVES.items(), *ARMS.items()) if m.family == family}
    style = "waltz" if family == "waltz" else "pop"
    made = dance(make_plan(3, 10.0, style), 3, without=frozenset({family}))
    assert not gone & {name for bar in made.moves for name in bar}
    assert np.isfinite(made.joints).all()


def test_without_anything_one_stands() -> None:
    plan = make_plan(3, 6.0, "pop")
    made = dance(plan, 3, without=frozenset(FAMILIES))
    full = dance(plan, 3)
    assert set(made.moves) == {("", "")}

    def speed(one: Dance) -> float:
        return float(np.linalg.norm(np.diff(one.joints, axis=0), axis=-1).mean())

    assert speed(made) < 0.5 * speed(full)
