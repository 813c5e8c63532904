"""Beats of a dance that is still going on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from d2m_core.band import make_plan
from d2m_core.errors import SettingError
from d2m_core.rhythm import load_rhythm
from d2m_core.rhythm.decoding import BeatGrid
from d2m_core.rhythm.live import BeatEmitter, RhythmStream, StreamSettings, joined
from d2m_core.scores import beat_f
from d2m_core.types import PoseSequence
from d2m_core.weights import default_weights
from training.studio.stage.noise import mediapipe_like
from training.studio.stage.scene import stage
from training.studio.stage.shot import Shot

SEED = 9_500_134


def grid(*beats: float, tempo: float = 120.0) -> BeatGrid:
    return BeatGrid(np.array(beats), np.zeros(len(beats), np.bool_), tempo, 1.0)


def test_every_beat_is_given_out_once_and_when_it_is_due() -> None:
    emitter = BeatEmitter(0.25)
    assert emitter.beats(grid(0.5, 1.0, 1.5), 1.0) == [0.5]
    assert emitter.beats(grid(0.52, 1.02, 1.52), 1.2) == []  # 0.52 is 0.5 seen again
    assert emitter.beats(grid(0.52, 1.02, 1.52), 1.3) == [1.02]
    assert emitter.beats(grid(0.5, 1.08, 1.5), 1.8) == [1.5]


def test_a_negative_look_ahead_tells_beats_before_they_come() -> None:
    emitter = BeatEmitter(-0.5)
    assert emitter.beats(grid(0.5, 1.0, 1.5, 2.0), 1.0) == [0.5, 1.0, 1.5]


@pytest.fixture(scope="module")
def poses() -> PoseSequence:
    plan = make_plan(SEED, 10.0, "house", 120.0)
    return mediapipe_like(stage(plan, SEED, shot=Shot()), np.random.default_rng(1))


def test_a_stream_finds_the_beats_of_a_clear_dance(poses: PoseSequence) -> None:
    stream = RhythmStream(load_rhythm(default_weights("rhythm")), StreamSettings(hop_s=0.5))
    found: list[float] = []
    for first in range(0, poses.frames, 10):
        new = stream.push(poses.frames_at(slice(first, first + 10)))
        assert all(beat <= stream.now_s - 0.5 + 1e-9 for beat in new)
        found += new
    beats = make_plan(SEED, 10.0, "house", 120.0).beats_s
    late = beats[(beats > 4) & (beats < 9)]
    heard = np.array([b for b in found if 4 < b < 9])
    assert (np.diff(heard) > 0.3).all()
    assert beat_f(late, heard) > 0.7


def test_it_forgets_what_is_long_past(poses: PoseSequence) -> None:
    settings = StreamSettings(memory_s=4.0, hop_s=2.0)
    stream = RhythmStream(load_rhythm(default_weights("rhythm")), settings)
    stream.push(poses.frames_at(slice(0, 240)))
    assert stream.now_s == pytest.approx(240 / poses.fps)
    assert stream.grid is not None
    assert stream.grid.beats_s.min() >= 240 / poses.fps - 4.0


def test_pieces_join_to_the_whole_and_others_are_refused(poses: PoseSequence) -> None:
    whole = joined(poses.frames_at(slice(0, 100)), poses.frames_at(slice(100, None)))
    np.testing.assert_array_equal(whole.world, poses.world)
    with pytest.raises(ValueError, match="rate"):
        joined(poses, replace(poses, fps=30.0))


@pytest.mark.parametrize("wrong", [{"hop_s": 0}, {"memory_s": 2}, {"look_ahead_s": -3}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        StreamSettings(**wrong)
