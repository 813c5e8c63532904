"""Real looks at small drawn clips: somebody alone, and two who dance side by side."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from d2m_core.errors import Cancelled, SettingError
from d2m_core.media import open_clip
from d2m_core.pose import MAX_PEOPLE, Dancer, dancer_index, estimate_poses, find_dancers, stretches
from d2m_core.pose.landmarker import Body
from d2m_core.pose.read import Reader
from d2m_core.types import PoseSequence, VideoClip
from training.scoreboard.people_scenes import group_scene
from training.scoreboard.people_scores import matched
from training.studio.picture.drawing import demo_dance, render_scene
from training.studio.stage.scene import Scene


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> VideoClip:
    scene = demo_dance(seed=3, tempo_bpm=110, duration_s=1.2, fps=25.0)
    return open_clip(render_scene(scene, tmp_path_factory.mktemp("alone") / "dance.mp4"))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[VideoClip, Scene]:
    scene = group_scene(0, 1.2)
    return open_clip(render_scene(scene, tmp_path_factory.mktemp("pair") / "two.mp4")), scene


def test_somebody_alone_is_followed_as_before(alone: VideoClip) -> None:
    seen: list[tuple[int, int]] = []
    found, before = find_dancers(alone, on_progress=lambda *now: seen.append(now)), estimate_poses(alone)
    np.testing.assert_array_equal(found.image, before.image)
    np.testing.assert_array_equal(found.present, before.present)
    assert found.aspect == pytest.approx(16 / 9)
    assert (found.cuts_s, found.changes) == ((), ())
    assert seen[-1] == (30, 30)


@pytest.fixture(scope="module")
def everybody(pair: tuple[VideoClip, Scene]) -> PoseSequence:
    return find_dancers(pair[0])


def test_two_are_found_without_being_told_how_many(
    pair: tuple[VideoClip, Scene], everybody: PoseSequence
) -> None:
    scene, found = pair[1], everybody
    matching = matched(scene.poses, found)
    assert found.people == 2
    assert matching.kept > 0.95
    assert matching.idf1 > 0.95
    left, right = (float(found.image[:, person, :, 0].mean()) for person in (0, 1))
    assert left < right


def test_only_who_is_followed_may_be_kept(pair: tuple[VideoClip, Scene]) -> None:
    clip, scene = pair
    found = find_dancers(clip, "largest", people=1)
    assert found.people == 1
    largest = dancer_index(scene.poses, "largest")
    assert matched(scene.poses, found).pairs == ((largest, 0),)


@pytest.mark.parametrize("dancer", ["largest", lambda poses: [poses.people - 1]])
def test_only_who_is_followed_may_be_read_in_every_frame(
    pair: tuple[VideoClip, Scene], everybody: PoseSequence, dancer: Dancer
) -> None:
    """The one followed to the last bit as when all are read; the other is there all the time, from stills."""
    clip, scene = pair
    quick = find_dancers(clip, dancer, only_followed=True)
    chosen = 1 if callable(dancer) else dancer_index(everybody, dancer)
    assert quick.seldom == (1 - chosen,)
    np.testing.assert_array_equal(quick.image[:, chosen], everybody.image[:, chosen])
    assert not np.array_equal(quick.image[:, 1 - chosen], everybody.image[:, 1 - chosen])
    assert quick.people == 2
    assert quick.present.all()
    assert matched(scene.poses, quick).idf1 == 1.0


def test_whom_stills_lose_is_followed_from_still_to_still(
    pair: tuple[VideoClip, Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("d2m_core.pose.several._PATCHY", (0.0, 1.1))  # everybody is
    read: dict[int, list[float]] = {}
    plain = Reader.read

    def noted(self: Reader, rgb: np.ndarray, time_s: float, time_ms: int) -> Body | None:
        read.setdefault(id(self), []).append(time_s)
        return plain(self, rgb, time_s, time_ms)

    monkeypatch.setattr(Reader, "read", noted)
    quick = find_dancers(pair[0], "largest", only_followed=True)
    assert sorted(map(len, read.values())) == [6, 30]
    assert np.diff(min(read.values(), key=len)) == pytest.approx([0.2] * 5)
    assert len(quick.seldom) == 1
    assert quick.present.all()
    assert matched(pair[1].poses, quick).idf1 == 1.0


def test_a_small_second_person_is_found_beside_a_large_one(tmp_path: Path) -> None:
    """Only a closer look shows the one behind; one such look is no accident when the next agrees."""
    scene = group_scene(33, 3.0)
    clip = open_clip(render_scene(scene, tmp_path / "far.mp4", 360, 640))
    assert find_dancers(clip, only_followed=True).people == 2


def test_two_are_read_in_two_stretches_as_in_one(
    pair: tuple[VideoClip, Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "_SHORTEST_S", 0.5)
    found = []
    for cores in (1, 2):
        for module in ("alone", "several"):
            monkeypatch.setattr(f"d2m_core.pose.{module}.cores", lambda cores=cores: cores)
        told: list[int] = []
        found.append(find_dancers(pair[0], on_progress=lambda done, _total, told=told: told.append(done)))
        assert told[-1] == 30
    one, two = found
    planned = stretches.plan_stretches(one.frames, one.fps, 2)
    assert [len(range(each.first, each.end)) for each in planned] == [22, 8]
    np.testing.assert_array_equal(one.present, two.present)
    np.testing.assert_array_equal(one.image[:22], two.image[:22])
    size = np.median(np.ptp(one.image[..., 1], axis=-1))
    assert np.linalg.norm(one.image - two.image, axis=-1).mean(axis=-1).max() < 0.03 * size
    assert one.changes == two.changes
    assert not [each for each in threading.enumerate() if each.name.startswith("d2m-")]


def test_a_search_of_several_can_be_cancelled(pair: tuple[VideoClip, Scene]) -> None:
    def cancel(done: int, _total: int) -> None:
        if done >= 15:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        find_dancers(pair[0], on_progress=cancel)


def test_so_many_people_at_most(alone: VideoClip) -> None:
    for people in (-1, MAX_PEOPLE + 1):
        with pytest.raises(SettingError, match="or 0 for everybody"):
            find_dancers(alone, people=people)
