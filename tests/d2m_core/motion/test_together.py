"""Several dancers as one."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.motion import MOTION_NAMES, dance_accents, dance_motion, extract_motion, find_accents
from d2m_core.pictures import dancer_picture
from d2m_core.types import PoseSequence
from training.studio.picture.drawing import demo_dance


@pytest.fixture(scope="module")
def one() -> PoseSequence:
    return demo_dance(3, 112.0, 6.0, 25.0).poses


def side_by_side(*each: PoseSequence) -> PoseSequence:
    arrays = [
        np.concatenate([getattr(poses, name) for poses in each], 1)
        for name in ("world", "image", "visibility", "present")
    ]
    return PoseSequence(*arrays, fps=each[0].fps)


def changed(poses: PoseSequence, **arrays: np.ndarray) -> PoseSequence:
    kept = {name: getattr(poses, name) for name in ("world", "image", "visibility", "present")}
    return PoseSequence(**(kept | arrays), fps=poses.fps)


def standing(poses: PoseSequence) -> PoseSequence:
    frames = len(poses.image)
    return changed(
        poses,
        image=np.repeat(poses.image[:1], frames, 0) + np.float32(0.3),
        world=np.repeat(poses.world[:1], frames, 0),
    )


def absent(poses: PoseSequence) -> PoseSequence:
    return changed(poses, present=np.zeros_like(poses.present))


def test_one_dancer_is_that_dancer(one: PoseSequence) -> None:
    np.testing.assert_array_equal(dance_motion(one).values, extract_motion(one).values)
    np.testing.assert_array_equal(dance_accents(one).times_s, find_accents(one).times_s)


def test_two_who_dance_the_same_are_one(one: PoseSequence) -> None:
    both = dance_motion(side_by_side(one, one))
    np.testing.assert_allclose(both.values, extract_motion(one).values, atol=1e-5)
    np.testing.assert_array_equal(dance_accents(side_by_side(one, one)).times_s, find_accents(one).times_s)


def test_nobody_in_a_slot_changes_nothing(one: PoseSequence) -> None:
    motion = dance_motion(side_by_side(absent(one), one))
    np.testing.assert_array_equal(motion.values, extract_motion(one).values)


def test_who_stands_by_hardly_counts(one: PoseSequence) -> None:
    dancer, still = extract_motion(one).values, extract_motion(standing(one)).values
    both = dance_motion(side_by_side(one, standing(one))).values
    column = MOTION_NAMES.index("total_speed")
    assert both[:, column].mean() > 0.75 * dancer[:, column].mean()
    assert still[:, column].mean() < 0.05 * dancer[:, column].mean()
    assert (both[:, MOTION_NAMES.index("present")] == 1).all()


def test_an_accent_of_one_is_one_for_all(one: PoseSequence) -> None:
    both = side_by_side(standing(one), one)
    column = MOTION_NAMES.index("accent")
    alone = extract_motion(one).values[:, column]
    assert alone.max() > 0.4
    np.testing.assert_allclose(dance_motion(both).values[:, column], alone, atol=1e-6)


def test_the_picture_numbers_everybody(one: PoseSequence) -> None:
    away = changed(one, image=one.image + np.float32(0.4))
    both = side_by_side(one, away)
    first, second = (dancer_picture(both, [k], (960, 540)) for k in (0, 1))
    assert first.shape == (540, 960, 3)
    assert (first != second).any(), "the chosen stand out"
    assert first.std() > 5
