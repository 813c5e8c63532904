"""The scores of identities, on poses that are known to be right or wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from d2m_core.pose.model_file import model_folder
from d2m_core.types import PoseSequence
from training.scoreboard.people import group_row
from training.scoreboard.people_scenes import KINDS, group_scene
from training.scoreboard.people_scores import RULES, followed_right, matched


@pytest.fixture(scope="module")
def truth() -> PoseSequence:
    scene = group_scene(6, 2.0)  # three people, apart
    return replace(scene.poses, aspect=scene.shot.aspect)


def test_the_truth_itself_is_right(truth: PoseSequence) -> None:
    found = matched(truth, truth)
    assert (found.idf1, found.kept) == (1.0, 1.0)
    assert all(followed_right(truth, truth, rule) == (True, 1.0) for rule in RULES)


def test_people_in_another_order_are_the_same_people(truth: PoseSequence) -> None:
    assert matched(truth, truth.people_at([2, 0, 1])).idf1 == 1.0


def test_a_change_of_identities_half_way_costs_half_of_both(truth: PoseSequence) -> None:
    half = truth.frames // 2
    swapped = truth.people_at([1, 0, 2])
    image = np.concatenate([truth.image[:half], swapped.image[half:]])
    found = matched(truth, replace(truth, image=image))
    assert found.kept == pytest.approx(2 / 3, abs=0.02)
    assert found.idf1 == pytest.approx(2 / 3, abs=0.02)


def test_missing_people_and_invented_ones_cost(truth: PoseSequence) -> None:
    missing = matched(truth, truth.people_at([0, 1]))
    assert missing.kept == pytest.approx(2 / 3, abs=0.01)
    assert missing.idf1 == pytest.approx(0.8, abs=0.01)
    image = np.concatenate([truth.image, truth.image[:, :1] + 5.0], axis=1).astype(np.float32)
    four = truth.people_at([0, 1, 2, 0])
    assert matched(truth, replace(four, image=image)).idf1 == pytest.approx(6 / 7, abs=0.01)


@pytest.mark.parametrize("number", range(len(KINDS)))
def test_groups_are_as_large_as_they_should_be_and_in_the_picture(number: int) -> None:
    poses = group_scene(number + len(KINDS), 2.0).poses  # three people
    assert poses.people == 3
    assert poses.present.mean() > 0.9


def test_those_who_cross_change_sides() -> None:
    poses = group_scene(KINDS.index("crossing"), 6.0).poses
    side = poses.image[:, 0, :, 0].mean(1) - poses.image[:, 1, :, 0].mean(1)
    assert side.min() < 0 < side.max()


@pytest.mark.skipif(
    not (model_folder() / "pose_landmarker_full.task").exists(),
    reason="the pose model is not on this machine",
)
def test_a_group_that_was_looked_at_is_not_looked_at_again(tmp_path: Path) -> None:
    first = group_row(0, "followed", 1.0, tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert group_row(0, "followed", 1.0, tmp_path) == first  # its cost too, which never is the same twice
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written
    assert first["found"] == first["people"] == 2
