"""The stage: cameras keep what they promise, hidden joints are known, people stand apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from d2m_core.band import Plan, make_plan
from d2m_core.errors import SettingError
from training.studio.stage.camera import CameraPath, aimed, rotations
from training.studio.stage.hiding import BEHIND_OWN_BODY, HIDDEN, OUTSIDE, SEEN, visibility
from training.studio.stage.passer import walking
from training.studio.stage.scene import Scene, stage
from training.studio.stage.shot import ASPECTS, CROPS, MOVES, Shot, random_shot

SECONDS = 4.0


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(5, SECONDS, "house")


def outside(scene: Scene, joints: list[int]) -> float:
    """Share of the lead's joints that the picture does not show."""
    x, y = np.moveaxis(scene.poses.image[:, 0, joints], -1, 0)
    return float(((x < 0) | (x > scene.shot.aspect) | (y < 0) | (y > 1)).mean())


def test_the_same_seed_gives_the_same_scene_and_another_another(plan: Plan) -> None:
    one, again, other = stage(plan, 3, 2), stage(plan, 3, 2), stage(plan, 4, 2)
    assert one.shot == again.shot
    for name in ("world", "image", "visibility"):
        assert getattr(one.poses, name).tobytes() == getattr(again.poses, name).tobytes()
    assert not np.allclose(one.poses.image, other.poses.image)


def test_turning_right_moves_the_picture_left_and_looking_down_moves_it_up() -> None:
    ahead = np.array([[[0.0, 0.0, 5.0]]])
    still = CameraPath(np.zeros((1, 3)), np.zeros((1, 3)), np.ones(1), 1.0, 25.0)
    np.testing.assert_allclose(still.project(ahead), [[[0.5, 0.5]]])
    right = replace(still, angles=np.array([[0.1, 0.0, 0.0]])).project(ahead)
    down = replace(still, angles=np.array([[0.0, 0.1, 0.0]])).project(ahead)
    assert right[0, 0, 0] < 0.5
    assert right[0, 0, 1] == pytest.approx(0.5)
    assert down[0, 0, 1] < 0.5
    place, target = np.array([[1.0, -1.5, -4.0]]), np.array([[0.3, -0.8, 0.5]])
    seen = replace(still, position=place, angles=aimed(place, target)).project(target[:, None])
    np.testing.assert_allclose(seen, [[[0.5, 0.5]]], atol=1e-9)


def test_rotations_keep_lengths_and_one_frame_agrees_with_the_path(plan: Plan) -> None:
    turn = rotations(np.random.default_rng(0).normal(size=(5, 3)))
    np.testing.assert_allclose(turn @ turn.transpose(0, 2, 1), np.tile(np.eye(3), (5, 1, 1)), atol=1e-9)
    scene = stage(plan, 3, shot=Shot(moves=MOVES))
    joints = scene.dances[0].joints.astype(np.float64)
    np.testing.assert_allclose(scene.camera.at(40).project(joints[40]), scene.poses.image[40, 0], atol=1e-4)


@pytest.mark.parametrize("aspect", ASPECTS.values())
def test_a_calm_shot_stands_still_and_shows_everything(plan: Plan, aspect: float) -> None:
    for seed in range(4):
        scene = stage(plan, seed, shot=Shot(aspect=aspect))
        assert scene.camera.still
        assert outside(scene, list(range(33))) < 0.02
        assert np.ptp(scene.poses.image[:, 0, :, 1]) > 0.3, "the dancer is tiny"


def test_crops_cut_what_they_say(plan: Plan) -> None:
    for seed in range(4):
        lost = {crop: stage(plan, seed, shot=Shot(crop=crop)) for crop in CROPS}
        assert outside(lost["feet"], [31, 32]) > 0.3
        assert outside(lost["knees"], [27, 28]) > 0.9
        assert outside(lost["hips"], [25, 26]) > 0.8
        assert 0.03 < outside(lost["side"], list(range(33))) < 0.6
        assert all(outside(lost[crop], [11, 12]) < 0.1 for crop in ("feet", "knees", "hips"))


@pytest.mark.parametrize("move", MOVES)
def test_every_move_moves_the_camera_and_keeps_the_dancer(plan: Plan, move: str) -> None:
    scenes = [stage(plan, seed, shot=Shot(moves=(move,))) for seed in range(3)]
    assert not any(scene.camera.still for scene in scenes)
    assert np.mean([outside(scene, [11, 12, 23, 24]) for scene in scenes]) < 0.1
    jumps = [np.abs(np.diff(scene.camera.angles, axis=0)).max() for scene in scenes]
    assert max(jumps) < 0.05, "a camera leaps"


