"""A drawn dance and its band, stepped without real time: in time, repeatable, and it ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from d2m_core.band import Materials, make_plan
from d2m_core.errors import SettingError
from d2m_core.live.conductor import Start
from d2m_core.live.rehearsal import rehearse, sights_of
from d2m_core.live.session import BLOCK, RATE, Heard, LiveSettings, Session, suiting
from d2m_core.rhythm import load_rhythm
from d2m_core.scores import beat_f
from d2m_core.types import PoseSequence
from d2m_core.weights import default_weights
from tests.d2m_core.live.clicks import Clicks
from training.studio.stage.noise import mediapipe_like
from training.studio.stage.scene import stage
from training.studio.stage.shot import Shot

SEED, BPM, DANCE_S, LENGTH_S = 9_500_134, 120.0, 8.0, 15.5


@dataclass(frozen=True, eq=False)
class Played:
    """What a session made."""

    sound: np.ndarray
    told: tuple[Heard, ...]

    def times(self, kind: str) -> np.ndarray:
        return np.array([one.time_s for one in self.told if one.kind == kind])


@cache
def dance() -> PoseSequence:
    """A dance of eight seconds."""
    plan = make_plan(SEED, DANCE_S, "house", BPM)
    return mediapipe_like(stage(plan, SEED, shot=Shot()), np.random.default_rng(1))


@cache
def played() -> Played:
    """A band plays to the dance, and then nobody is there."""
    told: list[Heard] = []
    net = load_rhythm(default_weights("rhythm"))
    session = Session(net, Materials(), LiveSettings("house", seed=3), tell=told.append)
    blocks = list(rehearse(session, sights_of(dance()), LENGTH_S))
    assert not session.playing
    return Played(np.concatenate(blocks, 1), tuple(told))


def test_the_band_plays_in_time_with_the_dance() -> None:
    truth = make_plan(SEED, DANCE_S, "house", BPM).beats_s
    beats = played().times("beat")
    low, high = beats[0] - 0.1, DANCE_S - 0.2
    assert low < 6.0
    inside = truth[(truth > low) & (truth < high)]
    assert beat_f(inside, beats[beats < high]) > 0.9
    rate = 1 / np.diff(beats)
    assert np.abs(np.diff(np.log(rate))).max() < 0.08


def test_drums_sound_where_beats_were_told() -> None:
    """The kick of house is on every beat: its low sound rises there, limiter and all."""
    sound = played().sound.mean(0)
    hop = RATE // 200
    power = (sound[: len(sound) // hop * hop].reshape(-1, hop) ** 2).mean(1)
    rise = np.maximum(np.diff(np.log(power + 1e-7)), 0)
    beats = played().times("beat")
    beats = beats[(beats > 6.0) & (beats < DANCE_S)]
    at = np.round(beats * 200).astype(int)
    on = np.array([rise[k - 4 : k + 5].max() for k in at])
    between = np.array([rise[k + 20 : k + 29].max() for k in at])  # a tenth of a second and more later
    assert np.median(on) > 2 * np.median(between)


def test_it_ends_on_a_bar_after_the_dancer_is_gone() -> None:
    ends = [one for one in played().told if one.kind == "end"]
    assert len(ends) == 1
    assert ends[0].beat % 4 == 0
    assert DANCE_S + 0.5 < ends[0].time_s < DANCE_S + 4.5
    tail = played().sound[:, round((ends[0].time_s + 4.0) * RATE) :]
    assert np.abs(tail).max(initial=0) < 1e-3


def test_sound_never_jumps_and_never_clips() -> None:
    sound = played().sound
    assert sound.shape == (2, int(np.ceil(LENGTH_S * RATE / BLOCK)) * BLOCK)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= 0.9
    assert np.abs(sound[:, : round(3.0 * RATE)]).max() == 0  # nobody knows the beat yet


def test_what_is_told_comes_before_it_is_heard_and_in_order() -> None:
    beats = [one for one in played().told if one.kind == "beat"]
    numbers = [round(one.beat) for one in beats]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert {one.value for one in beats} == {0.0, 1.0, 2.0, 3.0}
    assert (np.diff([one.time_s for one in beats]) > 0.3).all()


def test_another_player_is_steered_in_the_same_way() -> None:
    clicks, told = Clicks(), []
    net = load_rhythm(default_weights("rhythm"))
    session = Session(net, Materials(), tell=told.append, player=lambda _style, _start: clicks)
    sound = np.concatenate(list(rehearse(session, sights_of(dance()), DANCE_S)), 1)[0]
    beats = np.array([one.time_s for one in told if one.kind == "beat"])
    clicked = np.array(clicks.clicked)
    assert len(clicked) >= 4
    assert np.abs(beats[None] - clicked[:, None]).min(1).max() < 0.005
    np.testing.assert_allclose(np.flatnonzero(sound) / RATE, clicked, atol=BLOCK / RATE)
    assert {thin for _, thin in clicks.felt} == {False}


def test_a_style_is_taken_that_suits_the_tempo() -> None:
    assert suiting(Start(120.0, 3, 0.0), 0) == "waltz"
    assert suiting(Start(172.0, 4, 0.0), 0) in ("dnb", "swing", "trap")
    assert suiting(Start(122.0, 4, 0.0), 1) == suiting(Start(122.0, 4, 0.0), 1)


@pytest.mark.parametrize("wrong", [{"style": "polka"}, {"seed": -1}, {"latency_ms": 5000}, {"key": "H"}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        LiveSettings(**wrong)  # type: ignore[arg-type]
