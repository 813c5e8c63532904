"""The dancer: made like a body, in balance, on the beat, and one with the plan's events."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from d2m_core.band import Plan, make_plan, plan_on
from d2m_core.band.plan import Section, Stop
from d2m_core.errors import SettingError
from d2m_core.styles import STYLES
from training.studio.dancer.balance import off_support
from training.studio.dancer.dance import Dance, dance
from training.studio.dancer.seen_accents import deceleration

BONES = (
    (23, 25), (25, 27), (27, 31), (24, 26), (26, 28), (28, 32), (11, 13), (13, 15), (12, 14),
    (14, 16), (23, 24),
)  # fmt: skip
SEEDS = range(28)
FPS = 25.0


@pytest.fixture(scope="module")
def dances() -> list[Dance]:
    """Two dances of every style."""
    return [dance(make_plan(seed, 14.0, STYLES[seed % len(STYLES)]), seed) for seed in SEEDS]


def steady(plan: Plan, level: float, kind: str = "verse") -> Plan:
    """The plan with one section, one energy, and no hits and stops."""
    sections = (Section(kind, 0, plan.bars, level),)
    energy = np.full(plan.frames, level, np.float32)
    return replace(plan, sections=sections, hits=(), stops=(), energy=energy)


def speeds(joints: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.diff(joints.astype(np.float64), axis=0), axis=-1) * FPS


def angle(made: Dance, a: int, b: int, c: int) -> np.ndarray:
    """Degrees [F] at joint b."""
    one, two = (made.joints[:, k].astype(np.float64) - made.joints[:, b] for k in (a, c))
    cosine = (one * two).sum(-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(two, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def test_same_seed_same_bytes_whatever_ran_before() -> None:
    plan = make_plan(3, 8.0)
    first = dance(plan, 3)
    dance(make_plan(9, 3.0), 9)
    again = dance(plan, 3)
    assert first.joints.tobytes() == again.joints.tobytes()
    assert first.accents_s.tobytes() == again.accents_s.tobytes()
    assert first.moves == again.moves
    assert not np.allclose(first.joints, dance(plan, 4).joints, atol=0.05)


def test_bodies_stay_whole(dances: list[Dance]) -> None:
    for made in dances:
        assert made.joints.shape == (350, 33, 3)
        assert made.joints.dtype == np.float32
        for a, b in BONES:
            length = np.linalg.norm(made.joints[:, a] - made.joints[:, b], axis=-1)
            assert np.ptp(length) < 2e-3, (made.seed, a, b)
        assert made.joints[..., 1].max() < 0.005, "a joint is under the floor"


def test_no_joint_leaps(dances: list[Dance]) -> None:
    speed = [speeds(made.joints[:, 11:]) for made in dances]
    assert max(v.max() for v in speed) < 12.0
    assert np.quantile(np.concatenate(speed), 0.999) < 7.0
    pull = np.concatenate([np.abs(np.diff(v, axis=0)) * FPS for v in speed])
    assert np.quantile(pull, 0.999) < 110.0
    hips = np.concatenate([v[:, 12:14].ravel() for v in speed])
    assert hips.max() < 4.5


def test_knees_and_elbows_bend_as_they_can(dances: list[Dance]) -> None:
    for made in dances:
        joints = made.joints.astype(np.float64)
        for hip, knee, ankle, heel, toe in ((23, 25, 27, 29, 31), (24, 26, 28, 30, 32)):
            bend = angle(made, hip, knee, ankle)
            assert bend.min() > 15
            assert bend.max() < 178
            out = joints[:, knee] - 0.5 * (joints[:, hip] + joints[:, ankle])
            ahead = joints[:, toe] - joints[:, heel]
            shin = joints[:, ankle] - joints[:, hip]
            shin /= np.linalg.norm(shin, axis=-1, keepdims=True)
            ahead -= shin * (ahead * shin).sum(-1, keepdims=True)
            size = np.linalg.norm(out, axis=-1) * np.linalg.norm(ahead, axis=-1)
            cosine = (out * ahead).sum(-1) / np.maximum(size, 1e-9)
            bent = made.planted[:, toe - 31] & (bend < 165)
            assert (cosine[bent] > 0).mean() > 0.995, "a knee bends backwards or sideways"
        for shoulder, elbow, wrist in ((11, 13, 15), (12, 14, 16)):
            bend = angle(made, shoulder, elbow, wrist)
            assert bend.min() > 25
            assert bend.max() < 178


def test_waist_and_neck_have_limits(dances: list[Dance]) -> None:
    for made in dances:
        joints = made.joints.astype(np.float64)
        hips, shoulders = joints[:, 23] - joints[:, 24], joints[:, 11] - joints[:, 12]
        flat = [np.arctan2(line[:, 2], line[:, 0]) for line in (hips, shoulders)]
        twist = np.degrees(np.abs(np.angle(np.exp(1j * (flat[0] - flat[1])))))
        assert twist.max() < 62
        spine = joints[:, 11:13].mean(1) - joints[:, 23:25].mean(1)
        lean = np.degrees(np.arccos(-spine[:, 1] / np.linalg.norm(spine, axis=-1)))
        assert lean.max() < 62
        ears = joints[:, 7] - joints[:, 8]
        look = np.arctan2(ears[:, 2], ears[:, 0])
        assert np.degrees(np.abs(np.angle(np.exp(1j * (look - flat[1]))))).max() < 85


def test_planted_feet_do_not_slide(dances: list[Dance]) -> None:
    """Never 2 cm/s while planted; feet are planted most of the time, and only on the floor."""
    share = []
    for made in dances:
        for foot, toe in enumerate((31, 32)):
            planted = made.planted[:, foot]
            both = planted[1:] & planted[:-1]
            assert speeds(made.joints[:, [toe]])[both].max(initial=0.0) < 0.02
            assert -made.joints[planted, toe, 1].min(initial=0.0) < 0.03
            share.append(planted.mean())
    assert 0.5 < np.mean(share) < 0.95


def test_low_toes_are_still_unless_they_glide() -> None:
    """The same without asking the dancer which feet stand."""
    without = frozenset({"glides", "club"})
    still = []
    for seed in range(12):
        toes = dance(make_plan(seed, 12.0), seed, without=without).joints[:, 31:33]
        low = toes[..., 1] > toes[..., 1].max() - 0.003
        still.append((speeds(toes)[low[1:] & low[:-1]] < 0.02).mean())
    assert np.mean(still) > 0.95


def test_the_weight_is_over_the_feet(dances: list[Dance]) -> None:
    off = np.concatenate(
        [
            np.linalg.norm(off_support(made.joints.astype(np.float64), made.planted), axis=-1)
            / made.body.height
            for made in dances
        ]
    )
    off = off[np.isfinite(off)]
    assert np.median(off) < 0.05
    assert np.quantile(off, 0.95) < 0.1
    assert np.quantile(off, 0.99) < 0.15


def test_hands_stay_out_of_the_trunk(dances: list[Dance]) -> None:
    inside = []
    for made in dances:
        joints = made.joints.astype(np.float64)
        low, up = joints[:, 23:25].mean(1), joints[:, 11:13].mean(1) - joints[:, 23:25].mean(1)
        tall = np.linalg.norm(up, axis=-1)
        up /= tall[:, None]
        left = joints[:, 11] - joints[:, 12]
        left -= up * (left * up).sum(-1, keepdims=True)
        wide = np.linalg.norm(left, axis=-1) / 2
        left /= 2 * wide[:, None]
        ahead = np.cross(left, up)
        for wrist in (15, 16):
            reach = joints[:, wrist] - low
            high = (reach * up).sum(-1) / tall
            x = (reach * left).sum(-1) / (0.85 * wide)
            z = (reach * ahead).sum(-1) / (0.06 * made.body.height)
            inside.append((high > 0) & (high < 0.95) & (x * x + z * z < 1))
    assert np.mean(np.concatenate(inside)) < 0.002


def test_landings_absorb() -> None:
    """Hips go on down after the feet have landed from a jump."""
    sinks = []
    for seed in range(30):
        made = dance(steady(make_plan(seed, 10.0, "rock"), 0.95), seed, 50.0)
        flying = ~made.planted.any(1) & (made.joints[:, 27:33, 1].max(1) < -0.06)
        hips = made.joints[:, 23:25, 1].mean(1)
        for frame in np.flatnonzero(flying[:-1] & ~flying[1:]):
            sinks.append(float(hips[frame : frame + 12].max() - hips[frame]))
    assert len(sinks) > 10
    assert np.median(sinks) > 0.03


def test_energy_scales_the_movement() -> None:
    def speed(level: float) -> float:
        made = [dance(steady(make_plan(s, 10.0, "pop"), level), s) for s in range(8)]
        return float(np.mean([speeds(one.joints[:, 11:29]).mean() for one in made]))

    assert speed(0.95) > 1.6 * speed(0.1)


def test_sections_change_the_dance() -> None:
    """Drops move more than breaks, and moves change where sections do."""
    fast: dict[str, list[float]] = {"drop": [], "break": []}
    changed: dict[bool, list[bool]] = {True: [], False: []}
    for seed in range(24):
        made = dance(make_plan(seed, 30.0), seed)
        plan, speed = made.plan, speeds(made.joints[:, 11:29]).mean(1)
        starts = {section.first_bar for section in plan.sections}
        for bar in range(1, plan.bars):
            changed[bar in starts].append(made.moves[bar][0] != made.moves[bar - 1][0])
            kind = plan.section_at(bar).kind
            low, high = plan.seconds(np.array([bar, bar + 1.0]) * plan.metre) * FPS
            if kind in fast and low >= 0 and high < len(speed):
                fast[kind].append(float(speed[int(low) : int(high)].mean()))
    assert np.mean(fast["drop"]) > 1.5 * np.mean(fast["break"])
    assert np.mean(changed[True]) > 0.75 > 0.5 > np.mean(changed[False])


def test_stops_are_still() -> None:
    found = []
    for seed in range(28):
        plan = make_plan(seed, 9.0, STYLES[seed % 14])
        beat = float(np.ceil(plan.beat(4.0)))
        beats = 2.0 if seed % 2 else 1.0
        plan = replace(plan, hits=(), stops=(Stop(beat, beats),))
        low, high = plan.seconds(np.array([beat, beat + beats]))
        speed = speeds(dance(plan, seed).joints[:, 11:])
        inside = speed[int((low + 0.2) * FPS) + 1 : int((low + 0.5 * (high - low)) * FPS)]
        if len(inside):
            found.append(float(np.median(inside.max(1))))
    assert len(found) > 12
    assert np.median(found) < 0.12
    assert np.quantile(found, 0.9) < 0.4


def test_hits_are_marked() -> None:
    """An accent within 70 ms of nearly every hit, and a harder stop than at other times."""
    near, hard, usual = [], [], []
    for seed in range(24):
        made = dance(make_plan(seed, 16.0), seed)
        stopping = deceleration(made.joints.astype(np.float64), FPS)
        for hit in made.plan.hits:
            at = float(made.plan.seconds(made.plan.swung(hit.beat)))
            if 0.5 < at < 15.5:
                near.append(np.abs(made.accents_s - at).min() < 0.07)
                frame = round(at * FPS)
                hard.append(stopping[frame - 2 : frame + 3].max())
        usual.append(np.median([stopping[k : k + 5].max() for k in range(0, 390, 5)]))
    assert np.mean(near) > 0.85
    assert np.median(hard) > 1.5 * np.median(usual)


def test_accents_are_where_joints_stop() -> None:
    """Peaks of deceleration, found apart from the dancer's own, lie within 40 ms of accents."""
    apart, chance = [], []
    for seed in range(14):
        made = dance(make_plan(seed, 12.0), seed, 50.0)
        assert (np.diff(made.accents_s) > 0).all()
        assert len(made.accents_s) == 0 or made.accent_strengths.min() > 0
        assert made.accent_strengths.max(initial=0) <= 1
        moving = made.joints[:, [0, 11, 12, 13, 14, 15, 16, 23, 25, 26, 27, 28]].astype(np.float64)
        speed = np.linalg.norm(np.diff(moving, axis=0), axis=-1) * 50
        slowing = -np.diff(np.convolve((speed**2).sum(1), np.ones(3) / 3, "same"))
        peaks = (slowing[1:-1] > slowing[:-2]) & (slowing[1:-1] >= slowing[2:])
        peaks &= slowing[1:-1] > np.quantile(slowing, 0.7)
        times = (np.flatnonzero(peaks) + 2) / 50
        apart += [np.abs(times - at).min() for at in made.accents_s]
        random = np.random.default_rng(seed).uniform(0, 12, len(made.accents_s))
        chance += [np.abs(times - at).min() for at in random]
    assert np.median(apart) < 0.04
    assert np.median(apart) < 0.6 * np.median(chance)