def test_hands_shake_at_all_scales_and_tripods_do_not(plan: Plan) -> None:
    held = stage(plan, 1, shot=Shot(moves=("handheld",))).camera
    assert np.abs(np.diff(held.angles[:, :2], n=2, axis=0)).max() > 1e-4
    assert 0.001 < held.angles.std(0).max() < 0.06


def test_joints_behind_a_board_a_body_or_the_edge_are_known() -> None:
    frames = 3
    person = np.tile(walking(np.zeros(1), 1.0, 1.7), (frames, 1, 1))
    place, ahead = np.tile([0.0, -1.0, -4.0], (frames, 1)), np.zeros((frames, 3))
    camera = CameraPath(place, ahead, np.full(frames, 1.6), 1.0, 25.0)
    none = np.zeros((0, frames, 33, 3)), np.zeros((0, frames, 5))
    free = visibility(camera, person[None], *none)
    assert set(np.unique(free.round(2))) <= {np.float32(SEEN), np.float32(BEHIND_OWN_BODY)}
    assert free[0, 0, 16] == pytest.approx(SEEN), "the right hand is on our side"
    board = np.tile([0.0, 0.0, -1.0, 2.0, 0.6], (1, frames, 1))
    seen = visibility(camera, person[None], none[0], board)
    assert (seen[:, 0, 27:33] == np.float32(HIDDEN)).all()
    assert (seen[:, 0, :13] == free[:, 0, :13]).all()
    in_front = person + np.array([0.0, 0.0, -1.0])
    seen = visibility(camera, np.stack([person, in_front]), *none)
    assert (seen[:, 0] == np.float32(HIDDEN)).mean() > 0.3
    assert (seen[:, 1] != np.float32(HIDDEN)).all()
    away = visibility(replace(camera, angles=camera.angles + np.array([0.6, 0, 0])), person[None], *none)
    assert (away == np.float32(OUTSIDE)).all()


@pytest.mark.parametrize("overlap", [False, True])
def test_people_stand_apart_and_only_overlap_where_asked(plan: Plan, overlap: bool) -> None:
    shares = []
    for seed in range(4):
        scene = stage(plan, seed, 3, shot=Shot(overlap=overlap))
        assert scene.poses.people == 3
        hips = np.stack([made.joints[:, 23:25].mean(1) for made in scene.dances])
        gaps = [np.linalg.norm((hips[a] - hips[b])[:, [0, 2]], axis=-1) for a, b in ((0, 1), (0, 2), (1, 2))]
        assert np.min(gaps) > 0.35
        shares.append((scene.poses.visibility == np.float32(HIDDEN)).mean())
    assert (np.mean(shares) > 0.08) == overlap


def test_a_passer_hides_the_dancer_for_a_while(plan: Plan) -> None:
    for seed in range(4):
        scene = stage(plan, seed, shot=Shot(occluders=("passer",)))
        hidden = (scene.poses.visibility[:, 0] == np.float32(HIDDEN)).mean(1)
        assert hidden.max() > 0.25
        assert (hidden == 0).mean() > 0.3


def test_most_shots_are_calm_whole_and_free_and_parts_can_be_left_out() -> None:
    rng = np.random.default_rng(0)
    shots = [random_shot(rng) for _ in range(400)]
    assert 0.5 < np.mean([shot.crop == "full" for shot in shots]) < 0.8
    assert 0.3 < np.mean([not shot.moves for shot in shots]) < 0.6
    assert np.mean([not shot.occluders for shot in shots]) > 0.75
    assert {shot.crop for shot in shots} == set(CROPS)
    assert {move for shot in shots for move in shot.moves} == set(MOVES)
    plain = frozenset({"camera", "crops", "occluders", "facing", "crowd", "portrait"})
    for seed in range(20):
        shot = random_shot(np.random.default_rng(seed), plain)
        assert shot == replace(Shot(), overlap=shot.overlap)


def test_nonsense_is_refused(plan: Plan) -> None:
    with pytest.raises(SettingError, match="use 1 to 4"):
        stage(plan, 1, 5)
    with pytest.raises(SettingError, match="no part of a shot"):
        Shot(crop="nose")


def test_rates_other_than_ours(plan: Plan) -> None:
    scene = stage(plan, 2, fps=30.0)
    assert scene.poses.frames == round(SECONDS * 30)
    assert scene.poses.fps == 30.0
