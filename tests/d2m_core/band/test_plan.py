"""What band and dancer agree on: grids, sections, hits and stops, and how a dancer loosens them."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from d2m_core.band import Plan, make_plan, plan_on
from d2m_core.band.plan import ENERGY, loosen
from d2m_core.band.styles import STYLE_TABLE, STYLES
from d2m_core.errors import SettingError
from d2m_core.grid import tempo_of


def same(one: Plan, two: Plan) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(two, f.name)) for f in fields(one))


@pytest.mark.parametrize("style", STYLES)
def test_a_plan_keeps_to_its_style(style: str) -> None:
    facts = STYLE_TABLE[style]
    for seed in range(5):
        plan = make_plan(seed, 20.0, style)
        assert facts.tempo_bpm[0] <= plan.tempo_bpm <= facts.tempo_bpm[1]
        assert tempo_of(plan.beats_s) == pytest.approx(plan.tempo_bpm, rel=2 * facts.drift + 1e-6)
        assert set(np.diff(np.flatnonzero(plan.downbeats))) == {facts.metre}
        assert facts.swing[0] <= plan.swing <= facts.swing[1]


@pytest.mark.parametrize("seed", range(20))
def test_everything_lies_on_the_grid(seed: int) -> None:
    plan = make_plan(seed, 25.0)
    bar_s = plan.metre * 60 / plan.tempo_bpm
    assert -1.05 * bar_s < plan.grid_s[0] <= 0
    assert plan.grid_s[-1] > 25.0 + 0.95 * bar_s
    assert (np.diff(plan.grid_s) > 0).all()
    assert ((plan.beats_s >= 0) & (plan.beats_s < 25.0)).all()
    assert plan.sections[0].first_bar <= 0
    ends = [s.first_bar + s.bars for s in plan.sections]
    assert ends[:-1] == [s.first_bar for s in plan.sections[1:]], "a gap between sections"
    assert ends[-1] >= plan.bars
    assert all(section.kind in ENERGY for section in plan.sections)
    assert plan.energy.shape == (625,)
    assert plan.energy.min() >= 0
    assert plan.energy.max() <= 1
    assert [h.beat for h in plan.hits] == sorted(h.beat for h in plan.hits)
    for stop in plan.stops:
        assert not [h for h in plan.hits if stop.beat <= h.beat < stop.beat + stop.beats]
    there = np.linspace(0, 24, 50)
    np.testing.assert_allclose(plan.seconds(plan.beat(there)), there, atol=1e-9)


def test_a_drop_is_fuller_than_a_break_and_stops_are_silent() -> None:
    levels: dict[str, list[float]] = {kind: [] for kind in ENERGY}
    stops = 0
    for seed in range(60):
        plan = make_plan(seed, 30.0)
        beat = plan.beat(np.arange(plan.frames) / 25.0)
        for frame in range(0, plan.frames, 25):
            section = plan.section_at(int(beat[frame] // plan.metre))
            levels[section.kind].append(float(plan.energy[frame]))
        for stop in plan.stops:
            inside = (beat >= stop.beat) & (beat < stop.beat + stop.beats)
            stops += bool(inside.any())
            assert (plan.energy[inside] < 0.1).all()
    assert np.mean(levels["drop"]) > 0.3 + np.mean(levels["break"])
    assert stops > 5


def test_equal_seeds_give_equal_plans_and_others_do_not() -> None:
    assert same(make_plan(7, 12.0), make_plan(7, 12.0))
    assert len({(p.style, p.tempo_bpm) for p in (make_plan(s, 12.0) for s in range(40))}) == 40
    assert {make_plan(s, 12.0).style for s in range(150)} == set(STYLES)
    assert make_plan(3, 12.0, "funk", 100.0).tempo_bpm == 100.0
    with pytest.raises(SettingError, match="polka"):
        make_plan(0, 12.0, "polka")


def test_swing_delays_the_off_steps_only() -> None:
    plan = replace(make_plan(0, 10.0, "swing"), swing=1 / 3, swing_step=0.5)
    np.testing.assert_allclose(
        plan.swung([0.0, 0.5, 1.0, 1.5, 7.0]), [0.0, 2 / 3, 1.0, 5 / 3, 7.0], atol=1e-9
    )
    steps = plan.swung(np.arange(0, 8, 0.1))
    assert (np.diff(steps) > 0).all()


def test_a_plan_on_given_beats_keeps_them() -> None:
    beats_s = np.cumsum(np.r_[0.3, 0.5 + 0.02 * np.sin(np.arange(20))])
    marks = np.arange(21) % 3 == 1
    plan = plan_on(beats_s, marks, float(beats_s[-1]) + 0.2, 5)
    assert plan.metre == 3
    np.testing.assert_allclose(plan.beats_s[: len(beats_s)], beats_s)
    assert (plan.downbeats[:21] == marks).all()
    assert plan.grid_s[0] <= 0
    curve = np.linspace(0, 1, 250, dtype=np.float32)
    np.testing.assert_array_equal(plan_on(beats_s, marks, 10.0, 5, energy=curve).energy, curve)
    with pytest.raises(ValueError, match="two beats"):
        plan_on(np.array([1.0]), np.array([True]), 4.0, 1)


def test_looseness_loosens() -> None:
    tight, loose, kept, followed = [], [], 0, 0
    for seed in range(40):
        plan = make_plan(seed, 30.0)
        assert loosen(plan, 0.0, np.random.default_rng(seed)) is plan
        a = loosen(plan, 0.2, np.random.default_rng(seed))
        b = loosen(plan, 1.0, np.random.default_rng(seed))
        assert np.array_equal(b.grid_s, plan.grid_s)
        tight.append(np.abs(a.energy - plan.energy).mean())
        loose.append(np.abs(b.energy - plan.energy).mean())
        kept += len(set(b.hits) & set(plan.hits))
        followed += len(plan.hits)
        ends = [s.first_bar + s.bars for s in b.sections]
        assert ends[:-1] == [s.first_bar for s in b.sections[1:]]
    assert np.mean(loose) > 2 * np.mean(tight) > 0
    assert 0.25 < kept / followed < 0.6
    with pytest.raises(SettingError, match="looseness"):
        loosen(make_plan(0, 5.0), 1.5, np.random.default_rng(0))


@pytest.mark.parametrize("style", STYLES)
def test_a_straight_plan_has_its_beats_on_token_steps(style: str) -> None:
    for seed in range(4):
        plan, loose = (make_plan(seed, 20.0, style, straight=way) for way in (True, False))
        assert plan.beat_steps is not None
        assert plan.beat_steps % 2 == 0
        assert abs(np.log2(plan.tempo_bpm / loose.tempo_bpm)) <= np.log2(18 / 16) / 2 + 1e-9
        steps = plan.grid_s * 50
        np.testing.assert_allclose(steps, steps.round(), atol=1e-6)
        np.testing.assert_allclose(np.diff(steps), plan.beat_steps, atol=1e-6)
        assert plan.metre == loose.metre
        assert plan.sections[0].kind == loose.sections[0].kind


@pytest.mark.parametrize("swing", [0.0, 0.17, 1 / 3])
@pytest.mark.parametrize("tempo_bpm", [61.0, 93.0, 118.3, 143.0, 179.0])
def test_onsets_of_a_straight_plan_keep_their_place_in_every_beat(swing: float, tempo_bpm: float) -> None:
    plan = replace(make_plan(1, 20.0, "swing", tempo_bpm, straight=True), swing=swing)
    inside = np.array([0.0, 0.25, 1 / 3, 0.5, 2 / 3, 0.75])
    places = (np.arange(12)[:, None] + inside) * 1.0
    steps = plan.seconds(plan.swung(places)) * 50
    np.testing.assert_allclose(steps, steps.round(), atol=1e-6)
    within = (steps - steps[:, :1]).round()
    assert (within == within[0]).all()
    assert (np.diff(within[0]) > 0).all(), "nothing falls together"
    free = replace(plan, beat_steps=None)
    late_s = plan.seconds(plan.swung(places)) - plan.seconds(free.swung(places))
    assert np.abs(late_s).max() <= 0.01 + 1e-6