def test_movement_has_the_beat() -> None:
    """Hips' up and down repeats with the beat: more at the beat's rates than between them."""
    shares = []
    for seed in range(16):
        made = dance(steady(make_plan(seed, 16.0, "house", 120.0), 0.7), seed)
        height = made.joints[:, 23:25, 1].mean(1)
        power = np.abs(np.fft.rfft(height - height.mean())) ** 2
        rate = np.fft.rfftfreq(len(height), 1 / FPS)
        near = sum(power[np.abs(rate - hz) < 0.12].sum() for hz in (0.5, 1.0, 2.0, 4.0))
        shares.append(near / power[rate > 0.35].sum())
    assert np.mean(shares) > 0.5


def test_swing_delays_the_off_beats() -> None:
    """Accents between beats come two thirds of the way through them, not half."""

    def off_beats(swing: float) -> np.ndarray:
        places = []
        for seed in range(24):
            plan = steady(replace(make_plan(seed, 10.0, "swing", 130.0), swing=swing), 0.8)
            share = plan.beat(dance(plan, seed).accents_s) % 1
            places.append(share[(share > 0.35) & (share < 0.78)])
        return np.concatenate(places)

    even, swung = off_beats(0.0), off_beats(1 / 3)
    assert len(even) > 25
    assert abs(np.median(even) - 0.5) < 0.05
    assert 0.6 < np.median(swung) < 0.7


