"""Poses that were wrong for a while: what is mended, what is left alone, what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from d2m_core.errors import SettingError
from d2m_core.pictures import repair_picture
from d2m_core.pose import PARTS, POSE_REPAIRS, Point, parse_points, repair_poses
from d2m_core.pose.landmarks import HIPS, SHOULDERS, WRISTS
from d2m_core.spans import Span
from d2m_core.types import LANDMARKS, PoseSequence

FRAMES = 100
SPAN = Span(1.6, 2.0)
INSIDE = slice(40, 50)


def swaying(people: int = 1) -> PoseSequence:
    """A body, symmetric about its middle, that sways and moves its arms; a metre is half a frame height."""
    rng = np.random.default_rng(3)
    body = rng.normal(0, 0.3, (LANDMARKS, 3))
    body[0] *= (0, 1, 1)
    for left, right in ((k, k + 1) for k in range(11, 33, 2)):
        body[left, 0] = abs(body[left, 0]) + 0.1
        body[right] = body[left] * (-1, 1, 1)
    time = np.arange(FRAMES) / 25
    sway = np.stack([0.1 * np.sin(2 * time), 0.05 * np.cos(3 * time), 0 * time], axis=-1)
    world = np.repeat((body + sway[:, None])[:, None], people, axis=1).astype(np.float32)
    world[:, :, list(WRISTS), 1] += 0.2 * np.sin(5 * time)[:, None, None]
    image = world[..., :2] / 2 + (0.8, 0.5)
    shape = (FRAMES, people)
    seen = np.full((*shape, LANDMARKS), 0.9, np.float32)
    return PoseSequence(world, image.astype(np.float32), seen, np.ones(shape, bool), aspect=16 / 9)


def broken(poses: PoseSequence, joints: tuple[int, ...] = tuple(range(LANDMARKS))) -> PoseSequence:
    """The same with those joints anywhere within `INSIDE`."""
    rng = np.random.default_rng(4)
    arrays = {"world": poses.world.copy(), "image": poses.image.copy()}
    for array in arrays.values():
        array[INSIDE, :, list(joints)] += rng.normal(0, 0.5, array[INSIDE, :, list(joints)].shape).astype(
            "f4"
        )
    return replace(poses, **arrays)


@pytest.mark.parametrize("method", ["interpolate", "hold", "mirror", "forget"])
@pytest.mark.parametrize("part", ["whole body", "left arm", "right leg"])
def test_only_the_part_within_the_span_changes(method: str, part: str) -> None:
    if part == "whole body" and method == "mirror":
        return
    poses = broken(swaying())
    mended = repair_poses(poses, [SPAN], method, part)
    changed = np.zeros((FRAMES, 1, LANDMARKS), bool)
    changed[INSIDE, :, list(PARTS[part])] = True
    for name in ("world", "image", "visibility"):
        old, new = getattr(poses, name), getattr(mended, name)
        assert np.array_equal(new[~changed], old[~changed]), name
    moved = (mended.world != poses.world).any(-1)
    assert moved[changed].all() == (method != "forget")
    assert (mended.visibility[changed] == 0).all() == (method == "forget")
    assert mended.present.all()


def test_a_straight_way_and_a_slow_sway_are_met() -> None:
    good = swaying()
    mended = repair_poses(broken(good), [SPAN])
    torso = [*SHOULDERS, *HIPS]
    error = np.abs(mended.world - good.world)[INSIDE][:, :, torso].max()
    assert error < 0.01  # the sway moves the body by 0.06 meanwhile
    held = repair_poses(broken(good), [SPAN], "hold")
    assert np.array_equal(held.world[INSIDE], np.repeat(good.world[39:40], 10, axis=0))
    # It leaves and arrives about as fast as the body moves, and goes beyond neither end.
    low, high = (f(good.world[[39, 50]], axis=0) for f in (np.min, np.max))
    assert (mended.world[INSIDE] >= low - 1e-5).all()
    assert (mended.world[INSIDE] <= high + 1e-5).all()


def test_a_mirrored_arm_is_the_other_one_seen_in_a_mirror() -> None:
    good = swaying()
    mended = repair_poses(broken(good, PARTS["left arm"]), [SPAN], "mirror", "left arm")
    np.testing.assert_allclose(mended.world, good.world, atol=1e-5)
    np.testing.assert_allclose(mended.image, good.image, atol=1e-5)


def test_at_the_ends_and_beside_cuts_one_side_is_held() -> None:
    good = swaying()
    first = repair_poses(broken(good), [Span(0.0, 2.0)])
    assert np.array_equal(first.world[:50], np.repeat(good.world[50:51], 50, axis=0))
    last = repair_poses(good, [Span(3.0, 9.0)])
    assert np.array_equal(last.world[75:], np.repeat(good.world[74:75], 25, axis=0))
    cut = repair_poses(broken(replace(good, cuts_s=(1.9,))), [SPAN])
    assert np.array_equal(cut.world[INSIDE], np.repeat(good.world[39:40], 10, axis=0))


def test_who_was_not_found_is_there_then() -> None:
    lost = swaying(people=2)
    lost.present[38:52, 1] = False
    lost.visibility[38:52, 1] = 0
    mended = repair_poses(lost, [SPAN])
    assert mended.present[INSIDE].all()
    assert (mended.visibility[INSIDE] > 0.8).all()
    assert not mended.present[38, 1]


def test_points_by_hand_are_met() -> None:
    good = swaying()
    points = parse_points("1.8 left wrist 0.5 0.25; 1.9s  Left  Wrist .52, .3")
    assert points[0] == Point(1.8, "left wrist", 0.5, 0.25)
    mended = repair_poses(broken(good), [SPAN], points=points)
    for point, frame in zip(points, (45, 48), strict=True):
        spot = mended.image[frame, 0, WRISTS[0]]
        np.testing.assert_allclose(spot, (point.x * 16 / 9, point.y), atol=1e-5)
        # One metre is half a frame height in this picture.
        np.testing.assert_allclose(mended.world[frame, 0, WRISTS[0], :2], (spot - (0.8, 0.5)) * 2, atol=0.02)
    np.testing.assert_array_equal(mended.image[:40], good.image[:40])


def test_before_and_after_stand_side_by_side() -> None:
    good = swaying()
    poses = broken(good)
    picture = repair_picture(poses, repair_poses(poses, [SPAN]), [SPAN, Span(3, 3.2)], (640, 360))
    assert picture.shape == (2 * 270 + 6, 2 * 480 + 6, 3)
    assert (picture[40:270, :480] != picture[40:270, 486:]).any()
    assert np.array_equal(picture[316:, :480], picture[316:, 486:])


@pytest.mark.parametrize(
    ("spans", "settings", "words"),
    [
        ([Span(4, 5)], {}, "begins at 4 s and the poses last 4 s"),
        ([Span(0, 4)], {}, "Nobody is seen before or after 0.00-4.00 s"),
        ([SPAN], {"method": "dream"}, f"choose {', '.join(POSE_REPAIRS)}"),
        ([SPAN], {"part": "tail"}, "choose whole body"),
        ([SPAN], {"method": "mirror"}, "whole body has no other side"),
        ([SPAN], {"points": [Point(3.0, "nose", 0, 0)]}, "3 s, in none of the spans"),
    ],
)
def test_what_cannot_be_mended_is_said(spans: list[Span], settings: dict, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        repair_poses(swaying(), spans, **settings)


@pytest.mark.parametrize("text", ["2.3 left elbow", "left wrist 2.3 0 0", "2 left wing 0 0"])
def test_points_that_are_not_understood_are_said(text: str) -> None:
    with pytest.raises(SettingError, match="not understood"):
        parse_points(text)