def test_a_dancer_drifts_a_little_around_the_beat() -> None:
    late = []
    for seed in range(12):
        plan = steady(make_plan(seed, 20.0, "techno", 130.0), 0.8)
        beat = plan.beat(dance(plan, seed).accents_s)
        away = (beat - np.round(beat)) * 60 / 130
        late.append(float(np.median(away[np.abs(away) < 0.1])))
    assert np.ptp(late) > 0.01
    assert np.abs(late).max() < 0.06


def test_facing_is_mostly_to_the_camera(dances: list[Dance]) -> None:
    ahead = np.concatenate(
        [
            (made.joints[:, 23, 0] - made.joints[:, 24, 0])
            / np.linalg.norm(made.joints[:, 23] - made.joints[:, 24], axis=-1)
            for made in dances
        ]
    )
    assert (ahead > 0.7).mean() > 0.7
    assert (ahead < 0).mean() > 0.01, "nobody ever turns"


def test_frame_rates_show_the_same_dance() -> None:
    plan = make_plan(5, 6.0)
    slow, fast = dance(plan, 5, 25.0), dance(plan, 5, 50.0)
    gap = np.linalg.norm(slow.joints - fast.joints[::2], axis=-1)
    assert gap.max() < 0.12
    assert np.median(gap) < 0.005
    assert dance(plan, 5, 12.0).joints.shape == (72, 33, 3)


@pytest.mark.parametrize("metre", [1, 2, 3, 5])
def test_any_grid_is_danced(metre: int) -> None:
    beats = np.cumsum(np.linspace(0.6, 0.4, 24))
    plan = plan_on(beats, np.arange(24) % metre == 0, 11.0, 1)
    made = dance(plan, 1, 30.0)
    assert made.joints.shape == (330, 33, 3)
    assert np.isfinite(made.joints).all()
    assert np.abs(np.diff(made.joints, axis=0)).max() * 30 < 12.0
    np.testing.assert_array_equal(made.beats_s, plan.beats_s)
    assert dance(make_plan(2, 0.1), 2).joints.shape == (2, 33, 3)


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(SettingError, match="flying"):
        dance(make_plan(1, 2.0), 1, without=frozenset({"flying"}))


def test_fast_enough_for_thousands() -> None:
    """0.1 s for half a minute was measured; three times that is the alarm."""
    plans = [make_plan(seed, 30.0) for seed in range(5)]
    start = time.process_time()
    for seed, plan in enumerate(plans):
        dance(plan, seed)
    assert time.process_time() - start < 5 * 0.3
